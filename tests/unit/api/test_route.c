/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of routing on the program's own services: versions, ids, methods, and paths that nearly fit. */
#include "test.h"
#include "with_request.h"
#include "api/route.c"

static void test_paths(void **state)
{
	static const struct {
		enum http_method method;
		const char *target;
		int code;
		const char *route; /* its id */
		const char *id;	   /* path parameter */
	} rows[] = {
		{ METHOD_GET, "/v1/businesses", OK, "business_list", NULL },
		{ METHOD_HEAD, "/v1/businesses", OK, "business_list", NULL },
		{ METHOD_GET, "/businesses?q=a", OK, "business_list", NULL },
		{ METHOD_POST, "/v1/businesses", OK, "business_create", NULL },
		{ METHOD_GET, "/v1/businesses/the-boatman", OK, "business_get", "the-boatman" },
		{ METHOD_GET, "/v1/businesses/suggest", OK, "business_suggest", NULL },
		{ METHOD_POST, "/v1/businesses/x/restore", OK, "business_restore", "x" },
		{ METHOD_GET, "/v1/businesses/x/inspections", OK, "inspection_list", "x" },
		{ METHOD_GET, "/livez", OK, "live", NULL },
		{ METHOD_GET, "/openapi.json", OK, "openapi", NULL },
		{ METHOD_OPTIONS, "/v1/businesses", OK, NULL, NULL },
		{ METHOD_OPTIONS, "*", OK, NULL, NULL },
		{ METHOD_OPTIONS, "/v1/absent", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v1/livez", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v2/businesses", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v1/v1/businesses", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v1/businesses/", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v1//businesses", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v1/Businesses", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v1", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/v1/", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "//", E_NOT_FOUND, NULL, NULL },
		{ METHOD_GET, "/a/b/c/d/e/f/g/h/i", E_NOT_FOUND, NULL, NULL },
		{ METHOD_DELETE, "/v1/businesses", E_METHOD_NOT_ALLOWED, NULL, NULL },
		{ METHOD_POST, "/v1/businesses/x", E_METHOD_NOT_ALLOWED, NULL, NULL },
		{ METHOD_GET, "/v1/businesses/x/restore", E_METHOD_NOT_ALLOWED, NULL, NULL },
		{ METHOD_GET, "/v1/businesses/%ff", E_BAD_REQUEST, NULL, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, rows[i].method, rows[i].target);

		expect_bool(step_route(r) == rows[i].code, true, rows[i].target);
		expect_text(r->route ? r->route->id : NULL, rows[i].route, rows[i].target);
		if (rows[i].id)
			expect_text(path_text(r, "id"), rows[i].id, rows[i].target);
		expect_bool(reply_header(r, "Allow") != NULL, rows[i].code == E_METHOD_NOT_ALLOWED,
			    rows[i].target);
	}
}

static void test_allowed_methods(void **state)
{
	static const struct {
		const char *target, *allowed;
	} rows[] = {
		{ "/v1/businesses", "GET, HEAD, POST, OPTIONS" },
		{ "/v1/businesses/x", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS" },
		{ "/businesses/x/restore", "POST, OPTIONS" },
		{ "/livez", "GET, HEAD, OPTIONS" },
		{ "/businesses?q=a", "GET, HEAD, POST, OPTIONS" },
		{ "/v1/livez", NULL },
		{ "/v1/v1/businesses", NULL },
		{ "/v1", NULL },
		{ "/", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = get_request(*state, rows[i].target);

		expect_text(route_allowed(r), rows[i].allowed, rows[i].target);
	}
}

/* Labels, operationIds and paths are what metrics and clients know routes by. */
static void test_no_two_routes_are_alike(void **state)
{
	(void)state;
	for (int i = 0; i < route_count(); i++) {
		const struct route *a = route_first() + i;

		assert_int_equal(a->number, i + 1);
		assert_true(a->allow != NOBODY && a->act && a->service);
		/* an action that waits for more than the database has a transaction of its own */
		if (!a->action)
			assert_int_equal(a->writes, a->method != METHOD_GET);
		for (int k = 0; k < i; k++) {
			const struct route *b = route_first() + k;

			expect_bool(strcmp(a->id, b->id) == 0, false, a->id);
			expect_bool(strcmp(route_label(i + 1), route_label(k + 1)) == 0, false,
				    a->path);
		}
	}
	assert_string_equal(route_label(0), "none");
	assert_null(route_label(route_count() + 1));
}

static void test_what_the_server_refused_stays_refused(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/v1/businesses");

	r->http->refused = E_PAYLOAD_TOO_LARGE;
	r->http->refused_why = "100%s";
	assert_int_equal(step_route(r), E_PAYLOAD_TOO_LARGE);
	assert_null(r->route);
	assert_string_equal(r->task.failure.message, "100%s");
}

static int set_up(void **state)
{
	route_setup();
	return new_memory(state);
}

static int tear_down(void **state)
{
	for (int i = 0; i < count; i++) /* they live as long as the process */
		talloc_free(talloc_parent(routes[i].segments[0]));
	talloc_free(memory);
	return free_memory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_allowed_methods),
		cmocka_unit_test(test_no_two_routes_are_alike),
		cmocka_unit_test(test_what_the_server_refused_stays_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
