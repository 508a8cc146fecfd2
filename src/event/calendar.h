/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as an iCalendar stream (RFC 5545, RFC 7986), built with libical: series keep their rule, times their zone, changed
 * occurrences are components of their own. Component after component is written and freed, so that a calendar of thousands
 * of events needs the memory of its text and of one event. Nothing waits.
 */
#ifndef EVENT_CALENDAR_H
#define EVENT_CALENDAR_H

#include "base/buf.h"
#include "store/pg.h"

/* The columns of a row that is a component (a VEVENT), in this order. Times are iCalendar's text: "20261128T090000" of a
 * wall clock, "20261124T090000Z" of an instant. Lists hold one item a line. */
enum calendar_column {
	CALENDAR_UID,
	CALENDAR_SEQUENCE,
	CALENDAR_STATUS, /* CONFIRMED, TENTATIVE or CANCELLED */
	CALENDAR_TITLE,
	CALENDAR_TEXT,
	CALENDAR_PLACE,
	CALENDAR_LAT, /* null: nobody knows where */
	CALENDAR_LNG,
	CALENDAR_CONTACT,
	CALENDAR_CATEGORIES,
	CALENDAR_ONLINE_URL,
	CALENDAR_REPLACED_BY, /* UID of the event that takes its place */
	CALENDAR_ID,	      /* of the event */
	CALENDAR_CREATED,
	CALENDAR_UPDATED,
	CALENDAR_ZONE,
	CALENDAR_ALL_DAY, /* "t": whole days */
	CALENDAR_STARTS,
	CALENDAR_ENDS,
	CALENDAR_RRULE,
	CALENDAR_RDATE,
	CALENDAR_EXDATE,
	CALENDAR_RECURRENCE, /* of a changed occurrence: the start that the rule gave it */
	CALENDAR_COLUMNS
};

/* Begins a calendar called `name` in `out`. */
void calendar_begin(struct buf *out, const char *name);
/* The rules of a zone, right for all that happens there from the wall time `from` on ("20261128T090000"). Nothing for UTC.
 * Reads the system's zoneinfo. */
void calendar_zone(struct buf *out, const char *zone, const char *from);
/* A row of the columns above. */
void calendar_event(struct buf *out, const struct pg_rows *rows, int row);
void calendar_end(struct buf *out);

#endif
