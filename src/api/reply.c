/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes out: the envelope of the contract, entity tags and 304, failures in either of their two forms, and the
 * headers that every reply carries. Called by the pipeline and by handlers.
 */
#include "api/reply.h"

#include <sodium.h>
#include <string.h>
#include "api/route.h"
#include "base/log.h"
#include "base/banned.h"

enum { ETAG_MAX = 64 };

void reply_begin(struct request *r, int status)
{
	r->http->status = status;
	buf_clear(&r->http->body_out);
	writer_init(&r->json, &r->http->body_out);
	writer_object(&r->json);
	writer_key(&r->json, "success");
	writer_bool(&r->json, true);
	writer_key(&r->json, "data");
}

int reply_end(struct request *r)
{
	writer_object_end(&r->json);
	http_header_add(r->http, "Content-Type", "application/json; charset=utf-8");
	r->http->gzip_allowed = true;
	return OK;
}

int reply_status(struct request *r, int status, const char *text)
{
	reply_begin(r, status);
	writer_object(&r->json);
	writer_member(&r->json, "status", text);
	writer_object_end(&r->json);
	return reply_end(r);
}

int reply_row(struct request *r, int status, const struct shape *shape, const struct pg_rows *rows,
	      int row)
{
	reply_begin(r, status);
	writer_object(&r->json);
	shape_write(shape, &r->json, rows, row);
	writer_object_end(&r->json);
	reply_end(r);
	reply_tag(r, pg_value(rows, row, shape->count), shape);
	return OK;
}

int reply_plain(struct request *r, int status, const char *type, const char *text, size_t len)
{
	r->http->status = status;
	buf_clear(&r->http->body_out);
	buf_add(&r->http->body_out, text, len);
	http_header_add(r->http, "Content-Type", type);
	r->http->gzip_allowed = true;
	return OK;
}

/* One entity tag of a list, without its quotes. */
struct tag {
	const char *text;
	size_t len;
	bool weak;
};

/* Takes the next tag of an If-Match or If-None-Match from *at on. */
static bool next_tag(const char **at, struct tag *tag)
{
	const char *open = strchr(*at, '"');
	const char *close = open ? strchr(open + 1, '"') : NULL;

	if (!close)
		return false;
	*tag = (struct tag) { .text = open + 1,
			      .len = (size_t)(close - open - 1),
			      .weak = open > *at && open[-1] == '/' };
	*at = close + 1;
	return true;
}

static bool tag_is(const struct tag *tag, const char *text, size_t len)
{
	return tag->len == len && strncmp(tag->text, text, len) == 0;
}

/* Does the caller have this representation (RFC 9110 section 13.1.2, compared weakly)? Then the reply is a 304, and the
 * tag in it the caller's: that of the compressed form ends in "-gzip" (see io/http_write.c). */
static bool match_none(struct request *r, char tag[ETAG_MAX])
{
	const char *list = http_header_get(r->http, "if-none-match");
	const char *gzip = talloc_asprintf(MEM(r), "%.*s-gzip", (int)strlen(tag) - 2, tag + 1);
	bool same = list && strcmp(list, "*") == 0;
	struct tag given;

	if (!list || r->route->method != METHOD_GET)
		return false;
	while (!same && next_tag(&list, &given)) {
		bool compressed = tag_is(&given, gzip, strlen(gzip));

		same = compressed || tag_is(&given, tag + 1, strlen(tag) - 2);
		if (compressed)
			snprintf(tag, ETAG_MAX, "\"%s\"", gzip);
	}
	if (!same)
		return false;
	r->http->status = 304;
	buf_clear(&r->http->body_out);
	r->http->gzip_allowed = false;
	return true;
}

static void whole_tag(const char *version, const struct shape *shape, char tag[ETAG_MAX])
{
	snprintf(tag, ETAG_MAX, "\"%s-%s\"", version, shape->tag);
}

void reply_tag(struct request *r, const char *version, const struct shape *shape)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "entity tag";
	unsigned char digest[crypto_shorthash_BYTES];
	char tag[ETAG_MAX], text[2 * sizeof(digest) + 1];

	if (version) {
		whole_tag(version, shape, tag);
	} else {
		crypto_shorthash(digest, (const unsigned char *)r->http->body_out.data,
				 r->http->body_out.len, key);
		snprintf(tag, sizeof(tag), "\"%s\"",
			 sodium_bin2hex(text, sizeof(text), digest, sizeof(digest)));
	}
	(void)match_none(r, tag);
	http_header_add(r->http, "ETag", tag);
}

bool reply_not_modified(struct request *r, const char *version, const struct shape *shape)
{
	char tag[ETAG_MAX];

	whole_tag(version, shape, tag);
	if (!match_none(r, tag))
		return false;
	http_header_add(r->http, "ETag", tag);
	return true;
}

/* Is a representation of this version in the list? What stands behind the version says which one it was. */
static bool has_version(const char *list, const char *version, bool strongly)
{
	size_t len = strcspn(version, "-"); /* behind it are counts, which are no edit */
	struct tag tag;

	if (strcmp(list, "*") == 0)
		return true;
	while (next_tag(&list, &tag))
		if (!(strongly && tag.weak) && tag.len > len && tag.text[len] == '-' &&
		    strncmp(tag.text, version, len) == 0)
			return true;
	return false;
}

