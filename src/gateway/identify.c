/* SPDX-License-Identifier: Apache-2.0 */
/* Who is calling: nobody, or the bearer (RFC 6750 section 2.1) of an access token or an API key. A credential that is not
 * valid is never overlooked: the request fails. */
#include <string.h>
#include "api/pipeline.h"
#include "gateway/api_key.h"
#include "base/banned.h"

enum { CREDENTIAL_MAX = 4096 };

int step_identify(struct request *r)
{
	const char *given = http_header_get(r->http, "authorization");

	if (!given)
		return OK;
	if (strncasecmp(given, "Bearer ", 7) != 0)
		return fail(r, E_UNAUTHORIZED, "Authorization takes the Bearer scheme");
	given += 7 + strspn(given + 7, " ");
	if (strlen(given) > CREDENTIAL_MAX)
		return fail(r, E_UNAUTHORIZED, "The token is not valid");
	if (api_key_is(given))
		return api_key_identify(r, given);
	return fail(r, E_UNAUTHORIZED, "The token is not valid");
}
