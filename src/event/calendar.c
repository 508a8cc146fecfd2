/* SPDX-License-Identifier: Apache-2.0 */
/* Events as iCalendar text. libical builds the components, escapes and folds; what it allocates is freed component by
 * component. Called by feed.c. */
#include "event/calendar.h"

#include <stdlib.h>
#include <string.h>
#include <libical/ical.h>
#include <libical/icaltz-util.h>
#include "base/attr.h"
#include "base/config.h"
#include "event/ical_zone.h"
#include "base/banned.h"

enum { ITEMS_MAX = 250, REFRESH_S = 3600 };

/* Writes a component and frees it. */
static void put(struct buf *out, icalcomponent *component)
{
	char *text = icalcomponent_as_ical_string_r(component);

	buf_adds(out, text);
	free(text);
	icalcomponent_free(component);
}

static void add_extension(icalcomponent *c, const char *name, const char *value)
{
	icalproperty *property = icalproperty_new_x(value);

	icalproperty_set_x_name(property, name);
	icalcomponent_add_property(c, property);
}

#define END_OF_CALENDAR "END:VCALENDAR\r\n"

/* NAME and REFRESH-INTERVAL are RFC 7986; the others are what readers knew before. */
void calendar_begin(struct buf *out, const char *name)
{
	icalcomponent *c = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);

	icalcomponent_add_property(c, icalproperty_new_version("2.0"));
	icalcomponent_add_property(
		c, icalproperty_new_prodid("-//Guildford//Events " GUILDFORD_VERSION "//EN"));
	icalcomponent_add_property(c, icalproperty_new_calscale("GREGORIAN"));
	icalcomponent_add_property(c, icalproperty_new_name(name));
	icalcomponent_add_property(
		c, icalproperty_new_refreshinterval(icaldurationtype_from_int(REFRESH_S)));
	add_extension(c, "X-WR-CALNAME", name);
	add_extension(c, "X-PUBLISHED-TTL", "PT1H");
	put(out, c);
	out->len -= buf_full(out) ? 0 : strlen(END_OF_CALENDAR); /* what follows stands in it */
}

void calendar_end(struct buf *out)
{
	buf_adds(out, END_OF_CALENDAR);
}

/* The last onset of an observance as a wall time; far away when its rule has no end. */
static struct icaltimetype last_onset(icalcomponent *observance)
{
	struct icaltimetype last = icalcomponent_get_dtstart(observance);
	icalproperty *p = icalcomponent_get_first_property(observance, ICAL_RRULE_PROPERTY);

	if (p) {
		struct icaltimetype until = icalproperty_get_rrule(p).until;

		return icaltime_is_null_time(until) ? icaltime_from_string("99991231T235959")
						    : until;
	}
	for (p = icalcomponent_get_first_property(observance, ICAL_RDATE_PROPERTY); p;
	     p = icalcomponent_get_next_property(observance, ICAL_RDATE_PROPERTY)) {
		struct icaltimetype date = icalproperty_get_rdate(p).time;

		if (icaltime_compare(date, last) > 0)
			last = date;
	}
	return last;
}

/* Does any begin between the end of that one and `from`? */
static bool is_followed(icalcomponent *zone, icalcomponent *last, struct icaltimetype from)
{
	struct icaltimetype ended = last_onset(last);

	for (icalcomponent *o = icalcomponent_get_first_component(zone, ICAL_ANY_COMPONENT); o;
	     o = icalcomponent_get_next_component(zone, ICAL_ANY_COMPONENT)) {
		struct icaltimetype begun = icalcomponent_get_dtstart(o);

		if (icaltime_compare(begun, ended) > 0 && icaltime_compare(begun, from) < 0)
			return true;
	}
	return false;
}

static void drop(icalcomponent *zone, icalcomponent *observance)
{
	icalcomponent_remove_component(zone, observance);
	icalcomponent_free(observance);
}

/* Takes out the observances that were over before `from`, but for the last of them when it goes on until the next begins:
 * a zone's history since 1847 is longer than most calendars. */
static void drop_history(icalcomponent *zone, struct icaltimetype from)
{
	icalcomponent *kept = NULL, *next;

	for (icalcomponent *o = icalcomponent_get_first_component(zone, ICAL_ANY_COMPONENT); o;
	     o = next) {
		icalcomponent *over = o;

		next = icalcomponent_get_next_component(zone, ICAL_ANY_COMPONENT);
		if (icaltime_compare(last_onset(o), from) >= 0)
			continue;
		if (!kept || icaltime_compare(last_onset(o), last_onset(kept)) > 0) {
			over = kept;
			kept = o;
		}
		if (over)
			drop(zone, over);
	}
	if (kept && is_followed(zone, kept, from))
		drop(zone, kept);
}

