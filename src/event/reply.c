/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: their tables, and what all that deals with them shares. Who replied is told to organisers by name; an address is
 * nobody's to see but its owner's. */
#include "event/reply.h"

#include <sodium.h>
#include <string.h>
#include "api/reply.h"
#include "api/shape.h"
#include "base/config.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "event/event.h"
#include "base/banned.h"

#define STATUSES "going|maybe|declined|requested|refused|waiting|offered|lapsed"
#define STATUS_DOC                                                                                 \
	"going and offered hold places; requested waits for an organiser, waiting for a place. What is offered is lapsed when it was not claimed in time."

static const struct field fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a21\"",
	  .doc = "UUIDv7" },
	{ .name = "event_id",
	  .type = UUID,
	  .flags = READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a12\"",
	  .doc = "What they come to." },
	{ .name = "occurrence_id",
	  .type = UUID,
	  .flags = READ_ONLY | FILTER,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a13\"",
	  .doc = "When." },
	{ .name = "name",
	  .type = TEXT,
	  .flags = READ_ONLY | NOT_NULL | SORT | PERSONAL,
	  .max = 100,
	  .example = "\"Alex Marsh\"",
	  .doc = "Who." },
	{ .name = "status",
	  .type = ENUM,
	  .flags = READ_ONLY | NOT_NULL | FILTER,
	  .choices = STATUSES,
	  .example = "\"going\"",
	  .doc = STATUS_DOC },
	{ .name = "guests",
	  .type = INT,
	  .flags = READ_ONLY | NOT_NULL,
	  .max = 20,
	  .example = "1",
	  .doc = "How many others they bring." },
	{ .name = "note",
	  .type = TEXT,
	  .flags = READ_ONLY | PERSONAL,
	  .max = 500,
	  .example = "\"One of us uses a wheelchair\"",
	  .doc = "What they want the organisers to know." },
	{ .name = "offered_at",
	  .type = TIME,
	  .flags = READ_ONLY,
	  .example = "null",
	  .doc = "When a place was offered to who waited." },
	{ .name = "checked_in_at",
	  .type = TIME,
	  .flags = READ_ONLY,
	  .example = "null",
	  .doc = "When they came; null: they have not." },
	{ .name = "created_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL | SORT,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When they first replied." },
	{ .name = "updated_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When it last changed." },
	{ 0 },
};

static const struct field own_fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a21\"",
	  .doc = "UUIDv7" },
	{ .name = "event_id",
	  .type = UUID,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a12\"",
	  .doc = "What one comes to." },
	{ .name = "occurrence_id",
	  .type = UUID,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a13\"",
	  .doc = "When." },
	{ .name = "title", .type = TEXT, .example = "\"Farmers' market\"", .doc = "The event's." },
	{ .name = "starts_local",
	  .type = LOCAL_TIME,
	  .example = "\"2026-12-05T09:00:00\"",
	  .doc = "Its start, by the wall clock of its time zone." },
	{ .name = "ends_local",
	  .type = LOCAL_TIME,
	  .example = "\"2026-12-05T14:00:00\"",
	  .doc = "Its end." },
	{ .name = "time_zone",
	  .type = ZONE,
	  .example = "\"Europe/London\"",
	  .doc = "IANA time zone." },
	{ .name = "starts_at",
	  .type = TIME,
	  .example = "\"2026-12-05T09:00:00.000000Z\"",
	  .doc = "Its start as an instant." },
	{ .name = "occurrence_status",
	  .type = ENUM,
	  .choices = "scheduled|draft|cancelled|postponed|rescheduled",
	  .example = "\"scheduled\"",
	  .doc = "Does it take place?" },
	{ .name = "status",
	  .type = ENUM,
	  .choices = STATUSES,
	  .example = "\"going\"",
	  .doc = STATUS_DOC },
	{ .name = "guests", .type = INT, .example = "1", .doc = "How many others one brings." },
	{ .name = "note", .type = TEXT, .example = "null", .doc = "For the organisers." },
	{ .name = "announcements",
	  .type = BOOL,
	  .example = "true",
	  .doc = "Does one want to hear what organisers announce?" },
	{ .name = "code",
	  .type = TEXT,
	  .example = "\"7KQ2MX01\"",
	  .doc = "Shown at the door; of who is going." },
	{ .name = "place_in_line",
	  .type = INT,
	  .example = "null",
	  .doc = "Of who is waiting: 1 is next." },
	{ .name = "offered_until",
	  .type = TIME,
	  .example = "null",
	  .doc = "Of who is offered a place: reply `going` by then to take it." },
	{ .name = "replies_until",
	  .type = TIME,
	  .example = "\"2026-12-05T08:00:00.000000Z\"",
	  .doc = "Until then replies are taken." },
	{ .name = "checked_in_at", .type = TIME, .example = "null", .doc = "When one came." },
	{ .name = "created_at",
	  .type = TIME,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When one first replied." },
	{ .name = "updated_at",
	  .type = TIME,
	  .example = "\"2026-11-24T09:00:00.000000Z\"",
	  .doc = "When it last changed." },
	{ .name = "token",
	  .type = SECRET,
	  .example = "null",
	  .doc = "Of a reply without an account, when it is confirmed: changes it later." },
	{ 0 },
};

