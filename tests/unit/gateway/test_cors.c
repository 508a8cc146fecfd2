/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of CORS: which origins are let in, what a preflight is told, and what caches must know. */
#include "test.h"
#include "with_request.h"
#include "gateway/cors.c"

static struct request *ask(void **state, const char *origins, const char *origin)
{
	struct request *r = get_request(*state, "/v1/businesses");

	config.cors_origins = origins;
	if (origin)
		set_header(r, "origin", origin);
	return r;
}

static void test_origins(void **state)
{
	static const struct {
		const char *origins, *origin, *allowed, *vary;
	} rows[] = {
		{ "", "https://a.org", NULL, NULL },
		{ "*", "https://a.org", "*", NULL },
		{ "*", NULL, NULL, NULL },
		{ "https://a.org, https://b.org", "https://b.org", "https://b.org", "Origin" },
		{ "https://a.org", NULL, NULL, "Origin" },
		{ "https://a.org", "https://a.org.evil.org", NULL, "Origin" },
		{ "https://a.org", "https://evil-a.org", NULL, "Origin" },
		{ "https://a.org", "http://a.org", NULL, "Origin" },
		{ "https://a.org", "https://a.org:8443", NULL, "Origin" },
		{ "https://a.org", "null", NULL, "Origin" },
		{ "https://a.org", "", NULL, "Origin" },
		{ "https://a.org", "*", NULL, "Origin" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = ask(state, rows[i].origins, rows[i].origin);

		cors_reply(r);
		expect_text(reply_header(r, "Access-Control-Allow-Origin"), rows[i].allowed,
			    rows[i].origins);
		expect_text(reply_header(r, "Vary"), rows[i].vary, rows[i].origins);
		/* the token travels in a header that a script sets: never with a browser's own credentials */
		assert_null(reply_header(r, "Access-Control-Allow-Credentials"));
	}
}

static void test_preflights(void **state)
{
	struct request *r = ask(state, "https://a.org", "https://a.org");

	r->http->method = METHOD_OPTIONS;
	cors_reply(r); /* OPTIONS alone is none */
	assert_null(reply_header(r, "Access-Control-Allow-Methods"));
	assert_non_null(reply_header(r, "Access-Control-Expose-Headers"));
	r = ask(state, "https://a.org", "https://a.org");
	r->http->method = METHOD_OPTIONS;
	set_header(r, "access-control-request-method", "POST");
	cors_reply(r);
	assert_string_equal(reply_header(r, "Access-Control-Allow-Methods"),
			    "GET, HEAD, POST, OPTIONS");
	assert_non_null(strstr(reply_header(r, "Access-Control-Allow-Headers"), "Authorization"));
	r = ask(state, "https://a.org", "https://b.org");
	r->http->method = METHOD_OPTIONS;
	set_header(r, "access-control-request-method", "POST");
	cors_reply(r);
	assert_null(reply_header(r, "Access-Control-Allow-Methods"));
}

static int set_up(void **state)
{
	route_setup();
	return new_memory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_preflights),
	};

	return cmocka_run_group_tests(tests, set_up, free_memory);
}
