/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of entity tags, and of failures in both of their forms. */
#include "test.h"
#include "with_request.h"
#include "model/values.h"
#include "api/reply.c"

static const struct route get_route = { .method = METHOD_GET, .allow = ANYONE };
static const struct route own_route = { .method = METHOD_GET, .allow = SIGNED_IN };
static const struct route put_route = { .method = METHOD_PUT };
static const struct shape shape = { .tag = "abcdef01" };

static void test_if_none_match(void **state)
{
	static const struct {
		const char *header;
		const char *tag; /* of the 304: of the form that the caller has; NULL: none */
	} rows[] = {
		{ "\"7-abcdef01\"", "\"7-abcdef01\"" },
		{ "W/\"7-abcdef01\"", "\"7-abcdef01\"" },
		{ "\"7-abcdef01-gzip\"", "\"7-abcdef01-gzip\"" },
		{ "\"6-abcdef01-gzip\", W/\"7-abcdef01-gzip\"", "\"7-abcdef01-gzip\"" },
		{ "*", "\"7-abcdef01\"" },
		{ "\"6-abcdef01\", \"7-abcdef01\"", "\"7-abcdef01\"" },
		{ "\"a,b\",\"7-abcdef01\"", "\"7-abcdef01\"" },
		{ "\"7-abcdef02\"", NULL },
		{ "\"77-abcdef01\"", NULL },
		{ "\"7-abcdef0\"", NULL },
		{ "\"7-abcdef01-br\"", NULL },
		{ "\"7-abcdef0-gzip\"", NULL },
		{ "7-abcdef01", NULL },
		{ "\"7-abcdef01", NULL },
		{ "\"\"", NULL },
		{ "\"", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_GET, "/");

		r->route = &get_route;
		set_header(r, "if-none-match", rows[i].header);
		expect_bool(reply_not_modified(r, "7", &shape), rows[i].tag, rows[i].header);
		expect_text(reply_header(r, "ETag"), rows[i].tag, rows[i].header);
		if (rows[i].tag)
			assert_int_equal(r->http->status, 304);
		r->route = &put_route; /* what was written is always told */
		assert_false(reply_not_modified(r, "7", &shape));
	}
}

static void test_if_match(void **state)
{
	static const struct {
		const char *header; /* NULL: none */
		bool passes;
	} rows[] = {
		{ NULL, true },
		{ "*", true },
		{ "\"7-abcdef01\"", true },
		{ "\"7-01234567\"", true }, /* another representation of the same version */
		{ "\"7-abcdef01-gzip\"", true },
		{ "\"6-abcdef01\" , \"7-abcdef01\"", true },
		{ "W/\"7-abcdef01\"", false }, /* RFC 9110 section 13.1.1: compared strongly */
		{ "\"6-abcdef01\"", false },
		{ "\"77-abcdef01\"", false },
		{ "\"7\"", false },
		{ "\"7-abcdef01", false },
		{ "7-abcdef01", false },
		{ "\"\"", false },
		{ "", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_PUT, "/");

		if (rows[i].header)
			set_header(r, "if-match", rows[i].header);
		expect_bool(reply_check_match(r, "7") == OK, rows[i].passes,
			    rows[i].header ? rows[i].header : "NULL");
		assert_int_equal(r->task.failure.code, rows[i].passes ? OK : E_PRECONDITION_FAILED);
	}
}

/* RFC 9110 section 13.1.2: of a write, what it must not find is a failure; compared weakly. */
static void test_if_none_match_of_a_write(void **state)
{
	static const struct {
		const char *header;
		bool passes;
	} rows[] = {
		{ "*", false },
		{ "\"7-abcdef01\"", false },
		{ "W/\"7-abcdef01\"", false },
		{ "\"7-abcdef01-gzip\"", false },
		{ "\"6-abcdef01\", \"7-01234567\"", false },
		{ "\"6-abcdef01\"", true },
		{ "\"77-abcdef01\"", true },
		{ "\"7\"", true },
		{ "7-abcdef01", true },
		{ "", true },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_PUT, "/");

		set_header(r, "if-none-match", rows[i].header);
		expect_bool(reply_check_match(r, "7") == OK, rows[i].passes, rows[i].header);
		assert_int_equal(r->task.failure.code, rows[i].passes ? OK : E_PRECONDITION_FAILED);
	}
}

/* The tag of a body of these bytes. */
static const char *tag_of(void **state, const char *body)
{
	struct request *r = new_request(*state, METHOD_GET, "/");

	r->route = &get_route;
	buf_adds(&r->http->body_out, body);
	reply_tag(r, NULL, NULL);
	return reply_header(r, "ETag");
}

static void test_bodies_are_tagged_by_their_bytes(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/");

	assert_string_equal(tag_of(state, "[1]"), tag_of(state, "[1]"));
	assert_string_not_equal(tag_of(state, "[1]"), tag_of(state, "[2]"));
	assert_non_null(tag_of(state, ""));
	r->route = &get_route;
	set_header(r, "if-none-match", tag_of(state, "[1]"));
	buf_adds(&r->http->body_out, "[1]");
	reply_tag(r, NULL, NULL);
	assert_int_equal(r->http->status, 304);
	assert_int_equal(r->http->body_out.len, 0);
}

