/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to requests. A head is looked for as a whole, checked byte by byte for what lenient parsers let pass (RFC 9112
 * sections 2.2, 5, 11.2: bare LF, folded lines, blanks before the colon), and only then given to llhttp, which also
 * takes the body. Anything doubtful is refused and the connection closed: a request that two parsers read differently
 * is how smuggling works.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/metrics.h"
#include "base/str.h"
#include "base/time.h"
#include "io/coro.h"
#include "io/http_conn.h"
#include "base/banned.h"

enum { POOL_SIZE = 8192, IN_MAX = 4 << 20 };

static const char token_chars[] =
	"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{ "GET", METHOD_GET },	       { "HEAD", METHOD_HEAD },	  { "POST", METHOD_POST },
	{ "PUT", METHOD_PUT },	       { "PATCH", METHOD_PATCH }, { "DELETE", METHOD_DELETE },
	{ "OPTIONS", METHOD_OPTIONS },
};

static void begin_exchange(struct conn *c)
{
#ifdef GUILDFORD_SANITIZE
	TALLOC_CTX *mem = talloc_new(
		NULL); /* no pool: each allocation is one that the sanitizer watches */
#else
	TALLOC_CTX *mem = talloc_pool(NULL, POOL_SIZE);
#endif
	struct http_exchange *x = talloc_zero(mem, struct http_exchange);

	x->mem = mem;
	x->method = METHOD_OTHER;
	x->method_name = "";
	x->target = "";
	x->peer = c->peer;
	x->conn = c;
	x->started_us = time_monotonic_us();
	buf_init(&x->head, mem, 65536);
	buf_init(&x->body_out, mem, 64 << 20);
	buf_init(&c->body, mem, (size_t)c->limits->body_max);
	c->x = x;
	metric_add(METRIC_IN_FLIGHT, 1);
}

/* On a coroutine's stack: from here on it is straight-line code until the reply is on its way. */
static void serve(void *arg)
{
	struct conn *c = arg;

	c->handler(c->x);
	conn_reply(c);
}

static void dispatch(struct conn *c)
{
	struct http_exchange *x = c->x;

	if (http_is_draining())
		c->close_after = true;
	x->body = c->body.len ? c->body.data : NULL;
	x->body_len = c->body.len;
	if (!x->refused && coro_count() >= c->limits->requests_max) {
		x->refused = E_UNAVAILABLE;
		x->refused_why = "The server has as many requests in hand as it takes";
	}
	conn_enter(c, CONN_BUSY);
	if (coro_start(serve, c) != 0)
		conn_drop(c);
}

void conn_refuse(struct conn *c, enum error_code code, const char *why)
{
	if (!c->x)
		begin_exchange(c);
	c->x->refused = code;
	c->x->refused_why = why;
	c->close_after = true;
	buf_clear(&c->in);
	dispatch(c);
}

/* llhttp's callbacks. The head is fed as one piece, so that every span comes whole. */
static int on_url(llhttp_t *parser, const char *at, size_t len)
{
	struct conn *c = parser->data;

	c->x->target = talloc_strndup(c->x->mem, at, len);
	return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
	struct conn *c = parser->data;
	struct http_header *h = &c->x->headers[c->x->header_count];
	char *name;

	if (c->state == CONN_BODY)
		return 0; /* trailers are read and dropped: nothing but the time limits their number */
	name = talloc_strndup(c->x->mem, at, len);
	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	*h = (struct http_header) { .name = name, .value = "" };
	return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
	struct conn *c = parser->data;
	struct http_header *h = &c->x->headers[c->x->header_count];

	if (c->state == CONN_BODY)
		return 0;
	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	h->value = talloc_strndup(c->x->mem, at, len);
	return 0;
}

static int on_header_complete(llhttp_t *parser)
{
	struct conn *c = parser->data;

	if (c->state != CONN_BODY)
		c->x->header_count++;
	return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
	struct conn *c = parser->data;

	if (c->state == CONN_BODY)
		return 0;
	conn_enter(c, CONN_BODY);
	return HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct conn *c = parser->data;

	buf_add(&c->body, at, len);
	return buf_full(&c->body) ? HPE_USER : 0;
}

/* A chunk that cannot fit is refused by its size, not after it has been read. */
static int on_chunk_header(llhttp_t *parser)
{
	struct conn *c = parser->data;

	if (parser->content_length <= c->body.max - c->body.len)
		return 0;
	c->body.full = true;
	return HPE_USER;
}

