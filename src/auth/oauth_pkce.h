/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proof keys (PKCE, RFC 7636), S256 and nothing else: a code that is stolen on its way is of no use without the verifier. We
 * are the client towards providers, and the server towards front ends. Nothing waits.
 */
#ifndef AUTH_OAUTH_PKCE_H
#define AUTH_OAUTH_PKCE_H

#include <stdbool.h>
#include <talloc.h>
#include "base/attr.h"

/* The challenge of a verifier: SHA-256 as base64url, 43 characters (RFC 7636 section 4.2). */
char *pkce_challenge(TALLOC_CTX *mem, const char *verifier);
/* Can it be a challenge of S256: 32 bytes of base64url? */
bool pkce_is_challenge(TALLOC_CTX *mem, const char *text) MUST_USE;
/* Is this the verifier of that challenge? It has 43 to 128 unreserved characters (RFC 7636 section 4.1). */
bool pkce_matches(TALLOC_CTX *mem, const char *verifier, const char *challenge) MUST_USE;

#endif
