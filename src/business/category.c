/* SPDX-License-Identifier: Apache-2.0 */
/* Categories: a tree of what businesses are, at most eight levels deep; the town's own two are in sql/. */
#include <string.h>
#include "api/request.h"
#include "business/business.h"
#include "base/banned.h"

enum { SLUG_MAX = 80 };

static const struct field fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a01\"",
	  .doc = "UUIDv7" },
	{ .name = "slug",
	  .type = SLUG,
	  .flags = FILTER,
	  .max = SLUG_MAX,
	  .example = "\"cafe\"",
	  .doc = "Name in addresses and filters; made from the name when not given." },
	{ .name = "name",
	  .type = TEXT,
	  .flags = REQUIRED | SORT,
	  .min = 1,
	  .max = 80,
	  .sort_sql = "t.name_sort",
	  .example = "\"Cafés and tea rooms\"",
	  .doc = "What people call it." },
	{ .name = "description",
	  .type = TEXT,
	  .flags = MULTILINE,
	  .max = 500,
	  .example = "\"Coffee, tea, cakes and light meals\"",
	  .doc = "What belongs in it." },
	{ .name = "parent",
	  .type = SLUG,
	  .flags = FILTER,
	  .max = SLUG_MAX,
	  .example = "\"food\"",
	  .doc = "Slug of the category above, null at the top." },
	{ .name = "created_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL | SORT,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When it was created." },
	{ .name = "updated_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL | SORT,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When it last changed." },
	{ .name = "deleted_at",
	  .type = TIME,
	  .flags = READ_ONLY,
	  .example = "null",
	  .doc = "When it was deleted; null while it lives." },
	{ 0 },
};

static int before_write(struct request *r, struct values *v, json_t *old)
{
	return values_make_slug(&r->task, v, old, "name", SLUG_MAX);
}

static const struct {
	const char *constraint;
	enum error_code code;
	const char *message;
} conflicts[] = {
	{ "category_slug_key", E_DUPLICATE,
	  "Another category, perhaps a deleted one that can be restored, has this slug" },
	{ "category_parent_fkey", E_CONFLICT,
	  "The parent does not exist, or categories stand below the slug that would change" },
	{ "business_category_category_fkey", E_CONFLICT,
	  "Businesses are in this category: its slug cannot change" },
	{ "category_in_use", E_CONFLICT, "Businesses or categories are still in this category" },
	{ "category_loop", E_CONFLICT, "The category would stand above itself" },
	{ "category_parent_deleted", E_CONFLICT, "The parent is deleted: restore it first" },
	{ "category_depth", E_CONFLICT, "The tree would be more than eight levels deep" },
	{ "category_check", E_CONFLICT, "A category cannot be its own parent" },
};

static int on_conflict(struct request *r, struct values *v, const char *constraint)
{
	(void)v;
	for (size_t i = 0; i < COUNT_OF(conflicts); i++)
		if (strcmp(conflicts[i].constraint, constraint) == 0)
			return fail(r, conflicts[i].code, "%s", conflicts[i].message);
	return fail(r, E_CONFLICT, NULL);
}

const struct resource category_resource = {
	.name = "category",
	.plural = "categories",
	.service = "business",
	.doc = "What a business is: a tree of categories.",
	.allow = { .list = ANYONE,
		   .get = ANYONE,
		   .create = PERMITTED,
		   .update = PERMITTED,
		   .remove = PERMITTED },
	.fields = fields,
	.default_sort = "name",
	.has_slug = true,
	.before_write = before_write,
	.on_conflict = on_conflict,
};
