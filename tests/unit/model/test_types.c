/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of each type of one value: what is taken and as what, and what is refused. Objects are input.c's. */
#include "test.h"
#include "model/types.c"

static const struct field fields[TYPES] = {
	[UUID] = { .type = UUID },
	[TEXT] = { .type = TEXT, .min = 1, .max = 5 },
	[SLUG] = { .type = SLUG, .max = 10 },
	[INT] = { .type = INT, .min = -2, .max = 4 },
	[DECIMAL] = { .type = DECIMAL, .min = -90, .max = 90 },
	[BOOL] = { .type = BOOL },
	[ENUM] = { .type = ENUM, .choices = "open|closed|open_soon" },
	[TIME] = { .type = TIME },
	[DATE] = { .type = DATE },
	[LOCAL_TIME] = { .type = LOCAL_TIME },
	[EMAIL] = { .type = EMAIL, .max = 254 },
	[URL] = { .type = URL, .max = 2000 },
	[PHONE] = { .type = PHONE },
	[POSTCODE] = { .type = POSTCODE, .max = 12 },
	[COUNTRY] = { .type = COUNTRY },
	[ZONE] = { .type = ZONE },
	[ADDRESS] = { .type = ADDRESS },
};

/* NULL: refused. */
struct row {
	enum type type;
	const char *json, *text;
};

static void expect_rows(void **state, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct field *field = &fields[rows[i].type];
		const char *problem = NULL, *text;
		json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		assert_non_null(value);
		text = types[field->type].check(*state, field, value, &problem);
		expect_text(text, rows[i].text, rows[i].json);
		expect_bool(text || problem, true, rows[i].json);
		json_decref(value);
	}
}

static void test_text(void **state)
{
	static const struct row rows[] = {
		{ TEXT, "\" a b \"", "a b" },
		{ TEXT, "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"",
		  "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" },
		{ TEXT, "\"123456\"", NULL },
		{ TEXT, "\"\"", NULL },
		{ TEXT, "\" \\t \"", NULL },
		{ TEXT, "\"a\\u0000\"", NULL },
		{ TEXT, "\"a\\nb\"", NULL },
		{ TEXT, "\"a\\u001bb\"", NULL },
		{ TEXT, "\"a\\u0085b\"", NULL },
		{ TEXT, "5", NULL },
		{ TEXT, "[\"a\"]", NULL },
		{ SLUG, "\"kings-head\"", "kings-head" },
		{ SLUG, "\"Kings\"", NULL },
		{ SLUG, "\"a--b\"", NULL },
		{ SLUG, "\"12345678901\"", NULL },
		{ SLUG, "\"\"", NULL },
		{ ENUM, "\"open\"", "open" },
		{ ENUM, "\"open_soon\"", "open_soon" },
		{ ENUM, "\"op\"", NULL },
		{ ENUM, "\"soon\"", NULL },
		{ ENUM, "\"open|closed\"", NULL },
		{ ENUM, "\"\"", NULL },
		{ ENUM, "\"Open\"", NULL },
		{ ENUM, "true", NULL },
		{ UUID, "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03\"",
		  "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03" },
		{ UUID, "\"019363f1\"", NULL },
		{ UUID, "null", NULL },
	};

	expect_rows(state, rows, COUNT_OF(rows));
}

/* A slug that is a UUID could not be told from an id in a path. */
static void test_a_slug_is_no_uuid(void **state)
{
	static const struct field slug = { .type = SLUG };
	json_t *value = json_string("019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03");
	const char *problem;

	assert_null(types[SLUG].check(*state, &slug, value, &problem));
	json_decref(value);
}

static void test_lines(void **state)
{
	static const struct field lines = { .type = TEXT, .flags = MULTILINE, .max = 20 };
	json_t *value = json_string("\n a\r\n\tb \n");
	const char *problem;

	assert_string_equal(types[TEXT].check(*state, &lines, value, &problem), "a\r\n\tb");
	json_decref(value);
	value = json_string("");
	assert_string_equal(types[TEXT].check(*state, &lines, value, &problem), "");
	json_decref(value);
	value = json_string("a\vb");
	assert_null(types[TEXT].check(*state, &lines, value, &problem));
	json_decref(value);
}

