/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's one secret key and what comes from it: a key of its own for each purpose, and texts sealed with such a
 * key for the database (XChaCha20-Poly1305, OWASP ASVS 5.0 V11). The key is the setting GUILDFORD_SECRET_KEY or, without
 * it, a file in the data folder. All nodes of one database need the same.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>
#include <talloc.h>
#include "base/attr.h"

enum { SECRET_KEY_BYTES = 32 };

/* Takes the key from `hex` (64 hexadecimal digits), or from the file secret.key in `folder` when hex is "": it is made
 * there, readable by its owner only, when there is none. Returns 0, or -1 with a sentence in `why`. Blocks; call it
 * before any fork. */
int secret_setup(const char *hex, const char *folder, char *why, size_t size) MUST_USE;
/* The key of one purpose, "totp"; another purpose gives an unrelated key. */
void secret_derive(const char *purpose, unsigned char key[SECRET_KEY_BYTES]);
/* Seals bytes for a purpose: base64url text, a child of mem, another each time. */
char *secret_seal(TALLOC_CTX *mem, const char *purpose, const void *bytes, size_t len);
/* Opens such a text: the bytes (with a NUL behind them) and their number, or NULL when it was not sealed for this
 * purpose with this key. */
char *secret_open(TALLOC_CTX *mem, const char *purpose, const char *text, size_t *len) MUST_USE;
/* BLAKE2b of a text, keyed for a purpose, as 64 hexadecimal digits: what the database keeps of a token in place of it. */
char *secret_digest(TALLOC_CTX *mem, const char *purpose, const char *text);
/* 256 random bits as 43 characters of base64url (ASVS 7.2.3 asks for 128). */
char *secret_token(TALLOC_CTX *mem);

#endif
