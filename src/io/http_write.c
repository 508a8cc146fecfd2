/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies to bytes: status line, the server's own headers, gzip where it pays, and one system call where the socket
 * takes it all. What it does not take waits in the exchange's memory, and nothing else of that client is served until
 * then.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/metrics.h"
#include "base/str.h"
#include "base/time.h"
#include "io/http_conn.h"
#include "base/banned.h"

/* Below this a compressed body is hardly smaller and costs the same packets. Level 4 is where more effort stops paying
 * for JSON. */
enum { GZIP_MIN = 1024, GZIP_LEVEL = 4 };

const char *http_header_get(const struct http_exchange *x, const char *name)
{
	for (int i = 0; i < x->header_count; i++)
		if (strcmp(x->headers[i].name, name) == 0)
			return x->headers[i].value;
	return NULL;
}

bool http_range_wanted(char *range)
{
	bool wanted = true;

	for (char *at = strchr(range, ';'); at; at = strchr(at, ';')) {
		*at++ = '\0';
		at += strspn(at, " \t");
		if (strncasecmp(at, "q=", 2) == 0)
			wanted = strtod(at + 2, NULL) > 0.0;
	}
	return wanted;
}

void http_header_add(struct http_exchange *x, const char *name, const char *value)
{
	struct buf *b = &x->head;

	buf_adds(b, name);
	buf_add(b, ": ", 2);
	for (const char *c = value; *c;) {
		size_t plain = strcspn(c, "\r\n");

		buf_add(b, c, plain);
		c += plain;
		c += *c != '\0';
	}
	buf_add(b, "\r\n", 2);
}

void http_header_addf(struct http_exchange *x, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	http_header_add(x, name, talloc_vasprintf(x->mem, fmt, ap));
	va_end(ap);
}

