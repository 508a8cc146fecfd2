/* SPDX-License-Identifier: Apache-2.0 */
/* Showing who one is: address and password, and the code of a second factor where the account has one. */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include <stdbool.h>
#include "api/request.h"
#include "base/attr.h"

/* The account that somebody says is theirs. Texts are NULL where there is none. */
struct account {
	const char *id, *email, *password_hash, *status, *totp_secret;
	long long totp_last_step;
};

/* Reads an account by its id, or by address when that is NULL; all is NULL when nobody has it. waits */
int login_account(struct request *r, const char *id, const char *email,
		  struct account *account) MUST_USE;
/* Is this the account's password, and the code right where one is needed? E_UNAUTHORIZED (the same for a locked, unknown or
 * wrong one), E_CODE_REQUIRED; failures are counted. `email` is what was given. A hash that was made anew is put into the
 * account. Not in a transaction. waits */
int login_check(struct request *r, struct account *account, const char *email, const char *password,
		const char *code) MUST_USE;
/* Is the code one of the account's second factor, for somebody who was let in otherwise? Fails and counts as login_check()
 * does. Not in a transaction. waits */
int login_check_code(struct request *r, const struct account *account, const char *code) MUST_USE;
/* Begins a session in the transaction at hand, and notes it; `provider` is who has said who it is, NULL: a password. waits */
int login_begin(struct request *r, const char *person_id, const char *provider,
		const char **session_id, const char **refresh_token) MUST_USE;

#endif
