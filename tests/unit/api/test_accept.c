/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of content negotiation: weights, parameters, case, lists without end. */
#include "test.h"
#include "with_request.h"
#include "api/accept.c"

static void test_ranges(void **state)
{
	static const struct {
		const char *accept;
		bool taken, problem;
	} rows[] = {
		{ "*/*", true, false },
		{ "application/json", true, false },
		{ "Application/JSON; charset=utf-8", true, false },
		{ "application/problem+json", true, true },
		{ "application/problem+json;q=0, application/json", true, false },
		{ "application/json, application/problem+json;q=0.1", true, true },
		{ "text/html,application/xhtml+xml,*/*;q=0.8", true, false },
		{ "text/html", false, false },
		{ "application/json;q=0", false, false },
		{ "application/json; q=0.000", false, false },
		{ "application/json; Q=0", false, false },
		{ "application/json;seq=0", true, false },
		{ "application/json;profile=a;q=0", false, false },
		{ "application/jsonx", false, false },
		{ "json", false, false },
		{ "application/*;q=0.5", true, false },
		{ "text/plain", true, false }, /* of /metrics */
		{ "text/*", true, false },
		{ "text/calendar", true, false }, /* of feeds */
		{ "application/atom+xml", true, false },
		{ "text/csv", true, false }, /* of tables */
		{ "application/ld+json", true, false },
		{ "application/ld+json;q=0", false, false },
		/* the most special range decides, wherever it stands */
		{ "application/json;q=0, */*", false, false },
		{ "*/*, application/json;q=0", false, false },
		{ "application/*;q=0, application/json", true, false },
		{ "*/*;q=0", false, false },
		/* a list of nothing, with or without empty elements (RFC 9110 section 5.6.1.2) */
		{ ",,", true, false },
		{ ", \t,", true, false },
		{ "", true, false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_GET, "/");

		set_header(r, "accept", rows[i].accept);
		expect_bool(step_accept(r) == OK, rows[i].taken, rows[i].accept);
		expect_bool(r->problem_json, rows[i].problem, rows[i].accept);
		assert_int_equal(r->task.failure.code, rows[i].taken ? OK : E_NOT_ACCEPTABLE);
	}
}

static void test_an_endless_list_gets_plain_json(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/");
	char *accept = talloc_strdup(MEM(r), "a/b");

	for (int i = 0; i < RANGES_MAX; i++)
		accept = talloc_asprintf_append(accept, ", a/b");
	set_header(r, "accept", accept);
	assert_int_equal(step_accept(r), OK);
	assert_false(r->problem_json);
}

static void test_why_a_request_was_refused_says_more_than_406(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/");

	r->http->refused = E_HEADERS_TOO_LARGE;
	set_header(r, "accept", "text/html");
	assert_int_equal(step_accept(r), OK);
}

static void test_no_header_takes_anything(void **state)
{
	assert_int_equal(step_accept(new_request(*state, METHOD_GET, "/")), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_an_endless_list_gets_plain_json),
		cmocka_unit_test(test_why_a_request_was_refused_says_more_than_406),
		cmocka_unit_test(test_no_header_takes_anything),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
