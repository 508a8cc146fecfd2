/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of statements put together: values stay out of the SQL, arrays hold anything. */
#include "test.h"
#include "api/select.c"

static void test_conditions_and_parameters(void **state)
{
	struct select s;
	int one, two;

	select_init(&s, *state, NULL);
	assert_string_equal(buf_text(&s.where), "");
	one = select_param(&s, "'; drop table x; --");
	two = select_param(&s, NULL);
	select_where(&s, "t.a = $%d or t.b = $%d", one, two);
	select_where(&s, "t.c");
	assert_string_equal(buf_text(&s.where), " where (t.a = $1 or t.b = $2) and (t.c)");
	assert_int_equal(s.param_count, 2);
	assert_string_equal(s.params[0], "'; drop table x; --");
	assert_null(s.params[1]);
}

static void test_array_literals(void **state)
{
	static const char *const items[] = { "a",    "",   "b,c",  "d\"e",
					     "f\\g", "{}", "null", "\xc3\xa9 " };

	assert_string_equal(pg_array(*state, NULL, 0), "{}");
	assert_string_equal(
		pg_array(*state, items, COUNT_OF(items)),
		"{\"a\",\"\",\"b,c\",\"d\\\"e\",\"f\\\\g\",\"{}\",\"null\",\"\xc3\xa9 \"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions_and_parameters),
		cmocka_unit_test(test_array_literals),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
