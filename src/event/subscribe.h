/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendars of others that the town follows: those of GUILDFORD_CALENDARS, each asked once an hour, with a row in
 * event.calendar. One that fails is asked again later and later, and the others go on.
 */
#ifndef EVENT_SUBSCRIBE_H
#define EVENT_SUBSCRIBE_H

#include <stdbool.h>
#include <talloc.h>
#include "base/attr.h"
#include "io/public.h"
#include "io/task.h"

/* SQL: is any calendar to be asked now? */
#define CALENDARS_WANTED "exists (select from event.calendar where next_at <= now())"

/* Is it an http, https or webcal URL? */
bool calendar_is_url(const char *text);
/* What events of the calendar at this URL have as their source: "ics:", its host, and a digest of the URL under the secret key,
 * for URLs hold secrets. The same for http, https and webcal, and whoever signs in there. A child of mem. */
const char *calendar_source(TALLOC_CTX *mem, const char *url);
/* Fetches a calendar: 30 s, 10 MiB, from public addresses unless GUILDFORD_CALENDARS_PRIVATE. The status is 200, or 304 when it is
 * as etag or last_modified (either may be NULL) say. E_BAD_REQUEST says of which host, and why not. waits */
int calendar_fetch(struct task *t, const char *url, const char *etag, const char *last_modified,
		   struct http_answer **answer) MUST_USE;

/* The job that keeps event.calendar as the setting says, and the one that follows them. wait */
int calendars_list(struct task *t) MUST_USE;
int calendars_follow(struct task *t) MUST_USE;

#endif
