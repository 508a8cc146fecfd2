/* SPDX-License-Identifier: Apache-2.0 */
/* Does the database have what the tables say? Asked at start: a wrong column is found then and not by a caller. */
#include "model/schema.h"

#include <string.h>
#include "model/resource.h"
#include "model/types.h"
#include "model/values.h"
#include "store/pg.h"
#include "base/banned.h"

static const char columns_sql[] =
	"select column_name, case data_type when 'ARRAY' then '[]' else data_type end "
	"from information_schema.columns where table_schema = $1 and table_name = $2";

static const char *column_type(const struct pg_rows *rows, const char *name)
{
	for (int i = 0; i < pg_count(rows); i++)
		if (strcmp(pg_value(rows, i, 0), name) == 0)
			return pg_value(rows, i, 1);
	return NULL;
}

static bool is_right(const struct field *field, const char *type)
{
	if (field->flags & MANY)
		return strcmp(type, "[]") == 0;
	if (field->type == INT)
		return strcmp(type, "smallint") == 0 || strcmp(type, "integer") == 0 ||
		       strcmp(type, "bigint") == 0;
	return strcmp(type, types[field->type].sql) == 0;
}

static int check_resource(struct task *t, const struct resource *resource)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, columns_sql, PG_PARAMS(resource->service, resource->name));

	if (rc)
		return rc;
	for (const struct field *f = resource->fields; f->name; f++) {
		const char *column = field_column(t->mem, f);
		const char *type = column_type(rows, column);

		if (!type)
			return task_fail(
				t, E_CONFLICT,
				"The table %s.%s has no column %s; see `guildford migrate --status`",
				resource->service, resource->name, column);
		if (!is_right(f, type))
			return task_fail(t, E_CONFLICT,
					 "The column %s.%s.%s is of type %s where %s%s is needed",
					 resource->service, resource->name, column, type,
					 types[f->type].sql, f->flags & MANY ? "[]" : "");
	}
	return OK;
}

int schema_check(struct task *t)
{
	for (const struct service *const *s = services; *s; s++) {
		for (const struct resource *const *x = (*s)->resources; x && *x; x++) {
			int rc = check_resource(t, *x);

			if (rc)
				return rc;
		}
	}
	return OK;
}
