/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of who a caller is: only the whole token makes an admin, and nothing does when there is none. */
#include "test.h"
#include "with_request.h"
#include "gateway/identify.c"

#define TOKEN "a-token-of-the-tests"

static void test_headers(void **state)
{
	static const struct {
		const char *token, *header; /* NULL: none */
		int code;
		enum allow is;
	} rows[] = {
		{ TOKEN, NULL, OK, ANYONE },
		{ TOKEN, "Bearer " TOKEN, OK, ADMIN },
		{ TOKEN, "bearer   " TOKEN, OK, ADMIN },
		{ TOKEN, "Bearer a-token-of-the-test", E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "Bearer a-token-of-the-testss", E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "Bearer A-TOKEN-OF-THE-TESTS", E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "Bearer " TOKEN " " TOKEN, E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "Bearer ", E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "Bearer", E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "Bearer" TOKEN, E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "Basic " TOKEN, E_UNAUTHORIZED, ANYONE },
		{ TOKEN, TOKEN, E_UNAUTHORIZED, ANYONE },
		{ TOKEN, "", E_UNAUTHORIZED, ANYONE },
		/* no token can be right: allow.c says what is switched off */
		{ "", "Bearer ", OK, ANYONE },
		{ "", "Bearer a", OK, ANYONE },
		{ "", "Basic a", E_UNAUTHORIZED, ANYONE },
		{ "", NULL, OK, ANYONE },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_GET, "/");

		config.admin_token = rows[i].token;
		if (rows[i].header)
			set_header(r, "authorization", rows[i].header);
		expect_bool(step_identify(r) == rows[i].code && r->caller.is == rows[i].is, true,
			    rows[i].header ? rows[i].header : "NULL");
		/* which of them it was is nobody's affair */
		if (r->task.failure.message)
			assert_null(strstr(r->task.failure.message, TOKEN));
	}
}

static void test_a_token_of_the_largest_length(void **state)
{
	char token[TOKEN_MAX + 2] = "";

	for (size_t n = TOKEN_MAX; n <= TOKEN_MAX + 1; n++) {
		struct request *r = new_request(*state, METHOD_GET, "/");

		memset(token, 'a', n);
		config.admin_token = token;
		set_header(r, "authorization", talloc_asprintf(*state, "Bearer %s", token));
		assert_int_equal(step_identify(r), n == TOKEN_MAX ? OK : E_UNAUTHORIZED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_a_token_of_the_largest_length),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
