/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what is kept while a snapshot holds: never another one's, never without bound. */
#include "test.h"
#include "store/memo.c"

static void test_a_value_is_of_its_snapshot(void **state)
{
	(void)state;
	assert_null(memo_get("a", "1:1:"));
	memo_put("a", "1:1:", "x");
	assert_string_equal(memo_get("a", "1:1:"), "x");
	assert_null(memo_get("a", "1:2:"));
	assert_null(memo_get("b", "1:1:"));
	memo_put("a", "1:2:", "y");
	assert_null(memo_get("a", "1:1:"));
	assert_string_equal(memo_get("a", "1:2:"), "y");
	memo_clear();
	assert_null(memo_get("a", "1:2:"));
}

static void test_without_a_snapshot_nothing_is_kept(void **state)
{
	(void)state;
	memo_put("a", "1:1:", "x");
	assert_null(memo_get("a", NULL));
	memo_put("a", NULL, "y");
	assert_string_equal(memo_get("a", "1:1:"), "x");
	memo_clear();
}

static void test_the_oldest_go(void **state)
{
	char *large = talloc_zero_size(*state, 100001);

	memset(large, 'x', 100000);
	for (int i = 0; i < 1000; i++)
		memo_put(talloc_asprintf(*state, "%d", i), "1:1:", large);
	assert_true(used <= MEMO_MAX);
	assert_null(memo_get("0", "1:1:"));
	assert_non_null(memo_get("999", "1:1:"));
	memo_clear();
	assert_int_equal(used, 0);
}

static void test_what_is_too_large_is_not_kept(void **state)
{
	char *large = talloc_zero_size(*state, VALUE_MAX + 2);

	memset(large, 'x', VALUE_MAX + 1);
	memo_put("a", "1:1:", large);
	assert_null(memo_get("a", "1:1:"));
	large[KEY_MAX + 1] = '\0';
	memo_put(large, "1:1:", "a");
	assert_null(memo_get(large, "1:1:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_is_of_its_snapshot),
		cmocka_unit_test(test_without_a_snapshot_nothing_is_kept),
		cmocka_unit_test(test_the_oldest_go),
		cmocka_unit_test(test_what_is_too_large_is_not_kept),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
