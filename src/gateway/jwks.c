/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.well-known/jwks.json: the public halves of the signing keys (RFC 7517 section 5), for who verifies our tokens. */
#include <string.h>
#include "api/reply.h"
#include "gateway/gateway.h"
#include "store/keys.h"
#include "base/banned.h"

int jwks_get(struct request *r)
{
	const char *json;
	int rc = keys_jwks(&r->task, &json);

	if (rc)
		return rc;
	/* a new key signs only after that time */
	r->cache_control = "public, max-age=300";
	return reply_plain(r, 200, "application/json; charset=utf-8", json, strlen(json));
}
