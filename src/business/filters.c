/* SPDX-License-Identifier: Apache-2.0 */
/* The query parameters of a list of businesses that are not simply a field: search, category, place, attributes. Each
 * checks its value and adds a condition that an index answers. Some look into the database first: they wait. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "api/find.h"
#include "api/query.h"
#include "api/request.h"
#include "api/shape.h"
#include "model/types.h"
#include "base/formats.h"
#include "base/str.h"
#include "business/business.h"
#include "model/values.h"
#include "base/banned.h"

enum { CATEGORIES_MAX = 20, ATTRIBUTES_MAX = 10, SLUG_MAX = 80 };

static const struct way_in by_category = {
	.from = "business.listing l left join business.business t on t.id = l.business_id",
	.deleted_at = "l.deleted_at",
	.id = "l.business_id",
	.sort = "l.name_sort",
	.instead_of = "t.name_sort",
};

/* Any of some: few businesses are looked up, many are met in the order of the list. */
static int filter_categories(struct request *r, struct select *s, const char *slugs)
{
	struct select probe;
	bool broad;
	int rc;

	select_init(&probe, MEM(r), s->resource);
	probe.way_in = &by_category;
	select_where(&probe, "l.category = any ($%d::text[])", select_param(&probe, slugs));
	rc = select_is_broad(r, &probe, &broad);
	if (rc)
		return rc;
	select_where(
		s,
		broad ? "t.id in (select business_id from business.listing where category = any ($%d::text[]))"
		      : "t.id = any (array(select business_id from business.listing where category = any ($%d::text[])))",
		select_param(s, slugs));
	return OK;
}

static int filter_category(struct request *r, struct select *s, const char *value)
{
	char **slugs;
	int n = str_split(MEM(r), value, ',', CATEGORIES_MAX, &slugs);

	if (n < 0)
		return task_problem(&r->task, "category", "takes at most %d slugs", CATEGORIES_MAX);
	for (int i = 0; i < n; i++)
		if (!str_is_slug(slugs[i], SLUG_MAX))
			return task_problem(&r->task, "category", "\"%.80s\" is not a slug",
					    slugs[i]);
	if (n > 1)
		return filter_categories(r, s, pg_array(MEM(r), (const char *const *)slugs, n));
	s->way_in = &by_category;
	select_page_where(s, "t.id = l.business_id"); /* an inner join from here on */
	select_where(s, "l.category = $%d", select_param(s, slugs[0]));
	s->quick_sort = by_category.sort;
	s->quick_conditions = 1;
	return OK;
}

/* Is it a whole outward code, "GU1" or "EC1A"? Letters, digits, and at most one letter after them. */
static bool is_outcode(const char *text)
{
	size_t letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	size_t digits = strspn(text + letters, "0123456789");
	const char *rest = text + letters + digits;

	if (letters < 1 || letters > 2 || digits < 1 || digits > 2)
		return false;
	return rest[0] == '\0' || (isupper((unsigned char)rest[0]) && rest[1] == '\0');
}

