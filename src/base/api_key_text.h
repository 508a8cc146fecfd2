/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of an API key:
 *
 *   gk_4fT9wq2B_Jx0...43 characters...mP81kZ3d
 *      id       secret, 256 bits        checksum
 *
 * all in letters and digits, so that a double click takes it whole. The id is public: lists show it, and the row is found by
 * it. The checksum is CRC-32 of what stands before it, as GitHub's tokens have it: a scanner of leaks can tell a key from
 * something that looks like one without asking anybody, and so can we before any database is asked. It is no secret and
 * proves nothing. Stored is a digest only (OWASP ASVS 5.0 11.4.1; 256 bits need no slow hash). Nothing waits.
 */
#ifndef BASE_API_KEY_TEXT_H
#define BASE_API_KEY_TEXT_H

#include <stdbool.h>
#include <talloc.h>
#include "base/attr.h"

enum { API_KEY_ID_LENGTH = 8, API_KEY_SECRET_LENGTH = 43, API_KEY_CHECKSUM_LENGTH = 6 };
enum {
	API_KEY_LENGTH = 3 + API_KEY_ID_LENGTH + 1 + API_KEY_SECRET_LENGTH + API_KEY_CHECKSUM_LENGTH
};

/* A new key, to be shown once. Its id may be taken already (one in 10^14 for each key there is): the caller's unique index
 * says so. */
char *api_key_text_make(TALLOC_CTX *mem);
/* Is it of the form of a key, with the right checksum? Then `id` is its id. */
bool api_key_text_parse(const char *text, char id[API_KEY_ID_LENGTH + 1]) MUST_USE;
/* What the database keeps of a key: secret_digest() of all of it, 64 hexadecimal digits, to be compared by sodium_memcmp(). */
char *api_key_text_digest(TALLOC_CTX *mem, const char *text);

#endif
