/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded growable buffer; see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

enum { FIRST_SIZE = 256 };

void buf_init(struct buf *b, TALLOC_CTX *mem, size_t max)
{
	*b = (struct buf) { .max = max, .mem = mem };
}

static void grow(struct buf *b, size_t need)
{
	size_t size = b->size ? b->size : FIRST_SIZE;
	char *data;

	while (size < need)
		size *= 2;
	data = talloc_realloc_size(b->mem, b->data, size);
	if (!data)
		abort();
	b->data = data;
	b->size = size;
}

char *buf_room(struct buf *b, size_t len)
{
	if (b->full || len > b->max - b->len) {
		b->full = true;
		return NULL;
	}
	/* one byte more, so that buf_text() has room for its NUL */
	if (b->len + len + 1 > b->size)
		grow(b, b->len + len + 1);
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	char *room = buf_room(b, len);

	if (!room || len == 0)
		return;
	memcpy(room, data, len);
	b->len += len;
}

void buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_addc(struct buf *b, char c)
{
	char *room = buf_room(b, 1);

	if (!room)
		return;
	*room = c;
	b->len++;
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	char *room;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	assert(n >= 0);
	if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
	} else {
		room = buf_room(b, (size_t)n);
		if (room) {
			vsnprintf(room, (size_t)n + 1, fmt, again);
			b->len += (size_t)n;
		}
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void buf_addi(struct buf *b, long long value)
{
	char digits[24];
	size_t at = sizeof(digits);
	unsigned long long left = value < 0 ? 0ULL - (unsigned long long)value
					    : (unsigned long long)value;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		digits[--at] = '-';
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_shift(struct buf *b, size_t len)
{
	assert(len <= b->len);
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
}

const char *buf_text(struct buf *b)
{
	assert(!b->full);
	if (!b->data)
		return "";
	b->data[b->len] = '\0';
	return b->data;
}
