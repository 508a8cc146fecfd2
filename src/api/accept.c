/* SPDX-License-Identifier: Apache-2.0 */
/* The first step: which forms of an answer the caller takes (RFC 9110 section 12.5.1). */
#include <string.h>
#include <stdlib.h>
#include "api/route.h"
#include "api/steps.h"
#include "base/str.h"
#include "base/banned.h"

enum { RANGES_MAX = 32 };

/* Is the range one that we can answer with, and with a weight above 0? */
static bool takes(char *range, const char *const *types)
{
	char *parameters = strchr(range, ';');
	const char *q = parameters ? strstr(parameters, "q=") : NULL;

	if (q && strtod(q + 2, NULL) <= 0.0)
		return false;
	if (parameters)
		*parameters = '\0';
	range = str_trim(range);
	for (; *types; types++)
		if (str_equal_nocase(range, *types))
			return true;
	return false;
}

static bool any_takes(struct request *r, const char *accept, const char *const *types)
{
	char **ranges;
	int n = str_split(MEM(r), accept, ',', RANGES_MAX, &ranges);

	for (int i = 0; i < n; i++)
		if (takes(ranges[i], types))
			return true;
	return n < 0;
}

int step_accept(struct request *r)
{
	static const char *const problem[] = { "application/problem+json", NULL };
	static const char *const all[] = { "*/*",
					   "application/*",
					   "application/json",
					   "application/problem+json",
					   "text/plain",
					   "text/*",
					   NULL };
	const char *accept = http_header_get(r->http, "accept");

	if (!accept || strcmp(accept, "*/*") == 0)
		return OK;
	r->problem_json = any_takes(r, accept, problem);
	if (any_takes(r, accept, all) || r->http->refused)
		return OK; /* why it was refused says more than 406 */
	return fail(r, E_NOT_ACCEPTABLE,
		    "Answers are application/json; errors also application/problem+json");
}
