/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the whole pipeline on requests that need no database: ids, refusals, answers that are too large. */
#include "test.h"
#include <jansson.h>
#include "with_request.h"
#include "api/pipeline.c"

/* An exchange for pipeline_handle(), with its request only as a handle for the helpers. */
static struct request *handled(void **state, enum http_method method, const char *target,
			       const char *header, const char *value)
{
	struct request *r = new_request(*state, method, target);

	if (header)
		set_header(r, header, value);
	pipeline_handle(r->http);
	return r;
}

static void test_request_ids(void **state)
{
	static const struct {
		const char *id;
		bool taken;
	} rows[] = {
		{ "a", true },
		{ "4bf92f35-77b3:4da6/a3ce+929d0e0e4736=_.", true },
		{ "", false },
		{ "a b", false },
		{ "a\"b", false },
		{ "\xc3\xa9", false },
		{ "1234567890123456789012345678901234567890123456789012345678901234", true },
		{ "12345678901234567890123456789012345678901234567890123456789012345", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = handled(state, METHOD_GET, "/v1/absent", "x-request-id",
					    rows[i].id);
		const char *id = reply_header(r, "X-Request-Id");

		expect_bool(strcmp(id, rows[i].id) == 0, rows[i].taken, rows[i].id);
		expect_bool(rows[i].taken || uuid_is(id), true, rows[i].id);
	}
}

static void test_what_ends_before_the_handler(void **state)
{
	static const struct {
		enum http_method method;
		const char *target, *header, *value;
		int status;
	} rows[] = {
		{ METHOD_GET, "/v1/absent", NULL, NULL, 404 },
		{ METHOD_GET, "/v1/businesses?q=%ff", NULL, NULL, 400 },
		{ METHOD_GET, "/v1/businesses?absent=1", NULL, NULL, 400 },
		{ METHOD_GET, "/v1/businesses", "accept", "text/html", 406 },
		{ METHOD_GET, "/v1/businesses", "authorization", "Basic a", 401 },
		{ METHOD_GET, "/v1/absent", "authorization", "Basic a", 404 },
		{ METHOD_POST, "/v1/businesses", NULL, NULL, 401 },
		{ METHOD_DELETE, "/v1/businesses", NULL, NULL, 405 },
		{ METHOD_OPTIONS, "/v1/businesses", NULL, NULL, 204 },
		{ METHOD_GET, "/livez", NULL, NULL, 200 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = handled(state, rows[i].method, rows[i].target, rows[i].header,
					    rows[i].value);
		json_t *body = json_loadb(r->http->body_out.data, r->http->body_out.len, 0, NULL);

		expect_bool(r->http->status == rows[i].status, true, rows[i].target);
		assert_int_equal(body == NULL, rows[i].status == 204);
		if (body)
			assert_int_equal(json_is_true(json_object_get(body, "success")),
					 rows[i].status < 400);
		assert_non_null(reply_header(r, "X-Request-Id"));
		assert_non_null(reply_header(r, "Server-Timing"));
		json_decref(body);
	}
}

static void test_an_answer_that_is_too_large_is_a_failure_that_fits(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/");
	json_t *body;

	buf_init(&r->http->body_out, MEM(r), 10);
	buf_adds(&r->http->body_out, "longer than ten");
	r->http->status = 200;
	finish(r);
	body = json_loadb(r->http->body_out.data, r->http->body_out.len, 0, NULL);
	assert_int_equal(r->http->status, 500);
	assert_true(json_is_false(json_object_get(body, "success")));
	json_decref(body);
}

static int set_up(void **state)
{
	config.cors_origins = "";
	config.request_timeout = 1000;
	api_setup();
	return new_memory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_ids),
		cmocka_unit_test(test_what_ends_before_the_handler),
		cmocka_unit_test(test_an_answer_that_is_too_large_is_a_failure_that_fits),
	};

	return cmocka_run_group_tests(tests, set_up, free_memory);
}
