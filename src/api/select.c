/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a SELECT together: conditions and joins as SQL of ours, values as parameters. Called by crud.c and filters. */
#include "api/select.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include "base/banned.h"

enum { SQL_MAX = 32768 };

void select_init(struct select *s, TALLOC_CTX *mem, const struct resource *resource)
{
	memset(s, 0, sizeof(*s));
	s->mem = mem;
	s->resource = resource;
	buf_init(&s->joins, mem, SQL_MAX);
	buf_init(&s->where, mem, SQL_MAX);
}

int select_param(struct select *s, const char *text)
{
	assert(s->param_count < PG_PARAMS_MAX);
	s->params[s->param_count++] = text;
	return s->param_count;
}

void select_where(struct select *s, const char *fmt, ...)
{
	va_list ap;

	buf_adds(&s->where, s->where.len ? " and (" : " where (");
	va_start(ap, fmt);
	buf_vaddf(&s->where, fmt, ap);
	va_end(ap);
	buf_addc(&s->where, ')');
}

void select_join(struct select *s, const char *fmt, ...)
{
	va_list ap;

	buf_addc(&s->joins, ' ');
	va_start(ap, fmt);
	buf_vaddf(&s->joins, fmt, ap);
	va_end(ap);
}

const char *sql_array(TALLOC_CTX *mem, const char *const *items, int count)
{
	struct buf b;

	buf_init(&b, mem, (size_t)1 << 30); /* the items are bounded where they come in */
	buf_addc(&b, '{');
	for (int i = 0; i < count; i++) {
		buf_adds(&b, i ? ",\"" : "\"");
		for (const char *c = items[i]; *c; c++) {
			if (*c == '"' || *c == '\\')
				buf_addc(&b, '\\');
			buf_addc(&b, *c);
		}
		buf_addc(&b, '"');
	}
	buf_addc(&b, '}');
	assert(!buf_full(&b));
	return buf_text(&b);
}
