/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of an import: which rows are there, create, update what differs and nobody has edited, close. Called by
 * import.c. */
#include "business/import_write.h"

#include <stdlib.h>
#include <string.h>
#include "api/select.h"
#include "base/str.h"
#include "base/uuid.h"
#include "business/business.h"
#include "base/banned.h"

enum { SLUG_MAX = 100 };

int import_categories(struct task *t, struct import_categories *categories)
{
	return pg_query(t, &categories->rows,
			"select slug from business.category where deleted_at is null", PG_NONE);
}

bool import_has_category(const struct import_categories *categories, const char *slug)
{
	for (int i = 0; i < pg_count(categories->rows); i++)
		if (strcmp(pg_value(categories->rows, i, 0), slug) == 0)
			return true;
	return false;
}

/* Source, source_id and slug are the import's own affair; a NOT_NULL field without a value keeps what it has. */
static bool is_written(const struct value *v)
{
	static const char *const own[] = { "source", "source_id", "slug" };

	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (strcmp(v->field->name, own[i]) == 0)
			return false;
	return v->set && (v->text || !(v->field->flags & NOT_NULL));
}

static const char *wanted_slug(TALLOC_CTX *mem, struct values *v)
{
	const char *given = values_get(v, "slug")->text;

	return given ? given : str_slug(mem, values_get(v, "name")->text, SLUG_MAX);
}

static int create(struct task *t, const char *source, const struct import_row *row, const char **id)
{
	char *fresh = talloc_array(t->mem, char, UUID_TEXT_SIZE), *columns, *values;
	const char *locality = values_get(row->values, "address.locality")->text;
	struct pg_rows *rows;
	struct select s;

	select_init(&s, t->mem, &business_resource);
	uuid_new(fresh);
	columns = talloc_strdup(t->mem, "id, source, source_id, slug");
	values = talloc_asprintf(t->mem, "$%d, $%d, $%d", select_param(&s, fresh), 2, 3);
	select_param(&s, source);
	select_param(&s, row->source_id);
	select_param(&s, wanted_slug(t->mem, row->values));
	select_param(&s, locality ? str_slug(t->mem, locality, SLUG_MAX) : NULL);
	values = talloc_asprintf_append_buffer(values, ", business.free_slug($4, $5, null)");
	for (int i = 0; i < row->values->count; i++) {
		const struct value *v = &row->values->items[i];

		if (!is_written(v) || !v->text)
			continue;
		columns = talloc_asprintf_append_buffer(columns, ", %s",
							field_column(t->mem, v->field));
		values = talloc_asprintf_append_buffer(values, ", $%d", select_param(&s, v->text));
	}
	*id = fresh;
	return pg_query(t, &rows,
			talloc_asprintf(t->mem, "insert into business.business (%s) values (%s)",
					columns, values),
			s.param_count, s.params);
}

/* Nothing is written when every field is as the file has it, or somebody's own. */
static int update(struct task *t, const char *id, const struct import_row *row, bool *changed)
{
	char *set = talloc_strdup(t->mem, ""), *now = talloc_strdup(t->mem, ""),
	     *then = talloc_strdup(t->mem, "");
	struct pg_rows *rows;
	struct select s;
	int rc;

	select_init(&s, t->mem, &business_resource);
	select_param(&s, id);
	for (int i = 0; i < row->values->count; i++) {
		const struct value *v = &row->values->items[i];
		const char *column = field_column(t->mem, v->field), *comma = set[0] ? ", " : "",
			   *next;

		if (!is_written(v))
			continue;
		next = talloc_asprintf(
			t->mem, "case when '%s' = any (t.edited_fields) then t.%s else $%d end",
			v->field->name, column, select_param(&s, v->text));
		set = talloc_asprintf_append_buffer(set, "%s%s = %s", comma, column, next);
		now = talloc_asprintf_append_buffer(now, "%st.%s", comma, column);
		then = talloc_asprintf_append_buffer(then, "%s%s", comma, next);
	}
	rc = pg_query(
		t, &rows,
		talloc_asprintf(
			t->mem,
			"update business.business t set %s where id = $1 and (%s) is distinct from (%s) "
			"returning 1",
			set, now, then),
		s.param_count, s.params);
	if (!rc && pg_count(rows) > 0)
		*changed = true;
	return rc;
}

/* One inspection per scheme and day; one that was awaited (no date) becomes the one that took place. What somebody took
 * out stays out. */
static const char inspection_sql[] =
	"with same as (select id from business.inspection where business_id = $1 and scheme = $2 "
	"and (date is not distinct from $4::date or (date is null and deleted_at is null)) "
	"order by date nulls last, deleted_at nulls first limit 1), "
	"next as (select i.id, "
	"case when 'rating' = any (i.edited_fields) then i.rating else $3 end as rating, "
	"case when 'date' = any (i.edited_fields) then i.date else $4::date end as date, "
	"case when 'hygiene_score' = any (i.edited_fields) then i.hygiene_score else $5::smallint end as hygiene_score, "
	"case when 'structural_score' = any (i.edited_fields) then i.structural_score else $6::smallint end as structural_score, "
	"case when 'confidence_score' = any (i.edited_fields) then i.confidence_score else $7::smallint end as confidence_score "
	"from business.inspection i join same on same.id = i.id where i.deleted_at is null), "
	"changed as (update business.inspection i set rating = n.rating, date = n.date, hygiene_score = n.hygiene_score, "
	"structural_score = n.structural_score, confidence_score = n.confidence_score, "
	"rating_value = case when n.rating ~ '^[0-5]$' then n.rating::smallint end from next n where i.id = n.id "
	"and (i.rating, i.date, i.hygiene_score, i.structural_score, i.confidence_score) is distinct from "
	"(n.rating, n.date, n.hygiene_score, n.structural_score, n.confidence_score) returning 1), "
	"made as (insert into business.inspection (id, business_id, scheme, rating, date, hygiene_score, structural_score, "
	"confidence_score, rating_value) select $8, $1, $2, $3, $4::date, $5::smallint, $6::smallint, $7::smallint, "
	"case when $3 ~ '^[0-5]$' then $3::smallint end where not exists (select from same) returning 1) "
	"select (select count(*) from changed) + (select count(*) from made)";

