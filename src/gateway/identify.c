/* SPDX-License-Identifier: Apache-2.0 */
/* Who is calling: until accounts exist, nobody or the holder of the admin token (RFC 6750 section 2.1). */
#include <sodium.h>
#include <string.h>
#include "api/pipeline.h"
#include "base/config.h"
#include "base/banned.h"

enum { TOKEN_MAX = 256 };

/* Compared in constant time: both are hashed to the same length first. */
static bool is_admin_token(const char *token)
{
	unsigned char given[crypto_generichash_BYTES], wanted[crypto_generichash_BYTES];

	if (strlen(token) > TOKEN_MAX)
		return false;
	crypto_generichash(given, sizeof(given), (const unsigned char *)token, strlen(token), NULL,
			   0);
	crypto_generichash(wanted, sizeof(wanted), (const unsigned char *)config.admin_token,
			   strlen(config.admin_token), NULL, 0);
	return sodium_memcmp(given, wanted, sizeof(given)) == 0;
}

int step_identify(struct request *r)
{
	const char *given = http_header_get(r->http, "authorization");

	if (!given)
		return OK;
	if (strncasecmp(given, "Bearer ", 7) != 0)
		return fail(r, E_UNAUTHORIZED, "Authorization takes the Bearer scheme");
	if (!config.admin_token[0])
		return OK; /* no token can be right: allow.c says what is switched off */
	if (!is_admin_token(given + 7 + strspn(given + 7, " ")))
		return fail(r, E_UNAUTHORIZED, "The token is not valid");
	r->caller.is = ADMIN;
	return OK;
}
