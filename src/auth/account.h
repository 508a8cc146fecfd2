/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an address to an account. Who has no session only leaves a request, which a job answers by mail: so an address that
 * somebody has and one that nobody has get the same answer after the same work (OWASP ASVS 5.0 6.3.8). The account comes
 * into being when the mail's link is followed, with the password of that very registration: nobody can wait in an account
 * for the owner of its address to confirm it. Where an address was registered several times, none of the passwords counts.
 */
#ifndef AUTH_ACCOUNT_H
#define AUTH_ACCOUNT_H

#include "base/attr.h"
#include "io/task.h"

/* What somebody asks for by an address: "register", "resend" or "forgotten". The rest is of a registration, with a password or
 * with an account elsewhere, and NULL otherwise. */
struct account_request {
	const char *purpose, *email, *name, *password_hash;
	const char *provider, *subject;
};

/* Leaves a request for the job. waits */
int account_ask(struct task *t, const struct account_request *q) MUST_USE;
/* Answers the requests that wait, at most a hundred: a job, once a second. waits */
int account_answer(struct task *t) MUST_USE;
/* Makes an account with a confirmed address, for the command line: E_DUPLICATE when there is one. `password_hash` may be
 * NULL. waits */
int account_create(struct task *t, const char *email, const char *name, const char *password_hash,
		   const char **person_id) MUST_USE;

#endif
