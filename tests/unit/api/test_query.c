/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of targets taken apart: encodings, empty parts, repeated names, too many. */
#include "test.h"
#include "with_request.h"
#include "api/query.c"

static void test_targets(void **state)
{
	static const struct {
		const char *target;
		int code;
		bool versioned;
		const char *path;
		const char *q; /* NULL: no such parameter */
	} rows[] = {
		{ "/v1/a?q=tea", OK, true, "/a", "tea" },
		{ "/v1/a", OK, true, "/a", NULL },
		{ "/v1/a?", OK, true, "/a", NULL },
		{ "/v1/a?&&q=&", OK, true, "/a", "" },
		{ "/v1/a?q", OK, true, "/a", "" },
		{ "/v1/a?q=a=b", OK, true, "/a", "a=b" },
		{ "/v1/a?q=a?b", OK, true, "/a", "a?b" },
		{ "/v1/a?q=%C3%A9+%2B", OK, true, "/a", "\xc3\xa9 +" },
		{ "/a+b%20c?%71=x", OK, false, "/a+b c", "x" },
		{ "/v1/a?q=%26b=1", OK, true, "/a", "&b=1" },
		{ "/a?q=/v1/b", OK, false, "/a", "/v1/b" },
		{ "/v1/", OK, true, "/", NULL },
		{ "/v1/v1/a", OK, true, "/v1/a", NULL },
		{ "/v1", OK, false, "/v1", NULL },
		{ "/v1a", OK, false, "/v1a", NULL },
		{ "/v12/a", OK, false, "/v12/a", NULL },
		{ "/V1/a", OK, false, "/V1/a", NULL },
		{ "/", OK, false, "/", NULL },
		{ "/%00", E_BAD_REQUEST, false, NULL, NULL },
		{ "/%ff", E_BAD_REQUEST, false, NULL, NULL },
		{ "/a%2", E_BAD_REQUEST, false, NULL, NULL },
		{ "/a?q=%00", E_BAD_REQUEST, false, NULL, NULL },
		{ "/a?q=%c3", E_BAD_REQUEST, false, NULL, NULL },
		{ "/a?%zz=1", E_BAD_REQUEST, false, NULL, NULL },
		{ "/a?q=%2", E_BAD_REQUEST, false, NULL, NULL },
		{ "/a?q=1&q=1", E_VALIDATION, false, NULL, NULL },
		{ "/a?q&%71", E_VALIDATION, false, NULL, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_GET, rows[i].target);
		int rc = query_parse(r);

		expect_bool(rc == rows[i].code, true, rows[i].target);
		if (rc)
			continue;
		expect_bool(r->versioned, rows[i].versioned, rows[i].target);
		expect_text(r->path, rows[i].path, rows[i].target);
		expect_text(query_text(r, "q"), rows[i].q, rows[i].target);
	}
}

static void test_parameters_are_counted(void **state)
{
	for (int n = QUERY_PARAMS_MAX; n <= QUERY_PARAMS_MAX + 1; n++) {
		char *target = talloc_strdup(*state, "/a?");
		struct request *r;

		for (int i = 0; i < n; i++)
			target = talloc_asprintf_append(target, "p%d=&", i);
		r = new_request(*state, METHOD_GET, target);
		assert_int_equal(query_parse(r), n == QUERY_PARAMS_MAX ? OK : E_BAD_REQUEST);
	}
}

static void test_whole_numbers(void **state)
{
	static const struct {
		const char *text;
		bool good;
		long long value;
	} rows[] = {
		{ "1", true, 1 },     { "100", true, 100 },
		{ "0", false, 0 },    { "101", false, 0 },
		{ "-1", false, 0 },   { "1.0", false, 0 },
		{ "", false, 0 },     { "1e1", false, 0 },
		{ "%201", false, 0 }, { "99999999999999999999", false, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = get_request(
			*state, talloc_asprintf(*state, "/a?limit=%s", rows[i].text));
		long long value = 0;

		expect_bool(query_int(r, "limit", 1, 100, 20, &value) == OK, rows[i].good,
			    rows[i].text);
		expect_bool(problem_of(r, "limit") == NULL, rows[i].good, rows[i].text);
		if (rows[i].good)
			assert_int_equal(value, rows[i].value);
		assert_int_equal(query_int(r, "page", 1, 9, 7, &value), OK);
		assert_int_equal(value, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_parameters_are_counted),
		cmocka_unit_test(test_whole_numbers),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