const struct resource own_reply = {
	.name = "own_reply",
	.plural = "own_replies",
	.service = "event",
	.doc = "One's reply.",
	.fields = own_fields,
};

const char *own_reply_claim(TALLOC_CTX *mem)
{
	return talloc_asprintf(mem, "%d hours", config.reply_claim_hours);
}

const char *own_reply_columns(TALLOC_CTX *mem, const char *from, int claim)
{
	char *columns = talloc_strdup(mem, "");

	for (const struct field *f = own_fields; f->name; f++) {
		const char *comma = f == own_fields ? "" : ", ";

		if (strcmp(f->name, "token") == 0)
			continue;
		if (strcmp(f->name, "offered_until") == 0)
			columns = talloc_asprintf_append_buffer(
				columns,
				"%sleast(%s.offered_at + $%d::interval, case when %s.offered_at is not null then %s.replies_until end)",
				comma, from, claim, from, from);
		else
			columns = talloc_asprintf_append_buffer(columns, "%s%s.%s", comma, from,
								f->name);
	}
	return columns;
}

void own_reply_write(struct writer *j, const struct pg_rows *rows, int row, int first,
		     const char *token)
{
	writer_object(j);
	for (const struct field *f = own_fields; f->name; f++) {
		int column = first + (int)(f - own_fields);

		if (f->type == SECRET) {
			writer_member(j, f->name, token);
			continue;
		}
		writer_key(j, f->name);
		if (pg_value(rows, row, column))
			shape_write_value(j, f, pg_value(rows, row, column),
					  pg_length(rows, row, column));
		else
			writer_null(j);
	}
	writer_object_end(j);
}

/* The id and what only we can make of it: nothing has to be kept, and each mail can bring it. */
const char *reply_token(TALLOC_CTX *mem, const char *id)
{
	return talloc_asprintf(mem, "%s.%s", id, secret_digest(mem, "reply", id));
}

const char *reply_token_read(TALLOC_CTX *mem, const char *token)
{
	const char *id = talloc_strndup(mem, token, UUID_TEXT_SIZE - 1), *right;

	if (!uuid_is(id))
		return NULL;
	right = reply_token(mem, id);
	return strlen(token) == strlen(right) && sodium_memcmp(token, right, strlen(right)) == 0
		       ? id
		       : NULL;
}

#define STATUS_FIELD(more)                                                                         \
	{                                                                                          \
		.name = "status", .type = ENUM, .flags = (more),                                   \
		.choices = "going|maybe|declined", .example = "\"going\"", .doc = "Does one come?" \
	}
#define ANSWER_FIELDS                                                                              \
	{ .name = "guests",                                                                        \
	  .type = INT,                                                                             \
	  .max = 20,                                                                               \
	  .example = "1",                                                                          \
	  .doc = "How many others one brings; 0 by default." },                                    \
		{ .name = "note",                                                                  \
		  .type = TEXT,                                                                    \
		  .min = 1,                                                                        \
		  .max = 500,                                                                      \
		  .example = "\"One of us uses a wheelchair\"",                                    \
		  .doc = "For the organisers." },                                                  \
	{                                                                                          \
		.name = "announcements", .type = BOOL, .example = "true",                          \
		.doc = "Does one want to hear what organisers announce? By default yes."           \
	}
#define TOKEN_FIELD                                                                                \
	{                                                                                          \
		.name = "token", .type = SECRET, .flags = REQUIRED, .min = 1, .max = 200,          \
		.example = "\"dGhpcyBpcyBhIHRva2VuIG9mIDI1NiBiaXRz\"",                             \
		.doc = "Of the mail's link."                                                       \
	}

