/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of proof keys: the example of the RFC, and what is no verifier or challenge. */
#include "test.h"
#include "auth/oauth_pkce.c"

/* RFC 7636 appendix B. */
static const char verifier[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char challenge[] = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

static void test_the_example_of_the_rfc(void **state)
{
	assert_string_equal(pkce_challenge(*state, verifier), challenge);
	assert_true(pkce_is_challenge(*state, challenge));
	assert_true(pkce_matches(*state, verifier, challenge));
}

static void test_what_does_not_match(void **state)
{
	char *longest = talloc_zero_size(*state, 130);

	assert_false(pkce_matches(*state, challenge, challenge));
	assert_false(pkce_matches(*state, verifier, verifier));
	assert_false(pkce_matches(*state, "", challenge));
	assert_false(pkce_matches(*state, verifier, ""));
	memset(longest, '~', 128);
	assert_true(pkce_matches(*state, longest, pkce_challenge(*state, longest)));
	longest[128] = '~';
	assert_false(pkce_matches(*state, longest, pkce_challenge(*state, longest)));
	longest[42] = '\0';
	assert_false(pkce_matches(*state, longest, pkce_challenge(*state, longest)));
	longest[42] = '/';
	longest[43] = '\0';
	assert_false(pkce_matches(*state, longest, pkce_challenge(*state, longest)));
}

static void test_what_is_no_challenge(void **state)
{
	static const char *const texts[] = { "",
					     "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
					     "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMM",
					     "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
					     "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
					     "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=" };

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		expect_bool(pkce_is_challenge(*state, texts[i]), false, texts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_example_of_the_rfc),
		cmocka_unit_test(test_what_does_not_match),
		cmocka_unit_test(test_what_is_no_challenge),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