static struct request *failed(void **state, bool problem_json)
{
	struct request *r = new_request(*state, METHOD_GET, "/");

	r->problem_json = problem_json;
	buf_adds(&r->http->body_out, "half an answer");
	task_problem(&r->task, "address.postcode", "must not be \"%s\"", "</x>\n");
	return r;
}

static void test_failures_in_the_envelope(void **state)
{
	struct request *r = failed(state, false);

	reply_failure(r);
	assert_int_equal(r->http->status, 400);
	assert_string_equal(
		buf_text(&r->http->body_out),
		"{\"success\":false,\"error\":{\"code\":\"VALIDATION_ERROR\",\"message\":\"Invalid input\","
		"\"details\":[{\"field\":\"address.postcode\","
		"\"message\":\"must not be \\\"\\u003c/x\\u003e\\n\\\"\"}],\"request_id\":\"test\"}}");
	assert_string_equal(reply_header(r, "Content-Type"), "application/json; charset=utf-8");
}

/* The problem+json of that failure; a child of the request's memory. */
static json_t *problem_json(struct request *r)
{
	reply_failure(r);
	return json_keep(MEM(r), json_loads(buf_text(&r->http->body_out), 0, NULL));
}

static void test_failures_as_problems(void **state)
{
	static const struct {
		const char *field, *pointer; /* RFC 6901 */
	} rows[] = {
		{ "address.postcode", "/address/postcode" },
		{ "address.lines.0", "/address/lines/0" },
		{ "a/b~c", "/a~1b~0c" },
		{ "", "/" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_POST, "/");
		json_t *problem, *first;

		r->problem_json = true;
		r->body = json_keep(MEM(r), json_object());
		task_problem(&r->task, rows[i].field, "is wrong");
		problem = problem_json(r);
		first = json_array_get(json_object_get(problem, "errors"), 0);
		assert_string_equal(reply_header(r, "Content-Type"), "application/problem+json");
		assert_int_equal(json_integer_value(json_object_get(problem, "status")), 400);
		expect_text(json_string_value(json_object_get(first, "field")), rows[i].field,
			    rows[i].field);
		expect_text(json_string_value(json_object_get(first, "pointer")), rows[i].pointer,
			    rows[i].field);
	}
}

static void test_a_parameter_is_at_no_place_of_a_body(void **state)
{
	struct request *r = failed(state, true);
	json_t *first = json_array_get(json_object_get(problem_json(r), "errors"), 0);

	assert_string_equal(json_string_value(json_object_get(first, "field")), "address.postcode");
	assert_null(json_object_get(first, "pointer"));
}

static void test_headers_that_failures_need(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/");

	fail(r, E_UNAVAILABLE, NULL);
	r->task.failure.retry_after = 3;
	reply_failure(r);
	assert_string_equal(reply_header(r, "Retry-After"), "3");
	assert_null(reply_header(r, "WWW-Authenticate"));
	r = new_request(*state, METHOD_GET, "/");
	fail(r, E_UNAUTHORIZED, NULL);
	reply_failure(r);
	assert_non_null(reply_header(r, "WWW-Authenticate"));
	assert_null(reply_header(r, "Retry-After"));
}

static void test_only_reads_may_be_kept(void **state)
{
	static const struct {
		enum http_method method;
		int status;
		const struct route *route;
		const char *control;
	} rows[] = {
		{ METHOD_GET, 200, &get_route, "no-cache" },
		{ METHOD_HEAD, 304, &get_route, "no-cache" },
		{ METHOD_GET, 404, &get_route, "no-store" },
		{ METHOD_GET, 200, &own_route, "no-store" },
		{ METHOD_POST, 200, &get_route, "no-store" },
		{ METHOD_GET, 200, NULL, "no-store" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, rows[i].method, "/");

		r->route = rows[i].route;
		r->http->status = rows[i].status;
		reply_headers(r);
		assert_string_equal(reply_header(r, "Cache-Control"), rows[i].control);
		assert_string_equal(reply_header(r, "X-Request-Id"), "test");
		assert_string_equal(reply_header(r, "X-Content-Type-Options"), "nosniff");
		/* whoever does not take gzip must not be given a cache's compressed copy, and a 304
		 * says the same as the 200 would have */
		assert_string_equal(reply_header(r, "Vary"),
				    "Accept, Accept-Encoding, Authorization");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_if_none_match),
		cmocka_unit_test(test_if_match),
		cmocka_unit_test(test_if_none_match_of_a_write),
		cmocka_unit_test(test_bodies_are_tagged_by_their_bytes),
		cmocka_unit_test(test_failures_in_the_envelope),
		cmocka_unit_test(test_failures_as_problems),
		cmocka_unit_test(test_a_parameter_is_at_no_place_of_a_body),
		cmocka_unit_test(test_headers_that_failures_need),
		cmocka_unit_test(test_only_reads_may_be_kept),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
