/* SPDX-License-Identifier: Apache-2.0 */
/* The Event service's row: what it consists of. */
#include "event/event.h"
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
		  "and materialised_until < now() + interval '18 months' - interval '7 days')",
	  .fn = event_extend,
	  .doc = "Carries series on: their occurrences are there for 18 months ahead." },
	{ 0 },
};

const struct service event_service = {
	.name = "event",
	.doc = "What's on: events, when and where they take place, and who comes.",
	.resources = resources,
	.jobs = jobs,
};