static void test_numbers_and_flags(void **state)
{
	static const struct row rows[] = {
		{ INT, "4", "4" },
		{ INT, "-2", "-2" },
		{ INT, "5", NULL },
		{ INT, "-3", NULL },
		{ INT, "1.0", NULL },
		{ INT, "9223372036854775807", NULL },
		{ INT, "\"1\"", NULL },
		{ INT, "true", NULL },
		{ DECIMAL, "51.2362", "51.236199999999997" },
		{ DECIMAL, "-90", "-90" },
		{ DECIMAL, "90.0000001", NULL },
		{ DECIMAL, "-1e308", NULL },
		{ DECIMAL, "\"51\"", NULL },
		{ BOOL, "true", "true" },
		{ BOOL, "false", "false" },
		{ BOOL, "1", NULL },
		{ BOOL, "\"true\"", NULL },
	};

	expect_rows(state, rows, COUNT_OF(rows));
}

static void test_times(void **state)
{
	static const struct row rows[] = {
		{ TIME, "\"2026-11-24T09:30:00Z\"", "2026-11-24T09:30:00Z" },
		{ TIME, "\"2026-11-24\"", NULL },
		{ TIME, "1795512600", NULL },
		{ DATE, "\"2024-02-29\"", "2024-02-29" },
		{ DATE, "\"2023-02-29\"", NULL },
		{ DATE, "\"0000-01-01\"", NULL }, /* no year of PostgreSQL's */
		{ DATE, "\"0001-01-01\"", "0001-01-01" },
		{ LOCAL_TIME, "\"2026-11-28T19:30\"", "2026-11-28T19:30:00" },
		{ LOCAL_TIME, "\"2026-11-28T19:30:05\"", "2026-11-28T19:30:05" },
		{ LOCAL_TIME, "\"2026-11-28T19:30:00Z\"", NULL },
		{ LOCAL_TIME, "\"0000-11-28T19:30:00\"", NULL },
		{ ZONE, "\"Europe/London\"", "Europe/London" },
		{ ZONE, "\"UTC\"", "UTC" },
		{ ZONE, "\"Europe\"", NULL }, /* a folder */
		{ ZONE, "\"Europe/\"", NULL },
		{ ZONE, "\"Europe/Guildford\"", NULL },
		{ ZONE, "\"europe/london\"", NULL },
		{ ZONE, "\"../../../etc/passwd\"", NULL },
		{ ZONE, "\"Europe/../Europe/London\"", NULL },
		{ ZONE, "\"/etc/passwd\"", NULL },
		{ ZONE, "\"Europe/London\\u0000\"", NULL },
		{ ZONE, "\"\"", NULL },
		{ ADDRESS, "\"192.0.2.1\"", "192.0.2.1" },
		{ ADDRESS, "\"2001:db8::1\"", "2001:db8::1" },
		{ ADDRESS, "\"192.0.2.0/24\"", NULL },
		{ ADDRESS, "\"192.0.2\"", NULL },
		{ ADDRESS, "\"fe80::1%eth0\"", NULL },
		{ ADDRESS, "\"\"", NULL },
		{ ADDRESS, "1", NULL },
	};

	expect_rows(state, rows, COUNT_OF(rows));
}

