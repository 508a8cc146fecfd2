/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a calendar understood; see ical_entry.h. */
#include "event/ical_entry.h"

#include <ctype.h>
#include <libical/ical.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/formats.h"
#include "base/str.h"
#include "event/ical_zone.h"
#include "event/recurrence.h"
#include "base/banned.h"

enum {
	TITLE_MAX = 160,
	TEXT_MAX = 10000,
	VENUE_MAX = 160,
	ADDRESS_MAX = 700,
	SEQUENCE_MAX = 1000000000
};

/* Of one reading. */
struct reading {
	TALLOC_CTX *mem;
	const struct ical_calendar *c;
	const char *town;
	const struct ical_entry *series;
	struct ical_entry *e;
	icalcomponent *component;
	const char *why; /* it is refused */
};

static void note(struct reading *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void note(struct reading *r, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (r->e->note_count == ICAL_NOTES_MAX)
		return;
	va_start(ap, fmt);
	text = talloc_vasprintf(r->e, fmt, ap);
	va_end(ap);
	str_repair_utf8(text);
	for (int i = 0; i < r->e->note_count; i++)
		if (strcmp(r->e->notes[i], text) == 0)
			return;
	r->e->notes[r->e->note_count++] = text;
}

static void refuse(struct reading *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

/* ---- texts ---- */

static icalproperty *first(struct reading *r, icalproperty_kind kind)
{
	return icalcomponent_get_first_property(r->component, kind);
}

/* The text of a property's value, a child of the entry; NULL when it is not there or empty. */
static char *value_of(struct reading *r, icalproperty *property)
{
	icalvalue *value = property ? icalproperty_get_value(property) : NULL;
	const char *text = NULL;
	char *copy;

	if (!value)
		return NULL;
	if (icalvalue_isa(value) == ICAL_URI_VALUE)
		text = icalvalue_get_uri(value);
	else if (icalvalue_isa(value) == ICAL_TEXT_VALUE)
		text = icalvalue_get_text(value);
	if (!text)
		return NULL;
	copy = talloc_strdup(r->e, text);
	str_repair_utf8(copy);
	copy = str_trim(copy);
	return copy[0] ? copy : NULL;
}

/* Control characters become blanks, in place; line breaks stay in a text of several lines. Those of C1 are two bytes. */
static void clean(char *text, bool lines)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		bool stays = lines && (*c == '\n' || *c == '\t');

		if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = ' ';
		else if ((*c < ' ' && !stays) || *c == 0x7f)
			*c = ' ';
	}
}

/* At most so many characters, and a note when some are left out. */
static const char *cut(struct reading *r, const char *name, char *text, size_t max)
{
	size_t n = 0;

	for (char *c = text; *c; c++) {
		n += ((unsigned char)*c & 0xc0) != 0x80;
		if (n > max) {
			*c = '\0';
			note(r, "%s was cut to %zu characters", name, max);
			break;
		}
	}
	return str_trim(text);
}

static void read_title(struct reading *r)
{
	char *title = value_of(r, first(r, ICAL_SUMMARY_PROPERTY));

	if (title)
		clean(title, false);
	title = title ? str_trim(title) : NULL;
	if (title && title[0])
		r->e->title = cut(r, "SUMMARY", title, TITLE_MAX);
	else if (!r->series) /* an override has that of its series */
		refuse(r, "has no SUMMARY");
}

/* The page about it stands below its text: there is no other place for it. */
static void read_text(struct reading *r)
{
	char *text = value_of(r, first(r, ICAL_DESCRIPTION_PROPERTY));
	const char *page = value_of(r, first(r, ICAL_URL_PROPERTY));

	page = page ? format_url(r->e, page) : NULL;
	if (page && (!text || !strstr(text, page)))
		text = text ? talloc_asprintf(r->e, "%.*s\n\n%s", TEXT_MAX, text, page)
			    : talloc_strdup(r->e, page);
	if (!text)
		return;
	str_repair_utf8(text);
	clean(text, true);
	text = str_trim(text);
	r->e->text = text[0] ? cut(r, "DESCRIPTION", text, TEXT_MAX) : NULL;
}

/* A postcode at the end is taken off. */
static void take_postcode(struct reading *r, char *place)
{
	size_t len = strlen(place);

	for (int words = 0; words < 2; words++) {
		while (len > 0 && place[len - 1] == ' ')
			len--;
		while (len > 0 && isalnum((unsigned char)place[len - 1]))
			len--;
		r->e->postcode = place[len] && (len == 0 || strchr(" ,", place[len - 1]))
					 ? format_postcode(r->e, place + len)
					 : NULL;
		if (r->e->postcode)
			break;
	}
	if (!r->e->postcode)
		return;
	while (len > 0 && strchr(" ,", place[len - 1]))
		len--;
	place[len] = '\0';
}

