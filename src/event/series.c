/* SPDX-License-Identifier: Apache-2.0 */
/* A series: what rule, further dates and exceptions come to. Called by when.c and follow.c. */
#include "event/series.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "store/pg.h"
#include "base/banned.h"

const char *const series_fields[7] = { "starts_local", "ends_local", "time_zone", "all_day",
				       "rrule",	       "rdate",	     "exdate" };

int series_read(struct task *t, const char *event_id, struct series *s)
{
	struct pg_rows *rows;
	const char *rule, *problem;
	int rc = pg_query(
		t, &rows,
		"select starts_local, ends_local, time_zone, all_day, rrule, rdate, exdate "
		"from event.event where id = $1",
		PG_PARAMS(event_id));

	if (rc)
		return rc;
	if (pg_count(rows) != 1 || !local_read(pg_value(rows, 0, 0), &s->first) ||
	    !local_read(pg_value(rows, 0, 1), &s->end))
		return task_fail(t, E_INTERNAL, NULL);
	s->zone = pg_value(rows, 0, 2);
	s->all_day = pg_value(rows, 0, 3)[0] == 't';
	rule = pg_value(rows, 0, 4);
	s->rule = rule ? recurrence_parse(t->mem, rule, &problem) : NULL;
	s->rdate = pg_value(rows, 0, 5);
	s->exdate = pg_value(rows, 0, 6);
	return OK;
}

int series_place(struct task *t, struct series *s)
{
	bool utc = s->rule && s->rule->until == UNTIL_UTC;
	char until[LOCAL_TEXT_SIZE];
	struct pg_rows *rows;
	int rc;

	if (utc)
		local_write(s->rule->until_at, until);
	rc = pg_query(t, &rows,
		      "select ((now() - interval '" SERIES_PAST
		      "') at time zone $1)::timestamp(0), "
		      "((now() + interval '" SERIES_HORIZON "') at time zone $1)::timestamp(0), "
		      "($2::timestamp at time zone 'UTC') at time zone $1",
		      PG_PARAMS(s->zone, utc ? until : NULL));
	if (rc)
		return rc;
	s->until = s->rule && s->rule->until != UNTIL_NONE ? s->rule->until_at : INT64_MAX;
	if (!local_read(pg_value(rows, 0, 0), &s->from) ||
	    !local_read(pg_value(rows, 0, 1), &s->to) ||
	    (utc && !local_read(pg_value(rows, 0, 2), &s->until)))
		return task_fail(t, E_INTERNAL, NULL);
	return OK;
}

/* They may be quoted or not. */
int series_read_dates(const char *text, int64_t dates[SERIES_DATES_MAX])
{
	int n = 0;

	for (const char *at = text ? text : ""; *at && n < SERIES_DATES_MAX; at++) {
		char one[LOCAL_TEXT_SIZE] = "";

		if (!isdigit((unsigned char)*at))
			continue;
		memcpy(one, at, strnlen(at, sizeof(one) - 1));
		if (!local_read(one, &dates[n]))
			break;
		n++;
		at += sizeof(one) - 2;
	}
	return n;
}

const char *series_dates_text(TALLOC_CTX *mem, const int64_t *dates, int count)
{
	const char **texts = talloc_array(mem, const char *, (unsigned)count + 1);

	for (int i = 0; i < count; i++) {
		char *text = talloc_size(texts, LOCAL_TEXT_SIZE);

		local_write(dates[i], text);
		texts[i] = text;
	}
	return pg_array(mem, texts, count);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool holds(const int64_t *dates, int n, int64_t at)
{
	for (int i = 0; i < n; i++)
		if (dates[i] == at)
			return true;
	return false;
}

/* Sorts, and takes out what is there twice and what is excepted. */
static int tidy(int64_t *starts, int n, const int64_t *except, int except_count)
{
	int kept = 0;

	qsort(starts, (size_t)n, sizeof(*starts), compare);
	for (int i = 0; i < n; i++)
		if (!holds(except, except_count, starts[i]) &&
		    (kept == 0 || starts[kept - 1] != starts[i]))
			starts[kept++] = starts[i];
	return kept;
}

/* When it ends for good: the whole rule is looked through, if it has an end. */
static void find_last(TALLOC_CTX *mem, struct series *s, const int64_t *more, int more_count,
		      const int64_t *except, int except_count)
{
	int64_t *all;
	int n;

	s->last = s->count > 0 ? s->starts[s->count - 1] : s->first;
	for (int i = 0; i < more_count; i++)
		if (more[i] > s->last)
			s->last = more[i];
	if (!s->rule)
		return;
	s->endless = !s->rule->count && s->until == INT64_MAX;
	if (s->endless)
		return;
	all = talloc_array(mem, int64_t, SERIES_EVER_MAX);
	n = recurrence_expand(s->rule, s->first, s->until, s->first, s->first + SERIES_SEARCH_S,
			      all, SERIES_EVER_MAX);
	s->endless = n == -1; /* as good as */
	while (n > 0 && holds(except, except_count, all[n - 1]))
		n--;
	if (n > 0 && all[n - 1] > s->last)
		s->last = all[n - 1];
	talloc_free(all);
}

bool series_expand(TALLOC_CTX *mem, struct series *s)
{
	int64_t more[SERIES_DATES_MAX], except[SERIES_DATES_MAX];
	int more_count = series_read_dates(s->rdate, more),
	    except_count = series_read_dates(s->exdate, except);
	int n = 1;

	s->starts = talloc_array(mem, int64_t, SERIES_STARTS_MAX + SERIES_DATES_MAX + 1);
	s->starts[0] = s->first;
	if (s->rule)
		n = recurrence_expand(s->rule, s->first, s->until,
				      s->first > s->from ? s->first : s->from, s->to, s->starts,
				      SERIES_STARTS_MAX);
	if (n == -1)
		return false;
	if (n < 0)
		n = 0;
	for (int i = 0; i < more_count; i++)
		if (more[i] <= s->to && (!s->rule || more[i] >= s->from))
			s->starts[n++] = more[i];
	s->count = tidy(s->starts, n, except, except_count);
	find_last(mem, s, more, more_count, except, except_count);
	return s->count <= SERIES_STARTS_MAX;
}