static int on_message_complete(llhttp_t *parser)
{
	(void)parser;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_complete,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_chunk_header = on_chunk_header,
	.on_message_complete = on_message_complete,
};

/* The request line: "METHOD SP target SP HTTP/1.x", nothing else. `end` is its CR. */
static enum error_code check_request_line(struct conn *c, const char *line, const char *end,
					  const char **why)
{
	const char *target = memchr(line, ' ', (size_t)(end - line));
	const char *version = target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;

	*why = "The request line is not \"METHOD target HTTP/1.1\"";
	if (!version || target == line || strspn(line, token_chars) != (size_t)(target - line) ||
	    version == target + 1)
		return E_BAD_REQUEST;
	if (version - target - 1 > c->limits->url_max) {
		*why = NULL;
		return E_URI_TOO_LONG;
	}
	for (const char *p = target + 1; p < version; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '#')
			return E_BAD_REQUEST;
	if (end - version != 9 || strncmp(version + 1, "HTTP/", 5) != 0 ||
	    !isdigit((unsigned char)version[6]) || version[7] != '.' ||
	    !isdigit((unsigned char)version[8]))
		return E_BAD_REQUEST;
	c->x->method_name = talloc_strndup(c->x->mem, line, (size_t)(target - line));
	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (strcmp(methods[i].name, c->x->method_name) == 0)
			c->x->method = methods[i].method;
	*why = NULL;
	return version[6] == '1' && (version[8] == '0' || version[8] == '1') ? OK : E_HTTP_VERSION;
}

static enum error_code check_header_line(const char *line, const char *end, const char **why)
{
	size_t name = strspn(line, token_chars);

	*why = "A header line folds, has a blank before its colon or has no name";
	if (name == 0 || line + name >= end || line[name] != ':')
		return E_BAD_REQUEST;
	for (const char *p = line + name; p < end; p++) {
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f) {
			*why = "A header value holds a control character";
			return E_BAD_REQUEST;
		}
	}
	return OK;
}

/* Every byte of a complete head, before llhttp sees it. Lines end in CR LF; `len` includes the last empty line. */
static enum error_code check_head(struct conn *c, const char *head, size_t len, const char **why)
{
	const char *line = head, *end = head + len - 2;
	int count = -1;

	while (line < end) {
		const char *cr = memchr(line, '\r', (size_t)(end - line));
		enum error_code code;

		*why = "A line does not end in CR LF";
		if (!cr || cr[1] != '\n' || memchr(line, '\n', (size_t)(cr - line)))
			return E_BAD_REQUEST;
		if (++count > HTTP_HEADERS_MAX) {
			*why = "There are more than 64 header lines";
			return E_HEADERS_TOO_LARGE;
		}
		code = count == 0 ? check_request_line(c, line, cr, why)
				  : check_header_line(line, cr, why);
		if (code)
			return code;
		line = cr + 2;
	}
	return OK;
}

static int count_header(const struct http_exchange *x, const char *name, const char **value)
{
	int count = 0;

	for (int i = 0; i < x->header_count; i++) {
		if (strcmp(x->headers[i].name, name) != 0)
			continue;
		*value = x->headers[i].value;
		count++;
	}
	return count;
}

/* Absolute form (RFC 9112 section 3.2.2) becomes origin form; asterisk is for OPTIONS only. */
static enum error_code check_target(struct http_exchange *x, const char **why)
{
	const char *path;

	*why = "The target must be a path, or an http URL";
	if (x->target[0] == '/')
		return OK;
	if (strcmp(x->target, "*") == 0)
		return x->method == METHOD_OPTIONS ? OK : E_BAD_REQUEST;
	if (strncasecmp(x->target, "http://", 7) != 0 && strncasecmp(x->target, "https://", 8) != 0)
		return E_BAD_REQUEST;
	path = strstr(x->target, "://") + 3;
	path += strcspn(path, "/?");
	x->target = *path == '?' ? talloc_asprintf(x->mem, "/%s", path) : *path ? path : "/";
	return OK;
}

/* What the framing of the body and the routing of the request hang on (RFC 9112 sections 3.2 and 6). */
static enum error_code check_framing(struct conn *c, const char **why)
{
	struct http_exchange *x = c->x;
	const char *host = "", *length = NULL, *coding = NULL, *expect = NULL;
	int hosts = count_header(x, "host", &host);
	int lengths = count_header(x, "content-length", &length);
	int codings = count_header(x, "transfer-encoding", &coding);

