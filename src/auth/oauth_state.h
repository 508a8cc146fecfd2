/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sign-ins that have begun and not come back (RFC 9700 sections 2.1.1, 4.7): `state` is 256 random bits, good for one use, ten
 * minutes, one provider and the browser that has the cookie. A ticket is what a signed-in person opens to link an account:
 * it becomes a state in the browser that opens it.
 */
#ifndef AUTH_OAUTH_STATE_H
#define AUTH_OAUTH_STATE_H

#include <stdbool.h>
#include "auth/oauth_provider.h"
#include "base/attr.h"
#include "io/task.h"

enum { OAUTH_STATE_LIFE = 600 /* seconds */ };

struct oauth_state {
	const struct oauth_provider *provider;
	const char *person_id;	    /* who links, NULL: somebody signs in */
	const char *code_challenge; /* of the front end */
	const char *return_to;
	const char *verifier, *nonce; /* ours towards the provider; of a state */
	bool expired;
};

/* Makes a ticket. waits */
int oauth_ticket_make(struct task *t, const struct oauth_state *in, const char **ticket) MUST_USE;
/* Uses a ticket of the provider up. E_BAD_REQUEST when it is none, or too old. waits */
int oauth_ticket_take(struct task *t, const struct oauth_provider *provider, const char *ticket,
		      struct oauth_state *out) MUST_USE;
/* Makes a state with a verifier and a nonce of its own, which `s` gets, for the browser with this cookie. waits */
int oauth_state_make(struct task *t, struct oauth_state *s, const char *browser,
		     const char **state) MUST_USE;
/* Uses up the state that a provider sends back with this browser; one that came too late says `expired`. E_BAD_REQUEST when
 * it is none of these. waits */
int oauth_state_take(struct task *t, const struct oauth_provider *provider, const char *state,
		     const char *browser, struct oauth_state *out) MUST_USE;

#endif
