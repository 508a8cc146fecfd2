/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens (OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725): RS256 and ES256 only, by a key of the provider's own set. */
#ifndef AUTH_OAUTH_ID_TOKEN_H
#define AUTH_OAUTH_ID_TOKEN_H

#include <jansson.h>
#include "auth/oauth_provider.h"
#include "base/attr.h"
#include "io/task.h"

/* Checks an ID token that answers `nonce`, and gives its claims, which live as long as the task; `sub` is then a text of 1 to 255
 * bytes. E_UNAUTHORIZED with failure.cause when anything is wrong with it; fails as oauth_key_find() does. May wait. */
int oauth_id_token_check(struct task *t, const struct oauth_provider *provider, const char *token,
			 const char *nonce, json_t **claims) MUST_USE;

#endif
