/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules are libical's to expand; what it gets is checked before. What it gets wrong (3.0.16) is refused: BYSETPOS in days
 * and weeks, which it ignores. A rule that never happens, the 30th of February, is searched for to the year 2582 by itself: it
 * always gets an end.
 */
#include "event/recurrence.h"

#include <ctype.h>
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/attr.h"
#include "base/str.h"
#include "base/time.h"
#include "base/banned.h"

enum { PARTS_MAX = 16, COUNT_MAX = 10000, STEPS_MAX = 40000, DAY_S = 86400 };

bool local_read(const char *text, int64_t *local)
{
	char iso[LOCAL_TEXT_SIZE];
	struct tm tm = { 0 };

	if (strlen(text) != LOCAL_TEXT_SIZE - 1)
		return false;
	memcpy(iso, text, sizeof(iso));
	if (iso[10] == ' ')
		iso[10] = 'T';
	if (!time_is_local(iso))
		return false;
	tm.tm_year = (int)strtol(iso, NULL, 10) - 1900;
	tm.tm_mon = (int)strtol(iso + 5, NULL, 10) - 1;
	tm.tm_mday = (int)strtol(iso + 8, NULL, 10);
	tm.tm_hour = (int)strtol(iso + 11, NULL, 10);
	tm.tm_min = (int)strtol(iso + 14, NULL, 10);
	tm.tm_sec = (int)strtol(iso + 17, NULL, 10);
	*local = timegm(&tm);
	return true;
}

void local_write(int64_t local, char text[LOCAL_TEXT_SIZE])
{
	time_t seconds = local;
	char whole[80];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	/* strftime() writes the year 227 with three digits */
	snprintf(whole, sizeof(whole), "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(text, whole, LOCAL_TEXT_SIZE - 1);
	text[LOCAL_TEXT_SIZE - 1] = '\0';
}

static struct icaltimetype to_ical(int64_t local)
{
	return icaltime_from_timet_with_zone(local, 0, NULL);
}

static int64_t from_ical(struct icaltimetype t)
{
	return icaltime_as_timet(t);
}

/* An icalrecurrencetype is of some 3 KB, and libical gives and takes it by value: one at a time stands on a stack. */
static APART void read_rule(struct icalrecurrencetype *rule, const char *text)
{
	*rule = icalrecurrencetype_from_string(text);
}

static APART icalrecur_iterator *iterate(const struct icalrecurrencetype *rule, int64_t first)
{
	return icalrecur_iterator_new(*rule, to_ical(first));
}

static bool is_rule(TALLOC_CTX *mem, const char *text)
{
	struct icalrecurrencetype *rule = talloc(mem, struct icalrecurrencetype);

	icalerror_set_errors_are_fatal(false);
	read_rule(rule, text);
	return rule->freq != ICAL_NO_RECURRENCE;
}

static bool is_digits(const char *text, size_t n)
{
	return strlen(text) >= n && strspn(text, "0123456789") >= n;
}

/* "20261212", "20261212T090000", "20261212T090000Z" */
static bool read_until(struct recurrence *rule, const char *text)
{
	char iso[LOCAL_TEXT_SIZE];
	size_t len = strlen(text);
	const char *time = "235959";

	if (!is_digits(text, 8))
		return false;
	rule->until = len == 8 ? UNTIL_DATE : len == 15 ? UNTIL_LOCAL : UNTIL_UTC;
	if (len != 8) {
		if ((len != 15 && !(len == 16 && text[15] == 'Z')) || text[8] != 'T' ||
		    !is_digits(text + 9, 6))
			return false;
		time = text + 9;
	}
	snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s", text, text + 4, text + 6, time,
		 time + 2, time + 4);
	return local_read(iso, &rule->until_at);
}

static const char *const known_parts[] = { "FREQ",	 "INTERVAL", "BYDAY",	  "BYMONTH",
					   "BYMONTHDAY", "BYSETPOS", "BYYEARDAY", "BYWEEKNO",
					   "BYHOUR",	 "BYMINUTE", "WKST" };

static bool is_known(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(known_parts); i++)
		if (strcmp(known_parts[i], name) == 0)
			return true;
	return false;
}

/* One "NAME=value": COUNT and UNTIL are taken out, the others go into the rule. */
static const char *take_part(struct recurrence *rule, char *name, char *value)
{
	if (strcmp(name, "COUNT") == 0) {
		rule->count = is_digits(value, strlen(value)) ? strtol(value, NULL, 10) : 0;
		return rule->count >= 1 && rule->count <= COUNT_MAX
			       ? NULL
			       : "must have a COUNT from 1 to 10000";
	}
	if (strcmp(name, "UNTIL") == 0)
		return read_until(rule, value)
			       ? NULL
			       : "must have an UNTIL such as 20271231 or 20271231T235959Z";
	if (!is_known(name))
		return talloc_asprintf(rule, "has the part %.20s, which is not taken here", name);
	rule->rule = talloc_asprintf(rule, "%s%s%s=%s", rule->rule, rule->rule[0] ? ";" : "", name,
				     value);
	return NULL;
}