/* GU1 means GU1 and not GU10: a whole outward code ends at the blank. Anything else is a beginning. */
static int filter_postcode(struct request *r, struct select *s, const char *value)
{
	char *prefix = str_trim(talloc_strdup(MEM(r), value));
	const char *whole;

	for (char *c = prefix; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	if (!prefix[0] || strlen(prefix) > 12 ||
	    prefix[strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -")] != '\0')
		return task_problem(&r->task, "postcode",
				    "must be a postcode or the beginning of one such as GU1 3");
	whole = format_postcode(MEM(r), prefix);
	if (whole)
		prefix = talloc_strdup(MEM(r), whole);
	else if (is_outcode(prefix))
		prefix = talloc_asprintf(MEM(r), "%s ", prefix);
	select_where(s, "t.address_postcode ~>=~ $%d and t.address_postcode ~<~ $%d",
		     select_param(s, prefix),
		     select_param(s, talloc_asprintf(MEM(r), "%s\x7f", prefix)));
	return OK;
}

static const struct field *attribute_row(const char *name)
{
	for (const struct field *f = business_resource.fields; f->name; f++)
		for (const struct field *m = f->members; m && m->name; m++)
			if (strcmp(m->name, name) == 0)
				return m;
	return NULL;
}

/* "yes" and "no" are what people write for a flag. */
static json_t *attribute_value(TALLOC_CTX *mem, const struct field *row, const char *text)
{
	const char *problem;

	if (row->type != BOOL)
		return type_check_text(mem, row, text, &problem) ? json_string(text) : NULL;
	if (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0)
		return json_true();
	return strcmp(text, "no") == 0 || strcmp(text, "false") == 0 ? json_false() : NULL;
}

static int add_attribute(struct request *r, json_t *wanted, char *pair)
{
	char *colon = strchr(pair, ':');
	const struct field *row;
	json_t *value;

	if (!colon)
		return task_problem(&r->task, "attributes",
				    "must be pairs such as wifi:free,dogs:yes");
	*colon = '\0';
	row = attribute_row(pair);
	if (!row)
		return task_problem(&r->task, "attributes", "there is no attribute \"%.40s\"",
				    pair);
	value = attribute_value(MEM(r), row, colon + 1);
	if (!value)
		return task_problem(&r->task, "attributes", "\"%.40s\" must be %s", pair,
				    row->type == BOOL ? "yes or no" : row->choices);
	if (!(row->flags & MANY)) {
		json_object_set_new(wanted, pair, value);
		return OK;
	}
	if (!json_object_get(wanted, pair))
		json_object_set_new(wanted, pair, json_array());
	json_array_append_new(json_object_get(wanted, pair), value);
	return OK;
}

static int filter_attributes(struct request *r, struct select *s, const char *value)
{
	json_t *wanted = json_keep(MEM(r), json_object());
	char **pairs, *text;
	int n = str_split(MEM(r), value, ',', ATTRIBUTES_MAX, &pairs);

	if (n < 0)
		return task_problem(&r->task, "attributes", "takes at most %d pairs",
				    ATTRIBUTES_MAX);
	for (int i = 0; i < n; i++) {
		int rc = add_attribute(r, wanted, pairs[i]);

		if (rc)
			return rc;
	}
	text = json_dumps(wanted, JSON_COMPACT);
	select_where(s, "t.attributes @> $%d::jsonb", select_param(s, talloc_strdup(MEM(r), text)));
	free(text);
	return OK;
}

static int filter_inspection_min(struct request *r, struct select *s, const char *value)
{
	long long rating;

	(void)value;
	if (query_int(r, "inspection_min", 0, 5, 0, &rating))
		return E_VALIDATION;
	select_where(s, "t.inspection_rating >= $%d::smallint",
		     select_param(s, talloc_asprintf(MEM(r), "%lld", rating)));
	return OK;
}

const struct filter business_filters[] = {
	{ .name = "q",
	  .schema = "{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}",
	  .example = "\"starbuks\"",
	  .apply = find_q,
	  .doc = "Words of name, category, place or description; all must match, typing errors are forgiven." },
	{ .name = "category",
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"food\"",
	  .apply = filter_category,
	  .doc = "Slug of a category, those below it included; a comma list means any of them." },
	FIND_PLACE,
	{ .name = "postcode",
	  .schema = "{\"type\":\"string\",\"maxLength\":12}",
	  .example = "\"GU1 3\"",
	  .apply = filter_postcode,
	  .doc = "The beginning of a postcode; GU1 means GU1 and not GU10." },
	{ .name = "attributes",
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"wifi:free,dogs:yes\"",
	  .apply = filter_attributes,
	  .doc = "Pairs that must all hold." },
	{ .name = "inspection_min",
	  .schema = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":5}",
	  .example = "4",
	  .apply = filter_inspection_min,
	  .doc = "The newest rating that is a number is at least this." },
	{ 0 },
};