/* "Guildhall, High Street, Guildford GU1 3AA": its name, its address, its postcode. */
static void read_place(struct reading *r)
{
	char *place = value_of(r, first(r, ICAL_LOCATION_PROPERTY)), *comma;

	if (!place)
		return;
	r->e->online_url = format_url(r->e, place);
	if (r->e->online_url)
		return;
	for (char *c = place; *c; c++)
		if (*c == '\n')
			*c = ',';
	clean(place, false);
	take_postcode(r, place);
	comma = strchr(place, ',');
	if (comma) {
		char *rest = comma + 1;

		*comma = '\0';
		rest += strspn(rest, " ,");
		if (rest[0])
			r->e->address = cut(r, "LOCATION", rest, ADDRESS_MAX);
	}
	place = str_trim(place);
	if (place[0])
		r->e->venue = cut(r, "LOCATION", place, VENUE_MAX);
}

static void read_online(struct reading *r)
{
	const char *url = value_of(r, first(r, ICAL_CONFERENCE_PROPERTY));

	if (url && format_url(r->e, url))
		r->e->online_url = format_url(r->e, url);
}

/* Programs write 0;0 for nowhere. */
static void read_point(struct reading *r)
{
	icalproperty *property = first(r, ICAL_GEO_PROPERTY);
	struct icalgeotype geo;

	if (!property)
		return;
	geo = icalproperty_get_geo(property);
	if (!(geo.lat >= -90 && geo.lat <= 90 && geo.lon >= -180 && geo.lon <= 180)) {
		note(r, "GEO is no place on earth: left out");
		return;
	}
	r->e->has_point = geo.lat != 0 || geo.lon != 0;
	r->e->lat = geo.lat;
	r->e->lng = geo.lon;
}

static void read_categories(struct reading *r)
{
	for (icalproperty *p = first(r, ICAL_CATEGORIES_PROPERTY);
	     p && r->e->category_count < ICAL_CATEGORIES_MAX;
	     p = icalcomponent_get_next_property(r->component, ICAL_CATEGORIES_PROPERTY)) {
		char *name = value_of(r, p);

		if (!name)
			continue;
		clean(name, false);
		r->e->categories[r->e->category_count++] = str_trim(name);
	}
}

static bool has_value(struct reading *r, icalproperty_kind kind, const char *wanted)
{
	icalproperty *property = first(r, kind);
	char *text = property ? icalproperty_get_value_as_string_r(property) : NULL;
	bool is = text && str_is_choice(wanted, text);

	free(text);
	return is;
}

/* ---- times ---- */

/* One time of the calendar: what its clock showed, and in which zone. */
struct moment {
	int64_t local;
	const char *zone; /* NULL: a date, or a wall clock of no zone */
	bool is_date, is_utc;
};

static bool read_local(struct icaltimetype time, int64_t *local)
{
	char text[64];

	if (time.year < 1900 || time.year > 2200)
		return false;
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d", time.year, time.month,
		 time.day, time.is_date ? 0 : time.hour, time.is_date ? 0 : time.minute,
		 time.is_date	     ? 0
		 : time.second == 60 ? 59
				     : time.second);
	return local_read(text, local);
}

/* The zone of a TZID; one that nobody knows is taken for the town's. */
static const char *zone_of(struct reading *r, const char *tzid)
{
	const char *zone = ical_zone(r->e, tzid);

	for (int i = 0; !zone && i < r->c->zone_count; i++)
		if (strcmp(r->c->zones[i].id, tzid) == 0)
			zone = ical_zone(r->e, r->c->zones[i].location);
	if (!zone) {
		note(r, "the time zone %.60s is not known: taken for %s", tzid, r->town);
		zone = r->town;
	}
	return zone;
}

/* Times without a zone are of the calendar's, or the town's. */
static const char *usual_zone(struct reading *r)
{
	return r->c->zone ? zone_of(r, r->c->zone) : r->town;
}

static bool read_moment(struct reading *r, icalproperty *property, struct icaltimetype time,
			struct moment *m)
{
	char *tzid = icalproperty_get_parameter_as_string_r(property, "TZID");

