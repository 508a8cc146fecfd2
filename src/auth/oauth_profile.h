/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has signed in at a provider: the code is exchanged at the token endpoint, by us and with our secret (RFC 6749 section
 * 4.1.3), then the ID token is checked or the page about the person read.
 */
#ifndef AUTH_OAUTH_PROFILE_H
#define AUTH_OAUTH_PROFILE_H

#include <stdbool.h>
#include "auth/oauth_state.h"
#include "base/attr.h"
#include "io/task.h"

struct oauth_profile {
	const char *
		subject; /* the provider's name for the person, that never changes; 1 to 255 bytes */
	const char *email;   /* normal spelling, NULL: none */
	bool email_verified; /* the provider says so */
	const char *name;    /* 1 to 100 characters */
};

/* E_UNAVAILABLE or E_TIMEOUT when the provider is away, E_UNAUTHORIZED when it refuses the code or what it says cannot be
 * believed; failure.cause says why. waits */
int oauth_profile_fetch(struct task *t, const struct oauth_state *state, const char *code,
			struct oauth_profile *profile) MUST_USE;

#endif
