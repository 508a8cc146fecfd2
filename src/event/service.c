/* SPDX-License-Identifier: Apache-2.0 */
/* The Event service's row: what it consists of. */
#include "event/event.h"
#include "event/reply.h"
#include "event/series.h"
#include "event/subscribe.h"
#include "event/when.h"
#include "store/job.h"
#include "base/banned.h"

static const struct resource *const resources[] = {
	&event_category_resource, &event_resource, &occurrence_resource, &reply_resource, NULL,
};

static const struct job jobs[] = {
	{ .name = "event_extend",
	  .every_ms = 10000,
	  .timeout_ms = 60000,
	  .wanted =
		  "exists (select from event.event where rrule is not null and deleted_at is null "
		  "and materialised_until < now() + interval '" SERIES_HORIZON
		  "' - interval '7 days')",
	  .fn = event_extend,
	  .doc = "Carries series on: their occurrences are there for 18 months ahead." },
	{ .name = "event_mark_past",
	  .every_ms = 10000,
	  .timeout_ms = 60000,
	  .wanted = "exists (select from event.occurrence where " EVENT_IS_PAST ")",
	  .fn = event_mark_past,
	  .doc = "Marks occurrences that are over, which lists by popularity leave out." },
	{ .name = "reply_lapse",
	  .every_ms = 10000,
	  .timeout_ms = 60000,
	  .wanted = "exists (select from event.reply where status = 'offered')",
	  .fn = reply_lapse,
	  .doc = "Hands on places that were offered and not claimed in time." },
	{ .name = "reply_notify",
	  .every_ms = 1000,
	  .timeout_ms = 30000,
	  .wanted = "exists (select from event.notice)",
	  .fn = notice_send,
	  .doc = "Queues the mails that tell people what has become of their replies." },
	{ .name = "reply_forget",
	  .every_ms = 10000,
	  .timeout_ms = 60000,
	  .wanted = REPLY_TO_FORGET,
	  .fn = reply_forget,
	  .doc = "Forgets who replied without an account, 90 days after the event." },
	{ .name = "event_calendars_list",
	  .every_ms = 5000,
	  .timeout_ms = 10000,
	  .every_node = true,
	  .fn = calendars_list,
	  .doc = "Notes the calendars that GUILDFORD_CALENDARS lists." },
	{ .name = "event_calendars_follow",
	  .every_ms = 5000,
	  .timeout_ms = 600000,
	  .wanted = CALENDARS_WANTED,
	  .fn = calendars_follow,
	  .doc = "Imports those calendars, each once an hour." },
	{ 0 },
};

/* What is kept about people. */
static const struct holding holdings[] = {
	{ .name = "replies",
	  .export_sql =
		  "select coalesce(json_agg(json_build_object('id', id, 'event_id', event_id, 'occurrence_id', occurrence_id, "
		  "'title', title, 'starts_at', starts_at, 'status', status, 'guests', guests, 'note', note, "
		  "'checked_in_at', checked_in_at, 'created_at', created_at, 'updated_at', updated_at) order by created_at), '[]') "
		  "from event.reply_shown where person_id = $1 or lower(email) = lower($2)",
	  .forget_sql = "select event.forget($1, $2)" },
	{ .name = "announcements",
	  .export_sql =
		  "select coalesce(json_agg(json_build_object('id', id, 'event_id', event_id, 'subject', subject, 'text', text, "
		  "'created_at', created_at) order by created_at), '[]') from event.announcement "
		  "where person_id = $1 and $2::text is not null",
	  .forget_sql =
		  "update event.announcement set person_id = null where person_id = $1 and $2::text is not null" },
	{ 0 },
};

const struct service event_service = {
	.name = "event",
	.doc = "What's on: events, when and where they take place, and who comes.",
	.resources = resources,
	.jobs = jobs,
	.holdings = holdings,
};
