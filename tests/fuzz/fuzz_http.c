/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's bytes, with a handler that answers each request. They are fed whole, in two pieces and byte by byte:
 * the same requests must come out, for where TCP cuts is chance. Every reply is well-formed and complete, and after a
 * refusal there is none.
 */
#include <string.h>
#include "io/http.c"

#include "fuzz.h"
#include "base/str.h"

/* Low, so that small inputs reach them. */
static const struct http_limits limits = {
	.header_max = 1024, .url_max = 256, .body_max = 512, .requests_max = 10
};

/* What the handler saw since the last reset. */
static struct {
	struct buf requests; /* the requests that were taken, as text */
	struct buf heads;    /* one byte per exchange: was it a HEAD? */
	bool refused;
} seen;

static void note(const struct http_exchange *x)
{
	struct buf *b = &seen.requests;

	buf_addf(b, "%s %s\n", x->method_name, x->target);
	for (int i = 0; i < x->header_count; i++)
		buf_addf(b, "%s: %s\n", x->headers[i].name, x->headers[i].value);
	buf_addi(b, (long long)x->body_len);
	buf_add(b, x->body, x->body_len);
	buf_addc(b, '\n');
}

static int count(const struct http_exchange *x, const char *name, const char **value)
{
	int n = 0;

	for (int i = 0; i < x->header_count; i++) {
		if (strcmp(x->headers[i].name, name) != 0)
			continue;
		*value = x->headers[i].value;
		n++;
	}
	return n;
}

static void check_request(const struct http_exchange *x)
{
	const char *length = http_header_get(x, "content-length");

	const char *coding = NULL, *value;

	assert(x->method != METHOD_OTHER);
	/* one framing, one host: else two servers read it differently */
	assert(count(x, "host", &value) <= 1 && count(x, "content-length", &value) <= 1);
	assert(count(x, "transfer-encoding", &coding) <= 1);
	assert(!coding || (str_equal_nocase(coding, "chunked") && !length));
	assert(length || coding || x->body_len == 0);
	assert(x->target[0] == '/' || strcmp(x->target, "*") == 0);
	assert(strlen(x->target) <= (size_t)limits.url_max);
	assert(x->header_count >= 0 && x->header_count <= HTTP_HEADERS_MAX);
	assert(x->body_len <= (size_t)limits.body_max);
	for (const char *c = x->target; *c; c++)
		assert(*c > ' ' && *c < 0x7f && *c != '#');
	for (int i = 0; i < x->header_count; i++)
		assert(!strpbrk(x->headers[i].value, "\r\n"));
	/* what the client sends as trailers or extensions takes no memory */
	assert(talloc_total_blocks(x->mem) <= 2 * (size_t)x->header_count + 10);
	if (length)
		assert(strtoull(length, NULL, 10) == x->body_len);
}

static void answer(struct http_exchange *x)
{
	assert(!seen.refused);
	buf_addc(&seen.heads, x->method == METHOD_HEAD);
	if (x->refused) {
		seen.refused = true;
		x->status = errors[x->refused].status;
		return;
	}
	check_request(x);
	note(x);
	x->status = x->method == METHOD_DELETE ? 204 : 200;
	x->gzip_allowed = true;
	http_header_add(x, "ETag", "\"1\"");
	http_header_add(x, "X-Target", x->target);
	for (int i = 0; i < 20 && x->method != METHOD_OPTIONS; i++)
		buf_addf(&x->body_out, "%s %s, %zu bytes, again and again\n", x->method_name,
			 x->target, x->body_len);
}

/* One header line without its end: "Name: value". */
static void check_line(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	assert(colon && colon > line && colon[1] == ' ');
	for (const char *c = line; c < line + len; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* Reads one reply and returns what is behind it. */
static const char *check_reply(const char *reply, const char *end, bool head, bool last)
{
	const char *line = memmem(reply, (size_t)(end - reply), "\r\n", 2);
	bool closes = false;
	size_t length = 0;

	assert(line && line - reply > 13 && strncmp(reply, "HTTP/1.1 ", 9) == 0);
	for (line += 2;; line += 2) {
		const char *cr = memmem(line, (size_t)(end - line), "\r\n", 2);

		assert(cr);
		if (cr == line)
			break;
		check_line(line, (size_t)(cr - line));
		if (strncmp(line, "Content-Length: ", 16) == 0)
			length = strtoul(line + 16, NULL, 10);
		if (strncmp(line, "Connection: close", 17) == 0)
			closes = true;
		line = cr;
	}
	assert(!closes || last);
	assert(closes || !(last && seen.refused));
	line += 2;
	assert(head || length <= (size_t)(end - line));
	return head ? line : line + length;
}

static void check_replies(const struct buf *out)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *at = out->len ? out->data : "", *end = at + out->len;

	for (size_t i = 0; i < seen.heads.len; i++) {
		if ((size_t)(end - at) >= sizeof(interim) &&
		    memcmp(at, interim, sizeof(interim) - 1) == 0)
			at += sizeof(interim) - 1;
		assert(at < end);
		at = check_reply(at, end, seen.heads.data[i], i + 1 == seen.heads.len);
	}
	/* a client that still owes a body may have been told to go on */
	assert(at == end || (size_t)(end - at) == sizeof(interim) - 1);
}

static void feed(struct conn *c, const char *data, size_t len)
{
	size_t before;

	if (c->closing)
		return;
	conn_take(c, data, len);
	do {
		before = c->in.len;
		if (c->state == CONN_IDLE)
			conn_continue(c);
	} while (c->in.len != before && !c->closing);
}

/* Feeds in pieces: up to `first`, then `step` bytes each. The requests seen are a child of `mem`. */
static void run(TALLOC_CTX *mem, const char *data, size_t size, size_t first, size_t step)
{
	struct conn *c = new_conn(&limits, answer);
	struct buf out;

	buf_init(&out, mem, 1 << 24);
	buf_init(&seen.requests, mem, 1 << 24);
	buf_init(&seen.heads, mem, 1 << 20);
	seen.refused = false;
	c->sink = &out;
	feed(c, data, first);
	for (size_t at = first; at < size; at += step)
		feed(c, data + at, step < size - at ? step : size - at);
	check_replies(&out);
	assert(!seen.refused || c->closing);
	end_exchange(c);
	talloc_free(c->in.data);
	free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *bytes = (const char *)data;
	struct buf whole;
	bool refused;

	if (size > 0) {
		run(mem, bytes, size, size, 1);
		whole = seen.requests;
		refused = seen.refused;
		for (int i = 0; i < 2; i++) {
			if (i == 0)
				run(mem, bytes, size, data[size / 2] * size / 256, size);
			else
				run(mem, bytes, size, 0, 1);
			assert(seen.refused == refused);
			assert(seen.requests.len == whole.len);
			assert(whole.len == 0 ||
			       memcmp(seen.requests.data, whole.data, whole.len) == 0);
		}
	}
	talloc_free(mem);
	return 0;
}