void calendar_zone(struct buf *out, const char *zone, const char *from)
{
	icalcomponent *c = ical_zone_is_utc(zone) ? NULL : icaltzutil_fetch_timezone(zone);
	struct icaltimetype first = icaltime_from_string(from);
	icalproperty *tzid;

	if (!c)
		return;
	first.year--; /* occurrences may have been moved to before it */
	first.zone = NULL;
	drop_history(c, first);
	tzid = icalcomponent_get_first_property(c, ICAL_TZID_PROPERTY);
	icalproperty_set_tzid(tzid, zone); /* without libical's prefix */
	put(out, c);
}

static const char *value(const struct pg_rows *rows, int row, enum calendar_column column)
{
	return pg_value(rows, row, column);
}

static bool is_all_day(const struct pg_rows *rows, int row)
{
	return value(rows, row, CALENDAR_ALL_DAY)[0] == 't';
}

/* A wall time in the row's zone: a date when it is all day. */
static struct icaltimetype local(const struct pg_rows *rows, int row, const char *text)
{
	struct icaltimetype time = icaltime_from_string(text);

	if (is_all_day(rows, row)) {
		time.hour = time.minute = time.second = 0;
		time.is_date = 1;
	} else if (ical_zone_is_utc(value(rows, row, CALENDAR_ZONE))) {
		time.zone = icaltimezone_get_utc_timezone();
	}
	return time;
}

/* Adds a time of the row, with its zone. */
static void add_time(icalcomponent *c, const struct pg_rows *rows, int row, icalproperty *property)
{
	const char *zone = value(rows, row, CALENDAR_ZONE);

	if (!is_all_day(rows, row) && !ical_zone_is_utc(zone))
		icalproperty_add_parameter(property, icalparameter_new_tzid(zone));
	icalcomponent_add_property(c, property);
}

static icalproperty *new_rdate(struct icaltimetype time)
{
	struct icaldatetimeperiodtype date = { .time = time,
					       .period = icalperiodtype_null_period() };

	return icalproperty_new_rdate(date);
}

/* A property for each line of a list. */
static void add_times(icalcomponent *c, const struct pg_rows *rows, int row,
		      enum calendar_column column, icalproperty *(*make)(struct icaltimetype time))
{
	const char *text = value(rows, row, column);

	while (text && *text) {
		size_t len = strcspn(text, "\n");
		char *one = strndup(text, len);

		add_time(c, rows, row, make(local(rows, row, one)));
		free(one);
		text += len + (text[len] == '\n');
	}
}

/* RFC 5545 section 3.3.10: UNTIL is a date where the start is one, and otherwise an instant. */
static void mend_until(const struct pg_rows *rows, int row, struct icalrecurrencetype *rule)
{
	const char *zone = value(rows, row, CALENDAR_ZONE);
	icaltimezone *z;

	if (icaltime_is_null_time(rule->until))
		return;
	if (is_all_day(rows, row)) {
		rule->until.hour = rule->until.minute = rule->until.second = 0;
		rule->until.is_date = 1;
		rule->until.zone = NULL;
		return;
	}
	if (rule->until.is_date) { /* that day is in it */
		rule->until.is_date = 0;
		rule->until.hour = 23;
		rule->until.minute = rule->until.second = 59;
	}
	if (icaltime_is_utc(rule->until))
		return;
	z = ical_zone_find(zone);
	if (z) {
		rule->until.zone = z;
		rule->until = icaltime_convert_to_zone(rule->until,
						       icaltimezone_get_utc_timezone());
	}
}

/* Of some 3 KB, which libical gives and takes by value: one at a time stands on a stack. */
static APART void read_rule(struct icalrecurrencetype *rule, const char *text)
{
	*rule = icalrecurrencetype_from_string(text);
}

static APART void put_rule(icalcomponent *c, const struct icalrecurrencetype *rule)
{
	icalcomponent_add_property(c, icalproperty_new_rrule(*rule));
}

static void add_rule(icalcomponent *c, const struct pg_rows *rows, int row)
{
	const char *text = value(rows, row, CALENDAR_RRULE);
	struct icalrecurrencetype *rule;

	if (!text)
		return;
	rule = malloc(sizeof(*rule));
	if (!rule)
		abort();
	read_rule(rule, text);
	if (rule->freq != ICAL_NO_RECURRENCE) {
		mend_until(rows, row, rule);
		put_rule(c, rule);
	}
	free(rule);
}

