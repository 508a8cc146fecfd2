/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of outgoing HTTP against our own server on the same loop, and against servers that are not well. */
#include "test.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/time.h"
#include "io/loop.h"
#include "io/http_call.c"

enum { ANSWER_MAX = 1000 };

static char base[64];

/* A listening socket of 127.0.0.1 and its port. */
static int listen_somewhere(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 8) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		abort();
	*port = ntohs(address.sin_port);
	return fd;
}

/* Says what it got; /large is large, /moved a redirect. */
static void serve(struct http_exchange *x)
{
	const char *tag = http_header_get(x, "x-tag");

	x->status = strcmp(x->target, "/moved") == 0 ? 302
		    : strcmp(x->target, "/bad") == 0 ? 500
						     : 200;
	if (x->status == 302)
		http_header_add(x, "Location", "https://elsewhere.example/");
	http_header_add(x, "Content-Type", "text/plain");
	http_header_add(x, "Cache-Control", "max-age=60");
	if (strcmp(x->target, "/large") == 0)
		for (int i = 0; i < 100; i++)
			buf_adds(&x->body_out, "twenty bytes of text");
	buf_addf(&x->body_out, "%s %s %s ", x->method_name, x->target, tag ? tag : "-");
	buf_add(&x->body_out, x->body, x->body_len);
}

static int start_server(void **state)
{
	const struct http_limits limits = {
		.header_max = 4096,
		.url_max = 512,
		.body_max = 4096,
		.header_timeout = 5000,
		.body_timeout = 5000,
		.idle_timeout = 60000,
		.write_timeout = 5000,
		.connections_max = 10,
		.requests_max = 10,
	};
	int port, fd = listen_somewhere(&port);

	(void)state;
	snprintf(base, sizeof(base), "http://127.0.0.1:%d", port);
	return http_serve(fd, &limits, serve);
}

static int stop_server(void **state)
{
	(void)state;
	transfer_close();
	loop_close();
	return 0;
}

/* What the test wants to know, copied out of the coroutine: cmocka's jumps must not cross stacks. */
struct outcome {
	struct http_call call;
	const char *path;
	int rc, status;
	char body[ANSWER_MAX + 1], type[100], location[100], cache[100], cause[300];
	uint64_t took_us;
};

static void keep(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "NULL");
}

static int do_call(struct task *t, void *arg)
{
	struct outcome *o = arg;
	struct http_answer *answer = NULL;
	uint64_t before = time_monotonic_us();

	if (!o->call.url)
		o->call.url = talloc_asprintf(t->mem, "%s%s", base, o->path);
	if (!o->call.timeout_ms)
		o->call.timeout_ms = 30000;
	o->call.answer_max = ANSWER_MAX;
	o->rc = http_call(t, &o->call, &answer);
	o->took_us = time_monotonic_us() - before;
	keep(o->cause, sizeof(o->cause), t->failure.cause);
	if (o->rc)
		return OK;
	o->status = answer->status;
	keep(o->body, sizeof(o->body), answer->body);
	keep(o->type, sizeof(o->type), answer->content_type);
	keep(o->location, sizeof(o->location), answer->location);
	keep(o->cache, sizeof(o->cache), answer->cache_control);
	return OK;
}

static void call(struct outcome *o)
{
	assert_int_equal(task_run(do_call, o, NULL, 0), OK);
}

static void test_an_answer_comes_whole(void **state)
{
	struct outcome o = { .path = "/here?a=1" };

	(void)state;
	call(&o);
	assert_int_equal(o.rc, OK);
	assert_int_equal(o.status, 200);
	assert_string_equal(o.body, "GET /here?a=1 - ");
	assert_string_equal(o.type, "text/plain");
	assert_string_equal(o.cache, "max-age=60");
	assert_string_equal(o.location, "NULL");
}

static void test_a_body_and_headers_go_out(void **state)
{
	const struct http_header headers[] = { { "X-Tag", "blue" } };
	struct outcome o = { .path = "/form",
			     .call = { .method = "POST",
				       .headers = headers,
				       .header_count = 1,
				       .body = "code=1&state=2",
				       .body_len = 14 } };

	(void)state;
	call(&o);
	assert_string_equal(o.body, "POST /form blue code=1&state=2");
	o.call.method = "PUT";
	o.call.url = NULL;
	call(&o);
	assert_string_equal(o.body, "PUT /form blue code=1&state=2");
}

