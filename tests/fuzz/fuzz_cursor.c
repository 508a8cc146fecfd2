/* SPDX-License-Identifier: Apache-2.0 */
/* A list's cursor: the input as it comes back from a client, as what stands behind the right digest, and as a sort value
 * that a cursor must carry. */
#include "api/cursor.c"

#include "fuzz.h"
#include "api/query.h"

enum { SORT_MAX = 1000 }; /* bytes; the longest is a name of 160 characters */

static void read_as_cursor(const char *text)
{
	struct request *r = fuzz_request("/v1/businesses?q=tea");
	struct cursor cursor;

	assert(query_parse(r) == OK);
	if (cursor_read(r, "name", text, &cursor) == OK) {
		assert(uuid_is(cursor.id));
		assert(str_is_utf8(cursor.sort, strlen(cursor.sort)));
		assert(strcmp(cursor_make(r, "name", cursor.sort, cursor.id), text) == 0);
	} else {
		fuzz_check_failure(&r->task);
	}
	talloc_free(MEM(r));
}

/* The digest is no secret: a client can put anything behind it. */
static void read_forged(const uint8_t *data, size_t size)
{
	struct request *r = fuzz_request("/v1/businesses?q=tea");
	char digest[DIGEST_TEXT + 1];
	struct buf plain;

	assert(query_parse(r) == OK);
	search_digest(r, "name", digest);
	buf_init(&plain, MEM(r), 1 << 20);
	buf_adds(&plain, digest);
	buf_add(&plain, data, size);
	read_as_cursor(str_base64url(MEM(r), plain.data, plain.len));
	talloc_free(MEM(r));
}

static void carry_as_sort_value(const char *sort)
{
	static const char id[] = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03";
	struct request *r = fuzz_request("/v1/businesses?q=tea");
	struct cursor cursor;
	const char *text;

	assert(query_parse(r) == OK);
	text = cursor_make(r, "name", sort, id);
	assert(cursor_read(r, "name", text, &cursor) == OK);
	assert(strcmp(cursor.sort, sort) == 0 && strcmp(cursor.id, id) == 0);
	/* of another search or order it is refused */
	assert(cursor_read(r, "-name", text, &cursor) == E_VALIDATION);
	talloc_free(MEM(r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = talloc_strndup(mem, (const char *)data, size);

	read_forged(data, size);
	/* the same limits as on the line: a query's value is UTF-8 without NUL */
	if (str_is_utf8(text, strlen(text))) {
		read_as_cursor(text);
		if (strlen(text) <= SORT_MAX)
			carry_as_sort_value(text);
	}
	talloc_free(mem);
	return 0;
}
