/* SPDX-License-Identifier: Apache-2.0 */
/* The times and the rule of an event that is about to be written. Called by rules.c and by imports, before the write. */
#include "event/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "event/recurrence.h"
#include "event/series.h"
#include "store/pg.h"
#include "base/banned.h"

/* What calendars must be told of: SEQUENCE rises (RFC 5546 section 2.1.4). */
static const char *const told_fields[] = { "status",	   "venue.business_id", "venue.name",
					   "location.lat", "location.lng",	"online_url" };

static bool any_set(struct values *v, json_t *old, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (values_get(v, names[i])->set && (!old || values_change(v, old, names[i])))
			return true;
	return false;
}

static void check_day(struct task *t, struct series *s)
{
	if (s->first % SERIES_DAY_S)
		task_problem(t, "starts_local", "must be at midnight when it is all day");
	if (s->end % SERIES_DAY_S)
		task_problem(t, "ends_local",
			     "must be the midnight after the last day when it is all day");
	if (s->end == s->first)
		task_problem(t, "ends_local", "must be after the start when it is all day");
}

static int read_rule(struct task *t, struct values *v, json_t *old, struct series *s)
{
	const char *text = values_after(t->mem, v, old, "rrule"), *problem;

	if (!text)
		return OK;
	s->rule = recurrence_parse(t->mem, text, &problem);
	return s->rule ? OK : task_problem(t, "rrule", "%s", problem);
}

/* The times as they would be. They are checked texts, or the database's own. */
static int read_series(struct task *t, struct values *v, json_t *old, struct series *s)
{
	const char *zone = values_after(t->mem, v, old, "time_zone");
	const char *day = values_after(t->mem, v, old, "all_day");

	s->zone = zone ? zone : "Europe/London";
	s->all_day = day && strcmp(day, "true") == 0;
	if (!local_read(values_after(t->mem, v, old, "starts_local"), &s->first) ||
	    !local_read(values_after(t->mem, v, old, "ends_local"), &s->end))
		return task_fail(t, E_INTERNAL, NULL);
	s->rdate = values_after(t->mem, v, old, "rdate");
	s->exdate = values_after(t->mem, v, old, "exdate");
	if (s->end < s->first)
		task_problem(t, "ends_local", "must not be before the start");
	if (s->all_day)
		check_day(t, s);
	read_rule(t, v, old, s);
	return t->failure.code;
}

/* What the rule gives in the horizon must be something, and not without measure; and the start must be of it, for what a
 * series is that begins with something else is not defined (RFC 5545 section 3.8.5.3). */
static int check_rule(struct task *t, const struct series *s)
{
	int64_t starts[1];
	int n;

	if (!s->rule)
		return OK;
	n = recurrence_expand(s->rule, s->first, s->until, s->first, s->first + SERIES_SEARCH_S,
			      starts, 1);
	if (n == 0 || n == -2)
		return task_problem(t, "rrule", "never happens");
	if (starts[0] != s->first) {
		char first[LOCAL_TEXT_SIZE];

		local_write(starts[0], first);
		return task_problem(t, "starts_local",
				    "must be a time of the rule, whose first is %s", first);
	}
	return OK;
}

static int check_number(struct task *t, struct series *s)
{
	if (!series_expand(t->mem, s) || s->count > RECURRENCE_OCCURRENCES_MAX)
		return task_problem(t, s->rule ? "rrule" : "rdate",
				    "gives more than %d times in the next 18 months",
				    RECURRENCE_OCCURRENCES_MAX);
	if (s->count == 0)
		return task_problem(t, s->rule ? "rrule" : "exdate",
				    "leaves no time in the next 18 months");
	return OK;
}

static int take_results(struct task *t, struct values *v, const struct series *s)
{
	struct pg_rows *rows;
	char first[LOCAL_TEXT_SIZE], end[LOCAL_TEXT_SIZE], last[LOCAL_TEXT_SIZE];
	int rc;

	local_write(s->first, first);
	local_write(s->end, end);
	local_write(s->endless ? s->first : s->last + (s->end - s->first), last);
	rc = pg_query(
		t, &rows,
		"select event.instant($1::timestamp, $4), "
		"greatest(event.instant($1::timestamp, $4), event.instant($2::timestamp, $4), "
		"case when not $5::boolean then event.instant($3::timestamp, $4) end)",
		PG_PARAMS(first, end, last, s->zone, s->endless ? "true" : "false"));
	if (rc)
		return rc;
	values_set(v, "starts_at", pg_value(rows, 0, 0));
	values_set(v, "ends_at", s->endless ? NULL : pg_value(rows, 0, 1));
	if (s->rule)
		values_set(v, "rrule", recurrence_text(t->mem, s->rule));
	return OK;
}

static void raise_sequence(struct task *t, struct values *v, json_t *old)
{
	if (!any_set(v, old, series_fields, COUNT_OF(series_fields)) &&
	    !any_set(v, old, told_fields, COUNT_OF(told_fields)))
		return;
	values_set(v, "sequence",
		   talloc_asprintf(t->mem, "%lld",
				   (long long)json_integer_value(json_object_get(old, "sequence")) +
					   1));
}

int event_when_check(struct task *t, struct values *v, json_t *old)
{
	struct series *s = talloc_zero(t->mem, struct series);
	int rc;

	if (old)
		raise_sequence(t, v, old);
	if (old && !any_set(v, old, series_fields, COUNT_OF(series_fields)))
		return OK;
	rc = read_series(t, v, old, s);
	if (!rc)
		rc = series_place(t, s);
	if (!rc)
		rc = check_rule(t, s);
	if (!rc)
		rc = check_number(t, s);
	return rc ? rc : take_results(t, v, s);
}
