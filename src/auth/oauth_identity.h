/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities: accounts elsewhere that sign people in here, keyed by provider and subject, never by address. An address leads
 * to an account only if the provider has verified it, as we have verified each account's own; registrations of it that nobody
 * has confirmed are dropped then, with the passwords that came with them.
 */
#ifndef AUTH_OAUTH_IDENTITY_H
#define AUTH_OAUTH_IDENTITY_H

#include "api/request.h"
#include "auth/oauth_profile.h"
#include "base/attr.h"

enum identity_outcome {
	IDENTITY_KNOWN,	      /* it is this person's */
	IDENTITY_NO_ADDRESS,  /* the provider gives none, and we need one */
	IDENTITY_UNCONFIRMED, /* nobody has verified the address: a mail asks its owner */
	IDENTITY_SUSPENDED    /* there is an account that may not be used */
};

struct identity_found {
	enum identity_outcome outcome;
	const char *person_id; /* of IDENTITY_KNOWN */
	bool second_factor;    /* the account wants a code as well */
};

/* Whose account it is: the identity's, the one with its verified address, which it is linked to, or a new one. In the
 * transaction at hand. waits */
int identity_settle(struct request *r, const struct oauth_provider *provider,
		    const struct oauth_profile *profile, struct identity_found *found) MUST_USE;
/* Links an identity to a person, with a mail to the owner; nothing when it is theirs already, E_CONFLICT when it is somebody
 * else's. In the transaction at hand. waits */
int identity_link(struct request *r, const struct oauth_provider *provider, const char *person_id,
		  const char *subject, const char *email) MUST_USE;

#endif
