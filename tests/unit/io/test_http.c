/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of a connection to which a request comes in pieces, cut wherever a packet may end. */
#include "test.h"
#include <stdlib.h>
#include "with_http.h"
#include "io/http.c"

/* What the server answers when the bytes come in two pieces. */
static const char *feed_in_two(void **state, const char *data, size_t len, size_t cut)
{
	struct conn *c = new_conn(&small_limits, echo);
	struct buf *out = talloc(*state, struct buf);

	buf_init(out, *state, 1 << 20);
	c->sink = out;
	conn_take(c, data, cut);
	conn_continue(c);
	conn_take(c, data + cut, len - cut);
	while (c->in.len > 0 && c->state == CONN_IDLE && !c->closing) {
		size_t before = c->in.len;

		conn_continue(c);
		if (c->in.len == before)
			break;
	}
	end_exchange(c);
	talloc_free(c->in.data);
	free(c);
	return buf_text(out);
}

/* The same answer as in one piece, wherever the cut is. */
static void expect_the_same(void **state, const char *requests)
{
	size_t len = strlen(requests);
	const char *whole = feed_in_two(state, requests, len, len);

	assert_int_not_equal(status_of(whole), 0);
	for (size_t cut = 1; cut < len; cut++) {
		const char *answer = feed_in_two(state, requests, len, cut);
		char place[32];

		snprintf(place, sizeof(place), "cut at %zu", cut);
		/* the date may have changed */
		expect_bool(status_of(answer) == status_of(whole) &&
				    strlen(answer) == strlen(whole),
			    true, place);
	}
}

static void test_any_cut_gives_the_same_answer(void **state)
{
	expect_the_same(state, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
			       "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
			       "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_the_same(
		state,
		"POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"2\r\nbo\r\n2\r\ndy\r\n0\r\nX-Trailer: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void test_empty_lines_before_a_request_may_be_cut(void **state)
{
	expect_the_same(state, "\r\n\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void test_any_cut_of_a_bad_request_is_refused_once(void **state)
{
	expect_the_same(state, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
			       "Content-Length: 1\r\n\r\na");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_cut_gives_the_same_answer),
		cmocka_unit_test(test_empty_lines_before_a_request_may_be_cut),
		cmocka_unit_test(test_any_cut_of_a_bad_request_is_refused_once),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