static const struct field body_fields[] = { STATUS_FIELD(REQUIRED), ANSWER_FIELDS, { 0 } };
static const struct field mail_fields[] = {
	{ .name = "email",
	  .type = EMAIL,
	  .flags = REQUIRED,
	  .max = 254,
	  .example = "\"alex@example.org\"",
	  .doc = "Where the link goes that confirms it." },
	{ .name = "name",
	  .type = TEXT,
	  .flags = REQUIRED,
	  .min = 1,
	  .max = 100,
	  .example = "\"Alex Marsh\"",
	  .doc = "As the organisers read it." },
	STATUS_FIELD(REQUIRED),
	ANSWER_FIELDS,
	{ 0 },
};
static const struct field token_fields[] = { TOKEN_FIELD, { 0 } };
static const struct field change_fields[] = { TOKEN_FIELD, STATUS_FIELD(0), ANSWER_FIELDS, { 0 } };
static const struct field decide_fields[] = {
	{ .name = "status",
	  .type = ENUM,
	  .flags = REQUIRED,
	  .choices = "going|refused",
	  .example = "\"going\"",
	  .doc = "May they come? When there is no place, who may is waiting." },
	{ 0 },
};
static const struct field check_in_fields[] = {
	{ .name = "code",
	  .type = TEXT,
	  .min = 1,
	  .max = 40,
	  .example = "\"7KQ2MX01\"",
	  .doc = "What they show; capitals or not." },
	{ .name = "reply_id",
	  .type = UUID,
	  .example = "null",
	  .doc = "Instead of it: of who has forgotten the code." },
	{ 0 },
};
static const struct field announcement_fields[] = {
	{ .name = "subject",
	  .type = TEXT,
	  .flags = REQUIRED,
	  .min = 1,
	  .max = 120,
	  .example = "\"Bring an umbrella\"",
	  .doc = "Of the mail." },
	{ .name = "text",
	  .type = TEXT,
	  .flags = REQUIRED | MULTILINE,
	  .min = 1,
	  .max = 1800,
	  .example = "\"It will rain. We are in the tent.\"",
	  .doc = "What is to be said." },
	{ .name = "occurrence_id",
	  .type = UUID,
	  .example = "null",
	  .doc = "To those who come to this one; null: to all who come." },
	{ 0 },
};

const struct resource reply_body = { .name = "reply_body",
				     .fields = body_fields,
				     .doc = "An answer." };
const struct resource reply_mail_body = { .name = "reply_by_mail",
					  .fields = mail_fields,
					  .doc = "An answer without an account." };
const struct resource reply_token_body = { .name = "reply_token",
					   .fields = token_fields,
					   .doc = "The token of a mail." };
const struct resource reply_change_body = { .name = "reply_change",
					    .fields = change_fields,
					    .doc = "An answer that changes, or is only read." };
const struct resource reply_decide_body = { .name = "reply_decision",
					    .fields = decide_fields,
					    .doc = "An organiser's decision." };
const struct resource check_in_body = { .name = "check_in",
					.fields = check_in_fields,
					.doc = "Who has come." };
const struct resource announcement_body = { .name = "announcement",
					    .fields = announcement_fields,
					    .doc = "What an organiser has to say." };

#define OCCURRENCE "/events/{id}/occurrences/{occurrence_id}"

