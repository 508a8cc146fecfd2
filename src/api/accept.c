/* SPDX-License-Identifier: Apache-2.0 */
/* The first step: which forms of an answer the caller takes (RFC 9110 section 12.5.1). */
#include <string.h>
#include "api/route.h"
#include "api/steps.h"
#include "base/str.h"
#include "base/banned.h"

enum { RANGES_MAX = 32 };

static bool is_one_of(const char *range, const char *const *types)
{
	for (; *types; types++)
		if (str_equal_nocase(range, *types))
			return true;
	return false;
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
	bool taken = false;
	char **ranges;
	int n;

	if (!accept || strcmp(accept, "*/*") == 0)
		return OK;
	n = str_split(MEM(r), accept, ',', RANGES_MAX, &ranges);
	if (n < 0)
		return OK; /* of so many one will do */
	for (int i = 0; i < n; i++) {
		const char *range;

		if (!http_range_wanted(ranges[i]))
			continue;
		range = str_trim(ranges[i]);
		r->problem_json |= is_one_of(range, problem);
		taken |= is_one_of(range, all);
	}
	if (taken || r->http->refused)
		return OK; /* why it was refused says more than 406 */
	return fail(r, E_NOT_ACCEPTABLE,
		    "Answers are application/json; errors also application/problem+json");
}
