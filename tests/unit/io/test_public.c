/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what is a public address, and of URLs as they are compared. */
#include "test.h"
#include <netinet/in.h>
#include "io/loop.h"
#include "io/transfer.h"
#include "io/public.c"

static const struct {
	const char *address;
	bool is_public;
} addresses[] = {
	{ "1.1.1.1", true },
	{ "8.8.8.8", true },
	{ "93.184.216.34", true },
	{ "9.255.255.255", true },
	{ "11.0.0.0", true },
	{ "100.63.255.255", true },
	{ "100.128.0.0", true },
	{ "126.255.255.255", true },
	{ "128.0.0.1", true },
	{ "172.15.255.255", true },
	{ "172.32.0.0", true },
	{ "192.0.1.0", true },
	{ "192.167.255.255", true },
	{ "192.169.0.0", true },
	{ "223.255.255.255", true },
	{ "2001:4860:4860::8888", true },
	{ "2606:2800:220:1::1", true },
	{ "2a00:1450::1", true },
	{ "::ffff:8.8.8.8", true },
	{ "64:ff9b::8.8.8.8", true },
	/* this machine, and nowhere */
	{ "127.0.0.1", false },
	{ "127.255.255.254", false },
	{ "0.0.0.0", false },
	{ "0.1.2.3", false },
	{ "::1", false },
	{ "::", false },
	{ "::ffff:127.0.0.1", false },
	{ "::ffff:0.0.0.0", false },
	{ "::127.0.0.1", false },
	{ "::8.8.8.8", false },
	/* private networks, and those of providers */
	{ "10.0.0.1", false },
	{ "10.255.255.255", false },
	{ "172.16.0.1", false },
	{ "172.31.255.255", false },
	{ "192.168.1.1", false },
	{ "100.64.0.1", false },
	{ "100.127.255.255", false },
	{ "fc00::1", false },
	{ "fdff::1", false },
	{ "fec0::1", false },
	{ "::ffff:10.0.0.1", false },
	{ "::ffff:192.168.0.1", false },
	/* link-local, where clouds keep their secrets */
	{ "169.254.169.254", false },
	{ "fe80::1", false },
	{ "febf::1", false },
	{ "::ffff:169.254.169.254", false },
	{ "fd00:ec2::254", false },
	/* many at once */
	{ "224.0.0.1", false },
	{ "239.255.255.255", false },
	{ "255.255.255.255", false },
	{ "240.0.0.1", false },
	{ "ff02::1", false },
	/* for documentation, tests and protocols */
	{ "192.0.2.1", false },
	{ "198.51.100.7", false },
	{ "203.0.113.9", false },
	{ "198.18.0.1", false },
	{ "198.19.255.255", false },
	{ "192.0.0.8", false },
	{ "192.88.99.1", false },
	{ "2001:db8::1", false },
	{ "3fff::1", false },
	{ "100::1", false },
	{ "4000::1", false },
	{ "5f00::1", false },
	/* others within them: NAT64, 6to4, Teredo */
	{ "64:ff9b::127.0.0.1", false },
	{ "64:ff9b::10.0.0.1", false },
	{ "64:ff9b::169.254.169.254", false },
	{ "64:ff9b:1::8.8.8.8", false },
	{ "2002:7f00:1::1", false },
	{ "2002:a00:1::", false },
	{ "2001:0:4136:e378:8000:63bf:3fff:fdd2", false },
};

static bool may_connect(const char *text)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return public_may_connect((const struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return public_may_connect((const struct sockaddr *)&six);
}

static void test_addresses(void **state)
{
	const struct sockaddr other = { .sa_family = AF_UNIX };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct address address;
		const char *text = addresses[i].address;

		assert_true(address_read(text, strlen(text), &address));
		expect_bool(public_has_address(&address), addresses[i].is_public, text);
		expect_bool(may_connect(text), addresses[i].is_public, text);
	}
	assert_false(public_may_connect(&other));
}