	*m = (struct moment) { .is_date = time.is_date, .is_utc = icaltime_is_utc(time) };
	if (m->is_utc)
		m->zone = "UTC";
	else if (tzid && !m->is_date)
		m->zone = zone_of(r, tzid);
	if (m->zone && ical_zone_is_utc(m->zone)) {
		m->zone = "UTC";
		m->is_utc = true;
	}
	free(tzid);
	return read_local(time, &m->local);
}

static int64_t floor_day(int64_t local)
{
	return local - ((local % SERIES_DAY_S) + SERIES_DAY_S) % SERIES_DAY_S;
}

/* The moment on the clock of the entry's zone. A date is that day, at the time at which the series begins. */
static int64_t in_zone(struct reading *r, const struct moment *m, const char *zone, int64_t start)
{
	const char *from = m->zone ? m->zone : usual_zone(r);
	struct icaltimetype time;
	icaltimezone *a, *b;
	int64_t local = m->local;

	if (m->is_date)
		return m->local + start - floor_day(start);
	if (strcmp(from, zone) == 0)
		return local;
	a = ical_zone_find(from);
	b = ical_zone_find(zone);
	if (!a || !b)
		return local;
	time = icaltime_from_timet_with_zone(local, 0, NULL);
	time.zone = a;
	time = icaltime_convert_to_zone(time, b);
	return read_local(time, &local) ? local : m->local;
}

static bool read_first(struct reading *r, icalproperty_kind kind, struct moment *m)
{
	icalproperty *property = first(r, kind);
	icalvalue *value = property ? icalproperty_get_value(property) : NULL;

	return value &&
	       (icalvalue_isa(value) == ICAL_DATE_VALUE ||
		icalvalue_isa(value) == ICAL_DATETIME_VALUE) &&
	       read_moment(r, property, icalvalue_get_datetime(value), m);
}

/* What is said in UTC and does not recur is shown by the town's clock, and a day is one of the town's; but a rule counts by the
 * clock that it is said by. */
static void choose_zone(struct reading *r, const struct moment *start)
{
	const char *zone = start->zone ? start->zone : usual_zone(r);
	bool counts = r->e->part->rrule && !start->is_date;

	if (r->series)
		r->e->zone = r->series->zone;
	else if (ical_zone_is_utc(zone) && !counts)
		r->e->zone = ical_zone_is_utc(usual_zone(r)) ? r->town : usual_zone(r);
	else
		r->e->zone = zone;
}

static void read_end(struct reading *r)
{
	struct ical_entry *e = r->e;
	icalproperty *duration = first(r, ICAL_DURATION_PROPERTY);
	struct moment end;

	e->ends = e->starts;
	if (first(r, ICAL_DTEND_PROPERTY)) {
		if (!read_first(r, ICAL_DTEND_PROPERTY, &end)) {
			refuse(r, "has a DTEND that is no time");
			return;
		}
		e->ends = in_zone(r, &end, e->zone, 0);
	} else if (duration) {
		e->ends += icaldurationtype_as_int(icalproperty_get_duration(duration));
	}
	if (e->all_day) {
		e->ends = floor_day(e->ends);
		/* a day without an end is that day (section 3.6.1); some end it where it begins */
		if (e->ends == e->starts)
			e->ends += SERIES_DAY_S;
	}
	if (e->ends < e->starts)
		refuse(r, "ends before it begins");
}

static void read_start(struct reading *r)
{
	struct moment start;

	if (!read_first(r, ICAL_DTSTART_PROPERTY, &start)) {
		refuse(r, first(r, ICAL_DTSTART_PROPERTY) ? "has a DTSTART that is no time"
							  : "has no DTSTART");
		return;
	}
	r->e->all_day = r->series ? r->series->all_day : start.is_date;
	choose_zone(r, &start);
	r->e->starts = in_zone(r, &start, r->e->zone,
			       r->series && !r->e->all_day ? r->series->starts : 0);
	if (r->e->all_day)
		r->e->starts = floor_day(r->e->starts);
	read_end(r);
}

/* A time of the series, as it counts there. */
static int64_t in_series(struct reading *r, const struct moment *m, const struct ical_entry *series)
{
	int64_t local = in_zone(r, m, series->zone, series->starts);

	return series->all_day ? floor_day(local) : local;
}

static void add_date(struct reading *r, const char *name, int64_t *dates, int *count, int64_t local)
{
	/* more than can be kept: the oldest go */
	if (*count == SERIES_DATES_MAX) {
		int oldest = 0;

		for (int i = 1; i < *count; i++)
			if (dates[i] < dates[oldest])
				oldest = i;
		note(r, "has more than %d times of %s: the latest were taken", SERIES_DATES_MAX,
		     name);
		if (local > dates[oldest])
			dates[oldest] = local;
		return;
	}
	for (int i = 0; i < *count; i++)
		if (dates[i] == local)
			return;
	dates[(*count)++] = local;
}