static void add_when(icalcomponent *c, const struct pg_rows *rows, int row)
{
	const char *recurrence = value(rows, row, CALENDAR_RECURRENCE);

	add_time(c, rows, row,
		 icalproperty_new_dtstart(local(rows, row, value(rows, row, CALENDAR_STARTS))));
	add_time(c, rows, row,
		 icalproperty_new_dtend(local(rows, row, value(rows, row, CALENDAR_ENDS))));
	if (recurrence)
		add_time(c, rows, row, icalproperty_new_recurrenceid(local(rows, row, recurrence)));
	add_rule(c, rows, row);
	add_times(c, rows, row, CALENDAR_RDATE, new_rdate);
	add_times(c, rows, row, CALENDAR_EXDATE, icalproperty_new_exdate);
}

static void add_text(icalcomponent *c, const char *text, icalproperty *(*make)(const char *text))
{
	if (text && *text)
		icalcomponent_add_property(c, make(text));
}

/* A comma would end a category's name: libical takes the value for a list. */
static void add_categories(icalcomponent *c, const struct pg_rows *rows, int row)
{
	char *names[ITEMS_MAX], *text, *rest;
	int count = 0;

	if (!value(rows, row, CALENDAR_CATEGORIES))
		return;
	rest = text = strdup(value(rows, row, CALENDAR_CATEGORIES));
	while (count < ITEMS_MAX && (names[count] = strsep(&rest, "\n")))
		add_text(c, names[count++], icalproperty_new_categories);
	free(text);
}

static void add_where(icalcomponent *c, const struct pg_rows *rows, int row)
{
	const char *lat = value(rows, row, CALENDAR_LAT), *lng = value(rows, row, CALENDAR_LNG);

	add_text(c, value(rows, row, CALENDAR_PLACE), icalproperty_new_location);
	if (lat && lng) {
		struct icalgeotype geo = { .lat = strtod(lat, NULL), .lon = strtod(lng, NULL) };

		icalcomponent_add_property(c, icalproperty_new_geo(geo));
	}
	add_text(c, value(rows, row, CALENDAR_ONLINE_URL), icalproperty_new_conference);
}

static void add_replacement(icalcomponent *c, const char *uid)
{
	icalproperty *property;

	if (!uid)
		return;
	property = icalproperty_new_relatedto(uid);
	icalproperty_add_parameter(property, icalparameter_new_reltype(ICAL_RELTYPE_SIBLING));
	icalcomponent_add_property(c, property);
}

static void add_versions(icalcomponent *c, const struct pg_rows *rows, int row)
{
	struct icaltimetype updated = icaltime_from_string(value(rows, row, CALENDAR_UPDATED));

	/* without METHOD, DTSTAMP is the last revision (RFC 5545 section 3.8.7.2) */
	icalcomponent_add_property(c, icalproperty_new_dtstamp(updated));
	icalcomponent_add_property(c, icalproperty_new_lastmodified(updated));
	icalcomponent_add_property(c, icalproperty_new_created(icaltime_from_string(
					      value(rows, row, CALENDAR_CREATED))));
	icalcomponent_add_property(c, icalproperty_new_sequence((int)strtol(
					      value(rows, row, CALENDAR_SEQUENCE), NULL, 10)));
}

/* No ORGANIZER: that is of invitations, and nobody is invited here (RFC 5545 section 3.8.4.3). */
void calendar_event(struct buf *out, const struct pg_rows *rows, int row)
{
	icalcomponent *c = icalcomponent_new(ICAL_VEVENT_COMPONENT);
	char *url = talloc_asprintf(out->mem, "%s/events/%s", config.public_url,
				    value(rows, row, CALENDAR_ID));

	add_text(c, value(rows, row, CALENDAR_UID), icalproperty_new_uid);
	add_versions(c, rows, row);
	icalcomponent_add_property(c, icalproperty_new_status(icalproperty_string_to_status(
					      value(rows, row, CALENDAR_STATUS))));
	add_when(c, rows, row);
	add_text(c, value(rows, row, CALENDAR_TITLE), icalproperty_new_summary);
	add_text(c, value(rows, row, CALENDAR_TEXT), icalproperty_new_description);
	add_where(c, rows, row);
	add_categories(c, rows, row);
	add_text(c, value(rows, row, CALENDAR_CONTACT), icalproperty_new_contact);
	add_text(c, url, icalproperty_new_url);
	add_replacement(c, value(rows, row, CALENDAR_REPLACED_BY));
	put(out, c);
	talloc_free(url);
}
