/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a front end gets in its address at the end of a sign-in elsewhere: never tokens (RFC 9700 section 2.1.2), but 256 random
 * bits, good once and for a short time, and only together with the verifier of the challenge that the front end began with.
 */
#ifndef AUTH_OAUTH_CODE_H
#define AUTH_OAUTH_CODE_H

#include "auth/oauth_provider.h"
#include "base/attr.h"
#include "io/task.h"

#define OAUTH_CHALLENGE_PROBLEM "must be the S256 challenge of a verifier (RFC 7636), 43 characters"
#define OAUTH_RETURN_PROBLEM	"is not one of GUILDFORD_OAUTH_RETURN_URLS"

struct oauth_code {
	const char *kind; /* "sign_in", "second_factor" or "link" */
	const struct oauth_provider *provider;
	const char *person_id, *code_challenge;
	const char *subject, *email; /* of a "link": what is to be linked; email may be NULL */
};

/* Makes a code: good for a minute, that of a second factor for five. waits */
int oauth_code_make(struct task *t, const struct oauth_code *in, const char **code) MUST_USE;

#endif
