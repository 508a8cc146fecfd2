/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of recovery codes: their form, how they may be typed, and what is none. */
#include "test.h"
#include "auth/recovery.c"

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static int start(void **state)
{
	char why[200];

	return new_memory(state) || secret_setup(hex, "", why, sizeof(why));
}

static void test_codes(void **state)
{
	for (int i = 0; i < 200; i++) {
		char *code = recovery_code(*state);

		assert_int_equal(strlen(code), 11);
		assert_int_equal(code[5], '-');
		assert_int_equal(strspn(code, letters), 5);
		assert_int_equal(strspn(code + 6, letters), 5);
		assert_int_equal(strlen(recovery_digest(*state, code)), 64);
		assert_string_not_equal(code, recovery_code(*state));
	}
}

static void test_as_they_are_typed(void **state)
{
	static const char *const typed[] = { "7KQ2M-X01TD",	   "7kq2m-x01td", "7KQ2MX01TD",
					     " 7kq2m x01td ",	   "7KQ2M-XOITD", "7kq2m-xolTD",
					     "7-K-Q-2-M-X-0-1-T-D" };
	const char *digest = recovery_digest(*state, "7KQ2M-X01TD");

	for (size_t i = 0; i < COUNT_OF(typed); i++)
		expect_text(recovery_digest(*state, typed[i]), digest, typed[i]);
	assert_string_not_equal(recovery_digest(*state, "7KQ2M-X01TE"), digest);
}

static void test_what_is_no_code(void **state)
{
	static const char *const typed[] = { "",
					     "-",
					     "7KQ2M-X01T",
					     "7KQ2M-X01TDD",
					     "7KQ2M-X01TU",
					     "7KQ2M_X01TD",
					     "7KQ2M-X01T\xc3\xa9",
					     "7KQ2M-X01TD-7KQ2M-X01TD" };

	for (size_t i = 0; i < COUNT_OF(typed); i++)
		expect_bool(!recovery_digest(*state, typed[i]), true, typed[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_as_they_are_typed),
		cmocka_unit_test(test_what_is_no_code),
	};

	return cmocka_run_group_tests(tests, start, free_memory);
}