static void test_redirects_are_not_followed_and_statuses_are_the_callers(void **state)
{
	struct outcome o = { .path = "/moved" }, bad = { .path = "/bad" };

	(void)state;
	call(&o);
	assert_int_equal(o.status, 302);
	assert_string_equal(o.location, "https://elsewhere.example/");
	call(&bad);
	assert_int_equal(bad.rc, OK);
	assert_int_equal(bad.status, 500);
}

static void test_an_answer_has_a_maximum(void **state)
{
	struct outcome o = { .path = "/large" };

	(void)state;
	call(&o);
	assert_int_equal(o.rc, E_UNAVAILABLE);
	assert_string_equal(o.cause, "the answer is too large");
}

static void test_a_header_cannot_start_another(void **state)
{
	const struct http_header headers[] = { { "X-Tag", "blue\r\nX-Forged: yes" } };
	struct outcome o = { .path = "/", .call = { .headers = headers, .header_count = 1 } };

	(void)state;
	call(&o);
	assert_int_equal(o.rc, E_INTERNAL);
}

static void test_other_schemes_are_refused(void **state)
{
	static const char *const urls[] = { "file:///etc/passwd", "ftp://127.0.0.1/",
					    "smtp://127.0.0.1", "http://127.0.0.1/a\r\nb",
					    "gopher://127.0.0.1/" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct outcome o = { .call = { .url = urls[i] } };

		call(&o);
		expect_bool(o.rc == E_INTERNAL, true, urls[i]);
	}
}

static void test_nobody_listens(void **state)
{
	char url[80];
	struct outcome o = { .call = { .url = url } };
	int port;

	(void)state;
	close(listen_somewhere(&port));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	call(&o);
	assert_int_equal(o.rc, E_UNAVAILABLE);
	assert_non_null(strstr(o.cause, "connect"));
}

/* The kernel takes the connection, and nobody ever answers on it. */
static void test_a_server_that_hangs(void **state)
{
	char url[80];
	struct outcome o = { .call = { .url = url, .timeout_ms = 200 } };
	int port, fd = listen_somewhere(&port);

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
	call(&o);
	assert_int_equal(o.rc, E_TIMEOUT);
	assert_true(o.took_us >= 200000);
	close(fd);
}

static void test_tls_to_who_speaks_none(void **state)
{
	char url[80];
	struct outcome o = { .call = { .url = url } };

	(void)state;
	snprintf(url, sizeof(url), "https%s/", base + 4);
	call(&o);
	assert_int_equal(o.rc, E_UNAVAILABLE);
}

static void test_a_name_is_resolved(void **state)
{
	char url[80];
	struct outcome o = { .call = { .url = url } };

	(void)state;
	snprintf(url, sizeof(url), "http://localhost%s/", strrchr(base, ':'));
	call(&o);
	assert_int_equal(o.rc, OK);
	o = (struct outcome) { .call = { .url = "http://no-such-host.invalid/" } };
	call(&o);
	assert_true(o.rc == E_UNAVAILABLE || o.rc == E_TIMEOUT);
}

static int asked;

static bool may_connect_once(const struct sockaddr *address)
{
	assert_int_equal(address->sa_family, AF_INET);
	return asked++ == 0;
}

/* Who may be connected to one time need not be the next: no open connection is taken for it. */
static void test_each_connection_is_asked_about(void **state)
{
	struct outcome o = { .path = "/a", .call = { .may_connect = may_connect_once } };

	(void)state;
	call(&o);
	assert_int_equal(o.rc, OK);
	o.call.url = NULL;
	call(&o);
	assert_int_equal(o.rc, E_UNAVAILABLE);
	assert_string_equal(o.cause, "its address is not a public one");
	assert_int_equal(asked, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_comes_whole),
		cmocka_unit_test(test_a_body_and_headers_go_out),
		cmocka_unit_test(test_redirects_are_not_followed_and_statuses_are_the_callers),
		cmocka_unit_test(test_an_answer_has_a_maximum),
		cmocka_unit_test(test_a_header_cannot_start_another),
		cmocka_unit_test(test_other_schemes_are_refused),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_a_server_that_hangs),
		cmocka_unit_test(test_tls_to_who_speaks_none),
		cmocka_unit_test(test_a_name_is_resolved),
		cmocka_unit_test(test_each_connection_is_asked_about),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
