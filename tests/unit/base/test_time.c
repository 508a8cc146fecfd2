/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of timestamps: leap days, the ends of ranges, what PostgreSQL writes. */
#include "test.h"
#include "base/time.c"

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "2024-02-29", true },	  { "2023-02-29", false },  { "2000-02-29", true },
		{ "1900-02-29", false },  { "2026-12-31", true },   { "2026-11-31", false },
		{ "2026-00-10", false },  { "2026-13-01", false },  { "2026-01-00", false },
		{ "2026-1-01", false },	  { "2026-01-01 ", false }, { " 2026-01-01", false },
		{ "2026-01-01T", false }, { "20260101", false },    { "", false },
		{ "2026/01/01", false },  { "-026-01-01", false },  { "9999-12-31", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(time_is_date(rows[i].text), rows[i].good, rows[i].text);
}

static void test_local_times(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "2026-11-28T19:30", true },	    { "2026-11-28T19:30:00", true },
		{ "2026-03-29T01:30:00", true },    { "2026-02-29T01:30:00", false },
		{ "2026-11-28T24:00", false },	    { "2026-11-28T19:60", false },
		{ "2026-11-28T19:30:60", false },   { "2026-11-28T19:30:5", false },
		{ "2026-11-28T19:30Z", false },	    { "2026-11-28T19:30:00Z", false },
		{ "2026-11-28 19:30:00", false },   { "2026-11-28", false },
		{ "2026-11-28T19:30:00.5", false }, { "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(time_is_local(rows[i].text), rows[i].good, rows[i].text);
}

static void test_date_times(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "2026-11-24T05:03:48Z", true },
		{ "2026-11-24t05:03:48z", true },
		{ "2026-11-24T05:03:48.1Z", true },
		{ "2026-11-24T05:03:48.123456789Z", true },
		{ "2026-11-24T05:03:48.1234567890Z", false },
		{ "2026-11-24T05:03:48.Z", false },
		{ "2026-11-24T05:03:48+01:00", true },
		{ "2026-03-29T01:30:00+00:00",
		  true }, /* an hour that London's clocks skip, in UTC */
		{ "2026-11-24T05:03:48-00:00", true },
		{ "2026-11-24T05:03:48+23:59", true },
		{ "2026-11-24T05:03:48+24:00", false },
		{ "2026-11-24T05:03:48+00:60", false },
		{ "2026-11-24T05:03:48+0100", false },
		{ "2026-11-24T05:03:48", false },
		{ "2026-11-24 05:03:48Z", false },
		{ "2026-11-24T24:00:00Z", false },
		{ "2026-11-24T23:60:00Z", false },
		{ "2016-12-31T23:59:60Z", true }, /* a leap second */
		{ "2026-11-24T23:59:61Z", false },
		{ "2023-02-29T00:00:00Z", false },
		{ "2026-11-24T05:03Z", false },
		{ "2026-11-24T05:03:48Zx", false },
		{ "2026-11-24T05:03:48.000000000000000000000Z", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(time_is_rfc3339(rows[i].text), rows[i].good, rows[i].text);
}

static void test_formats(void **state)
{
	static const struct {
		uint64_t ms;
		const char *rfc3339, *http;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 999, "1970-01-01T00:00:00.999Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 1000, "1970-01-01T00:00:01.000Z", "Thu, 01 Jan 1970 00:00:01 GMT" },
		{ 1709164800007, "2024-02-29T00:00:00.007Z", "Thu, 29 Feb 2024 00:00:00 GMT" },
		{ 1795496628123, "2026-11-24T05:03:48.123Z", "Tue, 24 Nov 2026 05:03:48 GMT" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[TIME_TEXT_MAX];

		time_format(rows[i].ms, text);
		assert_string_equal(text, rows[i].rfc3339);
		assert_true(time_is_rfc3339(text));
		time_format_http(rows[i].ms, text);
		assert_string_equal(text, rows[i].http);
	}
}

static void test_what_postgresql_writes(void **state)
{
	static const struct {
		const char *pg, *text; /* NULL: not of that form */
	} rows[] = {
		{ "2026-11-24 05:03:48+00", "2026-11-24T05:03:48Z" },
		{ "2026-11-24 05:03:48.123456+00", "2026-11-24T05:03:48.123456Z" },
		{ "2026-11-24 05:03:48.5+00", "2026-11-24T05:03:48.5Z" },
		{ "2026-11-24 05:03:48+01", NULL },
		{ "0044-03-15 00:00:00+00 BC", NULL },
		{ "10000-01-01 00:00:00+00", NULL },
		{ "infinity", NULL },
		{ "2026-11-24", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[TIME_TEXT_MAX] = "";
		size_t n = time_from_pg(rows[i].pg, strlen(rows[i].pg), text);

		assert_int_equal(n, rows[i].text ? strlen(rows[i].text) : 0);
		expect_text(n ? text : NULL, rows[i].text, rows[i].pg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_local_times),
		cmocka_unit_test(test_date_times),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_what_postgresql_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
