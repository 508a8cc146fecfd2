/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens that this process has verified, so that their signature is checked once: known by a keyed digest (BLAKE2b,
 * a random key of the process), forgotten when they expire. Whether the session still lives is another question, to be
 * asked each time. Nothing waits.
 */
#ifndef STORE_JWT_CACHE_H
#define STORE_JWT_CACHE_H

#include <stddef.h>
#include "store/jwt.h"

/* At most so many are kept; the oldest go. */
enum { JWT_CACHE_MAX = 20000 };

/* The claims of a token that was verified and has not expired, NULL otherwise. Good until the next call, or wait. */
const struct jwt_claims *jwt_cached(const char *token, size_t len);
/* Keeps a copy of the claims of a token that jwt_verify() has let pass. */
void jwt_remember(const char *token, size_t len, const struct jwt_claims *claims);
/* Forgets all. */
void jwt_cache_clear(void);

#endif
