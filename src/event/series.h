/* SPDX-License-Identifier: Apache-2.0 */
/* An event's times as one thing: rule, further dates, exceptions, and the occurrences that they give in the horizon. Between
 * recurrence.h, which knows rules only, and those who write events (when.c) and occurrences (follow.c). */
#ifndef EVENT_SERIES_H
#define EVENT_SERIES_H

#include "base/attr.h"
#include "event/recurrence.h"
#include "io/task.h"

#define SERIES_HORIZON "18 months"
#define SERIES_PAST    "40 days"

enum {
	SERIES_DAY_S = 86400,
	SERIES_SEARCH_S = 20 * 366 * SERIES_DAY_S,
	/* in the window: RECURRENCE_OCCURRENCES_MAX ahead when it was written, and those of its days behind */
	SERIES_STARTS_MAX = 1200,
	SERIES_DATES_MAX = 200, /* further dates, and exceptions */
	SERIES_EVER_MAX = 20000 /* times of a rule that are looked through */
};

struct series {
	const char *zone; /* IANA */
	bool all_day;
	int64_t first, end;	       /* local seconds: start and end of the first one */
	const struct recurrence *rule; /* NULL: none */
	const char *rdate, *exdate;    /* PostgreSQL's text of timestamp[], NULL: none */
	int64_t until;		       /* the rule's, local seconds; INT64_MAX: none */
	int64_t from, to;	       /* the window in which occurrences are made, local seconds */
	int64_t *starts;	       /* what they are, ascending, each once */
	int count;
	bool endless;
	int64_t last; /* start of the last one ever, unless endless */
};

/* The fields of an event that a series consists of. */
extern const char *const series_fields[7];

/* The times in the text of a timestamp[] (NULL: none), SERIES_DATES_MAX at most; and the text of such an array. */
int series_read_dates(const char *text, int64_t dates[SERIES_DATES_MAX]);
const char *series_dates_text(TALLOC_CTX *mem, const int64_t *dates, int count);

/* Reads the times of an event, which is there. waits */
int series_read(struct task *t, const char *event_id, struct series *s) MUST_USE;
/* Works out the window, 40 days back and 18 months ahead by the clock of the event's zone, and `until`. waits */
int series_place(struct task *t, struct series *s) MUST_USE;
/* Works out starts (a child of mem), count, endless and last. False when there are more than SERIES_STARTS_MAX. */
bool series_expand(TALLOC_CTX *mem, struct series *s) MUST_USE;

#endif