static void read_rdates(struct reading *r)
{
	for (icalproperty *p = first(r, ICAL_RDATE_PROPERTY); p;
	     p = icalcomponent_get_next_property(r->component, ICAL_RDATE_PROPERTY)) {
		struct icaldatetimeperiodtype date = icalproperty_get_rdate(p);
		bool is_period = icaltime_is_null_time(date.time);
		struct moment m;

		if (is_period)
			note(r,
			     "has an RDATE with a length of its own: it lasts as long as the others");
		if (read_moment(r, p, is_period ? date.period.start : date.time, &m))
			add_date(r, "RDATE", r->e->rdate, &r->e->rdate_count,
				 in_series(r, &m, r->e));
	}
}

static void read_exdates(struct reading *r)
{
	for (icalproperty *p = first(r, ICAL_EXDATE_PROPERTY); p;
	     p = icalcomponent_get_next_property(r->component, ICAL_EXDATE_PROPERTY)) {
		struct moment m;

		if (read_moment(r, p, icalproperty_get_exdate(p), &m))
			add_date(r, "EXDATE", r->e->exdate, &r->e->exdate_count,
				 in_series(r, &m, r->e));
	}
}

static void read_recurrence(struct reading *r)
{
	struct moment m;

	if (!read_first(r, ICAL_RECURRENCEID_PROPERTY, &m))
		refuse(r, "has a RECURRENCE-ID that is no time");
	else
		r->e->recurrence = in_series(r, &m, r->series);
}

static void read_modified(struct reading *r)
{
	struct moment m;
	char text[LOCAL_TEXT_SIZE];

	if (!read_first(r, ICAL_LASTMODIFIED_PROPERTY, &m))
		return;
	local_write(m.local, text);
	r->e->modified = talloc_asprintf(r->e, "%sZ", text);
}

static void read_sequence(struct reading *r)
{
	icalproperty *property = first(r, ICAL_SEQUENCE_PROPERTY);
	int sequence = property ? icalproperty_get_sequence(property) : 0;

	r->e->sequence = sequence < 0 ? 0 : sequence > SEQUENCE_MAX ? SEQUENCE_MAX : sequence;
}

/* A series begins with a time of its rule; some calendars begin it with another, which is its first all the same (section
 * 3.8.5.3 does not say): that becomes a further date. What the rule has wrong is said when it is checked. */
static void mend_start(struct reading *r)
{
	struct ical_entry *e = r->e;
	const char *problem;
	struct recurrence *rule = e->rrule ? recurrence_parse(e, e->rrule, &problem) : NULL;
	int64_t next;
	int n = rule ? recurrence_expand(rule, e->starts, INT64_MAX, e->starts,
					 e->starts + SERIES_SEARCH_S, &next, 1)
		     : 0;

	if (n == 0 || n == -2)
		return;
	if (next == e->starts || rule->count == 1)
		return;
	note(r, "DTSTART is no time of the rule: taken as a further one");
	add_date(r, "RDATE", e->rdate, &e->rdate_count, e->starts);
	e->ends += next - e->starts;
	e->starts = next;
	if (rule->count) {
		rule->count--;
		e->rrule = recurrence_text(e, rule);
	}
}

/* ---- the whole ---- */

/* What libical could not read it has put aside. */
static void note_errors(struct reading *r)
{
	for (icalproperty *p = first(r, ICAL_XLICERROR_PROPERTY); p;
	     p = icalcomponent_get_next_property(r->component, ICAL_XLICERROR_PROPERTY)) {
		const char *text = value_of(r, p);
		const char *in = text ? strstr(text, " in ") : NULL;

		note(r, "a property was left out, for it cannot be read%s%.*s", in ? ":" : "",
		     in ? (int)strcspn(in + 3, ".\r\n") : 0, in ? in + 3 : "");
	}
	if (r->e->part->too_long)
		note(r, "%s was left out, for it is longer than %d bytes, or all of it than %d",
		     r->e->part->too_long, ICAL_LINE_MAX, ICAL_PART_MAX);
	if (r->e->part->odd_line)
		note(r, "line %ld is no property", r->e->part->odd_line);
}

