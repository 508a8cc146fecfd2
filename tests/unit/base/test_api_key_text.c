/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the text of API keys: made ones are taken, one wrong character is not, and the checksum is the documented one. */
#include "test.h"
#include "base/api_key_text.c"

static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/* By another implementation: zlib.crc32() of Python and base 62 by hand. */
static const char known[] = "gk_0123ABab_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg0q68lQ";

static int start(void **state)
{
	char why[200];

	return new_memory(state) || secret_setup(hex, "", why, sizeof(why));
}

static void test_made_ones_are_taken(void **state)
{
	char id[API_KEY_ID_LENGTH + 1];

	for (int i = 0; i < 200; i++) {
		char *text = api_key_text_make(*state);

		assert_int_equal(strlen(text), API_KEY_LENGTH);
		assert_true(api_key_text_parse(text, id));
		assert_int_equal(strlen(id), API_KEY_ID_LENGTH);
		assert_memory_equal(text + 3, id, API_KEY_ID_LENGTH);
		assert_string_not_equal(text, api_key_text_make(*state));
	}
}

static void test_a_known_one(void **state)
{
	char id[API_KEY_ID_LENGTH + 1];

	(void)state;
	assert_true(api_key_text_parse(known, id));
	assert_string_equal(id, "0123ABab");
}

static void test_one_wrong_character(void **state)
{
	char id[API_KEY_ID_LENGTH + 1] = "kept";

	for (size_t i = 0; i < API_KEY_LENGTH; i++) {
		char *text = talloc_strdup(*state, known);

		text[i] = text[i] == 'x' ? 'y' : 'x';
		expect_bool(api_key_text_parse(text, id), false, text);
		text[i] = '-';
		expect_bool(api_key_text_parse(text, id), false, text);
		text[i] = '\0';
		expect_bool(api_key_text_parse(text, id), false, text);
	}
	assert_false(api_key_text_parse("", id));
	assert_false(api_key_text_parse(talloc_asprintf(*state, "%s0", known), id));
	assert_string_equal(id, "kept");
}

static void test_digests(void **state)
{
	const char *digest = api_key_text_digest(*state, known);

	assert_int_equal(strlen(digest), 64);
	assert_string_equal(api_key_text_digest(*state, known), digest);
	assert_string_not_equal(api_key_text_digest(*state, api_key_text_make(*state)), digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_ones_are_taken),
		cmocka_unit_test(test_a_known_one),
		cmocka_unit_test(test_one_wrong_character),
		cmocka_unit_test(test_digests),
	};

	return cmocka_run_group_tests(tests, start, free_memory);
}
