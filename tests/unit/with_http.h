/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to a server connection without a socket, and its answer as text. */
#ifndef TESTS_UNIT_WITH_HTTP_H
#define TESTS_UNIT_WITH_HTTP_H

#include <stdio.h>
#include "base/buf.h"
#include "base/error.h"
#include "io/http.h"

static const struct http_limits small_limits = {
	.header_max = 1024,
	.url_max = 128,
	.body_max = 64,
	.header_timeout = 1000,
	.body_timeout = 1000,
	.idle_timeout = 1000,
	.write_timeout = 1000,
	.connections_max = 10,
	.requests_max = 10,
};

/* Answers with what it understood: "GET /path 4:body". */
static inline void echo(struct http_exchange *x)
{
	if (x->refused) {
		x->status = errors[x->refused].status;
		return;
	}
	x->status = 200;
	buf_addf(&x->body_out, "%s %s %zu:", x->method_name, x->target, x->body_len);
	buf_add(&x->body_out, x->body, x->body_len);
}

/* All that the server answers to these bytes. */
static inline const char *feed(TALLOC_CTX *mem, http_handler_fn *handler, const char *data,
			       size_t len)
{
	struct buf *out = talloc(mem, struct buf);

	buf_init(out, mem, 1 << 20);
	http_feed(&small_limits, handler, data, len, out);
	return buf_text(out);
}

/* The status of the first answer, 0 when there is none. */
static inline int status_of(const char *answer)
{
	int status = 0;

	return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* How many times `what` stands in `text`. */
static inline int count_of(const char *text, const char *what)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

#endif
