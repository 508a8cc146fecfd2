/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of whose request it is: what proxies say is believed as far as they are trusted, and no further. */
#include "test.h"
#include "with_request.h"
#include "gateway/client.c"

static void check(void **state, const char *peer, const char *forwarded, const char *x_forwarded,
		  const char *client, const char *block)
{
	struct request *r = new_request(*state, METHOD_GET, "/");
	const char *input = forwarded ? forwarded : x_forwarded ? x_forwarded : peer;

	r->http->peer = peer;
	if (forwarded)
		set_header(r, "forwarded", forwarded);
	if (x_forwarded)
		set_header(r, "x-forwarded-for", x_forwarded);
	client_find(r);
	expect_text(r->client, client, input);
	expect_text(r->client_block, block ? block : client, input);
}

static void test_peers(void **state)
{
	check(state, "192.0.2.1", NULL, NULL, "192.0.2.1", NULL);
	check(state, "::ffff:192.0.2.1", NULL, NULL, "192.0.2.1", NULL);
	check(state, "2001:db8:1:2:3:4:5:6", NULL, NULL, "2001:db8:1:2:3:4:5:6",
	      "2001:db8:1:2::/64");
	check(state, "2001:0DB8::0001", NULL, NULL, "2001:db8::1", "2001:db8::/64");
	check(state, "", NULL, NULL, "", NULL);
	check(state, NULL, NULL, NULL, "", NULL);
	/* nobody trusts a stranger */
	check(state, "192.0.2.1", "for=198.51.100.7", NULL, "192.0.2.1", NULL);
	check(state, "192.0.2.1", NULL, "198.51.100.7", "192.0.2.1", NULL);
}

static void test_x_forwarded_for(void **state)
{
	static const struct {
		const char *header, *client, *block;
	} rows[] = {
		{ "198.51.100.7", "198.51.100.7" },
		{ "198.51.100.7:4711", "198.51.100.7" },
		{ " 203.0.113.9 ,\t198.51.100.7 ", "198.51.100.7" },
		{ "203.0.113.9, 10.9.9.9", "203.0.113.9" },
		{ "203.0.113.9, fd00::5, 10.9.9.9", "203.0.113.9" },
		{ "10.1.1.1, 10.9.9.9", "10.1.1.1" }, /* all of them are ours */
		{ "2001:db8:a:b:c::1", "2001:db8:a:b:c::1", "2001:db8:a:b::/64" },
		{ "[2001:db8::1]", "2001:db8::1", "2001:db8::/64" },
		{ "[2001:db8::1]:80", "2001:db8::1", "2001:db8::/64" },
		{ "::ffff:198.51.100.7", "198.51.100.7" },
		{ "::ffff:10.9.9.9", "10.9.9.9" },
		{ "1.1.1.1, ::ffff:10.9.9.9", "1.1.1.1" },
		/* what is no address ends the walk */
		{ "", "10.0.0.1" },
		{ "1.1.1.1,", "10.0.0.1" },
		{ "1.1.1.1, unknown", "10.0.0.1" },
		{ "1.1.1.1, nonsense, 10.2.2.2", "10.2.2.2" },
		{ "1.1.1.1.1", "10.0.0.1" },
		{ "1.1.1.1:", "10.0.0.1" },
		{ "1.1.1.1:123456", "10.0.0.1" },
		{ "1.1.1.1:x", "10.0.0.1" },
		{ "[1.1.1.1]", "10.0.0.1" },
		{ "[1.1.1.1]:80", "10.0.0.1" },
		{ "[2001:db8::1", "10.0.0.1" },
		{ "[2001:db8::1]x", "10.0.0.1" },
		{ "fe80::1%eth0", "10.0.0.1" },
		{ "\"1.1.1.1\"", "10.0.0.1" },
		/* more hops than anybody has: the last ones decide */
		{ "9.9.9.9,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
		  "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,8.8.8.8",
		  "8.8.8.8" },
		{ "9.9.9.9,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,"
		  "10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.2",
		  "10.0.0.1" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(state, "10.0.0.1", NULL, rows[i].header, rows[i].client, rows[i].block);
}

static void test_forwarded(void **state)
{
	static const struct {
		const char *header, *client, *block;
	} rows[] = {
		{ "for=198.51.100.7", "198.51.100.7" },
		{ "For=\"198.51.100.7\"", "198.51.100.7" },
		{ "for=\"198.51.100.7:4711\"", "198.51.100.7" },
		{ "for=198.51.100.7:4711", "198.51.100.7" },
		{ "proto=https;for=198.51.100.7;by=10.0.0.1", "198.51.100.7" },
		{ "for=203.0.113.9, for=198.51.100.7", "198.51.100.7" },
		{ "for=203.0.113.9;host=\"a,b\", for=10.1.1.1", "203.0.113.9" },
		{ "for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", "2001:db8:cafe::/64" },
		{ "for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17", "2001:db8:cafe::/64" },
		{ "for=\"\\198.51.100.7\"", "198.51.100.7" },
		/* what is no address ends the walk */
		{ "for=unknown", "10.0.0.1" },
		{ "for=203.0.113.9, for=_hidden, for=10.2.2.2", "10.2.2.2" },
		{ "for=203.0.113.9, proto=https", "10.0.0.1" },
		{ "for=\"2001:db8::1\"", "10.0.0.1" },
		{ "", "10.0.0.1" },
		{ "for", "10.0.0.1" },
		{ "for=", "10.0.0.1" },
		{ "for=1.1.1.1,", "10.0.0.1" },
		{ "for=1.1.1.1 for=2.2.2.2", "10.0.0.1" },
		/* a quote that a stranger left open does not swallow what the proxy adds */
		{ "for=\"1.1.1.1, for=198.51.100.7", "10.0.0.1" },
		{ "x=\", for=\"198.51.100.7\"", "10.0.0.1" },
		{ "x=\"\\\", for=198.51.100.7", "10.0.0.1" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(state, "10.0.0.1", rows[i].header, NULL, rows[i].client, rows[i].block);
}

static void test_several_lines_are_one_list(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/");

	r->http->peer = "10.0.0.1";
	set_header(r, "x-forwarded-for", "1.1.1.1");
	set_header(r, "x-forwarded-for", "2.2.2.2, 10.3.3.3");
	set_header(r, "x-forwarded-for", "10.2.2.2");
	client_find(r);
	expect_text(r->client, "2.2.2.2", "lines");
}

static void test_both_headers_must_agree(void **state)
{
	check(state, "10.0.0.1", "for=198.51.100.7", "198.51.100.7", "198.51.100.7", NULL);
	/* whichever of them our proxy writes: a stranger cannot choose his address with the other */
	check(state, "10.0.0.1", "for=1.1.1.1", "198.51.100.7", "10.0.0.1", NULL);
	check(state, "10.0.0.1", "nonsense", "198.51.100.7", "10.0.0.1", NULL);
}

static int set_up(void **state)
{
	config.trusted_proxies = "10.0.0.0/8, fd00::/8";
	client_setup();
	return new_memory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_x_forwarded_for),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_several_lines_are_one_list),
		cmocka_unit_test(test_both_headers_must_agree),
	};

	return cmocka_run_group_tests(tests, set_up, free_memory);
}
