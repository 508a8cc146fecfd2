/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON writer: values go straight into a buf, commas are put by the writer. It checks nothing: an open object is
 * the caller's to close. Text must be well-formed UTF-8 (PostgreSQL and the input checks guarantee it); '<', '>', '&'
 * and U+2028/2029 are escaped as well, so that a document is safe inside HTML.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"

struct json {
	struct buf *out;
	bool comma; /* the next value or key needs a comma before it */
};

void json_init(struct json *j, struct buf *out);
void json_object(struct json *j);
void json_object_end(struct json *j);
void json_array(struct json *j);
void json_array_end(struct json *j);
/* A key; the value follows. `key` is ours and needs no escaping. */
void json_key(struct json *j, const char *key);
void json_text(struct json *j, const char *text, size_t len);
void json_string(struct json *j, const char *text); /* NULL gives null */
void json_int(struct json *j, long long value);
void json_number(struct json *j, double value); /* shortest text that reads back the same; not finite gives null */
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
/* Bytes that are JSON already: a number as PostgreSQL writes it, a jsonb value. */
void json_raw(struct json *j, const char *text, size_t len);

#endif
