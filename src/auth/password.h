/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords: which are taken (OWASP ASVS 5.0 6.2.1, 6.2.4, 6.2.5, 6.2.8, 6.2.9, 6.2.11), and their hashes, Argon2id (RFC
 * 9106) with t=2, m=19 MiB, p=1, the parameters of OWASP's Password Storage Cheat Sheet. What is hashed is not the password
 * but a digest of it under the program's secret key (a pepper): whoever has the database alone cannot even begin to guess.
 *
 * The stored text is a version and libsodium's text, "1$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH"; the version names the
 * pepper. It is not a secret to be shown, nor to be logged.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>
#include <talloc.h>
#include "base/attr.h"
#include "io/task.h"

enum {
	PASSWORD_MIN = 8,		    /* characters (code points) */
	PASSWORD_MAX = 128,		    /* the same; at most four bytes each */
	PASSWORD_TIME = 2,		    /* t, passes */
	PASSWORD_MEMORY = 19 * 1024 * 1024, /* m, bytes */
	PASSWORD_HASH_MAX = 129		    /* bytes of a stored text, with its NUL */
};

/* Why this password cannot be taken, as the second half of a sentence about it ("must have ..."), or NULL when it can.
 * Refused are fewer than 8 or more than 128 code points, the common passwords, the address `email`, its local part, and what
 * consists of words of the town, of the platform or of the address, digits and punctuation only. Capitals make no
 * difference for any of these, and nothing is demanded of the characters. Nothing waits. */
const char *password_problem(TALLOC_CTX *mem, const char *password, const char *email) MUST_USE;

/* The text to store for a password, a child of t->mem. The password's bytes count as they are: no case folding, no
 * trimming, no Unicode normalisation. A worker has a hasher do it: E_UNAVAILABLE when too many wait for one or memory is
 * short, E_TIMEOUT; see offload(). A command does it itself. waits */
int password_hash(struct task *t, const char *password, char **hash) MUST_USE;
/* Is it the password of this stored text? `stale`, when it is: its parameters or its pepper are not today's, so that the
 * caller should store a new one. E_INTERNAL when the text is not one of ours; else as password_hash(). waits */
int password_verify(struct task *t, const char *hash, const char *password, bool *right,
		    bool *stale) MUST_USE;
/* The same work for an address that has no password (ASVS 6.3.8): returns what password_verify() would, and the password
 * is never right. waits */
int password_dummy(struct task *t, const char *password) MUST_USE;
/* What a hasher does: the function for offload_serve(). Takes some 15 ms of a core. */
void password_work(void *work);

#endif
