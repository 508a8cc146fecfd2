/* SPDX-License-Identifier: Apache-2.0 */
/* Categories of events: a flat list, whose first rows are in sql/. */
#include <string.h>
#include "api/request.h"
#include "event/event.h"
#include "base/banned.h"

enum { SLUG_MAX = 80 };

static const struct field fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a11\"",
	  .doc = "UUIDv7" },
	{ .name = "slug",
	  .type = SLUG,
	  .flags = FILTER,
	  .max = SLUG_MAX,
	  .example = "\"markets\"",
	  .doc = "Name in addresses and filters; made from the name when not given." },
	{ .name = "name",
	  .type = TEXT,
	  .flags = REQUIRED | SORT,
	  .min = 1,
	  .max = 80,
	  .sort_sql = "t.name_sort",
	  .example = "\"Markets and fairs\"",
	  .doc = "What people call it." },
	{ .name = "description",
	  .type = TEXT,
	  .flags = MULTILINE,
	  .max = 500,
	  .example = "\"Street, farmers' and craft markets, car boot sales\"",
	  .doc = "What belongs in it." },
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

static int on_conflict(struct request *r, struct values *v, const char *constraint)
{
	(void)v;
	if (strcmp(constraint, "event_category_slug_key") == 0)
		return fail(
			r, E_DUPLICATE,
			"Another category, perhaps a deleted one that can be restored, has this slug");
	return fail(r, E_CONFLICT, NULL);
}

const struct resource event_category_resource = {
	.name = "event_category",
	.plural = "event-categories",
	.service = "event",
	.doc = "What kind of event it is.",
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
