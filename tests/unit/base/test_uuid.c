/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of ids: of version 7, each greater than the one before, also when more are made than a millisecond counts. */
#include "test.h"
#include "base/uuid.c"

static void test_new_ones_increase(void **state)
{
	char last[UUID_TEXT_SIZE] = "", next[UUID_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uuid_new(next);
		assert_true(strcmp(last, next) < 0);
		memcpy(last, next, sizeof(last));
	}
}

static void test_new_ones_are_of_version_7(void **state)
{
	char id[UUID_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 100; i++) {
		uuid_new(id);
		assert_true(uuid_is(id));
		assert_int_equal(id[14], '7');
		assert_non_null(strchr("89ab", id[19]));
	}
}

static void test_recognises(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03", true },
		{ "019363F1-27A5-7C1B-8A5E-5F0C2C9E1A03", true },
		{ "00000000-0000-0000-0000-000000000000", true },
		{ "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a0", false },
		{ "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a033", false },
		{ "019363f127a57c1b8a5e5f0c2c9e1a03", false },
		{ "{019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03}", false },
		{ "019363g1-27a5-7c1b-8a5e-5f0c2c9e1a03", false },
		{ "019363f1-27a5-7c1b-8a5e", false },
		{ "\xc3\xa9", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(uuid_is(rows[i].text), rows[i].good, rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_ones_increase),
		cmocka_unit_test(test_new_ones_are_of_version_7),
		cmocka_unit_test(test_recognises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