	*why = "Exactly one Host header is needed";
	if (hosts > 1 || (hosts == 0 && c->parser.http_minor == 1))
		return E_BAD_REQUEST;
	*why = "The Host header is not a host";
	if (strpbrk(host, " \t/\\@?#<>\"'`{}|^,;") || strlen(host) > 300)
		return E_BAD_REQUEST;
	*why = "Content-Length is given twice, with Transfer-Encoding, or is not a number";
	if (lengths > 1 || (lengths && codings) ||
	    (length && (!*length || length[strspn(length, "0123456789")])))
		return E_BAD_REQUEST;
	*why = "Transfer-Encoding is given twice or in HTTP/1.0";
	if (codings > 1 || (codings && c->parser.http_minor == 0))
		return E_BAD_REQUEST;
	*why = "Transfer-Encoding knows only chunked";
	if (coding && !str_equal_nocase(coding, "chunked"))
		return strchr(coding, ',') || !*coding ? E_BAD_REQUEST : E_NOT_IMPLEMENTED;
	*why = NULL;
	if (length && (strlen(length) > 18 || strtoll(length, NULL, 10) > c->limits->body_max))
		return E_PAYLOAD_TOO_LARGE;
	if (count_header(x, "expect", &expect) && !str_equal_nocase(expect, "100-continue"))
		return E_EXPECTATION_FAILED;
	return check_target(x, why);
}

/* A complete head of `len` bytes. False when it was refused. */
static bool take_head(struct conn *c, const char *data, size_t len)
{
	const char *why = NULL;
	enum error_code code = check_head(c, data, len, &why);
	enum llhttp_errno parsed;

	if (!code && c->x->method == METHOD_OTHER) {
		code = E_NOT_IMPLEMENTED;
		why = "The method is not known here";
	}
	if (code) {
		conn_refuse(c, code, why);
		return false;
	}
	llhttp_init(&c->parser, HTTP_REQUEST, &callbacks);
	c->parser.data = c;
	parsed = llhttp_execute(&c->parser, data, len);
	/* check_framing says it better than the parser, so it goes first where it can */
	code = check_framing(c, &why);
	if (!code && parsed != HPE_PAUSED && parsed != HPE_PAUSED_UPGRADE &&
	    c->state != CONN_BODY) {
		code = E_BAD_REQUEST;
		why = llhttp_get_error_reason(&c->parser);
	}
	if (code) {
		conn_refuse(c, code, why);
		return false;
	}
	llhttp_resume(&c->parser);
	if (!llhttp_should_keep_alive(&c->parser))
		c->close_after = true;
	return true;
}

static void send_continue(struct conn *c)
{
	static char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
	uv_buf_t buf = uv_buf_init(line, sizeof(line) - 1);
	const char *expect = http_header_get(c->x, "expect");

	if (!expect || c->parser.http_minor == 0)
		return;
	if (c->sink)
		buf_add(c->sink, line, sizeof(line) - 1);
	else
		uv_try_write((uv_stream_t *)&c->tcp, &buf,
			     1); /* best effort: the client goes on without it */
}

/* Feeds the body; returns the bytes taken. Dispatches when it is complete. */
static size_t take_body(struct conn *c, const char *data, size_t len)
{
	enum llhttp_errno parsed = llhttp_execute(&c->parser, data, len);
	const char *at;

	if (parsed == HPE_OK)
		return len;
	at = llhttp_get_error_pos(&c->parser);
	if (parsed == HPE_PAUSED || parsed == HPE_PAUSED_UPGRADE) {
		if (parsed == HPE_PAUSED_UPGRADE || c->parser.upgrade)
			c->close_after = true; /* we do not upgrade: what follows is not HTTP */
		dispatch(c);
		return at ? (size_t)(at - data) : len;
	}
	if (buf_full(&c->body))
		conn_refuse(c, E_PAYLOAD_TOO_LARGE, NULL);
	else
		conn_refuse(c, E_BAD_REQUEST, "The chunked body is not well-formed");
	return len;
}

/* Where the head ends (past its empty line), 0 when it is not all there. */
static size_t head_end(const char *data, size_t len)
{
	const char *end = data ? memmem(data, len, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - data) + 4 : 0;
}

