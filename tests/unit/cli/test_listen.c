/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of --listen: addresses of both families, any port, one that is taken, and what is no address. */
#include "test.h"
#include "cli/listen.c"

static char url[100], why[200];

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int family;
	} rows[] = {
		{ "127.0.0.1:8080", true, AF_INET },
		{ "0.0.0.0:0", true, AF_INET },
		{ "localhost:80", true, AF_INET },
		{ "[::1]:8080", true, AF_INET6 },
		{ "[::ffff:127.0.0.1]:1", true, AF_INET6 },
		{ "", false, 0 },
		{ ":", false, 0 },
		{ ":8080", false, 0 },
		{ "[", false, 0 },
		{ "[:", false, 0 },
		{ "[]:8080", false, 0 },
		{ "]:8080", false, 0 },
		{ "::1", false, 0 },
		{ "[::1]", false, 0 },
		{ "127.0.0.1", false, 0 },
		{ "127.0.0.1.1:80", false, 0 },
		{ "example.org:80", false, 0 },
		{ "[127.0.0.1]:80", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sockaddr_storage address = { 0 };
		socklen_t len = 0;

		expect_bool(parse(rows[i].text, &address, &len) == 0, rows[i].good, rows[i].text);
		if (rows[i].good)
			assert_int_equal(address.ss_family, rows[i].family);
	}
}

static void test_a_host_longer_than_any_is_cut_and_refused(void **state)
{
	char text[300];
	struct sockaddr_storage address;
	socklen_t len;

	(void)state;
	memset(text, '1', sizeof(text));
	memcpy(text + sizeof(text) - 6, ":8080", 6);
	assert_int_equal(parse(text, &address, &len), -1);
	text[0] = '[';
	text[sizeof(text) - 7] = ']';
	assert_int_equal(parse(text, &address, &len), -1);
}

static void test_port_0_takes_any_and_says_which(void **state)
{
	int fd = listen_open("127.0.0.1:0", url, sizeof(url), why, sizeof(why)), again, port = 0;
	char taken[32];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sscanf(url, "http://127.0.0.1:%d", &port), 1);
	assert_true(port > 0);
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", port);
	again = listen_open(taken, url, sizeof(url), why, sizeof(why));
	assert_int_equal(again, -1);
	assert_non_null(strstr(why, taken)); /* names what it could not have */
	close(fd);
	again = listen_open(taken, url, sizeof(url), why, sizeof(why));
	assert_true(again >= 0);
	close(again);
}

static void test_a_refusal_says_why(void **state)
{
	(void)state;
	assert_int_equal(listen_open("nowhere", url, sizeof(url), why, sizeof(why)), -1);
	assert_string_equal(why, "cannot listen on nowhere: not an address and port");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_a_host_longer_than_any_is_cut_and_refused),
		cmocka_unit_test(test_port_0_takes_any_and_says_which),
		cmocka_unit_test(test_a_refusal_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
