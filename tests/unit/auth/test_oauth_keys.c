/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of providers' keys: which key is for which algorithm, and for how long a set is kept. */
#include "test.h"
#include "auth/oauth_keys.c"

static void test_how_long_a_set_is_kept(void **state)
{
	(void)state;
	assert_int_equal(max_age(NULL), 60);
	assert_int_equal(max_age("no-store"), 60);
	assert_int_equal(max_age("public, max-age=19842, must-revalidate"), 3600);
	assert_int_equal(max_age("max-age=600"), 600);
	assert_int_equal(max_age("max-age=-1"), 60);
	assert_int_equal(max_age("max-age=99999999999999999999"), 3600);
	assert_int_equal(max_age("max-age=x"), 60);
}

static json_t *rsa(const char *kid, size_t len)
{
	char modulus[2000];

	memset(modulus, 'A', len);
	modulus[len] = '\0';
	return json_pack("{ss ss ss ss}", "kty", "RSA", "kid", kid, "e", "AQAB", "n", modulus);
}

static void test_a_key_is_for_one_algorithm(void **state)
{
	json_t *keys = json_pack(
		"[o o o {ss ss ss} {ss ss ss} {ss ss ss ss} {ss ss ss ss} {ss ss ss} {ss} i]",
		rsa("rsa", 342), rsa("weak", 171), rsa("endless", 1367), "kty", "EC", "kid", "ec",
		"crv", "P-256", "kty", "EC", "kid", "large", "crv", "P-521", "kty", "EC", "kid",
		"enc", "crv", "P-256", "use", "enc", "kty", "EC", "kid", "es384", "crv", "P-256",
		"alg", "ES384", "kty", "oct", "kid", "oct", "k", "AAAA", "kid", "none", 7);
	struct key_set set = { .keys = keys };
	static const char *const wrong[] = { "weak", "endless", "large", "enc", "es384",
					     "oct",  "none",	"other", "",	"RSA" };

	(void)state;
	assert_non_null(keys);
	assert_ptr_equal(choose(&set, "rsa", JWS_RS256), json_array_get(keys, 0));
	assert_ptr_equal(choose(&set, "ec", JWS_ES256), json_array_get(keys, 3));
	assert_null(choose(&set, "rsa", JWS_ES256));
	assert_null(choose(&set, "ec", JWS_RS256));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		expect_bool(choose(&set, wrong[i], JWS_RS256), false, wrong[i]);
		expect_bool(choose(&set, wrong[i], JWS_ES256), false, wrong[i]);
	}
	json_decref(keys);
}

/* A set that is fresh is not fetched for a name that it lacks: a fetch would need a loop, which this test has not. */
static void test_an_unknown_name_is_asked_once_a_minute(void **state)
{
	struct task t = { .mem = *state };
	struct key_set *set = &sets[OAUTH_GOOGLE];
	json_t *key = NULL;

	set->keys = json_pack("[o]", rsa("rsa", 342));
	set->began_us = time_monotonic_us();
	set->until_us = set->began_us + AGAIN_US;
	assert_int_equal(
		oauth_key_find(&t, &oauth_providers[OAUTH_GOOGLE], "other", JWS_RS256, &key), OK);
	assert_null(key);
	assert_int_equal(oauth_key_find(&t, &oauth_providers[OAUTH_GOOGLE], "rsa", JWS_RS256, &key),
			 OK);
	assert_non_null(key);
	json_decref(set->keys);
	*set = (struct key_set) { 0 };
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_long_a_set_is_kept),
		cmocka_unit_test(test_a_key_is_for_one_algorithm),
		cmocka_unit_test(test_an_unknown_name_is_asked_once_a_minute),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