int reply_check_match(struct request *r, const char *version)
{
	const char *match = http_header_get(r->http, "if-match");
	const char *none = http_header_get(r->http, "if-none-match");

	if (match && !has_version(match, version, true))
		return fail(r, E_PRECONDITION_FAILED,
			    "It has been changed since you read it; read it again");
	if (none && has_version(none, version, false))
		return fail(r, E_PRECONDITION_FAILED, "It is what If-None-Match must not find");
	return OK;
}

/* RFC 6901, into the body. */
static void write_pointer(struct writer *j, TALLOC_CTX *mem, const char *field)
{
	struct buf pointer;

	buf_init(&pointer, mem, 2 * strlen(field) + 2);
	buf_addc(&pointer, '/');
	for (const char *c = field; *c; c++) {
		if (*c == '~' || *c == '/')
			buf_adds(&pointer, *c == '~' ? "~0" : "~1");
		else
			buf_addc(&pointer, *c == '.' ? '/' : *c);
	}
	writer_key(j, "pointer");
	writer_string(j, buf_text(&pointer));
}

static void write_problems(struct request *r, struct writer *j, bool pointers)
{
	const struct failure *f = &r->task.failure;

	writer_array(j);
	for (int i = 0; i < f->problem_count; i++) {
		writer_object(j);
		writer_key(j, "field");
		writer_string(j, f->problems[i].field);
		writer_key(j, "message");
		writer_string(j, f->problems[i].message);
		if (pointers)
			write_pointer(j, MEM(r), f->problems[i].field);
		writer_object_end(j);
	}
	writer_array_end(j);
}

static void write_envelope(struct request *r, const struct error_row *row, const char *message)
{
	struct writer *j = &r->json;

	writer_object(j);
	writer_key(j, "success");
	writer_bool(j, false);
	writer_key(j, "error");
	writer_object(j);
	writer_key(j, "code");
	writer_string(j, row->code);
	writer_key(j, "message");
	writer_string(j, message);
	writer_key(j, "details");
	write_problems(r, j, false);
	writer_key(j, "request_id");
	writer_string(j, r->id);
	writer_object_end(j);
	writer_object_end(j);
}

/* draft-ietf-httpapi-ratelimit-headers-10 section 6 */
static void write_violated(const struct request *r, struct writer *j)
{
	writer_key(j, "violated-policies");
	writer_array(j);
	for (int i = 0; i < r->violated_count; i++)
		writer_string(j, r->violated[i]);
	writer_array_end(j);
}

/* RFC 9457: our codes are documented, but by no URI of their own: the type is about:blank unless one is registered, the
 * code an extension. */
static void write_problem(struct request *r, const struct error_row *row, const char *message)
{
	struct writer *j = &r->json;

	writer_object(j);
	writer_key(j, "type");
	writer_string(j, row->type ? row->type : "about:blank");
	writer_key(j, "title");
	writer_string(j, row->title);
	writer_key(j, "status");
	writer_int(j, row->status);
	writer_key(j, "detail");
	writer_string(j, message);
	writer_key(j, "code");
	writer_string(j, row->code);
	writer_key(j, "errors");
	write_problems(r, j, r->body != NULL);
	if (r->violated_count > 0)
		write_violated(r, j);
	writer_key(j, "request_id");
	writer_string(j, r->id);
	writer_object_end(j);
}

void reply_failure(struct request *r)
{
	const struct failure *f = &r->task.failure;
	const struct error_row *row = &errors[f->code];
	const char *message = f->message ? f->message : row->title;

	r->http->status = row->status;
	r->http->gzip_allowed = true;
	buf_clear(&r->http->body_out);
	writer_init(&r->json, &r->http->body_out);
	if (r->problem_json)
		write_problem(r, row, message);
	else
		write_envelope(r, row, message);
	http_header_add(r->http, "Content-Type",
			r->problem_json ? "application/problem+json"
					: "application/json; charset=utf-8");
	if (f->retry_after > 0)
		http_header_addf(r->http, "Retry-After", "%d", f->retry_after);
	if (f->code == E_UNAUTHORIZED) /* RFC 6750 section 3 */
		http_header_addf(r->http, "WWW-Authenticate", "Bearer realm=\"guildford\"%s",
				 http_header_get(r->http, "authorization")
					 ? ", error=\"invalid_token\""
					 : "");
	if (row->status >= 500 && f->cause)
		log_warn("request %s: %s: %s", r->id, row->code, f->cause);
}

/* One block for all: no page may frame, sniff or run what is data. What anyone may read may be kept if it is asked for
 * again with its tag; anything else is nobody's to keep (OWASP ASVS 5.0 14.3.2). */
void reply_headers(struct request *r)
{
	static const char block[] =
		"X-Content-Type-Options: nosniff\r\n"
		"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
		"Referrer-Policy: no-referrer\r\n"
		"Vary: Accept, Accept-Encoding, Authorization\r\n";
	bool keep = (r->http->status == 200 || r->http->status == 304) &&
		    r->http->method != METHOD_POST && r->route && !r->route->writes &&
		    r->route->allow == ANYONE;

	buf_add(&r->http->head, block, sizeof(block) - 1);
	http_header_add(r->http, "Cache-Control",
			r->cache_control && !r->task.failure.code ? r->cache_control
			: keep					  ? "no-cache"
								  : "no-store");
	http_header_add(r->http, "X-Request-Id", r->id);
}
