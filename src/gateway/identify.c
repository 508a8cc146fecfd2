/* SPDX-License-Identifier: Apache-2.0 */
/* Who is calling: nobody, or the bearer (RFC 6750 section 2.1) of an access token or an API key. A credential that is not
 * valid is never overlooked: the request fails. */
#include <string.h>
#include "api/pipeline.h"
#include "base/api_key_text.h"
#include "gateway/api_key.h"
#include "gateway/revoked.h"
#include "gateway/roles.h"
#include "gateway/seen.h"
#include "store/jwt.h"
#include "store/jwt_cache.h"
#include "base/banned.h"

/* A token's signature is checked once and its result remembered; whether its session goes on is asked each time. */
static int read_token(struct request *r, const char *token, size_t len, struct jwt_claims *claims)
{
	const struct jwt_claims *known = jwt_cached(token, len);
	int rc;

	if (known) {
		*claims = *known;
		return OK;
	}
	rc = jwt_verify(&r->task, token, len, claims);
	if (!rc)
		jwt_remember(token, len, claims);
	return rc;
}

static int identify_person(struct request *r, const char *token)
{
	struct principal *caller = &r->caller;
	struct jwt_claims claims;
	int rc = read_token(r, token, strlen(token), &claims);

	if (!rc)
		rc = revoked_check(&r->task, claims.sid, claims.sub, claims.generation);
	if (rc)
		return rc;
	caller->is = CALLER_PERSON;
	memcpy(caller->person_id, claims.sub, sizeof(caller->person_id));
	memcpy(caller->session_id, claims.sid, sizeof(caller->session_id));
	caller->shown_at = claims.auth_time;
	roles_add(&caller->granted, "member");
	for (int i = 0; i < claims.role_count; i++)
		roles_add(&caller->granted, claims.roles[i]);
	seen_note(caller->session_id, r->client);
	return OK;
}

/* Which of several is meant is for nobody to guess: who stands before us may have read another (RFC 9110 section 5.3). */
static bool is_given_twice(const struct request *r)
{
	int n = 0;

	for (int i = 0; i < r->http->header_count; i++)
		n += strcmp(r->http->headers[i].name, "authorization") == 0;
	return n > 1;
}

int step_identify(struct request *r)
{
	const char *given = http_header_get(r->http, "authorization");
	char id[API_KEY_ID_LENGTH + 1];

	if (!given)
		return OK;
	if (is_given_twice(r))
		return fail(r, E_BAD_REQUEST, "A request takes one Authorization header");
	if (strncasecmp(given, "Bearer ", 7) != 0)
		return fail(r, E_UNAUTHORIZED, "Authorization takes the Bearer scheme");
	given += 7 + strspn(given + 7, " ");
	if (api_key_text_parse(given, id))
		return api_key_identify(r, given);
	return identify_person(r, given);
}
