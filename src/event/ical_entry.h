/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry of a calendar understood, by libical: what it is called, where and when it takes place, in the town's terms. What
 * can be mended is mended and noted, what cannot is refused. Nothing waits; reads the system's zoneinfo.
 */
#ifndef EVENT_ICAL_ENTRY_H
#define EVENT_ICAL_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/attr.h"
#include "event/ical_split.h"
#include "event/series.h"

enum { ICAL_NOTES_MAX = 20, ICAL_CATEGORIES_MAX = 20 };

struct ical_entry {
	const struct ical_part *part;
	const char *title, *text;			     /* text: NULL: none */
	const char *venue, *address, *postcode, *online_url; /* NULL: none */
	bool has_point;
	double lat, lng;
	const char *categories[ICAL_CATEGORIES_MAX];
	int category_count;
	bool cancelled, is_private;
	int sequence;
	const char *modified; /* LAST-MODIFIED as PostgreSQL takes it, NULL: none */
	const char *zone;     /* IANA */
	bool all_day;
	int64_t starts, ends; /* local seconds in that zone */
	const char *rrule;    /* not checked yet, NULL: none */
	int64_t rdate[SERIES_DATES_MAX], exdate[SERIES_DATES_MAX];
	int rdate_count, exdate_count;
	int64_t recurrence; /* of an override: the time of the series that it is instead of */
	const char *notes[ICAL_NOTES_MAX]; /* what was mended */
	int note_count;
};

/* Reads a part of a calendar. `town` is the zone of times without one; `series` of an override the event that it belongs to,
 * in whose zone its times will be. Memory is a child of mem. NULL, and *why says so, when it cannot be taken. */
struct ical_entry *ical_entry_read(TALLOC_CTX *mem, const struct ical_calendar *c,
				   const struct ical_part *part, const char *town,
				   const struct ical_entry *series, const char **why) MUST_USE;

/* The entry as a body of an event (API), with these categories, whose reference is taken; and an override as what is other in it
 * than in its series, for event.import_changes(). The caller frees them. */
json_t *ical_entry_body(const struct ical_entry *e, json_t *categories);
json_t *ical_entry_change(const struct ical_entry *e, const struct ical_entry *series);

#endif
