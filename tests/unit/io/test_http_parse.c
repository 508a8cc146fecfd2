/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the request parser: what it takes, each thing that it must refuse, and every limit at and one past its value. */
#include "test.h"
#include <stdlib.h>
#include "with_http.h"
#include "io/http_parse.c"

#define HOST "Host: a\r\n"

static void expect_status(void **state, const char *request, size_t len, int status)
{
	int got = status_of(feed(*state, echo, request, len));

	if (got != status)
		print_error("%s\n", request);
	assert_int_equal(got, status);
}

static void test_requests(void **state)
{
	static const struct {
		const char *request;
		int status;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", 200 },
		{ "GET / HTTP/1.0\r\n\r\n", 200 },
		{ "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 200 },
		{ "GET http://a/b?c HTTP/1.1\r\n" HOST "\r\n", 200 },
		{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 200 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody", 200 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200 },
		{ "GET / HTTP/1.1\r\n" HOST "X-Empty:\r\nX-Tab: a\tb\r\n\r\n", 200 },
		/* the request line */
		{ "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1 \r\n" HOST "\r\n", 400 },
		{ "GET /\r\n" HOST "\r\n", 400 },
		{ " GET / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "G(T / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /#a HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET * HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET a HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
		{ "GET / HTTP/1.2\r\n" HOST "\r\n", 505 },
		{ "GET / http/1.1\r\n" HOST "\r\n", 400 },
		{ "BREW / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "get / HTTP/1.1\r\n" HOST "\r\n", 501 },
		/* header lines */
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: a\nY: b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\n" HOST "\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n", 400 },
		/* framing */
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
		  400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 4, 4\r\n\r\nbody", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +4\r\n\r\nbody", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: -4\r\n\r\nbody", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x4\r\n\r\nbody", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nbody", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 999999999999999999\r\n\r\n", 413 },
		{ "POST / HTTP/1.1\r\n" HOST
		  "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501 },
		{ "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
		{ "POST / HTTP/1.1\r\n" HOST "Expect: miracles\r\nContent-Length: 1\r\n\r\na",
		  417 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_status(state, rows[i].request, strlen(rows[i].request), rows[i].status);
}

static void test_nul_is_refused_wherever_it_stands(void **state)
{
	static const char *const heads[] = {
		"G?T / HTTP/1.1\r\n" HOST "\r\n",
		"GET /a?b HTTP/1.1\r\n" HOST "\r\n",
		"GET / HTTP/1.1\r\nHo?st: a\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X: a?b\r\n\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		char *request = talloc_strdup(*state, heads[i]);

		*strchr(request, '?') = '\0';
		expect_status(state, request, strlen(heads[i]), 400);
	}
}

static void test_chunks(void **state)
{
	static const struct {
		const char *chunks, *body; /* NULL: refused */
	} rows[] = {
		{ "4\r\nbody\r\n0\r\n\r\n", "4:body" },
		{ "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n", "4:body" },
		{ "004\r\nbody\r\n0\r\n\r\n", "4:body" },
		{ "4;name=value\r\nbody\r\n0\r\n\r\n", "4:body" },
		{ "0\r\nX-Trailer: a\r\n\r\n", "0:" },
		{ "0\r\n\r\n", "0:" },
		{ "4\nbody\n0\n\n", NULL },
		{ "4\r\nbodyX\r\n0\r\n\r\n", NULL },
		{ "x\r\nbody\r\n0\r\n\r\n", NULL },
		{ "-1\r\nbody\r\n0\r\n\r\n", NULL },
		{ "0x4\r\nbody\r\n0\r\n\r\n", NULL },
		{ "ffffffffffffffffff\r\nbody\r\n0\r\n\r\n", NULL },
		{ "\r\nbody\r\n0\r\n\r\n", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *request = talloc_asprintf(
			*state, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%s",
			rows[i].chunks);
		const char *answer = feed(*state, echo, request, strlen(request));

		expect_bool(status_of(answer) == 200, rows[i].body != NULL, rows[i].chunks);
		if (rows[i].body)
			assert_non_null(strstr(answer, rows[i].body));
		else
			assert_int_equal(count_of(answer, "Connection: close"), 1);
	}
}

/* `n` times the letter a. */
static const char *letters(void **state, int n)
{
	char *text = talloc_zero_size(*state, (size_t)n + 1);

	memset(text, 'a', (size_t)n);
	return text;
}

static void test_limits_hold_to_the_byte(void **state)
{
	static const struct {
		const char *format;
		int fits; /* so many letters */
		int status;
	} rows[] = {
		/* the target has a slash besides */
		{ "GET /%s HTTP/1.1\r\n" HOST "\r\n", 128 - 1, 414 },
		/* line, blank line, "Host: a" and "X: " */
		{ "GET / HTTP/1.1\r\n" HOST "X: %s\r\n\r\n", 1024 - 16 - 9 - 3 - 4, 431 },
		{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 64\r\n\r\n%s", 64, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int more = 0; more < (rows[i].status ? 2 : 1); more++) {
			char *request = talloc_strdup(*state, rows[i].format);
			char *at = strstr(request, "%s");

			*at = '\0';
			request = talloc_asprintf(*state, "%s%s%s", request,
						  letters(state, rows[i].fits + more), at + 2);
			expect_status(state, request, strlen(request), more ? rows[i].status : 200);
		}
	}
}

static void test_bodies_over_the_limit_are_refused(void **state)
{
	static const char sized[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 65\r\n\r\n";
	const char *chunked = talloc_asprintf(
		*state,
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n40\r\n%s\r\n1\r\na\r\n0\r\n\r\n",
		letters(state, 64));

	/* before a byte of it has come */
	expect_status(state, sized, strlen(sized), 413);
	expect_status(state, chunked, strlen(chunked), 413);
}

static void test_an_unfinished_head_is_waited_for_only_while_it_can_be_one(void **state)
{
	static const char begun[] = "GET / HTTP/1.1\r\nHost:";
	const char *url = talloc_asprintf(*state, "GET /%s", letters(state, 200));
	const char *headers = talloc_asprintf(*state, "GET / HTTP/1.1\r\nX: %s",
					      letters(state, 1100));

	expect_status(state, begun, strlen(begun), 0);
	expect_status(state, "GET / HTTP/1.1\nHost", strlen("GET / HTTP/1.1\nHost"), 400);
	expect_status(state, url, strlen(url), 414);
	expect_status(state, headers, strlen(headers), 431);
}

static void test_header_lines_are_counted(void **state)
{
	for (int n = HTTP_HEADERS_MAX; n <= HTTP_HEADERS_MAX + 1; n++) {
		char *request = talloc_strdup(*state, "GET / HTTP/1.1\r\n" HOST);

		for (int i = 1; i < n; i++)
			request = talloc_asprintf_append(request, "X:\r\n");
		request = talloc_asprintf_append(request, "\r\n");
		expect_status(state, request, strlen(request), n == HTTP_HEADERS_MAX ? 200 : 431);
	}
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
	static const char requests[] = "GET /1 HTTP/1.1\r\n" HOST "\r\n"
				       "POST /2 HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody"
				       "HEAD /3 HTTP/1.1\r\n" HOST "\r\n"
				       "GET /4 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"
				       "GET /5 HTTP/1.1\r\n" HOST "\r\n";
	const char *answer = feed(*state, echo, requests, strlen(requests));
	const char *second = strstr(answer, "POST /2 4:body");

	assert_int_equal(count_of(answer, "HTTP/1.1 200 OK"), 4);
	assert_non_null(second);
	assert_true(strstr(answer, "GET /1 0:") < second);
	assert_null(strstr(answer, "HEAD /3 0:"));		   /* no body, */
	assert_non_null(strstr(answer, "Content-Length: 10\r\n")); /* but its length */
	assert_true(strstr(answer, "GET /4 0:") > second);
	assert_null(strstr(answer, "/5"));
}

/* A second request in the body of one that was refused is how smuggling begins. */
static void test_nothing_is_read_after_a_refusal(void **state)
{
	static const char requests[] = "POST / HTTP/1.1\r\n" HOST
				       "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
				       "0\r\n\r\nGET /smuggled HTTP/1.1\r\n" HOST "\r\n";
	const char *answer = feed(*state, echo, requests, strlen(requests));

	assert_int_equal(count_of(answer, "HTTP/1.1 "), 1);
	assert_int_equal(status_of(answer), 400);
	assert_non_null(strstr(answer, "Connection: close\r\n"));
}

static void test_100_continue_comes_before_the_body(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\n" HOST
				   "Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n";
	const char *whole = talloc_asprintf(*state, "%sbody", head);

	assert_string_equal(feed(*state, echo, head, strlen(head)),
			    "HTTP/1.1 100 Continue\r\n\r\n");
	/* who has sent the body already needs no leave */
	assert_int_equal(status_of(feed(*state, echo, whole, strlen(whole))), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_nul_is_refused_wherever_it_stands),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_limits_hold_to_the_byte),
		cmocka_unit_test(test_bodies_over_the_limit_are_refused),
		cmocka_unit_test(test_an_unfinished_head_is_waited_for_only_while_it_can_be_one),
		cmocka_unit_test(test_header_lines_are_counted),
		cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
		cmocka_unit_test(test_nothing_is_read_after_a_refusal),
		cmocka_unit_test(test_100_continue_comes_before_the_body),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
