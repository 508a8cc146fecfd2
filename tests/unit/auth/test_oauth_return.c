/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the addresses that a sign-in may return to. */
#include "test.h"
#include "auth/oauth_return.c"

static int setup(void **state)
{
	config.public_url = "https://town.example";
	config.oauth_return_urls = "";
	return new_memory(state);
}

static void test_the_default(void **state)
{
	config.oauth_return_urls = "";
	assert_string_equal(oauth_return_url(*state, NULL), "https://town.example/signed-in");
	assert_string_equal(oauth_return_url(*state, "https://town.example/signed-in"),
			    "https://town.example/signed-in");
	assert_null(oauth_return_url(*state, "https://town.example/signed-in/"));
	assert_null(oauth_return_url(*state, "https://town.example:8443/signed-in"));
}

static void test_ports_of_ones_own_machine(void **state)
{
	static const struct {
		const char *url;
		bool good;
	} rows[] = {
		{ "http://127.0.0.1/cb", true },
		{ "http://127.0.0.1:1/cb", true },
		{ "http://127.0.0.1:65535/cb", true },
		{ "http://[::1]:7/cb?x=1", true },
		{ "http://127.0.0.1:/cb", false },
		{ "http://127.0.0.1:655350/cb", false },
		{ "http://127.0.0.1:1/cb/", false },
		{ "http://[::1]:7/cb", false },
		{ "http://[::1]:7/cb?x=2", false },
		{ "http://127.0.0.1:1@evil/cb", false },
		{ "http://127.0.0.1.evil/cb", false },
		{ "https://127.0.0.1:1/cb", false },
		{ "http://localhost:4001/named", false },
		{ "http://localhost:4000/named", true },
		{ "http://127.0.0.1", false },
	};

	config.oauth_return_urls =
		"http://127.0.0.1:4000/cb, http://[::1]/cb?x=1,http://localhost:4000/named";
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(oauth_return_url(*state, rows[i].url), rows[i].good, rows[i].url);
}

static void test_parameters(void **state)
{
	assert_string_equal(oauth_return_with(*state, "https://a/b", "code", "x y&z"),
			    "https://a/b?code=x%20y%26z");
	assert_string_equal(oauth_return_with(*state, "https://a/b?c=d", "code", "x"),
			    "https://a/b?c=d&code=x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_default),
		cmocka_unit_test(test_ports_of_ones_own_machine),
		cmocka_unit_test(test_parameters),
	};

	return cmocka_run_group_tests(tests, setup, free_memory);
}