static void test_names(void **state)
{
	static const struct {
		const char *url, *name, *host; /* NULL: it is none of ours */
	} rows[] = {
		{ "https://Town.Example/a.ics", "town.example/a.ics", "town.example" },
		{ "http://town.example/a.ics", "town.example/a.ics", "town.example" },
		{ "https://user:word@town.example/a.ics#top", "town.example/a.ics",
		  "town.example" },
		{ "https://town.example:443/a.ics?key=1", "town.example/a.ics?key=1",
		  "town.example" },
		{ "https://town.example:8443/", "town.example:8443/", "town.example" },
		{ "https://town.example", "town.example/", "town.example" },
		{ "http://[::1]:80/a", "[::1]/a", "[::1]" },
		{ "ftp://town.example/a.ics", NULL, NULL },
		{ "file:///etc/passwd", NULL, NULL },
		{ "town.example", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "http://a b/", NULL, NULL },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		expect_text(public_name(mem, rows[i].url), rows[i].name, rows[i].url);
		expect_text(public_host(mem, rows[i].url), rows[i].host, rows[i].url);
	}
	talloc_free(mem);
}

static const char *const refused[] = {
	"http://127.0.0.1/",
	"http://127.1/",
	"http://2130706433/",
	"http://0x7f000001/",
	"http://0177.0.0.1/",
	"http://localhost/",
	"http://[::1]/",
	"http://[::ffff:7f00:1]/",
	"http://169.254.169.254/latest/meta-data/",
	"https://10.0.0.1:8443/",
	"http://user@192.168.0.1/",
	"http://0.0.0.0/",
};

static const char *const bad_ports[] = { "http://93.184.216.34:22/", "https://93.184.216.34:5432/",
					 "http://93.184.216.34:6379/" };

static int get_one(struct task *t, void *arg)
{
	const struct public_call call = { .url = arg, .answer_max = 100, .timeout_ms = 5000 };
	struct http_answer *answer;
	int rc = public_get(t, &call, &answer);

	t->failure.message = NULL;
	return rc;
}

static void test_what_is_not_asked(void **state)
{
	char why[300];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		int rc = task_run(get_one, (void *)refused[i], why, sizeof(why));

		expect_bool(rc == E_UNAVAILABLE, true, refused[i]);
		expect_bool(strstr(why, "its address is not a public one") != NULL, true,
			    refused[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad_ports); i++) {
		assert_int_equal(task_run(get_one, (void *)bad_ports[i], why, sizeof(why)),
				 E_UNAVAILABLE);
		expect_bool(strstr(why, "its port is none of") != NULL, true, bad_ports[i]);
	}
	assert_int_equal(task_run(get_one, (void *)"ftp://a.example/", NULL, 0), E_BAD_REQUEST);
}

/* Where an answer sends us, or why we do not go there. */
static void test_redirects(void **state)
{
	static const struct {
		const char *from, *location, *to;
	} rows[] = {
		{ "https://a.example/x/y?z=1", "/b.ics", "https://a.example/b.ics" },
		{ "https://a.example/x/y", "z", "https://a.example/x/z" },
		{ "http://a.example/", "https://b.example/c", "https://b.example/c" },
		{ "https://u:p@a.example/", "https://b.example/", "https://b.example/" },
		{ "https://u:p@a.example/", "//b.example/", "https://b.example/" },
		{ "https://a.example/", "http://a.example/", NULL },
		{ "https://a.example/", "file:///etc/passwd", NULL },
		{ "https://a.example/", "gopher://b.example/", NULL },
		{ "https://a.example/", "javascript:alert(1)", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct task t = { .mem = talloc_new(NULL) };
		const struct http_answer answer = { .status = 302, .location = rows[i].location };
		CURLU *url = parse(rows[i].from);
		int rc = follow(&t, url, &answer);

		expect_bool(rc == OK, rows[i].to != NULL, rows[i].location);
		if (rc == OK)
			expect_text(part(t.mem, url, CURLUPART_URL, 0), rows[i].to,
				    rows[i].location);
		curl_url_cleanup(url);
		talloc_free(t.mem);
	}
}

static int stop(void **state)
{
	(void)state;
	transfer_close();
	loop_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_is_not_asked),
		cmocka_unit_test(test_redirects),
	};

	return cmocka_run_group_tests(tests, NULL, stop);
}
