/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP/1.1 server (RFC 9112): sockets to complete requests, replies to sockets. It knows limits, timeouts and
 * framing, and nothing of routes, JSON or errors' looks. A request that it must refuse goes to the same handler with
 * `refused` set, so that every answer, 431 as well as 200, is made in one place.
 *
 * One exchange at a time per connection: a pipelined request is parsed when the reply before it has been written to the
 * socket's buffer, so replies are in order. The handler runs in a coroutine of its own, started when headers and body
 * are complete.
 */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

enum http_method {
	METHOD_GET = 1,
	METHOD_HEAD = 2,
	METHOD_POST = 4,
	METHOD_PUT = 8,
	METHOD_PATCH = 16,
	METHOD_DELETE = 32,
	METHOD_OPTIONS = 64,
	METHOD_OTHER = 128
};

struct http_header {
	const char *name;  /* lower case in a request; as to be sent in a reply */
	const char *value; /* trimmed, NUL-terminated */
};

enum { HTTP_HEADERS_MAX = 64 };

struct http_exchange {
	/* freed when the reply has been handed over; the exchange itself is in it */
	TALLOC_CTX *mem;

	/* the request; strings are NUL-terminated, and none holds a NUL inside */
	enum http_method method;
	const char *method_name; /* "GET", as sent: also of methods that we do not know */
	const char *target;	 /* as sent, origin-form: "/v1/businesses?q=tea" */
	struct http_header headers[HTTP_HEADERS_MAX];
	int header_count;
	const char *body; /* NULL when there is none; may hold NUL bytes */
	size_t body_len;
	const char *peer;    /* textual address, "127.0.0.1" */
	uint64_t started_us; /* time_monotonic_us() of the request's first byte */
	/* OK, or why the request was not taken; target and headers may then be missing */
	enum error_code refused;
	const char *refused_why; /* one sentence for the caller, or NULL */

	/* the reply, filled by the handler */
	int status;
	/* header lines after the status line, each ending in CR LF; see http_header_add() */
	struct buf head;
	/* empty for 204, 304; a HEAD reply keeps it for Content-Length, the server drops it */
	struct buf body_out;
	const char *body_static; /* instead of body_out: bytes that outlive the exchange */
	size_t body_static_len;
	bool close;	   /* close the connection after this reply */
	bool gzip_allowed; /* the server may compress: the body is over 1 KiB and the request accepts it */

	void *conn; /* the server's own */
};

/* Called on a coroutine's stack for each complete (or refused) request; must fill the reply before it returns. May
 * wait. */
typedef void http_handler_fn(struct http_exchange *x);

struct http_limits {
	int header_max, url_max, body_max;			       /* bytes */
	int header_timeout, body_timeout, idle_timeout, write_timeout; /* ms */
	int connections_max, requests_max;			       /* per server */
};

/* Starts serving on a bound and listening socket, on loop_get(). Several calls serve several sockets. Returns 0 or a
 * negative libuv error. */
int http_serve(int fd, const struct http_limits *limits, http_handler_fn *handler) MUST_USE;
/* Stops accepting (after taking what is queued), lets exchanges finish (their replies say Connection: close), closes
 * idle connections after a second's grace and all others after `timeout_ms`, then calls done(). */
void http_drain(int timeout_ms, void (*done)(void));

/* The value of a request header (name in lower case), NULL when absent. */
const char *http_header_get(const struct http_exchange *x, const char *name);
/* Cuts the parameters off one range of an Accept or Accept-Encoding header, in place. Is its weight above 0 (RFC 9110
 * section 12.4.2)? */
bool http_range_wanted(char *range);
/* Adds a reply header. CR, LF and NUL in the value are dropped: a value cannot start a header of its own. */
void http_header_add(struct http_exchange *x, const char *name, const char *value);
void http_header_addf(struct http_exchange *x, const char *name, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* For the fuzz target and unit tests: feeds bytes to the parser of a connection without a socket; replies are appended
 * to `out`. */
void http_feed(const struct http_limits *limits, http_handler_fn *handler, const char *data,
	       size_t len, struct buf *out);

#endif
