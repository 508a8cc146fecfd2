/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of permissions: which patterns stand for which, and that a set holds as many as there can be. */
#include "test.h"
#include "model/permission.c"

static int begin(void **state)
{
	(void)state;
	count = 0;
	return permission_add("business:read") + permission_add("business:update") +
				       permission_add("business_hours:read") +
				       permission_add("role:read") ==
			       6
		       ? 0
		       : -1;
}

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern;
		const char *has; /* a digit for each of the four */
	} rows[] = {
		{ "*", "1111" },
		{ "business:*", "1100" },
		{ "business:read", "1000" },
		{ "role:read", "0001" },
		{ "", "0000" },
		{ ":*", "0000" },
		{ "**", "0000" },
		{ "*:read", "0000" },
		{ "business", "0000" },
		{ "business:", "0000" },
		{ "business*", "0000" },
		{ "bus:*", "0000" },
		{ "business:read:*", "0000" },
		{ "business:rea", "0000" },
		{ "Business:read", "0000" },
		{ " *", "0000" },
		{ "business:*,role:*", "0000" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct permissions set = { 0 };
		char has[5] = "";
		bool any = permissions_add(&set, rows[i].pattern);

		for (int n = 0; n < 4; n++)
			has[n] = permissions_have(&set, n) ? '1' : '0';
		expect_text(has, rows[i].has, rows[i].pattern);
		expect_bool(any, strchr(rows[i].has, '1') != NULL, rows[i].pattern);
	}
}

/* A set grows and never shrinks. */
static void test_sets(void **state)
{
	struct permissions set = { 0 };

	(void)state;
	assert_true(permissions_add(&set, "role:read"));
	assert_false(permissions_add(&set, "nothing:read"));
	assert_true(permissions_add(&set, "business:read"));
	assert_true(permissions_have(&set, permission_find("role:read")));
	assert_true(permissions_have(&set, permission_find("business:read")));
	assert_false(permissions_have(&set, permission_find("business:update")));
	assert_false(permissions_have(&set, permission_find("nothing:read")));
	assert_false(permissions_have(&set, -1));
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(permission_add("role:read"), 3);
	assert_int_equal(permission_find("role:read"), 3);
	assert_int_equal(permission_find("role:write"), -1);
	assert_int_equal(permission_find(""), -1);
	assert_string_equal(permission_name(0), "business:read");
	assert_null(permission_name(4));
	assert_null(permission_name(-1));
}

/* Each of them is a bit of its own. */
static void test_as_many_as_there_can_be(void **state)
{
	for (int i = count; i < PERMISSIONS_MAX; i++)
		assert_int_equal(permission_add(talloc_asprintf(*state, "thing-%d:read", i)), i);
	for (int i = 4; i < PERMISSIONS_MAX; i++) {
		struct permissions set = { 0 };
		int others = 0;

		assert_true(permissions_add(&set, permission_name(i)));
		for (int n = 0; n < PERMISSIONS_MAX; n++)
			others += n != i && permissions_have(&set, n);
		assert_true(permissions_have(&set, i));
		assert_int_equal(others, 0);
	}
}

static int begin_with_memory(void **state)
{
	return begin(state) || new_memory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_patterns, begin),
		cmocka_unit_test_setup(test_sets, begin),
		cmocka_unit_test_setup(test_names, begin),
		cmocka_unit_test_setup_teardown(test_as_many_as_there_can_be, begin_with_memory,
						free_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
