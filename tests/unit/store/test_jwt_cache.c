/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the tokens that were verified: known again until they expire, never more than there is room for. */
#include "test.h"
#include <stdio.h>
#include "store/jwt_cache.c"

static int64_t now(void)
{
	return (int64_t)(time_unix_ms() / 1000);
}

static int clear(void **state)
{
	(void)state;
	jwt_cache_clear();
	return 0;
}

static void test_a_token_is_known_by_all_of_it(void **state)
{
	const struct jwt_claims claims = { .sub = "a", .exp = now() + 900, .role_count = 1 };

	(void)state;
	assert_null(jwt_cached("abc", 3));
	jwt_remember("abc", 3, &claims);
	assert_memory_equal(jwt_cached("abc", 3), &claims, sizeof(claims));
	assert_null(jwt_cached("abc", 2));
	assert_null(jwt_cached("abd", 3));
	assert_null(jwt_cached("abcd", 4));
	assert_null(jwt_cached("", 0));
	assert_null(jwt_cached("abc", JWT_MAX + 1));
	jwt_cache_clear();
	assert_null(jwt_cached("abc", 3));
}

static void test_one_that_has_expired_is_dropped(void **state)
{
	struct jwt_claims claims = { .exp = now() };

	(void)state;
	jwt_remember("abc", 3, &claims);
	assert_int_equal(HASH_COUNT(entries), 1);
	assert_null(jwt_cached("abc", 3));
	assert_int_equal(HASH_COUNT(entries), 0);
}

static void test_the_last_claims_count(void **state)
{
	struct jwt_claims claims = { .exp = now() + 900 };

	(void)state;
	jwt_remember("abc", 3, &claims);
	claims.iat = 5;
	jwt_remember("abc", 3, &claims);
	assert_int_equal(HASH_COUNT(entries), 1);
	assert_int_equal(jwt_cached("abc", 3)->iat, 5);
}

static void test_the_oldest_go(void **state)
{
	const struct jwt_claims claims = { .exp = now() + 900 };
	char token[16];

	(void)state;
	for (int i = 0; i < JWT_CACHE_MAX + 2; i++)
		jwt_remember(token, (size_t)snprintf(token, sizeof(token), "%d", i), &claims);
	assert_int_equal(HASH_COUNT(entries), JWT_CACHE_MAX);
	assert_null(jwt_cached("0", 1));
	assert_null(jwt_cached("1", 1));
	assert_non_null(jwt_cached("2", 1));
	assert_non_null(jwt_cached(token, strlen(token)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_a_token_is_known_by_all_of_it, clear),
		cmocka_unit_test_teardown(test_one_that_has_expired_is_dropped, clear),
		cmocka_unit_test_teardown(test_the_last_claims_count, clear),
		cmocka_unit_test_teardown(test_the_oldest_go, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
