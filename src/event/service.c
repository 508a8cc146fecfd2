/* SPDX-License-Identifier: Apache-2.0 */
/* The Event service's row: what it consists of. */
#include "event/event.h"
#include "event/series.h"
#include "event/subscribe.h"
#include "event/when.h"
#include "store/job.h"
#include "base/banned.h"

static const struct resource *const resources[] = {
	&event_category_resource,
	&event_resource,
	&occurrence_resource,
	NULL,
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

const struct service event_service = {
	.name = "event",
	.doc = "What's on: events, when and where they take place, and who comes.",
	.resources = resources,
	.jobs = jobs,
};
