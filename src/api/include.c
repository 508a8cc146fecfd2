/* SPDX-License-Identifier: Apache-2.0 */
/* Relations of a page, one statement each whatever the number of rows. Called by list.c and crud.c. */
#include "api/include.h"

#include <stdlib.h>
#include <string.h>
#include "api/select.h"
#include "api/shape.h"
#include "base/str.h"
#include "base/banned.h"

static const struct relation *find(const struct resource *resource, const char *name)
{
	for (const struct relation *x = resource->relations; x && x->name; x++)
		if (strcmp(x->name, name) == 0)
			return x;
	return NULL;
}

static bool has(const struct included *inc, const struct relation *relation)
{
	for (int i = 0; i < inc->count; i++)
		if (inc->items[i].relation == relation)
			return true;
	return false;
}

int include_from_query(struct request *r, const struct resource *resource, struct included *inc)
{
	const char *text = query_text(r, "include");
	char **names;
	int n;

	inc->count = 0;
	if (!text)
		return OK;
	n = str_split(MEM(r), text, ',', INCLUDES_MAX, &names);
	if (n < 0)
		return task_problem(&r->task, "include", "names too many relations");
	for (int i = 0; i < n; i++) {
		const struct relation *relation = find(resource, names[i]);

		if (!relation)
			return task_problem(&r->task, "include",
					    "\"%.60s\" is not a relation of %s", names[i],
					    resource->name);
		if (has(inc, relation))
			continue;
		inc->items[inc->count].relation = relation;
		inc->items[inc->count++].next = 0;
	}
	return OK;
}

static int fetch(struct request *r, const struct relation *relation, const char *ids,
		 const struct pg_rows **rows)
{
	const struct shape *shape = shape_whole(relation->resource);
	struct pg_rows *found;
	const char *sql = talloc_asprintf(
		MEM(r),
		"select %s, o.n from unnest($1::uuid[]) with ordinality o (id, n) %s "
		"where t.deleted_at is null order by o.n, %s",
		shape->columns, relation->join, relation->order);
	int rc = pg_query(&r->task, &found, sql, PG_PARAMS(ids));

	if (rc == OK)
		*rows = found;
	return rc;
}

int include_fetch(struct request *r, struct included *inc, const struct pg_rows *owners, int count,
		  int id_column)
{
	const char **ids = talloc_array(MEM(r), const char *, count + 1);
	const char *array;

	for (int i = 0; i < count; i++)
		ids[i] = pg_value(owners, i, id_column);
	array = pg_array(MEM(r), ids, count);
	for (int i = 0; i < inc->count; i++) {
		int rc = fetch(r, inc->items[i].relation, array, &inc->items[i].rows);

		if (rc)
			return rc;
	}
	return OK;
}

void include_write(struct included *inc, struct writer *j, int owner)
{
	for (int i = 0; i < inc->count; i++) {
		const struct shape *shape = shape_whole(inc->items[i].relation->resource);
		const struct pg_rows *rows = inc->items[i].rows;
		int *next = &inc->items[i].next;

		writer_key(j, inc->items[i].relation->name);
		writer_array(j);
		for (; *next < pg_count(rows) &&
		       strtol(pg_value(rows, *next, shape->count + 1), NULL, 10) == owner + 1;
		     (*next)++) {
			writer_object(j);
			shape_write(shape, j, rows, *next);
			writer_object_end(j);
		}
		writer_array_end(j);
	}
}