static const char *check_whole(TALLOC_CTX *mem, const struct recurrence *rule)
{
	bool longer = strstr(rule->rule, "FREQ=MONTHLY") || strstr(rule->rule, "FREQ=YEARLY");

	if (rule->count && rule->until != UNTIL_NONE)
		return "must not have both COUNT and UNTIL";
	if (!longer && !strstr(rule->rule, "FREQ=DAILY") && !strstr(rule->rule, "FREQ=WEEKLY"))
		return "must have a FREQ of DAILY, WEEKLY, MONTHLY or YEARLY";
	if (!longer && strstr(rule->rule, "BYSETPOS="))
		return "must have BYSETPOS only with MONTHLY or YEARLY";
	if (!is_rule(mem, rule->rule))
		return "must be a recurrence rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=SA";
	return NULL;
}

struct recurrence *recurrence_parse(TALLOC_CTX *mem, const char *text, const char **problem)
{
	struct recurrence *rule = talloc_zero(mem, struct recurrence);
	char *upper = talloc_strdup(rule, text), **parts;
	int n;

	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	rule->rule = "";
	n = str_split(rule, strncmp(upper, "RRULE:", 6) == 0 ? upper + 6 : upper, ';', PARTS_MAX,
		      &parts);
	*problem = n < 1 || strlen(text) > RECURRENCE_TEXT_MAX ? "must have 1 to 16 parts" : NULL;
	for (int i = 0; !*problem && i < n; i++) {
		char *equals = strchr(parts[i], '=');

		if (!equals || !equals[1]) {
			*problem =
				"must consist of parts such as FREQ=WEEKLY, divided by semicolons";
			break;
		}
		*equals = '\0';
		*problem = take_part(rule, parts[i], equals + 1);
	}
	if (!*problem)
		*problem = check_whole(rule, rule);
	return *problem ? NULL : rule;
}

const char *recurrence_text(TALLOC_CTX *mem, const struct recurrence *rule)
{
	char iso[LOCAL_TEXT_SIZE];

	if (rule->count)
		return talloc_asprintf(mem, "%s;COUNT=%ld", rule->rule, rule->count);
	if (rule->until == UNTIL_NONE)
		return talloc_strdup(mem, rule->rule);
	local_write(rule->until_at, iso);
	if (rule->until == UNTIL_DATE)
		return talloc_asprintf(mem, "%s;UNTIL=%.4s%.2s%.2s", rule->rule, iso, iso + 5,
				       iso + 8);
	return talloc_asprintf(mem, "%s;UNTIL=%.4s%.2s%.2sT%.2s%.2s%.2s%s", rule->rule, iso,
			       iso + 5, iso + 8, iso + 11, iso + 14, iso + 17,
			       rule->until == UNTIL_UTC ? "Z" : "");
}

/* An iterator whose search ends at `end`; NULL when the rule never happens. */
static icalrecur_iterator *open_rule(const struct recurrence *rule, int64_t first, int64_t end)
{
	struct icalrecurrencetype *recur = malloc(sizeof(*recur));
	icalrecur_iterator *iterator;

	if (!recur)
		abort();
	read_rule(recur, rule->rule);
	recur->count = (int)rule->count;
	recur->until = to_ical(end);
	iterator = iterate(recur, first);
	free(recur);
	return iterator;
}

int recurrence_expand(const struct recurrence *rule, int64_t first, int64_t until, int64_t from,
		      int64_t to, int64_t *starts, int max)
{
	icalrecur_iterator *iterator;
	int n = 0;

	icalerror_set_errors_are_fatal(false);
	iterator = open_rule(rule, first, until < to ? until : to);
	if (!iterator)
		return -2;
	/* what is counted must be counted from the beginning */
	if (!rule->count && from > first)
		icalrecur_iterator_set_start(iterator, to_ical(from));
	for (int steps = 0; steps < STEPS_MAX && n >= 0; steps++) {
		struct icaltimetype next = icalrecur_iterator_next(iterator);
		int64_t at = from_ical(next);

		if (icaltime_is_null_time(next) || at > to || at > until)
			break;
		if (at < from)
			continue;
		if (n < max)
			starts[n++] = at;
		else
			n = -1;
	}
	icalrecur_iterator_free(iterator);
	return n;
}
