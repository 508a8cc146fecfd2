/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the JSON writer against jansson, which reads back what it wrote. */
#include "test.h"
#include <jansson.h>
#include "base/writer.c"

static struct buf out;
static struct writer j;

static void begin(void **state)
{
	buf_init(&out, *state, 10000);
	writer_init(&j, &out);
}

static void test_escapes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *json;
	} rows[] = {
		{ "", 0, "\"\"" },
		{ "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
		{ "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
		{ "\0\x1f\x7f", 3, "\"\\u0000\\u001f\\u007f\"" },
		{ "</script>&", 10, "\"\\u003c/script\\u003e\\u0026\"" },
		{ "\xe2\x80\xa8|\xe2\x80\xa9", 7, "\"\\u2028|\\u2029\"" },
		{ "\xe2\x82\xac", 3, "\"\xe2\x82\xac\"" }, /* begins alike */
		{ "\xe2\x80\xa7", 3, "\"\xe2\x80\xa7\"" },
		{ "\xe2\x80", 2, "\"\xe2\x80\"" }, /* not read beyond its end */
		{ "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin(state);
		writer_text(&j, rows[i].text, rows[i].len);
		assert_string_equal(buf_text(&out), rows[i].json);
	}
}

static void test_every_character_comes_back(void **state)
{
	char text[128];
	json_t *back;

	for (int i = 0; i < 128; i++)
		text[i] = (char)i;
	begin(state);
	writer_text(&j, text, sizeof(text));
	back = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(back);
	assert_int_equal(json_string_length(back), sizeof(text));
	assert_memory_equal(json_string_value(back), text, sizeof(text));
	json_decref(back);
}

static void test_numbers_read_back_the_same(void **state)
{
	static const double numbers[] = { 0,	   -0.0,    1,
					  0.1,	   51.2362, 1e21,
					  1e-7,	   5e-324,  1.7976931348623157e308,
					  1.0 / 3, -180,    123456789.123456789 };

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		json_t *back;

		begin(state);
		writer_number(&j, numbers[i]);
		back = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
		assert_true(json_is_number(back));
		assert_true(json_number_value(back) == numbers[i]);
		json_decref(back);
	}
	begin(state);
	writer_number(&j, 51.2362);
	writer_number(&j, (double)INFINITY);
	writer_number(&j, (double)NAN);
	assert_string_equal(buf_text(&out), "51.2362,null,null");
}

static void test_commas_are_put_where_they_belong(void **state)
{
	begin(state);
	writer_object(&j);
	writer_key(&j, "a");
	writer_array(&j);
	writer_array_end(&j);
	writer_key(&j, "b");
	writer_object(&j);
	writer_object_end(&j);
	writer_key(&j, "c");
	writer_array(&j);
	writer_int(&j, INT64_MIN);
	writer_bool(&j, true);
	writer_null(&j);
	writer_string(&j, NULL);
	writer_raw(&j, "1.5", 3);
	writer_array(&j);
	writer_array_end(&j);
	writer_array_end(&j);
	writer_object_end(&j);
	assert_string_equal(
		buf_text(&out),
		"{\"a\":[],\"b\":{},\"c\":[-9223372036854775808,true,null,null,1.5,[]]}");
}

static void test_a_full_buffer_is_told_and_not_overrun(void **state)
{
	for (size_t max = 0; max < 30; max++) {
		buf_init(&out, *state, max);
		writer_init(&j, &out);
		writer_object(&j);
		writer_key(&j, "key");
		writer_string(&j, "a text <of> some length");
		writer_object_end(&j);
		assert_true(buf_full(&out));
		assert_true(out.len <= max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_every_character_comes_back),
		cmocka_unit_test(test_numbers_read_back_the_same),
		cmocka_unit_test(test_commas_are_put_where_they_belong),
		cmocka_unit_test(test_a_full_buffer_is_told_and_not_overrun),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
