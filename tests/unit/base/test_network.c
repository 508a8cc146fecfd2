/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of addresses and networks. */
#include "test.h"
#include "base/network.c"

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *written; /* NULL: it is none */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::FFFF:c000:201", "192.0.2.1" },
		{ "2001:0db8:0::1", "2001:db8::1" },
		{ "::", "::" },
		{ "", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.01", NULL },
		{ "192.0.2.256", NULL },
		{ "[::1]", NULL },
		{ "::1%lo", NULL },
		{ " ::1", NULL },
		{ "0000000000000000000000000000000000000000000000000000000000000000:1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address address;
		char text[ADDRESS_TEXT_MAX];
		bool is = address_read(rows[i].text, strlen(rows[i].text), &address);

		expect_bool(is, rows[i].written != NULL, rows[i].text);
		if (!is)
			continue;
		address_write(&address, text);
		expect_text(text, rows[i].written, rows[i].text);
	}
}

static void test_networks(void **state)
{
	static const struct {
		const char *networks, *address;
		bool has;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "10.1.2.3/8", "10.255.0.1", true },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.0/23", "192.0.3.9", true },
		{ "192.0.2.0/23", "192.0.4.0", false },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "1.2.3.4", true },
		{ "fd00::/8", "fdff::1", true },
		{ "fd00::/8", "fe00::1", false },
		{ "::ffff:10.0.0.0/104", "10.1.1.1", true },
		{ "::1 , 10.0.0.0/8", "10.1.1.1", true },
		{ "", "10.1.1.1", false },
		{ " ", "10.1.1.1", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct network networks[NETWORKS_MAX];
		struct address address;
		int n = networks_read(rows[i].networks, networks);

		assert_true(n >= 0);
		assert_true(address_read(rows[i].address, strlen(rows[i].address), &address));
		expect_bool(networks_have(networks, n, &address), rows[i].has, rows[i].networks);
	}
}

static void test_what_is_no_list(void **state)
{
	static const char *const rows[] = {
		"10.0.0.0/33",	 "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/a", "::/129",
		"10.0.0.0/8,",	 ",",	      "10/8",	     "host",	   "10.0.0.0/8 ::1",
		"10.0.0.0/0008",
	};
	struct network networks[NETWORKS_MAX];
	char many[5 * NETWORKS_MAX + 10] = "::1";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(networks_read(rows[i], networks) < 0, true, rows[i]);
	for (int i = 1; i < NETWORKS_MAX; i++)
		memcpy(many + strlen(many), ",::1", 5);
	assert_int_equal(networks_read(many, networks), NETWORKS_MAX);
	memcpy(many + strlen(many), ",::1", 5);
	assert_int_equal(networks_read(many, networks), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
