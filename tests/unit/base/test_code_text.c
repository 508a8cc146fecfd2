/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of codes for people: what they are made of, and how they may be typed. */
#include "test.h"
#include "base/code_text.c"

static void test_made(void **state)
{
	char code[CODE_TEXT_MAX + 1], other[CODE_TEXT_MAX + 1], read[CODE_TEXT_MAX + 1];

	(void)state;
	for (size_t length = 4; length <= CODE_TEXT_MAX; length++) {
		code_text_make(code, length);
		code_text_make(other, length);
		assert_int_equal(strspn(code, alphabet), length);
		assert_int_equal(strlen(code), length);
		assert_true(code_text_read(code, read, length));
		assert_string_equal(read, code);
		assert_true(length < 8 || strcmp(code, other) != 0);
	}
}

static void test_typed(void **state)
{
	static const char *const good[] = { "7KQ2MX01", "7kq2mx01", "7KQ2-MX01", " 7k q2 mx oi ",
					    "7KQ2MXOL" };
	static const char *const bad[] = { "",	       "7KQ2MX0",   "7KQ2MX011",
					   "7KQ2MX0U", "7KQ2_MX01", "7KQ2MX0\xc3\xa9" };
	char code[9];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		expect_bool(code_text_read(good[i], code, 8), true, good[i]);
		expect_text(code, "7KQ2MX01", good[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect_bool(code_text_read(bad[i], code, 8), false, bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
