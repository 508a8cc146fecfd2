/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer; see writer.h. */
#include "base/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

void writer_init(struct writer *j, struct buf *out)
{
	j->out = out;
	j->comma = false;
}

static void before(struct writer *j)
{
	if (j->comma)
		buf_addc(j->out, ',');
	j->comma = true;
}

static void open(struct writer *j, char c)
{
	before(j);
	buf_addc(j->out, c);
	j->comma = false;
}

static void close_with(struct writer *j, char c)
{
	buf_addc(j->out, c);
	j->comma = true;
}

void writer_object(struct writer *j)
{
	open(j, '{');
}

void writer_object_end(struct writer *j)
{
	close_with(j, '}');
}

void writer_array(struct writer *j)
{
	open(j, '[');
}

void writer_array_end(struct writer *j)
{
	close_with(j, ']');
}

void writer_key(struct writer *j, const char *key)
{
	size_t len = strlen(key);
	char *room = buf_room(j->out, len + 4);

	if (!room)
		return;
	if (j->comma)
		*room++ = ',';
	*room++ = '"';
	memcpy(room, key, len);
	room[len] = '"';
	room[len + 1] = ':';
	j->out->len += len + 3 + j->comma;
	j->comma = false;
}

/* 0: as it is; 1: escape. 0xe2 begins U+2028 and U+2029, which are looked at more closely. */
static const unsigned char special[256] = {
	[0] = 1,   [1] = 1,    [2] = 1,	  [3] = 1,   [4] = 1,	[5] = 1,   [6] = 1,    [7] = 1,
	[8] = 1,   [9] = 1,    [10] = 1,  [11] = 1,  [12] = 1,	[13] = 1,  [14] = 1,   [15] = 1,
	[16] = 1,  [17] = 1,   [18] = 1,  [19] = 1,  [20] = 1,	[21] = 1,  [22] = 1,   [23] = 1,
	[24] = 1,  [25] = 1,   [26] = 1,  [27] = 1,  [28] = 1,	[29] = 1,  [30] = 1,   [31] = 1,
	['"'] = 1, ['\\'] = 1, ['<'] = 1, ['>'] = 1, ['&'] = 1, [127] = 1, [0xe2] = 2,
};

static void escape(struct buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char code[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *at = c ? strchr(plain, c) : NULL;

	if (at) {
		code[1] = letters[at - plain];
		buf_add(out, code, 2);
	} else {
		buf_add(out, code, 6);
	}
}

/* Runs of plain bytes are copied at once. */
void writer_text(struct writer *j, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	struct buf *out = j->out;
	size_t from = 0;

	before(j);
	buf_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (!special[s[i]])
			continue;
		if (special[s[i]] == 2) {
			if (i + 2 >= len || s[i + 1] != 0x80 ||
			    (s[i + 2] != 0xa8 && s[i + 2] != 0xa9))
				continue;
			buf_add(out, text + from, i - from);
			buf_adds(out, s[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
			i += 2;
		} else {
			buf_add(out, text + from, i - from);
			escape(out, s[i]);
		}
		from = i + 1;
	}
	buf_add(out, text + from, len - from);
	buf_addc(out, '"');
}

void writer_string(struct writer *j, const char *text)
{
	if (text)
		writer_text(j, text, strlen(text));
	else
		writer_null(j);
}

void writer_int(struct writer *j, long long value)
{
	before(j);
	buf_addi(j->out, value);
}

void writer_number(struct writer *j, double value)
{
	char text[40];

	if (!isfinite(value)) {
		writer_null(j);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	writer_raw(j, text, strlen(text));
}

void writer_bool(struct writer *j, bool value)
{
	writer_raw(j, value ? "true" : "false", value ? 4 : 5);
}

void writer_null(struct writer *j)
{
	writer_raw(j, "null", 4);
}

void writer_raw(struct writer *j, const char *text, size_t len)
{
	before(j);
	buf_add(j->out, text, len);
}

void writer_member(struct writer *j, const char *key, const char *text)
{
	writer_key(j, key);
	writer_string(j, text);
}