static const char *phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < COUNT_OF(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

/* "Date: ...\r\n", made once a second. */
static const char *date_line(void)
{
	static uint64_t second;
	static char line[TIME_TEXT_MAX + 16];
	uint64_t now = time_unix_ms() / 1000;

	if (now != second) {
		char date[TIME_TEXT_MAX];

		second = now;
		time_format_http(now * 1000, date);
		snprintf(line, sizeof(line), "Date: %s\r\n", date);
	}
	return line;
}

/* Does Accept-Encoding (RFC 9110 section 12.5.3) take gzip, itself or by *, with a weight above 0? */
static bool takes_gzip(const struct http_exchange *x)
{
	const char *accept = http_header_get(x, "accept-encoding");
	bool any = false;
	char **codings;
	int n = accept ? str_split(x->mem, accept, ',', 20, &codings) : 0;

	for (int i = 0; i < n; i++) {
		bool wanted = http_range_wanted(codings[i]);

		if (str_equal_nocase(str_trim(codings[i]), "gzip"))
			return wanted;
		if (strcmp(codings[i], "*") == 0)
			any = wanted;
	}
	return any;
}

/* The stream's 256 KiB are made once per worker. */
static z_stream *deflater(void)
{
	static z_stream stream;
	static bool made;

	if (made) {
		deflateReset(&stream);
		return &stream;
	}
	if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	made = true;
	return &stream;
}

/* A compressed reply is another representation: its strong tag must differ. */
static void mark_tag(struct http_exchange *x)
{
	char *at = x->head.data ? memmem(x->head.data, x->head.len, "ETag: \"", 7) : NULL;
	char *end = at ? memchr(at + 7, '"', x->head.len - (size_t)(at + 7 - x->head.data)) : NULL;
	size_t tail;

	if (!end)
		return;
	tail = x->head.len - (size_t)(end - x->head.data);
	at = talloc_memdup(x->mem, end, tail);
	x->head.len -= tail;
	buf_add(&x->head, "-gzip", 5);
	buf_add(&x->head, at, tail);
}

static void compress_body(struct http_exchange *x)
{
	z_stream *z;
	struct buf out;
	size_t bound;
	char *room;

	if (!x->gzip_allowed || x->body_out.len <= GZIP_MIN || !takes_gzip(x))
		return;
	z = deflater();
	bound = deflateBound(z, x->body_out.len);
	buf_init(&out, x->mem, bound);
	room = buf_room(&out, bound);
	assert(room);
	z->next_in = (unsigned char *)x->body_out.data;
	z->avail_in = (unsigned)x->body_out.len;
	z->next_out = (unsigned char *)room;
	z->avail_out = (unsigned)bound;
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return;
	out.len = bound - z->avail_out;
	x->body_out = out;
	http_header_add(x, "Content-Encoding", "gzip");
	mark_tag(x);
}

static bool has_body(const struct http_exchange *x)
{
	return x->status != 204 && x->status != 304 && x->status >= 200;
}

static void write_head(struct conn *c, struct buf *head, size_t body_len)
{
	struct http_exchange *x = c->x;

	buf_adds(head, "HTTP/1.1 ");
	buf_addi(head, x->status);
	buf_addc(head, ' ');
	buf_adds(head, phrase(x->status));
	buf_add(head, "\r\n", 2);
	buf_adds(head, date_line());
	if (has_body(x)) {
		buf_adds(head, "Content-Length: ");
		buf_addi(head, (long long)body_len);
		buf_add(head, "\r\n", 2);
	}
	if (c->close_after)
		buf_adds(head, "Connection: close\r\n");
	else if (c->parser.http_minor == 0)
		buf_adds(head, "Connection: keep-alive\r\n");
	buf_add(head, x->head.data, x->head.len);
	buf_add(head, "\r\n", 2);
}

struct pending {
	uv_write_t request;
	struct conn *conn;
};

static void write_done(uv_write_t *request, int status)
{
	struct pending *p = (struct pending *)request;
	struct conn *c = p->conn;

	/* the pending write lives in the exchange's memory, which conn_written() frees */
	if (status < 0)
		conn_close(c);
	else
		conn_written(c);
}

/* What one try did not take: libuv writes it as the client reads. */
static void write_rest(struct conn *c, uv_buf_t *bufs, unsigned count, size_t written)
{
	struct pending *p = talloc_zero(c->x->mem, struct pending);

	while (count > 1 && written >= bufs[0].len) {
		written -= bufs[0].len;
		bufs++;
		count--;
	}
	bufs[0].base += written;
	bufs[0].len -= written;
	p->conn = c;
	conn_enter(c, CONN_WRITE);
	if (uv_write(&p->request, (uv_stream_t *)&c->tcp, bufs, count, write_done) != 0)
		conn_close(c);
	c->unwritten = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
}

static void send_bytes(struct conn *c, struct buf *head, const char *body, size_t len)
{
	uv_buf_t bufs[2] = { uv_buf_init(head->data, (unsigned)head->len),
			     uv_buf_init((char *)(uintptr_t)body, (unsigned)len) };
	unsigned count = len ? 2 : 1;
	int n;

	metric_add(METRIC_BYTES_OUT, (int64_t)(head->len + len));
	if (c->sink) {
		buf_add(c->sink, head->data, head->len);
		buf_add(c->sink, body, len);
		conn_written(c);
		return;
	}
	n = uv_try_write((uv_stream_t *)&c->tcp, bufs, count);
	if (n == (int)(head->len + len))
		conn_written(c);
	else if (n >= 0 || n == UV_EAGAIN)
		write_rest(c, bufs, count, n > 0 ? (size_t)n : 0);
	else
		conn_drop(c);
}

void conn_reply(struct conn *c)
{
	struct http_exchange *x = c->x;
	const char *body;
	size_t len;
	struct buf head;

	assert(x->status >= 200 && x->status < 600);
	if (c->closing) { /* the client has gone meanwhile */
		conn_written(c);
		return;
	}
	if (x->close || (c->eof && c->in.len == 0) || http_is_draining())
		c->close_after = true;
	if (!x->body_static)
		compress_body(x);
	body = x->body_static ? x->body_static : x->body_out.data;
	len = has_body(x) ? (x->body_static ? x->body_static_len : x->body_out.len) : 0;
	buf_init(&head, x->mem, 1 << 20);
	write_head(c, &head, len);
	send_bytes(c, &head, body, x->method == METHOD_HEAD ? 0 : len);
}
