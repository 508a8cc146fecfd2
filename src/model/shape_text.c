/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's text of one value to JSON. Called by api/shape.c, and by actions that write a value of their own. */
#include "model/shape_text.h"

#include <string.h>
#include "base/time.h"
#include "base/banned.h"

/* One element of an array's text form, from `*at` on; its unescaped bytes are appended to `element`. */
static void read_element(const char *text, size_t len, size_t *at, struct buf *element)
{
	bool quoted = text[*at] == '"';
	size_t i = *at + quoted;

	while (i < len && (quoted ? text[i] != '"' : text[i] != ',' && text[i] != '}')) {
		if (text[i] == '\\' && i + 1 < len)
			i++;
		buf_addc(element, text[i++]);
	}
	*at = i + quoted;
}

void shape_write_array(struct writer *j, const char *text, size_t len)
{
	struct buf element;
	size_t at = 1;

	writer_array(j);
	buf_init(&element, j->out->mem, len + 1);
	while (at + 1 < len) {
		buf_clear(&element);
		read_element(text, len, &at, &element);
		writer_text(j, element.data ? element.data : "", element.len);
		at++; /* the comma */
	}
	writer_array_end(j);
	talloc_free(element.data);
}

void shape_write_time(struct writer *j, const char *text, size_t len)
{
	char time[TIME_TEXT_MAX];
	size_t n = time_from_pg(text, len, time);

	writer_text(j, n ? time : text, n ? n : len);
}

/* PostgreSQL writes a blank between date and time, ISO 8601 a T. */
static void write_local_time(struct writer *j, const char *text, size_t len)
{
	char *time = talloc_strndup(j->out->mem, text, len);

	for (char *blank = strchr(time, ' '); blank; blank = strchr(blank, ' '))
		*blank = 'T';
	if (time[0] == '{')
		shape_write_array(j, time, len);
	else
		writer_text(j, time, len);
	talloc_free(time);
}

void shape_write_value(struct writer *j, const struct field *field, const char *text, size_t len)
{
	if (field->type == LOCAL_TIME) {
		write_local_time(j, text, len);
		return;
	}
	if (field->flags & MANY) {
		shape_write_array(j, text, len);
		return;
	}
	switch (field->type) {
	case INT:
	case DECIMAL:
	case OBJECT:
		writer_raw(j, text, len);
		return;
	case BOOL:
		writer_bool(j, text[0] == 't');
		return;
	case TIME:
		shape_write_time(j, text, len);
		return;
	default:
		writer_text(j, text, len);
	}
}
