/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON writer: values go straight into a buf, commas are put by the writer. It checks nothing: an open object is
 * the caller's to close. Text must be well-formed UTF-8 (PostgreSQL and the input checks guarantee it); '<', '>', '&'
 * and U+2028/2029 are escaped as well, so that a document is safe inside HTML.
 */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"

struct writer {
	struct buf *out;
	bool comma; /* the next value or key needs a comma before it */
};

void writer_init(struct writer *j, struct buf *out);
void writer_object(struct writer *j);
void writer_object_end(struct writer *j);
void writer_array(struct writer *j);
void writer_array_end(struct writer *j);
/* A key; the value follows. `key` is ours and needs no escaping. */
void writer_key(struct writer *j, const char *key);
void writer_text(struct writer *j, const char *text, size_t len);
void writer_string(struct writer *j, const char *text); /* NULL gives null */
void writer_int(struct writer *j, long long value);
void writer_number(
	struct writer *j,
	double value); /* shortest text that reads back the same; not finite gives null */
void writer_bool(struct writer *j, bool value);
void writer_null(struct writer *j);
/* A key and its text, NULL gives null. */
void writer_member(struct writer *j, const char *key, const char *text);
/* Bytes that are JSON already: a number as PostgreSQL writes it, a jsonb value. */
void writer_raw(struct writer *j, const char *text, size_t len);

#endif
