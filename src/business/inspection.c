/* SPDX-License-Identifier: Apache-2.0 */
/* Inspections of a business: the food hygiene ratings of England, Wales and Northern Ireland (FHRS, 0 to 5) and the
 * results of Scotland (FHIS, words). The newest number is what ?inspection_min= compares. */
#include <string.h>
#include "api/request.h"
#include "business/business.h"
#include "base/banned.h"

static const struct field fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a02\"",
	  .doc = "UUIDv7" },
	{ .name = "business_id",
	  .type = UUID,
	  .flags = READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03\"",
	  .doc = "The business inspected." },
	{ .name = "scheme",
	  .type = ENUM,
	  .flags = REQUIRED | FILTER,
	  .choices = "fhrs|fhis",
	  .example = "\"fhrs\"",
	  .doc = "Who rates: Food Hygiene Rating Scheme or Information Scheme." },
	{ .name = "rating",
	  .type = TEXT,
	  .flags = REQUIRED,
	  .min = 1,
	  .max = 40,
	  .example = "\"5\"",
	  .doc = "As the scheme says it: \"5\", \"AwaitingInspection\", \"Pass\"." },
	{ .name = "rating_value",
	  .type = INT,
	  .flags = READ_ONLY,
	  .min = 0,
	  .max = 5,
	  .example = "5",
	  .doc = "The rating when it is a number, else null." },
	{ .name = "date",
	  .type = DATE,
	  .flags = SORT,
	  .sort_sql = "coalesce(t.date, '-infinity')",
	  .example = "\"2020-03-05\"",
	  .doc = "Day of the inspection." },
	{ .name = "hygiene_score",
	  .type = INT,
	  .min = 0,
	  .max = 50,
	  .example = "5",
	  .doc = "Penalty points for hygiene: 0 is best." },
	{ .name = "structural_score",
	  .type = INT,
	  .min = 0,
	  .max = 50,
	  .example = "5",
	  .doc = "Penalty points for the building: 0 is best." },
	{ .name = "confidence_score",
	  .type = INT,
	  .min = 0,
	  .max = 50,
	  .example = "0",
	  .doc = "Penalty points for the management: 0 is best." },
	{ .name = "created_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When it was created." },
	{ .name = "updated_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL,
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
	const struct value *rating = values_get(v, "rating");
	struct value *number = values_get(v, "rating_value");

	(void)r;
	(void)old;
	if (!rating->set)
		return OK;
	number->set = true;
	number->text = strlen(rating->text) == 1 && strchr("012345", rating->text[0]) ? rating->text
										      : NULL;
	return OK;
}

const struct resource inspection_resource = {
	.name = "inspection",
	.plural = "inspections",
	.service = "business",
	.doc = "Results of official inspections of a business.",
	.parent = "businesses",
	.parent_column = "business_id",
	.parent_resource = &business_resource,
	.allow = { .list = ANYONE,
		   .get = ANYONE,
		   .create = PERMITTED,
		   .update = PERMITTED,
		   .remove = PERMITTED },
	.fields = fields,
	.default_sort = "-date",
	.track_edits = true,
	.before_write = before_write,
};
