/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what a list would give. Called by list.c when the page itself does not tell. */
#include "api/total.h"

#include <stdlib.h>
#include <string.h>
#include "api/shape.h"
#include "base/banned.h"

void total_prepare(struct total *total, struct request *r, struct select *s)
{
	total->rows_sql = talloc_asprintf(MEM(r), "select 1 from %s%s", select_from(s),
					  buf_text(&s->where));
	total->count_sql = s->alone ? talloc_asprintf(MEM(r), "%s and (%s)", total->rows_sql,
						      s->alone)
				    : total->rows_sql;
	total->param_count = s->param_count;
	total->params = s->params;
}

/* The planner's guess: "Plan Rows" of EXPLAIN (FORMAT JSON). */
static int estimate(struct total *total, struct request *r)
{
	struct pg_rows *rows;
	const char *sql = talloc_asprintf(MEM(r), "explain (format json) %s", total->rows_sql);
	int rc = pg_query_long(&r->task, &rows, sql, total->param_count, total->params);
	json_t *plan;

	if (rc)
		return rc;
	plan = json_keep(MEM(r), json_loads(pg_value(rows, 0, 0), 0, NULL));
	plan = json_object_get(json_object_get(json_array_get(plan, 0), "Plan"), "Plan Rows");
	total->estimated = true;
	total->count = json_integer_value(plan);
	if (total->count <= TOTAL_EXACT_MAX)
		total->count = TOTAL_EXACT_MAX + 1; /* so many we have counted */
	return OK;
}

int total_fetch(struct total *total, struct request *r)
{
	struct pg_rows *rows;
	const char *sql = talloc_asprintf(MEM(r), "select count(*) from (%s limit %d) c",
					  total->count_sql, TOTAL_EXACT_MAX + 1);
	int rc = pg_query_long(&r->task, &rows, sql, total->param_count, total->params);

	if (rc)
		return rc;
	total->count = strtoll(pg_value(rows, 0, 0), NULL, 10);
	return total->count > TOTAL_EXACT_MAX ? estimate(total, r) : OK;
}
