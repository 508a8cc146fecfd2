/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery codes, for who has lost the authenticator: "7KQ2M-XV4TD", 50 random bits in Crockford's base32, which has no
 * letters that are taken for digits. Each is good once (OWASP ASVS 5.0 6.5.1); the caller deletes what was used. Stored is
 * a digest under the secret key. ASVS 6.5.2 wants a password's hash for codes of less than 112 bits; the key, which is not
 * in the database, stands in for it: without it there is nothing to try guesses against. Nothing waits.
 */
#ifndef AUTH_RECOVERY_H
#define AUTH_RECOVERY_H

#include <talloc.h>
#include "base/attr.h"

enum { RECOVERY_CODES = 10 /* how many somebody is given */, RECOVERY_LENGTH = 10 };

/* A new code, in two groups of five. */
char *recovery_code(TALLOC_CTX *mem);
/* The digest of a code as somebody typed it: capitals or not, dashes and blanks anywhere, O for 0, I and L for 1. 64
 * hexadecimal digits to be stored and searched for; NULL when it is no code. */
char *recovery_digest(TALLOC_CTX *mem, const char *typed) MUST_USE;

#endif
