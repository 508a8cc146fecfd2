/* SPDX-License-Identifier: Apache-2.0 */
/* What the table of businesses cannot say: slugs are made, duplicates refused, categories must exist, a place has both
 * coordinates. Called by api/crud.c before it writes, inside the transaction. */
#include <string.h>
#include "api/request.h"
#include "base/str.h"
#include "business/business.h"
#include "base/banned.h"

enum { SLUG_MAX = 100 };

/* The slug that is to be made free and written, NULL when the caller gave one or it stays. */
static const char *wanted_slug(struct request *r, struct values *v, json_t *old)
{
	struct value *slug = values_get(v, "slug");

	if (slug->text || (old && !slug->set))
		return NULL;
	slug->set = true;
	if (!old)
		return str_slug(MEM(r), values_get(v, "name")->text, SLUG_MAX);
	slug->text = json_string_value(
		json_object_get(old, "slug")); /* a replace without it keeps it */
	return NULL;
}

/* One statement says it all: the free slug, the business that is the same, the categories that do not exist, the owner of
 * the slug that was asked for. */
static const char rules_sql[] =
	"select case when $1::text is not null then business.free_slug($1, $2, $3::uuid) end, "
	"d.id, d.name, d.slug, "
	"(select string_agg(c, ', ') from unnest(array[$8::text]) c where c is not null and not exists "
	"(select from business.category where slug = c and deleted_at is null)), "
	"(select string_agg(c, ', ') from unnest($9::text[]) c where not exists "
	"(select from business.category where slug = c and deleted_at is null)), "
	"(select id from business.business where slug = $10 and deleted_at is null and id is distinct from $3::uuid) "
	"from (values (true)) one left join business.duplicate_of($4, $5, $6, $7, $3::uuid) d on true";

enum { FREE_SLUG, SAME_ID, SAME_NAME, SAME_SLUG, NO_PRIMARY, NO_OTHERS, SLUG_OWNER };

static int judge(struct request *r, const struct pg_rows *answer)
{
	if (pg_value(answer, 0, NO_PRIMARY))
		task_problem(&r->task, "primary_category", "there is no category %s",
			     pg_value(answer, 0, NO_PRIMARY));
	if (pg_value(answer, 0, NO_OTHERS))
		task_problem(&r->task, "other_categories", "there is no category %.200s",
			     pg_value(answer, 0, NO_OTHERS));
	if (r->task.failure.code)
		return r->task.failure.code;
	if (pg_value(answer, 0, SAME_ID))
		return fail(r, E_DUPLICATE, "This business is there already: %s (%s), id %s",
			    pg_value(answer, 0, SAME_NAME), pg_value(answer, 0, SAME_SLUG),
			    pg_value(answer, 0, SAME_ID));
	if (pg_value(answer, 0, SLUG_OWNER))
		return fail(r, E_DUPLICATE, "Another business has this slug: id %s",
			    pg_value(answer, 0, SLUG_OWNER));
	return OK;
}

static int check_database(struct request *r, struct values *v, json_t *old)
{
	const char *slug = wanted_slug(r, v, old);
	const char *own = old ? json_string_value(json_object_get(old, "id")) : NULL;
	const char *locality = values_after(MEM(r), v, old, "address.locality");
	/* what comes back is held against all that lives; of an import only the source decides */
	bool back = old && json_is_string(json_object_get(old, "deleted_at"));
	bool imported = back && json_is_string(json_object_get(old, "source"));
	bool named = (back && !imported) || values_change(v, old, "name") ||
		     values_change(v, old, "address.postcode");
	bool sourced = imported || values_change(v, old, "source") ||
		       values_change(v, old, "source_id");
	bool asked = !slug && (back || values_change(v, old, "slug"));
	const struct value *primary = values_get(v, "primary_category"),
			   *others = values_get(v, "other_categories");
	struct pg_rows *answer;
	int rc;

	if (!slug && !named && !sourced && !asked && !primary->text && !others->text)
		return OK;
	rc = pg_query(&r->task, &answer, rules_sql,
		      PG_PARAMS(slug, locality ? str_slug(MEM(r), locality, SLUG_MAX) : NULL, own,
				named ? values_after(MEM(r), v, old, "name") : NULL,
				named ? values_after(MEM(r), v, old, "address.postcode") : NULL,
				sourced ? values_after(MEM(r), v, old, "source") : NULL,
				sourced ? values_after(MEM(r), v, old, "source_id") : NULL,
				primary->text, others->text,
				asked ? values_after(MEM(r), v, old, "slug") : NULL));
	if (!rc)
		rc = judge(r, answer);
	if (!rc && slug)
		values_get(v, "slug")->text = pg_value(answer, 0, FREE_SLUG);
	return rc;
}

int business_before_write(struct request *r, struct values *v, json_t *old)
{
	values_check_pair(&r->task, v, old, "location.lat", "location.lng");
	values_check_pair(&r->task, v, old, "source", "source_id");
	if (r->task.failure.code)
		return r->task.failure.code;
	return check_database(r, v, old);
}

int business_on_conflict(struct request *r, struct values *v, const char *constraint)
{
	(void)v;
	if (strcmp(constraint, "business_slug") == 0)
		return fail(r, E_DUPLICATE, "Another business has this slug");
	if (strcmp(constraint, "business_source") == 0)
		return fail(r, E_DUPLICATE, "Another business has this source and source_id");
	return fail(r, E_CONFLICT, NULL);
}
