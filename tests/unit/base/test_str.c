/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of text: ill-formed UTF-8, slugs of any script, numbers at their limits, the two encodings. */
#include "test.h"
#include "base/str.c"

/* A literal and its length, for texts that hold NUL. */
#define BYTES(literal) literal, sizeof(literal) - 1

static void test_well_formed_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool good;
	} rows[] = {
		{ BYTES(""), true },
		{ BYTES("a\0b"), true },
		{ BYTES("\xc2\x80"), true },
		{ BYTES("\xdf\xbf"), true },
		{ BYTES("\xe0\xa0\x80"), true },
		{ BYTES("\xed\x9f\xbf"), true },
		{ BYTES("\xef\xbf\xbf"), true },
		{ BYTES("\xf0\x90\x80\x80"), true },
		{ BYTES("\xf4\x8f\xbf\xbf"), true },
		{ BYTES("\x80"), false },
		{ BYTES("\xc0\x80"), false }, /* overlong NUL */
		{ BYTES("\xc1\xbf"), false },
		{ BYTES("\xe0\x9f\xbf"), false },
		{ BYTES("\xed\xa0\x80"), false }, /* a surrogate */
		{ BYTES("\xed\xbf\xbf"), false },
		{ BYTES("\xf0\x8f\xbf\xbf"), false },
		{ BYTES("\xf4\x90\x80\x80"), false }, /* beyond U+10FFFF */
		{ BYTES("\xf5\x80\x80\x80"), false },
		{ BYTES("\xff"), false },
		{ BYTES("a\xc3"), false }, /* breaks off */
		{ BYTES("\xe2\x82"), false },
		{ BYTES("\xf0\x9f\x98"), false },
		{ BYTES("\xe2\x82\x41"), false },
		{ BYTES("\xf0\x9f\x98\x41"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(str_is_utf8(rows[i].text, rows[i].len), rows[i].good, rows[i].text);
	assert_int_equal(str_length_utf8(BYTES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
}

static void test_what_is_no_character_is_left_out(void **state)
{
	static const struct {
		const char *text, *made;
	} rows[] = {
		{ "", "" },
		{ "a\xc3\xa9", "a\xc3\xa9" },
		{ "a\xe2\x82", "a" },
		{ "\xff\xc3\xa9\x80", "\xc3\xa9" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = talloc_strdup(*state, rows[i].text);

		str_repair_utf8(text);
		assert_string_equal(text, rows[i].made);
	}
}

static void test_cuts_leave_whole_characters(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *cut;
	} rows[] = {
		{ "abc", 3, "abc" },
		{ "abc", 2, "ab" },
		{ "abc", 0, "" },
		{ "", 5, "" },
		{ "a\xc3\xa9", 3, "a\xc3\xa9" },
		{ "a\xc3\xa9", 2, "a" },
		{ "\xe2\x82\xac!", 3, "\xe2\x82\xac" },
		{ "\xe2\x82\xac!", 2, "" },
		{ "\xf0\x9f\x98\x80", 3, "" },
		{ "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 7, "\xf0\x9f\x98\x80" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text(str_cut(*state, rows[i].text, rows[i].max), rows[i].cut, rows[i].text);
}

static void test_control_characters(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool in_line, in_lines;
	} rows[] = {
		{ BYTES("plain \xc2\xa0 \xc3\x80"), false, false },
		{ BYTES("a\nb\r\tc"), true, false },
		{ BYTES("a\0b"), true, true },
		{ BYTES("\x1b[31m"), true, true },
		{ BYTES("\x7f"), true, true },
		{ BYTES("\xc2\x85"), true, true },
		{ BYTES("\xc2\x9f"), true, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		expect_bool(str_has_control(rows[i].text, rows[i].len, false), rows[i].in_line,
			    rows[i].text);
		expect_bool(str_has_control(rows[i].text, rows[i].len, true), rows[i].in_lines,
			    rows[i].text);
	}
}

static void test_slugs_are_made(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *slug;
	} rows[] = {
		{ "The King's Head", 100, "the-kings-head" },
		{ "The King\xe2\x80\x99s Head", 100, "the-kings-head" },
		{ "  --A & B--  ", 100, "a-b" },
		{ "Caf\xc3\xa9 Stra\xc3\x9f"
		  "e \xc3\x86r\xc3\xb8",
		  100, "cafe-strasse-aero" },
		{ "\xc5\x92uvre \xc5\x81\xc3\xb3"
		  "d\xc5\xba",
		  100, "oeuvre-lodz" },
		{ "2\xc3\x97"
		  "4",
		  100, "2-4" },
		{ "\xe6\x97\xa5\xe6\x9c\xac", 100, "" },
		{ "a\xff"
		  "b",
		  100, "a-b" },
		{ "", 100, "" },
		{ "abc def", 7, "abc-def" },
		{ "abcde fgh", 8, "abcde" }, /* at a hyphen that is near */
		{ "a bcdefghij", 6, "a-bcde" },
		{ "abc def", 4, "abc" },
		{ "abcdefgh", 4, "abcd" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text(str_slug(*state, rows[i].text, rows[i].max), rows[i].slug,
			    rows[i].text);
}

/* Whatever is left of a text is a slug. */
static void test_every_letter_leaves_a_slug_or_nothing(void **state)
{
	for (unsigned code = 1; code < 0x250; code++) {
		char text[3] = { (char)code, 0, 0 };
		char *slug;

		if (code >= 0x80) {
			text[0] = (char)(0xc0 | code >> 6);
			text[1] = (char)(0x80 | (code & 0x3f));
		}
		slug = str_slug(*state, text, 10);
		expect_bool(!slug[0] || str_is_slug(slug, 10), true, text);
	}
}

static void test_slugs_are_recognised(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "a", true },		{ "a-1", true },       { "0", true },
		{ "", false },		{ "-a", false },       { "a-", false },
		{ "a--b", false },	{ "A", false },	       { "a b", false },
		{ "a_b", false },	{ "\xc3\xa9", false }, { "12345678", true },
		{ "123456789", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(str_is_slug(rows[i].text, 8), rows[i].good, rows[i].text);
}

static void test_integers_at_their_limits(void **state)
{
	static const struct {
		const char *text;
		bool good;
		long long value;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "007", true, 7 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ "0x10", false, 0 },
		{ "\xd9\xa1", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		long long value = -5;

		expect_bool(str_to_int(rows[i].text, INT64_MIN, INT64_MAX, &value), rows[i].good,
			    rows[i].text);
		assert_int_equal(value, rows[i].good ? rows[i].value : -5);
	}
	expect_bool(str_to_int("5", 1, 4, &(long long) { 0 }), false, "5");
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "0", true },	    { "-0.5", true },	{ "1e3", true },    { "1E-3", true },
		{ "01.5", true },   { "1e+308", true }, { "1e-400", true }, { "1e309", false },
		{ "", false },	    { "-", false },	{ ".5", false },    { "5.", false },
		{ "1e", false },    { "1e+", false },	{ "inf", false },   { "nan", false },
		{ "0x1p3", false }, { "1,5", false },	{ "1 ", false },    { "+1", false },
		{ "1.2.3", false }, { "1e1.5", false }, { "--1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(str_to_double(rows[i].text, &(double) { 0 }), rows[i].good,
			    rows[i].text);
}

static void test_base64url_round_trip(void **state)
{
	unsigned char bytes[256], *back;
	size_t len;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	for (size_t n = 0; n <= sizeof(bytes); n += 5) {
		char *text = str_base64url(*state, bytes, n);

		assert_null(strpbrk(text, "+/="));
		assert_true(str_from_base64url(*state, text, strlen(text), &back, &len));
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
	}
}

static void test_base64url_refuses(void **state)
{
	static const char *const bad[] = { "A",	   "AB",   "AAA=",   "AA==",	"A+AA",
					   "A/AA", "AA A", "AAAA\n", "\xc3\xa9" };
	unsigned char *back;
	size_t len;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect_bool(str_from_base64url(*state, bad[i], strlen(bad[i]), &back, &len), false,
			    bad[i]);
}

static void test_percent_decoding(void **state)
{
	static const struct {
		const char *text;
		bool plus;
		const char *decoded; /* NULL: refused */
	} rows[] = {
		{ "", true, "" },	 { "a+b%20c", true, "a b c" },
		{ "a+b", false, "a+b" }, { "%C3%a9", false, "\xc3\xa9" },
		{ "%2B", true, "+" },	 { "%25%32%35", true, "%25" }, /* once, not again */
		{ "%", true, NULL },	 { "%2", true, NULL },
		{ "%zz", true, NULL },	 { "a%00b", true, NULL },
		{ "%C3", true, NULL },	 { "%ED%A0%80", true, NULL },
		{ "\xff", true, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *decoded = NULL;
		bool good = str_percent_decode(*state, rows[i].text, strlen(rows[i].text),
					       rows[i].plus, &decoded);

		expect_bool(good, rows[i].decoded != NULL, rows[i].text);
		expect_text(decoded, rows[i].decoded, rows[i].text);
	}
	/* the length counts, not what stands behind it */
	assert_false(str_percent_decode(*state, "%41", 2, true, &(char *) { NULL }));
}

static void test_percent_encoding_round_trip(void **state)
{
	char all[256], *back;
	struct buf b;

	for (int i = 0; i < 127; i++)
		all[i] = (char)(i + 1);
	all[127] = '\0';
	buf_init(&b, *state, 1000);
	str_percent_encode(&b, all);
	assert_true(str_percent_decode(*state, b.data, b.len, true, &back));
	assert_string_equal(back, all);
	buf_clear(&b);
	str_percent_encode(&b, "a-._~Z0/ +");
	assert_string_equal(buf_text(&b), "a-._~Z0%2F%20%2B");
}

static void test_splitting(void **state)
{
	char **parts;

	assert_int_equal(str_split(*state, "", ',', 2, &parts), 1);
	assert_string_equal(parts[0], "");
	assert_int_equal(str_split(*state, " a , ,b\t", ',', 3, &parts), 3);
	assert_string_equal(parts[0], "a");
	assert_string_equal(parts[1], "");
	assert_string_equal(parts[2], "b");
	assert_int_equal(str_split(*state, ",,", ',', 3, &parts), 3);
	assert_int_equal(str_split(*state, ",,,", ',', 3, &parts), -1);
}

static void test_json_depth(void **state)
{
	static const struct {
		const char *text;
		int depth;
	} rows[] = {
		{ "", 0 },     { "1", 0 },    { "{}", 1 },	{ "{\"a\":[1,[2]],\"b\":{}}", 3 },
		{ "[[[", 3 },  { "]]][", 0 }, { "\"[[[\"", 0 }, { "[\"\\\"[[\",[]]", 2 },
		{ "\"\\", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(str_json_depth(rows[i].text, strlen(rows[i].text)), rows[i].depth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well_formed_utf8),
		cmocka_unit_test(test_what_is_no_character_is_left_out),
		cmocka_unit_test(test_cuts_leave_whole_characters),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_slugs_are_made),
		cmocka_unit_test(test_every_letter_leaves_a_slug_or_nothing),
		cmocka_unit_test(test_slugs_are_recognised),
		cmocka_unit_test(test_integers_at_their_limits),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_base64url_round_trip),
		cmocka_unit_test(test_base64url_refuses),
		cmocka_unit_test(test_percent_decoding),
		cmocka_unit_test(test_percent_encoding_round_trip),
		cmocka_unit_test(test_splitting),
		cmocka_unit_test(test_json_depth),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
