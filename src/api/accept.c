/* SPDX-License-Identifier: Apache-2.0 */
/* The first step: which forms of an answer the caller takes (RFC 9110 section 12.5.1). */
#include <string.h>
#include "api/route.h"
#include "api/steps.h"
#include "base/str.h"
#include "base/banned.h"

enum { RANGES_MAX = 32 };

/* Takes the caller one of these? They are named from the most special to the most general: the first that is in the list
 * decides. */
static bool takes(char **ranges, const bool *wanted, int n, const char *const *names)
{
	for (; *names; names++)
		for (int i = 0; i < n; i++)
			if (str_equal_nocase(ranges[i], *names))
				return wanted[i];
	return false;
}

int step_accept(struct request *r)
{
	static const char *const json[] = { "application/json", "application/*", "*/*", NULL };
	/* of /metrics, feeds and tables: whoever takes these takes what stands at a path */
	static const char *const others[] = { "text/plain",	      "text/calendar", "text/csv",
					      "application/atom+xml", "text/*",	       NULL };
	static const char *const linked[] = { "application/ld+json", NULL };
	static const char *const problem[] = { "application/problem+json", NULL };
	const char *accept = http_header_get(r->http, "accept");
	bool wanted[RANGES_MAX];
	char **ranges;
	int n;

	/* an empty list names nothing that is not taken */
	if (!accept || !accept[strspn(accept, ", \t")] || strcmp(accept, "*/*") == 0)
		return OK;
	n = str_split(MEM(r), accept, ',', RANGES_MAX, &ranges);
	if (n < 0) /* whoever names so many takes ours */
		return OK;
	for (int i = 0; i < n; i++) {
		wanted[i] = http_range_wanted(ranges[i]);
		str_trim(ranges[i]);
	}
	r->problem_json = takes(ranges, wanted, n, problem);
	r->json_ld = takes(ranges, wanted, n, linked);
	if (r->problem_json || r->json_ld || takes(ranges, wanted, n, json) ||
	    takes(ranges, wanted, n, others) ||
	    r->http->refused) /* why it was refused says more than 406 */
		return OK;
	return fail(r, E_NOT_ACCEPTABLE,
		    "Answers are application/json; errors also application/problem+json");
}
