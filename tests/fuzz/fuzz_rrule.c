/* SPDX-License-Identifier: Apache-2.0 */
/* Recurrence rules: whatever the text, a rule that is taken is the same when its own text is read, and what it gives comes in
 * order, in the window, and in number as it was asked for. */
#include "fuzz.h"

#include <string.h>
#include "base/str.h"
#include "event/recurrence.h"

enum { MOST = 400, DAY_S = 86400, FIRST = 1795852800 /* 2026-11-28T00:00:00 by the wall clock */ };

static void check_text(TALLOC_CTX *mem, const struct recurrence *rule)
{
	const char *text = recurrence_text(mem, rule), *problem;
	const struct recurrence *again = recurrence_parse(mem, text, &problem);

	if (strlen(text) > RECURRENCE_TEXT_MAX)
		return;
	assert(again && strcmp(recurrence_text(mem, again), text) == 0);
}

static void check_starts(const struct recurrence *rule)
{
	int64_t starts[MOST], from = FIRST + 30 * DAY_S, to = FIRST + 500 * DAY_S;
	int64_t until = rule->until == UNTIL_NONE ? INT64_MAX : rule->until_at;
	int n = recurrence_expand(rule, FIRST, until, from, to, starts, MOST);

	assert(n >= -2 && n <= MOST);
	for (int i = 0; i < n; i++) {
		assert(starts[i] >= from && starts[i] <= to && starts[i] <= until);
		assert(i == 0 || starts[i] > starts[i - 1]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *problem, *text = fuzz_target_text(mem, "", data, size);
	const struct recurrence *rule = recurrence_parse(mem, text, &problem);

	assert(rule ? !problem : problem && str_is_utf8(problem, strlen(problem)));
	if (rule) {
		check_text(mem, rule);
		check_starts(rule);
	}
	talloc_free(mem);
	return 0;
}
