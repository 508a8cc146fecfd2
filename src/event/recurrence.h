/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recurrence rules (RFC 5545 section 3.3.10) by the wall clock: a rule's text is checked, and expanded by libical. No zone comes
 * into it: a market at 9 is at 9 in summer and in winter. Pure functions; nothing waits.
 *
 * A wall clock's time is a number of seconds, as if the clock were UTC's ("local seconds").
 */
#ifndef EVENT_RECURRENCE_H
#define EVENT_RECURRENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include "base/attr.h"

enum {
	RECURRENCE_OCCURRENCES_MAX = 1000, /* within the horizon */
	RECURRENCE_TEXT_MAX = 500,	   /* bytes of a rule */
	LOCAL_TEXT_SIZE = 20		   /* "2026-11-28T19:30:00" and its NUL */
};

enum until { UNTIL_NONE, UNTIL_DATE, UNTIL_LOCAL, UNTIL_UTC };

struct recurrence {
	const char
		*rule; /* the text in capitals, without UNTIL and COUNT: "FREQ=WEEKLY;BYDAY=SA" */
	long count;    /* 0: none */
	enum until until; /* how the text says it ... */
	int64_t until_at; /* ... local seconds, of UNTIL_UTC those of UTC's clock; of a date its last second */
};

/* "2026-11-28T19:30:00", or with a blank for the T; false when it is of no such form. */
bool local_read(const char *text, int64_t *local);
void local_write(int64_t local, char text[LOCAL_TEXT_SIZE]);

/* Takes a rule's text apart. NULL, and *problem says why as the second half of a sentence about it, when it is none that we take:
 * days and longer, without RSCALE and SKIP, with what libical is right about. */
struct recurrence *recurrence_parse(TALLOC_CTX *mem, const char *text, const char **problem);
/* The text again, with the rule's own COUNT or UNTIL. */
const char *recurrence_text(TALLOC_CTX *mem, const struct recurrence *rule);

/* The starts that the rule gives to a series beginning at `first`, those in [from, to], ascending; UNTIL is `until` (local
 * seconds), INT64_MAX: none. Returns their number, -1 when there are more than `max`, -2 when the rule is one that never
 * happens. */
int recurrence_expand(const struct recurrence *rule, int64_t first, int64_t until, int64_t from,
		      int64_t to, int64_t *starts, int max) MUST_USE;

#endif
