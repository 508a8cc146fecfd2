/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor of an account: codes of an authenticator app (auth/totp.h), or recovery codes (auth/recovery.h). */
#ifndef AUTH_SECOND_FACTOR_H
#define AUTH_SECOND_FACTOR_H

#include <stdbool.h>
#include "api/request.h"
#include "auth/login.h"
#include "base/attr.h"

/* Is it a code of the account's, used for the first time? It is used up then. waits */
int second_factor_check(struct request *r, const struct account *account, const char *code,
			bool *right) MUST_USE;

#endif