static void check_rules(struct reading *r)
{
	const struct ical_part *part = r->e->part;

	if (part->exrule)
		refuse(r, "has an EXRULE, which is not supported");
	if (part->rules > 1)
		refuse(r, "has more than one RRULE");
	if (part->and_following)
		refuse(r, "changes all that follow (RANGE=THISANDFUTURE), which is not supported");
	r->e->rrule = part->is_override ? NULL : part->rrule;
}

static void read_all(struct reading *r)
{
	r->e->cancelled = r->e->part->cancelled || has_value(r, ICAL_STATUS_PROPERTY, "CANCELLED");
	r->e->is_private = has_value(r, ICAL_CLASS_PROPERTY, "PRIVATE|CONFIDENTIAL");
	note_errors(r);
	check_rules(r);
	read_title(r);
	read_text(r);
	read_place(r);
	read_online(r);
	read_point(r);
	read_categories(r);
	read_sequence(r);
	read_modified(r);
	read_start(r);
	if (r->why)
		return;
	if (r->e->part->is_override) {
		read_recurrence(r);
		return;
	}
	read_rdates(r);
	read_exdates(r);
	mend_start(r);
}

struct ical_entry *ical_entry_read(TALLOC_CTX *mem, const struct ical_calendar *c,
				   const struct ical_part *part, const char *town,
				   const struct ical_entry *series, const char **why)
{
	struct reading r = { .mem = mem, .c = c, .town = town, .series = series };

	icalerror_set_errors_are_fatal(false);
	r.e = talloc_zero(mem, struct ical_entry);
	r.e->part = part;
	r.component = icalparser_parse_string(part->text);
	if (!r.component || icalcomponent_isa(r.component) != ICAL_VEVENT_COMPONENT)
		refuse(&r, "cannot be read");
	else
		read_all(&r);
	if (r.component)
		icalcomponent_free(r.component);
	*why = r.why;
	return r.why ? NULL : r.e;
}

/* ---- as JSON ---- */

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *local_json(int64_t local)
{
	char text[LOCAL_TEXT_SIZE];

	local_write(local, text);
	return json_string(text);
}

static json_t *dates_json(const int64_t *dates, int count)
{
	json_t *list = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(list, local_json(dates[i]));
	return list;
}

json_t *ical_entry_body(const struct ical_entry *e, json_t *categories)
{
	json_t *body = json_pack(
		"{s:s, s:o, s:s, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o}",
		"title", e->title, "description", text_or_null(e->text), "status",
		e->cancelled ? "cancelled" : "published", "categories", categories, "venue", "name",
		text_or_null(e->venue), "address", text_or_null(e->address), "postcode",
		text_or_null(e->postcode), "online_url", text_or_null(e->online_url),
		"starts_local", local_json(e->starts), "ends_local", local_json(e->ends),
		"time_zone", e->zone, "all_day", (int)e->all_day, "rrule", text_or_null(e->rrule),
		"rdate", dates_json(e->rdate, e->rdate_count), "exdate",
		dates_json(e->exdate, e->exdate_count));

	if (e->has_point)
		json_object_set_new(body, "location",
				    json_pack("{s:f, s:f}", "lat", e->lat, "lng", e->lng));
	return body;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_place(const struct ical_entry *a, const struct ical_entry *b)
{
	return same_text(a->venue, b->venue) && same_text(a->address, b->address) &&
	       same_text(a->postcode, b->postcode) && a->has_point == b->has_point &&
	       (!a->has_point || (a->lat == b->lat && a->lng == b->lng));
}

static void set_if_other(json_t *change, const char *name, const char *text, const char *usual)
{
	if (text && !same_text(text, usual))
		json_object_set_new(change, name, json_string(text));
}

/* What is null in an occurrence is as in its event; a place is its own as a whole. */
json_t *ical_entry_change(const struct ical_entry *e, const struct ical_entry *series)
{
	json_t *change = json_pack("{s:o, s:o, s:o, s:s}", "recurrence", local_json(e->recurrence),
				   "starts", local_json(e->starts), "ends", local_json(e->ends),
				   "status", e->cancelled ? "cancelled" : "scheduled");

	set_if_other(change, "title", e->title, series->title);
	set_if_other(change, "description", e->text, series->text);
	set_if_other(change, "online_url", e->online_url, series->online_url);
	if (same_place(e, series))
		return change;
	set_if_other(change, "venue_name", e->venue, NULL);
	set_if_other(change, "venue_address", e->address, NULL);
	set_if_other(change, "venue_postcode", e->postcode, NULL);
	if (e->has_point) {
		json_object_set_new(change, "location_lat", json_real(e->lat));
		json_object_set_new(change, "location_lng", json_real(e->lng));
	}
	return change;
}
