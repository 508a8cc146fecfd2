/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a calendar (RFC 5545) taken apart into its entries: lines unfolded, what an import does not read left out,
 * nothing understood yet. It forgives what real calendars have: a byte-order mark, LF for CRLF, blanks behind lines and
 * between components, lines that are no properties. Nothing waits.
 */
#ifndef EVENT_ICAL_SPLIT_H
#define EVENT_ICAL_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include "base/attr.h"

enum {
	ICAL_BYTES_MAX = 10 << 20,
	ICAL_PARTS_MAX = 50000,
	ICAL_LINE_MAX = 64 << 10,  /* bytes of a property, unfolded; a longer one is left out */
	ICAL_PART_MAX = 256 << 10, /* bytes of an entry; properties beyond are left out */
	ICAL_UID_MAX = 255,
	ICAL_ZONES_MAX = 50,
	ICAL_DIGEST_BYTES = 32
};

/* An entry (VEVENT): an event, or a time of one that is other (RECURRENCE-ID). */
struct ical_part {
	long line;	   /* where it begins */
	const char *uid;   /* unescaped; NULL: none that can be used */
	const char *text;  /* "BEGIN:VEVENT", what the import reads, "END:VEVENT", a line each */
	const char *rrule; /* the value of the (last) RRULE, NULL: none */
	int rules;	   /* how many of those, and of EXRULE */
	bool exrule;
	bool is_override;   /* has a RECURRENCE-ID */
	bool and_following; /* ... with RANGE=THISANDFUTURE */
	bool cancelled;	    /* METHOD:CANCEL of its calendar */
	const char
		*too_long; /* name of a property that is, or that makes it too long; NULL: none */
	long odd_line;	   /* a line that is no property, 0: none */
	/* of all of its text but DTSTAMP and LAST-MODIFIED, which may be other each time that it is fetched */
	unsigned char digest[ICAL_DIGEST_BYTES];
};

struct ical_calendar {
	struct ical_part *parts;
	int count;
	long skipped;	  /* to-dos, journals and the like */
	const char *zone; /* X-WR-TIMEZONE, NULL: none */
	struct {
		const char *id, *location; /* TZID and X-LIC-LOCATION of a VTIMEZONE */
	} zones[ICAL_ZONES_MAX];
	int zone_count;
	bool is_message; /* with a METHOD other than PUBLISH: not a whole calendar */
	/* Why it is not read to its end, as the second half of a sentence that begins with the line; NULL: it is */
	const char *problem;
	long problem_line;
};

/* Takes it apart; `c` and all in it are children of mem. False when it does not begin as a calendar. Of one that breaks off,
 * the parts before that are there, and `problem` says so. */
bool ical_split(TALLOC_CTX *mem, const char *text, size_t len, struct ical_calendar **c) MUST_USE;

#endif
