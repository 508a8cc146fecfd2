/* SPDX-License-Identifier: Apache-2.0 */
/* What others follow the town's events by: calendars (RFC 5545) and an Atom feed (RFC 4287). Functions of routes. */
#ifndef EVENT_FEED_H
#define EVENT_FEED_H

#include "api/request.h"
#include "base/attr.h"

/* GET /v1/events/{id}/calendar.ics. waits */
int feed_event(struct request *r) MUST_USE;
/* GET /v1/events/calendar.ics: the events that a list with these parameters has. waits */
int feed_calendar(struct request *r) MUST_USE;
/* GET /v1/events/feed.atom: the same as news, the next 50 at most. waits */
int feed_atom(struct request *r) MUST_USE;

/* Answers a calendar called `name`, as a file of that name, of the events with these ids: rows of one column, `id`. It says
 * so when there are more than 5,000 and leaves those out that stand last. waits */
int feed_reply(struct request *r, const char *name, const char *file,
	       const struct pg_rows *ids) MUST_USE;

/* Answers the calendar that stands in the reply's body, as a file of that name. Nothing waits. */
int feed_reply_text(struct request *r, const char *file) MUST_USE;

#endif