static int write_inspection(struct task *t, const char *id, struct values *v, bool *changed)
{
	char fresh[UUID_TEXT_SIZE];
	struct pg_rows *rows;
	int rc;

	uuid_new(fresh);
	rc = pg_query(t, &rows, inspection_sql,
		      PG_PARAMS(id, values_get(v, "scheme")->text, values_get(v, "rating")->text,
				values_get(v, "date")->text, values_get(v, "hygiene_score")->text,
				values_get(v, "structural_score")->text,
				values_get(v, "confidence_score")->text, fresh));
	if (!rc && strcmp(pg_value(rows, 0, 0), "0") != 0)
		*changed = true;
	return rc;
}

static int find_known(struct task *t, const char *source, const struct import_row *rows, int count,
		      struct pg_rows **known)
{
	const char **ids = talloc_array(t->mem, const char *, count);

	for (int i = 0; i < count; i++)
		ids[i] = rows[i].source_id;
	return pg_query(
		t, known,
		"select source_id, id, deleted_at is not null from business.business where source = $1 and "
		"source_id = any ($2::text[]) order by source_id collate \"C\", deleted_at desc nulls last",
		PG_PARAMS(source, pg_array(t->mem, ids, count)));
}

static int compare_row(const void *a, const void *b)
{
	return strcmp((*(const struct import_row *const *)a)->source_id,
		      (*(const struct import_row *const *)b)->source_id);
}

static int write_row(struct task *t, const char *source, const struct import_row *row,
		     const char *id, bool deleted, struct import_counts *counts)
{
	bool changed = false, created = !id;
	int rc = OK;

	if (deleted) { /* somebody took it out: it stays out */
		counts->unchanged++;
		return OK;
	}
	rc = created ? create(t, source, row, &id) : update(t, id, row, &changed);
	if (!rc && row->inspection)
		rc = write_inspection(t, id, row->inspection, &changed);
	if (rc)
		return rc;
	if (created)
		counts->created++;
	else if (changed)
		counts->updated++;
	else
		counts->unchanged++;
	return OK;
}

/* Rows and what is known of them, both in the order of source_id (bytes), go side by side. */
static int write_rows(struct task *t, const char *source, const struct import_row *rows, int count,
		      struct import_counts *counts)
{
	const struct import_row **sorted = talloc_array(t->mem, const struct import_row *, count);
	struct pg_rows *known;
	int rc = find_known(t, source, rows, count, &known);

	if (rc)
		return rc;
	for (int i = 0; i < count; i++)
		sorted[i] = &rows[i];
	qsort(sorted, (size_t)count, sizeof(sorted[0]), compare_row);
	for (int i = 0, k = 0; i < count; i++) {
		const char *id = NULL;
		bool deleted = false;

		for (; k < pg_count(known) &&
		       strcmp(pg_value(known, k, 0), sorted[i]->source_id) == 0;
		     k++) {
			id = pg_value(known, k, 1);
			deleted = pg_value(known, k, 2)[0] == 't';
		}
		rc = write_row(t, source, sorted[i], id, deleted, counts);
		if (rc)
			return rc;
	}
	return OK;
}

static int end(struct task *t, int rc, bool dry_run)
{
	if (rc || dry_run) {
		pg_rollback(t);
		return rc;
	}
	return pg_commit(t);
}

/* One import writes at a time: two that each hold words and slugs that the other needs would only end each other. */
static int take_turn(struct task *t)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, "select pg_advisory_xact_lock(hashtextextended('import', 13))",
			PG_NONE);
}

int import_write(struct task *t, const char *source, const struct import_row *rows, int count,
		 bool dry_run, struct import_counts *counts)
{
	TALLOC_CTX *whole = t->mem;
	int rc = pg_begin(t);

	if (rc)
		return rc;
	t->mem = talloc_new(whole); /* of this batch */
	rc = take_turn(t);
	if (!rc)
		rc = write_rows(t, source, rows, count, counts);
	if (rc && t->failure.message)
		t->failure.message = talloc_strdup(whole, t->failure.message);
	talloc_free(t->mem);
	t->mem = whole;
	return end(t, rc, dry_run);
}

int import_close_gone(struct task *t, const char *source, const char *ids, bool dry_run,
		      struct import_counts *counts)
{
	struct pg_rows *rows;
	int rc = pg_begin(t);

	if (rc)
		return rc;
	rc = pg_query(
		t, &rows,
		"update business.business set status = 'permanently_closed' where source = $1 and deleted_at is null "
		"and status <> 'permanently_closed' and not 'status' = any (edited_fields) "
		"and source_id not in (select unnest($2::text[]))",
		PG_PARAMS(source, ids));
	if (!rc)
		counts->gone += (long)pg_affected(rows);
	return end(t, rc, dry_run);
}
