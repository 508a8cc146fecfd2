/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer that is born with a maximum. Once an addition would pass the maximum the buffer is marked
 * full, further additions are ignored, and buf_full() tells; so a writer adds freely and asks once at the end. Memory
 * is a talloc child of the context given to buf_init(); running out of memory aborts the process. None of it waits.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <talloc.h>
#include "base/attr.h"

struct buf {
	char *data;  /* not NUL-terminated; NULL while empty */
	size_t len;  /* bytes used */
	size_t size; /* bytes allocated */
	size_t max;  /* bytes it may ever hold */
	bool full;   /* an addition did not fit: the content is incomplete */
	TALLOC_CTX *mem;
};

/* Starts an empty buffer that allocates from `mem` and never holds more than `max` bytes. */
void buf_init(struct buf *b, TALLOC_CTX *mem, size_t max);
/* Appends; the text forms take NUL-terminated strings. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Appends a decimal integer. */
void buf_addi(struct buf *b, long long value);
/* Makes room for `len` more bytes and returns where they go, or NULL when they would pass the maximum (marks it full).
 * The caller adds what it wrote to b->len. */
char *buf_room(struct buf *b, size_t len) MUST_USE;
/* Drops the first `len` bytes. */
void buf_shift(struct buf *b, size_t len);
/* Empties it and keeps its memory. */
void buf_clear(struct buf *b);
/* The content as a NUL-terminated string (the NUL is not counted in len). Aborts when full: ask buf_full() first. */
const char *buf_text(struct buf *b);
static inline bool buf_full(const struct buf *b)
{
	return b->full;
}

#endif
