/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of other origins may call from a browser (the Fetch standard's CORS protocol): a list of origins. */
#include <string.h>
#include "api/pipeline.h"
#include "api/route.h"
#include "base/config.h"
#include "base/str.h"
#include "base/banned.h"

enum { ORIGINS_MAX = 100 };

static bool is_allowed(struct request *r, const char *origin)
{
	char **origins;
	int n = str_split(MEM(r), config.cors_origins, ',', ORIGINS_MAX, &origins);

	for (int i = 0; i < n; i++)
		if (strcmp(origins[i], "*") == 0 || strcmp(origins[i], origin) == 0)
			return true;
	return false;
}

static bool is_preflight(const struct request *r)
{
	return r->http->method == METHOD_OPTIONS &&
	       http_header_get(r->http, "access-control-request-method");
}

void cors_reply(struct request *r)
{
	const char *origin = http_header_get(r->http, "origin");
	bool any = strcmp(config.cors_origins, "*") == 0;
	const char *methods;

	if (!config.cors_origins[0])
		return;
	if (!any)
		http_header_add(r->http, "Vary", "Origin");
	if (!origin || !is_allowed(r, origin))
		return;
	http_header_add(r->http, "Access-Control-Allow-Origin", any ? "*" : origin);
	if (!is_preflight(r)) {
		http_header_add(r->http, "Access-Control-Expose-Headers",
				"ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
				"Server-Timing, X-RateLimit-Limit, X-RateLimit-Remaining, "
				"X-RateLimit-Reset, X-Request-Id");
		return;
	}
	methods = route_allowed(r);
	http_header_add(r->http, "Access-Control-Allow-Methods", methods ? methods : "GET");
	http_header_add(r->http, "Access-Control-Allow-Headers",
			"Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id");
	http_header_add(r->http, "Access-Control-Max-Age", "86400");
}
