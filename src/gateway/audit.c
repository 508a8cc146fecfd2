/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail, read with the permission audit_event:read: nobody writes it through the API. It is written by store/audit.c and
 * sealed into a chain that `guildford audit verify` checks. */
#include "api/request.h"
#include "api/select.h"
#include "base/time.h"
#include "gateway/gateway.h"
#include "base/banned.h"

static const struct field fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a11\"",
	  .doc = "UUIDv7" },
	{ .name = "created_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL | SORT,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When it was done." },
	{ .name = "action",
	  .type = TEXT,
	  .flags = READ_ONLY | NOT_NULL | FILTER,
	  .max = 80,
	  .example = "\"business:update\"",
	  .doc = "What was done." },
	{ .name = "actor_kind",
	  .type = ENUM,
	  .flags = READ_ONLY | NOT_NULL,
	  .choices = "person|key|program|nobody",
	  .example = "\"person\"",
	  .doc = "What kind of caller did it; program is the server itself and its commands." },
	{ .name = "actor_id",
	  .type = UUID,
	  .flags = READ_ONLY | FILTER,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a12\"",
	  .doc = "The person who did it, or whose key did." },
	{ .name = "key_id",
	  .type = UUID,
	  .flags = READ_ONLY,
	  .example = "null",
	  .doc = "The API key that was used." },
	{ .name = "session_id",
	  .type = UUID,
	  .flags = READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a13\"",
	  .doc = "The session in which it was done." },
	{ .name = "address",
	  .type = ADDRESS,
	  .flags = READ_ONLY,
	  .example = "\"192.0.2.1\"",
	  .doc = "From where: the caller's IPv4 or IPv6 address." },
	{ .name = "request_id",
	  .type = TEXT,
	  .flags = READ_ONLY,
	  .max = 64,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a14\"",
	  .doc = "X-Request-Id of the request, which the log has as well." },
	{ .name = "resource",
	  .type = TEXT,
	  .flags = READ_ONLY | FILTER,
	  .max = 40,
	  .example = "\"business\"",
	  .doc = "What kind of thing it was done to." },
	{ .name = "resource_id",
	  .type = UUID,
	  .flags = READ_ONLY | FILTER,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03\"",
	  .doc = "Which one." },
	{ .name = "before",
	  .type = OBJECT,
	  .flags = READ_ONLY,
	  .example = "{\"phone\":null}",
	  .doc = "The fields that changed, as they were." },
	{ .name = "after",
	  .type = OBJECT,
	  .flags = READ_ONLY,
	  .example = "{\"phone\":\"+441483444333\"}",
	  .doc = "The same as they are now." },
	{ .name = "detail",
	  .type = OBJECT,
	  .flags = READ_ONLY,
	  .example = "null",
	  .doc = "What else there is to say, such as the counts of an import." },
	{ 0 },
};

static int bound(struct request *r, struct select *s, const char *name, const char *value,
		 const char *comparison)
{
	if (!time_is_rfc3339(value))
		return task_problem(&r->task, name,
				    "must be an RFC 3339 date-time such as 2026-11-24T09:30:00Z");
	select_where(s, "t.created_at %s $%d::timestamptz", comparison, select_param(s, value));
	return OK;
}

static int filter_since(struct request *r, struct select *s, const char *value)
{
	return bound(r, s, "since", value, ">=");
}

static int filter_until(struct request *r, struct select *s, const char *value)
{
	return bound(r, s, "until", value, "<");
}

static const struct filter filters[] = {
	{ .name = "since",
	  .apply = filter_since,
	  .schema = "{\"type\":\"string\",\"format\":\"date-time\"}",
	  .example = "\"2026-11-24T00:00:00Z\"",
	  .doc = "Events from this moment on." },
	{ .name = "until",
	  .apply = filter_until,
	  .schema = "{\"type\":\"string\",\"format\":\"date-time\"}",
	  .example = "\"2026-11-25T00:00:00Z\"",
	  .doc = "Events before this moment." },
	{ 0 },
};

const struct resource audit_event_resource = {
	.name = "audit_event",
	.plural = "audit-events",
	.service = "platform",
	.doc = "Who did what, when, from where, and what it changed. Append-only.",
	.allow = { .list = PERMITTED, .get = PERMITTED },
	.fields = fields,
	.filters = filters,
	.default_sort = "-created_at",
};
