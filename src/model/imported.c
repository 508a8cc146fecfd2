/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that an import writes; see imported.h. */
#include "model/imported.h"

#include <string.h>
#include "store/pg.h"
#include "base/banned.h"

struct statement {
	const char *params[PG_PARAMS_MAX];
	int count;
};

static int add_param(struct statement *s, const char *text)
{
	s->params[s->count++] = text;
	return s->count;
}

/* A NOT_NULL field without a value keeps what it has. */
static bool is_written(const struct value *v, const char *const *own)
{
	for (; *own; own++)
		if (strcmp(v->field->name, *own) == 0)
			return false;
	return v->set && (v->text || !(v->field->flags & NOT_NULL));
}

int imported_add(struct task *t, const struct values *v, const char *const *own,
		 const struct imported_columns *more)
{
	char *columns = talloc_strdup(t->mem, more->columns),
	     *sql = talloc_strdup(t->mem, more->sql);
	struct statement s = { 0 };
	struct pg_rows *rows;

	for (int i = 0; i < more->count; i++)
		add_param(&s, more->params[i]);
	for (int i = 0; i < v->count; i++) {
		const struct value *value = &v->items[i];

		if (!is_written(value, own) || !value->text)
			continue;
		columns = talloc_asprintf_append_buffer(columns, ", %s",
							field_column(t->mem, value->field));
		sql = talloc_asprintf_append_buffer(sql, ", $%d", add_param(&s, value->text));
	}
	return pg_query(t, &rows,
			talloc_asprintf(t->mem, "insert into %s.%s (%s) values (%s)",
					v->resource->service, v->resource->name, columns, sql),
			s.count, s.params);
}

int imported_change(struct task *t, const struct values *v, const char *const *own, const char *id,
		    bool *changed)
{
	char *set = talloc_strdup(t->mem, ""), *now = talloc_strdup(t->mem, ""),
	     *then = talloc_strdup(t->mem, "");
	struct statement s = { 0 };
	struct pg_rows *rows;
	int rc;

	add_param(&s, id);
	for (int i = 0; i < v->count; i++) {
		const struct value *value = &v->items[i];
		const char *column = field_column(t->mem, value->field),
			   *comma = set[0] ? ", " : "", *next;

		if (!is_written(value, own))
			continue;
		next = talloc_asprintf(
			t->mem, "case when '%s' = any (t.edited_fields) then t.%s else $%d end",
			value->field->name, column, add_param(&s, value->text));
		set = talloc_asprintf_append_buffer(set, "%s%s = %s", comma, column, next);
		now = talloc_asprintf_append_buffer(now, "%st.%s", comma, column);
		then = talloc_asprintf_append_buffer(then, "%s%s", comma, next);
	}
	if (s.count == 1)
		return OK;
	rc = pg_query(t, &rows,
		      talloc_asprintf(
			      t->mem,
			      "update %s.%s t set %s where id = $1 and (%s) is distinct from (%s) "
			      "returning 1",
			      v->resource->service, v->resource->name, set, now, then),
		      s.count, s.params);
	if (!rc && pg_count(rows) > 0)
		*changed = true;
	return rc;
}
