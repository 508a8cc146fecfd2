/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of which credentials are looked up at all; what is looked up has its own tests. */
#include "test.h"
#include "with_request.h"
#include "gateway/identify.c"

static void test_headers(void **state)
{
	static const char *const bad[] = { "Bearer a-token-of-the-tests",
					   "Bearer ",
					   "Bearer",
					   "Bearera-token-of-the-tests",
					   "Basic YTpi",
					   "a-token-of-the-tests",
					   "" };
	struct request *r = new_request(*state, METHOD_GET, "/");

	assert_int_equal(step_identify(r), OK);
	assert_int_equal(r->caller.is, CALLER_NOBODY);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		r = new_request(*state, METHOD_GET, "/");
		set_header(r, "authorization", bad[i]);
		expect_bool(step_identify(r) == E_UNAUTHORIZED && r->caller.is == CALLER_NOBODY,
			    true, bad[i]);
		/* which of them it was is nobody's affair */
		assert_null(strstr(r->task.failure.message, "a-token"));
	}
}

/* On the heap: a frame of that size is for no stack of ours. */
static void test_a_credential_of_any_length(void **state)
{
	char *token = talloc_zero_size(*state, JWT_MAX + 2);

	for (size_t n = JWT_MAX; n <= JWT_MAX + 1; n++) {
		struct request *r = new_request(*state, METHOD_GET, "/");

		memset(token, 'a', n);
		set_header(r, "authorization", talloc_asprintf(*state, "Bearer %s", token));
		assert_int_equal(step_identify(r), E_UNAUTHORIZED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_a_credential_of_any_length),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
