/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a SELECT together: conditions and joins as SQL of ours, values as parameters. Called by list.c, crud.c and filters. */
#include "api/select.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include "base/banned.h"

enum { SQL_MAX = 32768, BROAD = 10000, BROAD_HITS = 1500 };

void select_init(struct select *s, TALLOC_CTX *mem, const struct resource *resource)
{
	memset(s, 0, sizeof(*s));
	s->mem = mem;
	s->resource = resource;
	buf_init(&s->where, mem, SQL_MAX);
}

const char *select_from(const struct select *s)
{
	const struct way_in *way_in = s->way_in;

	if (!way_in)
		return talloc_asprintf(s->mem, "%s.%s t", s->resource->service, s->resource->name);
	if (!way_in->ranges)
		return way_in->from;
	return talloc_asprintf(s->mem, "%s join %s on %s", way_in->ranges, way_in->from,
			       way_in->in_range);
}

int select_param(struct select *s, const char *text)
{
	assert(s->param_count < PG_PARAMS_MAX);
	s->params[s->param_count++] = text;
	return s->param_count;
}

void select_probe(struct select *probe, const struct select *s)
{
	struct way_in *way_in;

	select_init(probe, s->mem, s->resource);
	if (!select_has_hits(s))
		return;
	way_in = talloc_memdup(s->mem, s->way_in, sizeof(*way_in));
	way_in->ranges = NULL;
	probe->way_in = way_in;
}

bool select_has_hits(const struct select *s)
{
	return s->way_in && s->way_in->joins;
}

const char *select_rows(const struct select *s)
{
	return select_has_hits(s) ? "l" : "t";
}

void select_where(struct select *s, const char *fmt, ...)
{
	va_list ap;

	s->conditions++;
	buf_adds(&s->where, s->where.len ? " and (" : " where (");
	va_start(ap, fmt);
	buf_vaddf(&s->where, fmt, ap);
	va_end(ap);
	buf_addc(&s->where, ')');
}

void select_page_where(struct select *s, const char *condition)
{
	s->page_where = talloc_asprintf(s->mem, "%s and (%s)", s->page_where ? s->page_where : "",
					condition);
}

int select_is_broad(struct request *r, struct select *s, bool *broad)
{
	int most = select_has_hits(s) ? BROAD_HITS : BROAD;
	struct pg_rows *rows;
	int rc = pg_query_long(
		&r->task, &rows,
		talloc_asprintf(s->mem, "select count(*) > %d from (select from %s%s limit %d) c",
				most, select_from(s), buf_text(&s->where), most + 1),
		s->param_count, s->params);

	if (rc == OK)
		*broad = pg_value(rows, 0, 0)[0] == 't';
	return rc;
}
