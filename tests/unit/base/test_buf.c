/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the bounded buffer: exactly its maximum, one byte more, and what it is afterwards. */
#include "test.h"
#include "base/buf.c"

static void test_holds_exactly_its_maximum(void **state)
{
	struct buf b;

	buf_init(&b, *state, 5);
	buf_adds(&b, "abcde");
	assert_false(buf_full(&b));
	assert_string_equal(buf_text(&b), "abcde");
	buf_add(&b, "", 0);
	assert_false(buf_full(&b));
	buf_addc(&b, 'f');
	assert_true(buf_full(&b));
	assert_int_equal(b.len, 5);
}

static void test_what_does_not_fit_is_left_out_whole(void **state)
{
	struct buf b;

	buf_init(&b, *state, 5);
	buf_adds(&b, "abc");
	buf_addf(&b, "%s", "def");
	assert_int_equal(b.len, 3);
	buf_addc(&b, 'd'); /* would fit, but the content has a hole already */
	assert_int_equal(b.len, 3);
	assert_null(buf_room(&b, 0));
	buf_clear(&b);
	buf_adds(&b, "defgh");
	assert_string_equal(buf_text(&b), "defgh");
}

static void test_an_empty_one_is_an_empty_text(void **state)
{
	struct buf b;

	buf_init(&b, *state, 0);
	assert_string_equal(buf_text(&b), "");
	buf_add(&b, NULL, 0);
	buf_shift(&b, 0);
	assert_false(buf_full(&b));
	buf_addc(&b, 'a');
	assert_true(buf_full(&b));
}

static void test_a_length_near_overflow_is_refused(void **state)
{
	struct buf b;

	buf_init(&b, *state, SIZE_MAX / 2);
	buf_addc(&b, 'a');
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(buf_full(&b));
}

static void test_formats_longer_than_its_own_space(void **state)
{
	struct buf b;

	for (int width = 250; width < 262; width++) {
		buf_init(&b, *state, 1000);
		buf_addf(&b, "%*d|", width, 7);
		assert_int_equal(b.len, width + 1);
		assert_string_equal(buf_text(&b) + width - 1, "7|");
		talloc_free(b.data);
	}
}

static void test_integers(void **state)
{
	static const struct {
		long long value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ -1, "-1" },
		{ 10, "10" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf b;

		buf_init(&b, *state, 20);
		buf_addi(&b, rows[i].value);
		assert_string_equal(buf_text(&b), rows[i].text);
	}
}

static void test_shift_keeps_the_rest(void **state)
{
	struct buf b;

	buf_init(&b, *state, 6);
	buf_add(&b, "ab\0cd", 5);
	buf_shift(&b, 2);
	assert_memory_equal(b.data, "\0cd", 3);
	buf_shift(&b, 3);
	assert_string_equal(buf_text(&b), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_exactly_its_maximum),
		cmocka_unit_test(test_what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(test_an_empty_one_is_an_empty_text),
		cmocka_unit_test(test_a_length_near_overflow_is_refused),
		cmocka_unit_test(test_formats_longer_than_its_own_space),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_shift_keeps_the_rest),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
