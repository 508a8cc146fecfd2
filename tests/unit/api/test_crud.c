/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of merge patches (RFC 7396), as far as they differ from a plain assignment: what a patch does not name. */
#include "test.h"
#include <stdlib.h>
#include "api/crud.c"

/* At the top only what the patch names is in the result, and null stays: both are told to the database. */
static void test_merge_patches(void **state)
{
	static const struct {
		const char *target, *patch, *result;
	} rows[] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{\"a\":null}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		  "{\"a\":{\"b\":\"d\",\"c\":null}}" },
		{ "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":3}}", "{\"a\":{\"b\":3,\"c\":2}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "{\"a\":null}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}" },
		{ "{\"a\":\"foo\"}", "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":1}}}" },
		{ "{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":1}}" },
		{ "{}", "{}", "{}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *target = json_loads(rows[i].target, 0, NULL),
		       *patch = json_loads(rows[i].patch, 0, NULL),
		       *result = merge_patch(target, patch, 0);
		char *text = json_dumps(result, JSON_COMPACT | JSON_SORT_KEYS),
		     *before = json_dumps(target, JSON_COMPACT);

		expect_text(text, rows[i].result, rows[i].patch);
		expect_text(before, rows[i].target, "the old row"); /* is left as it was */
		free(text);
		free(before);
		json_decref(target);
		json_decref(patch);
		json_decref(result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge_patches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
