/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what a list would give. Called by list.c when the page itself does not tell. */
#include "api/total.h"

#include <stdlib.h>
#include <string.h>
#include "api/shape.h"
#include "store/memo.h"
#include "model/values.h"
#include "base/banned.h"

static const char *rows_from(struct request *r, struct select *s, const char *from)
{
	return talloc_asprintf(MEM(r), "select %s%s from %s%s", s->distinct ? "distinct " : "",
			       s->distinct ? s->distinct : "1", from, buf_text(&s->where));
}

void total_prepare(struct total *total, struct request *r, struct select *s)
{
	bool ranges = s->way_in && s->way_in->ranges;

	total->rows_sql = rows_from(r, s, select_from(s));
	/* of a join with the ranges, which say nothing that the conditions do not, it takes a third */
	total->plan_sql = ranges ? rows_from(r, s, s->way_in->from) : total->rows_sql;
	total->count_sql = s->alone ? talloc_asprintf(MEM(r), "%s and (%s)", total->rows_sql,
						      s->alone)
				    : total->rows_sql;
	total->param_count = s->param_count;
	total->params = s->params;
}

static int query(struct total *total, struct request *r, const char *sql, struct pg_rows **rows)
{
	return total->quick ? pg_query(&r->task, rows, sql, total->param_count, total->params)
			    : pg_query_long(&r->task, rows, sql, total->param_count, total->params);
}

/* "Plan Rows" of EXPLAIN (FORMAT JSON). */
int total_estimate(struct total *total, struct request *r)
{
	struct pg_rows *rows;
	const char *sql = talloc_asprintf(MEM(r), "explain (format json) %s", total->plan_sql);
	int rc = pg_query_long(&r->task, &rows, sql, total->param_count, total->params);
	json_t *plan;

	if (rc)
		return rc;
	plan = json_keep(MEM(r), json_loads(pg_value(rows, 0, 0), 0, NULL));
	plan = json_object_get(json_object_get(json_array_get(plan, 0), "Plan"), "Plan Rows");
	total->estimated = true;
	total->count = json_integer_value(plan);
	return OK;
}

/* Statement and parameters: what a count depends on beside the data. */
static const char *key_of(const struct total *total, struct request *r)
{
	char *key = talloc_strdup(MEM(r), total->count_sql);

	for (int i = 0; i < total->param_count; i++)
		key = talloc_asprintf_append_buffer(key, "\x1f%s", total->params[i]);
	return key;
}

static bool remember(struct total *total, const char *key, const char *snapshot)
{
	const char *known = memo_get(key, snapshot);

	if (!known)
		return false;
	total->estimated = known[0] == '~';
	total->count = strtoll(known + total->estimated, NULL, 10);
	return true;
}

int total_fetch(struct total *total, struct request *r, const char *snapshot)
{
	const char *key = key_of(total, r);
	struct pg_rows *rows;
	int rc;

	if (remember(total, key, snapshot))
		return OK;
	rc = query(total, r,
		   talloc_asprintf(MEM(r),
				   "select count(*), " MEMO_SNAPSHOT " from (%s limit %d) c",
				   total->count_sql, TOTAL_EXACT_MAX + 1),
		   &rows);
	if (rc)
		return rc;
	total->count = strtoll(pg_value(rows, 0, 0), NULL, 10);
	if (total->count > TOTAL_EXACT_MAX) {
		rc = total_estimate(total, r);
		if (total->count <= TOTAL_EXACT_MAX)
			total->count = TOTAL_EXACT_MAX + 1; /* so many we have counted */
	}
	if (rc == OK)
		memo_put(key, pg_value(rows, 0, 1),
			 talloc_asprintf(MEM(r), "%s%lld", total->estimated ? "~" : "",
					 total->count));
	return rc;
}
