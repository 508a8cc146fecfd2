/* SPDX-License-Identifier: Apache-2.0 */
/* Businesses: every place of the town that has a door, a name and a purpose. Fields, relations and sorts; the filters
 * and the rules have their own files. */
#include "business/business.h"
#include "base/banned.h"

static const struct field attribute_fields[] = {
	{ .name = "wheelchair", .type = ENUM, .choices = "yes|limited|no", .example = "\"yes\"",
	  .doc = "Can a wheelchair get in and around?" },
	{ .name = "dogs", .type = ENUM, .choices = "yes|outside|no", .example = "\"outside\"", .doc = "Are dogs let in?" },
	{ .name = "wifi", .type = ENUM, .choices = "free|paid|no", .example = "\"free\"", .doc = "Internet for guests." },
	{ .name = "payment", .type = ENUM, .flags = MANY, .max_items = 8,
	  .choices = "cash|card|contactless|cheque|voucher|account|bitcoin", .example = "[\"cash\", \"card\"]",
	  .doc = "What is taken at the till." },
	{ .name = "toilets", .type = ENUM, .choices = "yes|customers|no", .example = "\"customers\"",
	  .doc = "Are there toilets, and for whom?" },
	{ .name = "parking", .type = ENUM, .choices = "free|paid|no", .example = "\"paid\"", .doc = "Parking on the spot." },
	{ .name = "takeaway", .type = BOOL, .example = "true", .doc = "Food to take away." },
	{ .name = "delivery", .type = BOOL, .example = "false", .doc = "Brings to the door." },
	{ .name = "outdoor_seating", .type = BOOL, .example = "true", .doc = "Seats in the open." },
	{ .name = "baby_changing", .type = BOOL, .example = "true", .doc = "A place to change nappies." },
	{ .name = "family_friendly", .type = BOOL, .example = "true", .doc = "Children are welcome." },
	{ .name = "vegan", .type = ENUM, .choices = "yes|only|no", .example = "\"yes\"", .doc = "Vegan food." },
	{ .name = "halal", .type = ENUM, .choices = "yes|only|no", .example = "\"no\"", .doc = "Halal food." },
	{ .name = "reservations", .type = ENUM, .choices = "yes|required|no", .example = "\"yes\"",
	  .doc = "Can a table or a time be booked?" },
	{ 0 },
};