static void test_ways_to_be_reached(void **state)
{
	static const struct row rows[] = {
		{ EMAIL, "\" hello@example.org \"", "hello@example.org" },
		{ EMAIL, "\"o'brien+tag@a-b.co.uk\"", "o'brien+tag@a-b.co.uk" },
		{ EMAIL, "\"a@b@example.org\"", NULL },
		{ EMAIL, "\"@example.org\"", NULL },
		{ EMAIL, "\"a@\"", NULL },
		{ EMAIL, "\"a@localhost\"", NULL },
		{ EMAIL, "\"a@.org\"", NULL },
		{ EMAIL, "\"a@-b.org\"", NULL },
		{ EMAIL, "\"a@b-.org\"", NULL },
		{ EMAIL, "\"a@b..org\"", NULL },
		{ EMAIL, "\"a@b.org.\"", NULL },
		{ EMAIL, "\".a@b.org\"", NULL },
		{ EMAIL, "\"a.@b.org\"", NULL },
		{ EMAIL, "\"a..b@b.org\"", NULL },
		{ EMAIL, "\"a b@b.org\"", NULL },
		{ EMAIL, "\"a@b.org\\nBcc: c@d.org\"", NULL },
		{ EMAIL, "\"a@b.org, c@d.org\"", NULL },
		{ URL, "\"https://example.org\"", "https://example.org" },
		{ URL, "\"HTTP://example.org:8080/a?b=c#d\"", "HTTP://example.org:8080/a?b=c#d" },
		{ URL, "\"javascript:alert(1)\"", NULL },
		{ URL, "\"ftp://example.org\"", NULL },
		{ URL, "\"//example.org\"", NULL },
		{ URL, "\"https://\"", NULL },
		{ URL, "\"https://localhost/\"", NULL },
		{ URL, "\"https://a b.org/\"", NULL },
		{ URL, "\"https://example.org/<script>\"", NULL },
		{ URL, "\"https://example.org/\\\"onclick\"", NULL },
		{ URL, "\"https://user@example.org/\"", NULL },
		{ PHONE, "\"+441483444333\"", "+441483444333" },
		{ PHONE, "\"01483 444333\"", "+441483444333" },
		{ PHONE, "\"(01483) 444-333\"", "+441483444333" },
		{ PHONE, "\"+44 (0)1483 444333\"", "+441483444333" },
		{ PHONE, "\"+1 (212) 555.0100\"", "+12125550100" },
		{ PHONE, "\"+1234567\"", "+1234567" },
		{ PHONE, "\"+123456\"", NULL },
		{ PHONE, "\"+123456789012345\"", "+123456789012345" },
		{ PHONE, "\"+1234567890123456\"", NULL },
		{ PHONE, "\"+12345678901234567890123456789\"", NULL },
		{ PHONE, "\"+0123456789\"", NULL },
		{ PHONE, "\"0014834443333\"", NULL },
		{ PHONE, "\"1483444333\"", NULL },
		{ PHONE, "\"01483 444333 ext 5\"", NULL },
		{ PHONE, "\"++441483444333\"", NULL },
		{ PHONE, "\"+\"", NULL },
		{ PHONE, "\"-\"", NULL },
		{ PHONE, "\"\"", NULL },
		{ PHONE, "1483444333", NULL },
		{ COUNTRY, "\"gb\"", "GB" },
		{ COUNTRY, "\"GBR\"", NULL },
		{ COUNTRY, "\"G1\"", NULL },
		{ COUNTRY, "\"\xc3\xa9\"", NULL },
	};

	expect_rows(state, rows, COUNT_OF(rows));
}

/* RFC 1035: a label has at most 63 letters, RFC 5321: what is before the @ at most 64. */
static void test_lengths_of_names_in_addresses(void **state)
{
	static const struct {
		int local, label;
		bool good;
	} rows[] = { { 64, 63, true }, { 65, 63, false }, { 64, 64, false } };
	char as[66];

	memset(as, 'a', sizeof(as));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = talloc_asprintf(*state, "%.*s@%.*s.org", rows[i].local, as,
					     rows[i].label, as);
		json_t *value = json_string(text);
		const char *problem;

		expect_bool(types[EMAIL].check(*state, &fields[EMAIL], value, &problem) != NULL,
			    rows[i].good, text);
		json_decref(value);
	}
}

static void test_texts_of_a_query(void **state)
{
	static const struct row rows[] = {
		{ INT, "3", "3" },	  { INT, "3.0", "3" },
		{ INT, "2.5", NULL },	  { INT, "1e300", NULL },
		{ INT, "-1e300", NULL },  { INT, "9223372036854775808", NULL },
		{ INT, "", NULL },	  { DECIMAL, "5", "5" },
		{ DECIMAL, "nan", NULL }, { BOOL, "true", "true" },
		{ BOOL, "TRUE", NULL },	  { BOOL, "1", NULL },
		{ TEXT, "5", "5" },	  { TEXT, "true", "true" },
		{ TEXT, "", NULL },	  { DATE, "2026-11-24", "2026-11-24" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *problem = NULL;

		expect_text(type_check_text(*state, &fields[rows[i].type], rows[i].json, &problem),
			    rows[i].text, rows[i].json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_a_slug_is_no_uuid),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_numbers_and_flags),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ways_to_be_reached),
		cmocka_unit_test(test_lengths_of_names_in_addresses),
		cmocka_unit_test(test_texts_of_a_query),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
