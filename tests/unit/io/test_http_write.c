/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of replies: header values that try to be more than one, compression and its tags, replies without a body. */
#include "test.h"
#include <stdlib.h>
#include "with_http.h"
#include "io/http_write.c"

static int status;
static size_t body_len;

/* A tagged body of body_len letters. */
static void reply(struct http_exchange *x)
{
	x->status = status;
	http_header_add(x, "ETag", "\"tag\"");
	for (size_t i = 0; i < body_len; i++)
		buf_addc(&x->body_out, 'a');
	x->gzip_allowed = true;
}

static const char *ask(void **state, const char *method, const char *version, const char *headers)
{
	const char *request = talloc_asprintf(*state, "%s / HTTP/%s\r\nHost: a\r\n%s\r\n", method,
					      version, headers);

	return feed(*state, reply, request, strlen(request));
}

static void test_a_header_value_cannot_begin_another(void **state)
{
	struct http_exchange x = { .mem = *state };

	buf_init(&x.head, *state, 1000);
	http_header_add(&x, "Location", "/a\r\nSet-Cookie: b\n\r");
	http_header_addf(&x, "X", "%s%d", "\r\n", 5);
	http_header_add(&x, "Y", "");
	assert_string_equal(buf_text(&x.head), "Location: /aSet-Cookie: b\r\nX: 5\r\nY: \r\n");
}

static void test_who_takes_gzip(void **state)
{
	static const struct {
		const char *accept;
		bool takes;
	} rows[] = {
		{ "gzip", true },
		{ "GZIP", true },
		{ "deflate, gzip;q=0.5", true },
		{ "*", true },
		{ "gzip;q=0", false },
		{ "gzip; q=0.000", false },
		{ "gzip;Q=0", false },
		{ "*;q=0", false },
		{ "*, gzip;q=0", false },
		{ "gzip;q=0, *", false },
		{ "gzip;seq=0", true },
		{ "identity", false },
		{ "xgzip", false },
		{ "", false },
	};

	status = 200;
	body_len = GZIP_MIN + 1;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *header = talloc_asprintf(*state, "Accept-Encoding: %s\r\n",
						     rows[i].accept);

		expect_bool(strstr(ask(state, "GET", "1.1", header),
				   "Content-Encoding: gzip\r\n") != NULL,
			    rows[i].takes, rows[i].accept);
	}
}

static void test_compression_begins_above_its_limit(void **state)
{
	const char *answer;

	status = 200;
	body_len = GZIP_MIN;
	answer = ask(state, "GET", "1.1", "Accept-Encoding: gzip\r\n");
	assert_null(strstr(answer, "Content-Encoding"));
	assert_non_null(strstr(answer, "ETag: \"tag\"\r\n"));
	body_len = GZIP_MIN + 1;
	answer = ask(state, "GET", "1.1", "Accept-Encoding: gzip\r\n");
	/* another representation, another tag */
	assert_non_null(strstr(answer, "ETag: \"tag-gzip\"\r\n"));
	answer = ask(state, "GET", "1.1", "");
	assert_non_null(strstr(answer, "ETag: \"tag\"\r\n"));
}

static void test_compressed_bodies_unpack(void **state)
{
	static unsigned char unpacked[1 << 17];
	struct http_exchange x = { .mem = *state, .gzip_allowed = true, .header_count = 1 };
	size_t len;

	x.headers[0] = (struct http_header) { "accept-encoding", "gzip" };
	for (int round = 0; round < 3; round++) { /* the stream is used again */
		z_stream z = { 0 };

		buf_init(&x.head, *state, 1000);
		buf_init(&x.body_out, *state, 1 << 17);
		for (int i = 0; i < 100000; i++)
			buf_addc(&x.body_out, (char)(i * 7919 % 251));
		compress_body(&x);
		assert_true(x.body_out.len < 100000);
		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		z.next_in = (unsigned char *)x.body_out.data;
		z.avail_in = (unsigned)x.body_out.len;
		z.next_out = unpacked;
		z.avail_out = sizeof(unpacked);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		len = z.total_out;
		inflateEnd(&z);
		assert_int_equal(len, 100000);
		for (int i = 0; i < 100000; i++)
			assert_int_equal(unpacked[i], (unsigned char)(i * 7919 % 251));
	}
}

static void test_replies_without_a_body(void **state)
{
	const char *answer;

	body_len = 10;
	for (int i = 0; i < 2; i++) {
		status = i ? 304 : 204;
		answer = ask(state, "GET", "1.1", "");
		assert_null(strstr(answer, "Content-Length"));
		assert_true(strlen(answer) > 4 &&
			    strcmp(answer + strlen(answer) - 4, "\r\n\r\n") == 0);
	}
	status = 200;
	answer = ask(state, "HEAD", "1.1", "");
	assert_non_null(strstr(answer, "Content-Length: 10\r\n"));
	assert_string_equal(answer + strlen(answer) - 4, "\r\n\r\n");
	body_len = 0;
	answer = ask(state, "GET", "1.1", "");
	assert_non_null(strstr(answer, "Content-Length: 0\r\n"));
}

static void test_who_keeps_the_connection(void **state)
{
	static const struct {
		const char *version, *headers, *says; /* NULL: nothing, for that is the default */
	} rows[] = {
		{ "1.1", "", NULL },
		{ "1.1", "Connection: close\r\n", "close" },
		{ "1.0", "", "close" },
		{ "1.0", "Connection: keep-alive\r\n", "keep-alive" },
	};

	status = 200;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *answer = ask(state, "GET", rows[i].version, rows[i].headers);
		const char *at = strstr(answer, "Connection: ");

		expect_bool(at != NULL, rows[i].says != NULL, rows[i].headers);
		if (at)
			assert_memory_equal(at + 12, rows[i].says, strlen(rows[i].says));
	}
}

static void test_every_error_has_a_phrase(void **state)
{
	(void)state;
	for (int code = 0; code < ERROR_CODES; code++)
		expect_bool(strcmp(phrase(errors[code].status), "Unknown") != 0, true,
			    errors[code].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_header_value_cannot_begin_another),
		cmocka_unit_test(test_who_takes_gzip),
		cmocka_unit_test(test_compression_begins_above_its_limit),
		cmocka_unit_test(test_compressed_bodies_unpack),
		cmocka_unit_test(test_replies_without_a_body),
		cmocka_unit_test(test_who_keeps_the_connection),
		cmocka_unit_test(test_every_error_has_a_phrase),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