static const struct field fields[] = {
	{ .name = "id", .type = UUID, .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03\"", .doc = "UUIDv7" },
	{ .name = "name", .type = TEXT, .flags = REQUIRED | SORT, .min = 1, .max = 160, .sort_sql = "t.name_sort",
	  .example = "\"The Boatman\"", .doc = "As on the sign." },
	{ .name = "slug", .type = SLUG, .max = 120, .example = "\"the-boatman\"",
	  .doc = "Name in addresses; made from the name, and the locality where taken, when not given." },
	{ .name = "description", .type = TEXT, .flags = MULTILINE, .max = 5000,
	  .example = "\"Riverside pub with a garden\"", .doc = "Plain text." },
	{ .name = "status", .type = ENUM, .flags = FILTER | NOT_NULL,
	  .choices = "operational|temporarily_closed|permanently_closed|opening_soon", .example = "\"operational\"",
	  .doc = "Is it in business?" },
	{ .name = "phone", .type = PHONE, .example = "\"+441483568024\"", .doc = "E.164; spaces and a leading 0 are normalised." },
	{ .name = "email", .type = EMAIL, .max = 254, .example = "\"hello@boatman.example\"", .doc = "For the public." },
	{ .name = "website", .type = URL, .max = 2000, .example = "\"https://boatman.example/\"", .doc = "http or https." },
	{ .name = "price_level", .type = INT, .flags = FILTER, .min = 1, .max = 4, .example = "2",
	  .doc = "1 cheap to 4 dear." },
	{ .name = "address.lines", .type = TEXT, .flags = MANY | NOT_NULL, .min = 1, .max = 160, .max_items = 4,
	  .example = "[\"Millbrook\"]", .doc = "House and street, without locality and postcode." },
	{ .name = "address.locality", .type = TEXT, .min = 1, .max = 100, .example = "\"Guildford\"", .doc = "Town or village." },
	{ .name = "address.region", .type = TEXT, .min = 1, .max = 100, .example = "\"Surrey\"", .doc = "County." },
	{ .name = "address.postcode", .type = POSTCODE, .max = 12, .example = "\"GU1 3XJ\"",
	  .doc = "Checked and normalised when the country is GB." },
	{ .name = "address.country", .type = COUNTRY, .flags = NOT_NULL, .example = "\"GB\"", .doc = "ISO 3166-1 alpha-2." },
	{ .name = "location.lat", .type = DECIMAL, .min = -90, .max = 90, .example = "51.2332",
	  .doc = "Degrees north, WGS 84." },
	{ .name = "location.lng", .type = DECIMAL, .min = -180, .max = 180, .example = "-0.5755",
	  .doc = "Degrees east, WGS 84." },
	{ .name = "time_zone", .type = ZONE, .flags = NOT_NULL, .example = "\"Europe/London\"", .doc = "IANA time zone." },
	{ .name = "primary_category", .type = SLUG, .max = 80, .example = "\"pub\"", .doc = "Slug of its first category." },
	{ .name = "other_categories", .type = SLUG, .flags = MANY | NOT_NULL, .max = 80, .max_items = 10,
	  .example = "[\"restaurant\"]", .doc = "Slugs of further categories." },
	{ .name = "attributes", .type = OBJECT, .flags = NOT_NULL, .members = attribute_fields,
	  .example = "{\"dogs\": \"yes\", \"wifi\": \"free\"}", .doc = "What guests ask about." },
	{ .name = "source", .type = TEXT, .flags = FILTER, .min = 1, .max = 40, .example = "\"fhrs:307\"",
	  .doc = "Where an import took it from." },
	{ .name = "source_id", .type = TEXT, .min = 1, .max = 100, .example = "\"512814\"", .doc = "Its id there." },
	{ .name = "verified", .type = BOOL, .flags = FILTER | NOT_NULL, .example = "false",
	  .doc = "Has the town checked that it is what it says?" },
	{ .name = "inspection_rating", .type = INT, .flags = READ_ONLY, .min = 0, .max = 5, .example = "5",
	  .doc = "The newest rating that is a number." },
	{ .name = "created_at", .type = TIME, .flags = READ_ONLY | SORT,
	  .example = "\"2026-11-24T09:00:00.000000Z\"", .doc = "When it was created." },
	{ .name = "updated_at", .type = TIME, .flags = READ_ONLY | SORT,
	  .example = "\"2026-11-24T09:00:00.000000Z\"", .doc = "When it last changed." },
	{ .name = "deleted_at", .type = TIME, .flags = READ_ONLY, .example = "null",
	  .doc = "When it was deleted; null while it lives." },
	{ 0 },
};

static const struct field hit_fields[] = {
	{ .name = "distance_m", .type = DECIMAL, .example = "412.7", .doc = "Metres from the point of `near`." },
	{ 0 },
};

static const struct sort sorts[] = {
	{ .name = "distance", .needs = "near", .doc = "Nearest first." },
	{ .name = "relevance", .needs = "q", .descending = true, .doc = "Best match first." },
	{ 0 },
};

static const struct relation relations[] = {
	{ .name = "categories", .resource = &category_resource, .doc = "Its categories, the primary one first.",
	  .join = "join business.business_category bc on bc.business_id = o.id "
		  "join business.category t on t.slug = bc.category",
	  .order = "bc.position" },
	{ .name = "inspections", .resource = &inspection_resource, .doc = "Its inspections, the newest first.",
	  .join = "join business.inspection t on t.business_id = o.id", .order = "t.date desc nulls last, t.id" },
	{ 0 },
};

static const struct action actions[] = {
	{ .method = METHOD_GET, .path = "/businesses/suggest", .allow = ANYONE, .name = "business_suggest",
	  .doc = "Names that begin like what was typed, or nearly: for as-you-type.",
	  .parameters = suggest_parameters, .act = business_suggest,
	  .reply_schema = "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
			  "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},\"slug\":{\"type\":\"string\"},"
			  "\"name\":{\"type\":\"string\"},\"locality\":{\"type\":[\"string\",\"null\"]},"
			  "\"primary_category\":{\"type\":[\"string\",\"null\"]}}}}" },
	{ 0 },
};

const struct resource business_resource = {
	.name = "business",
	.plural = "businesses",
	.service = "business",
	.doc = "The town's businesses and places.",
	.allow = { .list = ANYONE, .get = ANYONE, .create = ADMIN, .update = ADMIN, .remove = ADMIN },
	.fields = fields,
	.filters = business_filters,
	.sorts = sorts,
	.hit_fields = hit_fields,
	.relations = relations,
	.actions = actions,
	.default_sort = "name",
	.has_slug = true,
	.track_edits = true,
	.before_write = business_before_write,
	.on_conflict = business_on_conflict,
};
