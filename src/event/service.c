/* SPDX-License-Identifier: Apache-2.0 */
/* The Event service's row: what it consists of. */
#include "event/event.h"
#include "base/banned.h"

static const struct resource *const resources[] = {
	&event_category_resource,
	&event_resource,
	&occurrence_resource,
	NULL,
};

const struct service event_service = {
	.name = "event",
	.doc = "What's on: events, when and where they take place, and who comes.",
	.resources = resources,
};
