/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of an import: which rows are there, create, update what differs and nobody has edited, close. Called by
 * import.c. */
#include "business/import_write.h"

#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "base/uuid.h"
#include "business/business.h"
#include "model/imported.h"
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

static const char *const own_fields[] = { "source", "source_id", "slug", NULL };

static const char *wanted_slug(TALLOC_CTX *mem, struct values *v)
{
	const char *given = values_get(v, "slug")->text;

	return given ? given : str_slug(mem, values_get(v, "name")->text, SLUG_MAX);
}

static int create(struct task *t, const char *source, const struct import_row *row, const char **id)
{
	char *fresh = talloc_array(t->mem, char, UUID_TEXT_SIZE);
	const char *locality = values_get(row->values, "address.locality")->text;
	const struct imported_columns own = {
		.columns = "id, source, source_id, slug",
		.sql = "$1, $2, $3, business.free_slug($4, $5, null)",
		.count = 5,
		.params = { fresh, source, row->source_id, wanted_slug(t->mem, row->values),
			    locality ? str_slug(t->mem, locality, SLUG_MAX) : NULL },
	};

	uuid_new(fresh);
	*id = fresh;
	return imported_add(t, row->values, own_fields, &own);
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
	rc = created ? create(t, source, row, &id)
		     : imported_change(t, row->values, own_fields, id, &changed);
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

struct batch {
	const char *source;
	const struct import_row *rows;
	int count;
	const char *ids; /* of what is still there */
	struct import_counts before, *counts;
};

static int write_batch(struct task *t, void *arg)
{
	const struct batch *batch = arg;

	*batch->counts = batch->before;
	return write_rows(t, batch->source, batch->rows, batch->count, batch->counts);
}

int import_write(struct task *t, const char *source, const struct import_row *rows, int count,
		 bool dry_run, struct import_counts *counts)
{
	struct batch batch = {
		.source = source, .rows = rows, .count = count, .before = *counts, .counts = counts
	};

	return import_transaction(t, dry_run, write_batch, &batch);
}

static int close_batch(struct task *t, void *arg)
{
	const struct batch *batch = arg;
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"update business.business set status = 'permanently_closed' where source = $1 and deleted_at is null "
		"and status <> 'permanently_closed' and not 'status' = any (edited_fields) "
		"and source_id not in (select unnest($2::text[]))",
		PG_PARAMS(batch->source, batch->ids));

	if (!rc)
		batch->counts->gone = batch->before.gone + (long)pg_affected(rows);
	return rc;
}

int import_close_gone(struct task *t, const char *source, const char *ids, bool dry_run,
		      struct import_counts *counts)
{
	struct batch batch = { .source = source, .ids = ids, .before = *counts, .counts = counts };

	return import_transaction(t, dry_run, close_batch, &batch);
}