/* A head that is not complete yet: is it still worth waiting for? */
static bool worth_waiting(struct conn *c, const char *data, size_t len)
{
	const char *line_end = memchr(data, '\n', len);
	size_t first = line_end ? (size_t)(line_end - data) : len;

	if (first > (size_t)c->limits->url_max + 32) {
		conn_refuse(c, E_URI_TOO_LONG, NULL);
		return false;
	}
	if (len > (size_t)c->limits->header_max) {
		conn_refuse(c, E_HEADERS_TOO_LARGE, NULL);
		return false;
	}
	for (; line_end;
	     line_end = memchr(line_end + 1, '\n', len - (size_t)(line_end + 1 - data))) {
		if (line_end > data && line_end[-1] == '\r')
			continue;
		conn_refuse(c, E_BAD_REQUEST, "A line does not end in CR LF");
		return false;
	}
	return true;
}

static size_t take_request(struct conn *c, const char *data, size_t len)
{
	size_t blank = 0, end;

	/* empty lines before a request are passed over (RFC 9112 section 2.2); in CONN_HEAD one is there if its CR
	 * came alone */
	while (len - blank >= 2 && data[blank] == '\r' && data[blank + 1] == '\n')
		blank += 2;
	if (blank == len)
		return len;
	if (!c->x)
		begin_exchange(c);
	if (c->state == CONN_IDLE)
		conn_enter(c, CONN_HEAD);
	end = head_end(data + blank, len - blank);
	if (!end) {
		(void)worth_waiting(c, data + blank, len - blank);
		return blank;
	}
	if (end > (size_t)c->limits->header_max) {
		/* which of the two was too long? */
		const char *line = memchr(data + blank, '\r', end);

		conn_refuse(c,
			    line - data - (ptrdiff_t)blank > c->limits->url_max + 16
				    ? E_URI_TOO_LONG
				    : E_HEADERS_TOO_LARGE,
			    NULL);
		return blank + end;
	}
	if (!take_head(c, data + blank, end))
		return blank + end;
	/* llhttp completes a request without a body when it is run once more, on nothing or on what follows */
	if (!(c->parser.flags & F_CHUNKED) && c->parser.content_length == 0) {
		dispatch(c);
		return blank + end;
	}
	if (blank + end == len)
		send_continue(c);
	return blank + end;
}

/* Parses until a request is being served, the input is used up or more is needed; returns the bytes used. */
static size_t parse(struct conn *c, const char *data, size_t len)
{
	size_t used = 0;

	while (used < len && !c->closing) {
		size_t n;

		if (c->state == CONN_BODY)
			n = take_body(c, data + used, len - used);
		else if (c->state == CONN_IDLE || c->state == CONN_HEAD)
			n = take_request(c, data + used, len - used);
		else
			break;
		used += n;
		if (n == 0)
			break;
	}
	return used;
}

void conn_take(struct conn *c, const char *data, size_t len)
{
	if (c->state == CONN_LINGER)
		return;
	if (c->in.len == 0 && c->state != CONN_BUSY && c->state != CONN_WRITE) {
		size_t used = parse(c, data, len);

		/* a refusal forgets what the client has sent */
		if (c->closing || c->state == CONN_LINGER ||
		    (c->close_after && c->state == CONN_BUSY))
			return;
		buf_add(&c->in, data + used, len - used);
		return;
	}
	buf_add(&c->in, data, len);
	conn_continue(c);
}

static bool waits_for_client(const struct conn *c)
{
	return !c->closing &&
	       (c->state == CONN_IDLE || c->state == CONN_HEAD || c->state == CONN_BODY);
}

static void parse_kept(struct conn *c)
{
	size_t used, before = c->in.len;

	used = parse(c, c->in.data, before);
	if (c->closing || c->in.len != before)
		return; /* refused: forgotten */
	buf_shift(&c->in, used);
	if (c->in.len == 0) { /* an idle connection costs no buffer */
		talloc_free(c->in.data);
		buf_init(&c->in, NULL, IN_MAX);
	}
}

void conn_continue(struct conn *c)
{
	if (c->in.len > 0 && waits_for_client(c))
		parse_kept(c);
	/* who has closed their side and has been answered sends no more; half a request will not become whole */
	if (c->eof && !c->queued && waits_for_client(c))
		conn_close(c);
}
