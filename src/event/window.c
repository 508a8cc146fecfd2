/* SPDX-License-Identifier: Apache-2.0 */
/* Reads when, from and to. Called by find.c. */
#include "event/window.h"

#include <string.h>
#include "base/str.h"
#include "base/time.h"
#include "base/banned.h"

enum { EVENING = 17, NIGHT_ENDS = 4, FRIDAY = 5 };

/* So many days from the day of `tm`, at an hour of the wall clock. */
static int64_t at(const struct tm *tm, int days, int hour, int minute)
{
	return time_from_local(tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday + days, hour,
			       minute);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct window today(const struct tm *tm, int64_t now)
{
	return (struct window) { .from = now, .to = at(tm, 1, 0, 0) };
}

/* After midnight it is still the same night. */
static struct window tonight(const struct tm *tm, int64_t now)
{
	if (tm->tm_hour < NIGHT_ENDS)
		return (struct window) { .from = now, .to = at(tm, 0, NIGHT_ENDS, 0) };
	return (struct window) { .from = later(now, at(tm, 0, EVENING, 0)),
				 .to = at(tm, 1, NIGHT_ENDS, 0) };
}

static struct window tomorrow(const struct tm *tm, int64_t now)
{
	(void)now;
	return (struct window) { .from = at(tm, 1, 0, 0), .to = at(tm, 2, 0, 0) };
}

/* From Friday's evening to the end of Sunday: of a Saturday and a Sunday the weekend that it is. */
static struct window weekend(const struct tm *tm, int64_t now)
{
	int friday = FRIDAY - (tm->tm_wday == 0 ? 7 : tm->tm_wday);

	return (struct window) { .from = later(now, at(tm, friday, EVENING, 0)),
				 .to = at(tm, friday + 3, 0, 0) };
}

static struct window next_7_days(const struct tm *tm, int64_t now)
{
	return (struct window) { .from = now, .to = at(tm, 7, tm->tm_hour, tm->tm_min) };
}

static const struct {
	const char *name;
	struct window (*of)(const struct tm *tm, int64_t now);
} words[] = {
	{ "today", today },	{ "tonight", tonight },		{ "tomorrow", tomorrow },
	{ "weekend", weekend }, { "next_7_days", next_7_days },
};

static int read_word(struct task *t, const char *when, int64_t now, struct window *w)
{
	struct tm tm = time_local(now);

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(words[i].name, when) != 0)
			continue;
		*w = words[i].of(&tm, now);
		return OK;
	}
	return task_problem(t, "when",
			    "must be one of today, tonight, tomorrow, weekend, next_7_days");
}

int window_read_bound(struct task *t, const char *name, const char *text, int days, int64_t *bound)
{
	long long year, month, day;

	if (time_is_rfc3339(text)) {
		*bound = time_from_rfc3339(text);
		return OK;
	}
	if (!time_is_date(text))
		return task_problem(
			t, name,
			"must be a date such as 2026-11-28 or an RFC 3339 date-time such as 2026-11-28T09:30:00Z");
	if (!str_to_int(talloc_strndup(t->mem, text, 4), 0, 9999, &year) ||
	    !str_to_int(talloc_strndup(t->mem, text + 5, 2), 1, 12, &month) ||
	    !str_to_int(talloc_strndup(t->mem, text + 8, 2), 1, 31, &day))
		return task_problem(t, name, "must be a date of the calendar");
	*bound = time_from_local((int)year, (int)month, (int)day + days, 0, 0);
	return OK;
}

int window_read(struct task *t, const char *when, const char *from, const char *to, int64_t now,
		struct window *w)
{
	now -= now % 60;
	*w = (struct window) { .from = now };
	if (when && (from || to))
		return task_problem(t, "when", "cannot be given together with from and to");
	if (when)
		return read_word(t, when, now, w);
	if (from && window_read_bound(t, "from", from, 0, &w->from))
		return t->failure.code;
	if (to && window_read_bound(t, "to", to, 1, &w->to))
		return t->failure.code;
	if (from && to && w->to <= w->from)
		return task_problem(t, "to", "must be after from");
	return OK;
}

const char *window_text(TALLOC_CTX *mem, int64_t unix_s)
{
	char text[TIME_TEXT_MAX];

	time_format((uint64_t)unix_s * 1000, text);
	return talloc_strdup(mem, text);
}