static const struct action actions[] = {
	{ .method = METHOD_GET,
	  .path = OCCURRENCE "/reply",
	  .allow = SIGNED_IN,
	  .name = "reply_own",
	  .act = reply_get,
	  .resource = &own_reply,
	  .doc = "One's own reply to an occurrence." },
	{ .method = METHOD_PUT,
	  .path = OCCURRENCE "/reply",
	  .allow = SIGNED_IN,
	  .takes = &reply_body,
	  .name = "reply_put",
	  .act = reply_put,
	  .resource = &own_reply,
	  .doc = "Reply, or change one's reply. Where there is no place one waits in a line; who is offered a place takes it by replying `going` again." },
	{ .method = METHOD_POST,
	  .path = OCCURRENCE "/replies",
	  .allow = ANYONE,
	  .limit = "mail",
	  .takes = &reply_mail_body,
	  .status = 202,
	  .name = "reply_by_mail",
	  .act = reply_by_mail,
	  .reply_schema = REPLY_STATUS_SCHEMA,
	  .doc = "Reply without an account: it counts when the link of the mail that follows is confirmed." },
	{ .method = METHOD_POST,
	  .path = "/replies/confirm",
	  .allow = ANYONE,
	  .takes = &reply_token_body,
	  .name = "reply_confirm",
	  .act = reply_confirm,
	  .resource = &own_reply,
	  .doc = "Confirm a reply with the token of the mail." },
	{ .method = METHOD_POST,
	  .path = "/replies/by-token",
	  .allow = ANYONE,
	  .takes = &reply_change_body,
	  .name = "reply_by_token",
	  .act = reply_by_token,
	  .resource = &own_reply,
	  .doc = "See a reply that was given without an account, or, with `status`, change it." },
	{ .method = METHOD_PATCH,
	  .path = "/events/{id}/replies/{reply_id}",
	  .allow = PERMITTED,
	  .permission = "event:update",
	  .related = EVENT_ORGANISERS,
	  .writes = true,
	  .takes = &reply_decide_body,
	  .name = "reply_decide",
	  .act = reply_decide,
	  .resource = &reply_resource,
	  .doc = "Let somebody come, or not: for events whose replies need approval, and to take somebody off the list." },
	{ .method = METHOD_POST,
	  .path = OCCURRENCE "/check-in",
	  .allow = PERMITTED,
	  .permission = "event:update",
	  .related = EVENT_ORGANISERS,
	  .writes = true,
	  .takes = &check_in_body,
	  .name = "reply_check_in",
	  .act = reply_check_in,
	  .resource = &reply_resource,
	  .doc = "Somebody has come, and shows their code. A code is good once." },
	{ .method = METHOD_GET,
	  .path = "/events/{id}/replies.csv",
	  .allow = PERMITTED,
	  .permission = "reply:read",
	  .related = EVENT_ORGANISERS,
	  .writes = true,
	  .name = "reply_csv",
	  .parameters = reply_csv_parameters,
	  .act = reply_csv,
	  .media_type = "text/csv",
	  .doc = "Who has replied, as a table (RFC 4180). It is noted in the audit trail." },
	{ .method = METHOD_POST,
	  .path = "/events/{id}/announcements",
	  .allow = PERMITTED,
	  .permission = "event:update",
	  .related = EVENT_ORGANISERS,
	  .writes = true,
	  .takes = &announcement_body,
	  .status = 202,
	  .name = "reply_announce",
	  .act = reply_announce,
	  .reply_schema =
		  "{\"type\":\"object\",\"properties\":{\"recipients\":{\"type\":\"integer\"}}}",
	  .doc = "Mail something to all who come, may come or wait; three times a day at most." },
	{ .method = METHOD_GET,
	  .path = "/me/replies",
	  .allow = SIGNED_IN,
	  .name = "my_replies",
	  .parameters = my_replies_parameters,
	  .act = my_replies,
	  .resource = &own_reply,
	  .many = true,
	  .doc = "One's replies to what is to come, the next first; 200 at most." },
	{ .method = METHOD_GET,
	  .path = "/me/calendar",
	  .allow = SIGNED_IN,
	  .name = "my_calendar",
	  .act = my_calendar,
	  .reply_schema =
		  "{\"type\":\"object\",\"properties\":{\"created_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}}}",
	  .doc = "Since when the calendar of one's replies has an address; null: it has none." },
	{ .method = METHOD_POST,
	  .path = "/me/calendar",
	  .allow = SIGNED_IN,
	  .writes = true,
	  .status = 201,
	  .name = "my_calendar_make",
	  .act = my_calendar_make,
	  .reply_schema =
		  "{\"type\":\"object\",\"properties\":{\"url\":{\"type\":\"string\",\"format\":\"uri\"}}}",
	  .doc = "A new secret address for the calendar of one's replies, shown this once; the one before is good no longer." },
	{ .method = METHOD_DELETE,
	  .path = "/me/calendar",
	  .allow = SIGNED_IN,
	  .writes = true,
	  .name = "my_calendar_end",
	  .act = my_calendar_end,
	  .reply_schema = REPLY_STATUS_SCHEMA,
	  .doc = "Take the address back." },
	{ .method = METHOD_GET,
	  .path = "/calendars/{token}",
	  .allow = ANYONE,
	  .tagged = true,
	  .name = "my_calendar_feed",
	  .act = my_calendar_feed,
	  .media_type = "text/calendar",
	  .doc = "The calendar (RFC 5545) of somebody's replies, by its secret address." },
	{ 0 },
};

const struct resource reply_resource = {
	.name = "reply",
	.plural = "replies",
	.service = "event",
	.doc = "Who comes, for those who organise it.",
	.parent = "events",
	.parent_column = "event_id",
	.parent_resource = &event_resource,
	.allow = { .list = PERMITTED, .get = PERMITTED },
	.related = { .read = EVENT_ORGANISERS },
	.fields = fields,
	.actions = actions,
	.default_sort = "created_at",
	.audited_reads = true,
};
