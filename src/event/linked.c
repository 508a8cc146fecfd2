/* SPDX-License-Identifier: Apache-2.0 */
/* An event as schema.org's Event; resource.json_ld. A series has its rule as a Schedule, as far as that has words for it, and its
 * next occurrences as events of their own. */
#include <stdlib.h>
#include <string.h>
#include "api/request.h"
#include "base/config.h"
#include "base/linked.h"
#include "base/str.h"
#include "base/time.h"
#include "event/event.h"
#include "event/recurrence.h"
#include "model/values.h"
#include "store/pg.h"
#include "base/banned.h"

enum { PARTS_MAX = 12, DAYS_MAX = 20, ISO_SIZE = LOCAL_TEXT_SIZE + 6 };

static const struct linked_row plain[] = {
	{ "identifier", "id" },
	{ "name", "title" },
	{ "inLanguage", "language" },
	{ "keywords", "categories" },
	{ "maximumAttendeeCapacity", "capacity" },
	{ "isAccessibleForFree", "price.free" },
	{ 0 },
};

static const struct linked_row geo[] = {
	{ "latitude", "location.lat" },
	{ "longitude", "location.lng" },
	{ 0 },
};

static const struct linked_row image[] = {
	{ "url", "image.url" },
	{ "caption", "image.alt" },
	{ 0 },
};

static const struct {
	const char *status, *term;
} statuses[] = {
	{ "published", "https://schema.org/EventScheduled" },
	{ "scheduled", "https://schema.org/EventScheduled" },
	{ "cancelled", "https://schema.org/EventCancelled" },
	{ "postponed", "https://schema.org/EventPostponed" },
	{ "rescheduled", "https://schema.org/EventRescheduled" },
};

static const char *status_term(const char *status)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (strcmp(statuses[i].status, status) == 0)
			return statuses[i].term;
	return NULL;
}

/* A wall time with its offset from UTC, which is what it is ahead of the instant; of whole days a date. */
static void write_iso(int64_t local, int64_t instant, bool all_day, char out[ISO_SIZE])
{
	long minutes = (long)((local - instant) / 60);
	char text[LOCAL_TEXT_SIZE];

	local_write(local, text);
	if (all_day)
		snprintf(out, ISO_SIZE, "%.10s", text);
	else
		snprintf(out, ISO_SIZE, "%s%c%02ld:%02ld", text, minutes < 0 ? '-' : '+',
			 (labs(minutes) / 60) % 24, labs(minutes) % 60);
}

static void set_time(json_t *object, const char *property, const char *local_text, int64_t instant,
		     bool all_day)
{
	char text[ISO_SIZE];
	int64_t local;

	if (!local_read(local_text, &local))
		return;
	write_iso(local, instant, all_day, text);
	linked_set_text(object, property, text);
}

static json_t *place_of(json_t *row)
{
	json_t *place = linked_new("Place"), *address = linked_new("PostalAddress"),
	       *position = linked_new("GeoCoordinates");

	linked_set_text(place, "name", linked_text(row, "venue.name"));
	linked_set_text(address, "streetAddress", linked_text(row, "venue.address"));
	linked_set_text(address, "postalCode", linked_text(row, "venue.postcode"));
	linked_set(place, "address", address);
	linked_copy(position, row, geo);
	linked_set(place, "geo", position);
	if (json_object_size(place) > 1)
		linked_set(place, "amenityFeature",
			   linked_features(linked_value(row, "accessibility")));
	return place;
}

static void set_where(json_t *result, json_t *row)
{
	const char *online = linked_text(row, "online_url");
	json_t *place = place_of(row), *virtual_place;
	bool somewhere = json_object_size(place) > 1;

	linked_set_text(result, "eventAttendanceMode",
			online && somewhere ? "https://schema.org/MixedEventAttendanceMode"
			: online	    ? "https://schema.org/OnlineEventAttendanceMode"
					    : "https://schema.org/OfflineEventAttendanceMode");
	if (!online) {
		linked_set(result, "location", place);
		return;
	}
	virtual_place = linked_new("VirtualLocation");
	linked_set_text(virtual_place, "url", online);
	if (somewhere)
		json_object_set_new(result, "location", json_pack("[o, o]", place, virtual_place));
	else
		linked_set(result, "location", virtual_place);
	if (!somewhere)
		json_decref(place);
}

static void set_price(struct request *r, json_t *result, json_t *row)
{
	json_t *from = linked_value(row, "price.from"), *to = linked_value(row, "price.to");
	const char *url = linked_text(row, "price.ticket_url");
	json_t *offer;

	if (!from && !to && !url)
		return;
	offer = linked_new(from && to && !json_equal(from, to) ? "AggregateOffer" : "Offer");
	if (from || to)
		linked_set_text(offer, "priceCurrency", "GBP");
	if (from && to && !json_equal(from, to)) {
		linked_set_text(
			offer, "lowPrice",
			talloc_asprintf(MEM(r), "%.2f", (double)json_integer_value(from) / 100));
		linked_set_text(
			offer, "highPrice",
			talloc_asprintf(MEM(r), "%.2f", (double)json_integer_value(to) / 100));
	} else if (from || to) {
		linked_set_text(
			offer, "price",
			talloc_asprintf(MEM(r), "%.2f",
					(double)json_integer_value(from ? from : to) / 100));
	}
	linked_set_text(offer, "url", url);
	linked_set(result, "offers", offer);
}

static void set_age(struct request *r, json_t *result, json_t *row)
{
	json_t *min = linked_value(row, "age.min"), *max = linked_value(row, "age.max");

	if (min && max)
		linked_set_text(result, "typicalAgeRange",
				talloc_asprintf(MEM(r), "%lld-%lld", json_integer_value(min),
						json_integer_value(max)));
	else if (min)
		linked_set_text(result, "typicalAgeRange",
				talloc_asprintf(MEM(r), "%lld-", json_integer_value(min)));
	else if (max)
		linked_set_text(result, "typicalAgeRange",
				talloc_asprintf(MEM(r), "-%lld", json_integer_value(max)));
}

static void set_organiser(json_t *result, json_t *row)
{
	json_t *organiser = linked_new(linked_value(row, "organiser.business_id") ? "LocalBusiness"
										  : "Organization");

	linked_set_text(organiser, "name", linked_text(row, "organiser.name"));
	linked_set(result, "organizer", organiser);
}

/* ---- the rule ---- */

/* "SA,SU" of RFC 5545 in the words of schema.org: its own names of days, or "2TU" as it stands. */
static json_t *days_of(TALLOC_CTX *mem, const char *list)
{
	static const char *const days[][2] = {
		{ "MO", "https://schema.org/Monday" },	  { "TU", "https://schema.org/Tuesday" },
		{ "WE", "https://schema.org/Wednesday" }, { "TH", "https://schema.org/Thursday" },
		{ "FR", "https://schema.org/Friday" },	  { "SA", "https://schema.org/Saturday" },
		{ "SU", "https://schema.org/Sunday" },
	};
	json_t *result = json_array();
	char **parts;
	int n = str_split(mem, list, ',', DAYS_MAX, &parts);

	for (int i = 0; i < n; i++) {
		const char *word = parts[i];

		for (size_t d = 0; d < COUNT_OF(days); d++)
			if (strcmp(days[d][0], parts[i]) == 0)
				word = days[d][1];
		json_array_append_new(result, json_string(word));
	}
	return result;
}

static json_t *numbers_of(TALLOC_CTX *mem, const char *list)
{
	json_t *result = json_array();
	char **parts;
	int n = str_split(mem, list, ',', DAYS_MAX, &parts);

	for (int i = 0; i < n; i++)
		json_array_append_new(result, json_integer(strtol(parts[i], NULL, 10)));
	return result;
}

/* One part of a rule, "BYDAY=SA". False when schema.org has no word for it. */
static bool add_part(struct request *r, json_t *schedule, char *part, char *unit, long *interval)
{
	static const char *const frequencies[][2] = {
		{ "DAILY", "D" }, { "WEEKLY", "W" }, { "MONTHLY", "M" }, { "YEARLY", "Y" }
	};
	const char *equals = strchr(part, '='), *value = equals ? equals + 1 : "";

	if (strncmp(part, "FREQ=", 5) == 0) {
		for (size_t i = 0; i < COUNT_OF(frequencies); i++)
			if (strcmp(value, frequencies[i][0]) == 0)
				*unit = frequencies[i][1][0];
		return *unit != '\0';
	}
	if (strncmp(part, "INTERVAL=", 9) == 0) {
		*interval = strtol(value, NULL, 10);
		return true;
	}
	if (strncmp(part, "WKST=", 5) == 0)
		return true;
	if (strncmp(part, "BYDAY=", 6) == 0)
		linked_set(schedule, "byDay", days_of(MEM(r), value));
	else if (strncmp(part, "BYMONTHDAY=", 11) == 0)
		linked_set(schedule, "byMonthDay", numbers_of(MEM(r), value));
	else if (strncmp(part, "BYMONTH=", 8) == 0)
		linked_set(schedule, "byMonth", numbers_of(MEM(r), value));
	else
		return false;
	return true;
}

static bool add_rule(struct request *r, json_t *schedule, const struct recurrence *rule)
{
	char unit = '\0', **parts, text[LOCAL_TEXT_SIZE];
	int n = str_split(MEM(r), rule->rule, ';', PARTS_MAX, &parts);
	long interval = 1;

	for (int i = 0; i < n; i++)
		if (!add_part(r, schedule, parts[i], &unit, &interval))
			return false;
	if (n < 0 || !unit)
		return false;
	linked_set_text(schedule, "repeatFrequency",
			talloc_asprintf(MEM(r), "P%ld%c", interval, unit));
	if (rule->count)
		linked_set(schedule, "repeatCount", json_integer(rule->count));
	if (rule->until != UNTIL_NONE) {
		local_write(rule->until_at, text);
		linked_set_text(schedule, "endDate", talloc_strndup(MEM(r), text, 10));
	}
	return true;
}

static void set_schedule(struct request *r, json_t *result, json_t *row)
{
	const char *rule_text = linked_text(row, "rrule"), *problem = NULL;
	const char *starts = linked_text(row, "starts_local"),
		   *ends = linked_text(row, "ends_local");
	struct recurrence *rule = rule_text ? recurrence_parse(MEM(r), rule_text, &problem) : NULL;
	json_t *schedule;

	if (!rule)
		return;
	schedule = linked_new("Schedule");
	if (!add_rule(r, schedule, rule)) {
		json_decref(schedule);
		return;
	}
	linked_set_text(schedule, "startDate", talloc_strndup(MEM(r), starts, 10));
	if (!json_is_true(linked_value(row, "all_day"))) {
		linked_set_text(schedule, "startTime", starts + 11);
		linked_set_text(schedule, "endTime", ends + 11);
	}
	linked_set_text(schedule, "scheduleTimezone", linked_text(row, "time_zone"));
	if (json_array_size(linked_value(row, "exdate")) > 0)
		linked_set(schedule, "exceptDate", json_incref(linked_value(row, "exdate")));
	linked_set(result, "eventSchedule", schedule);
}

/* ---- when ---- */

enum { STARTS_LOCAL, STARTS_AT, ENDS_LOCAL, ENDS_AT, STATUS, TITLE };

static int64_t instant_of(const struct pg_rows *rows, int row, int column)
{
	return strtoll(pg_value(rows, row, column), NULL, 10);
}

static void set_times(json_t *object, const struct pg_rows *rows, int i, bool all_day)
{
	set_time(object, "startDate", pg_value(rows, i, STARTS_LOCAL),
		 instant_of(rows, i, STARTS_AT), all_day);
	set_time(object, "endDate", pg_value(rows, i, ENDS_LOCAL), instant_of(rows, i, ENDS_AT),
		 all_day);
}

static json_t *occurrences(json_t *result, const struct pg_rows *rows, bool all_day)
{
	json_t *list = json_array();

	for (int i = 0; i < pg_count(rows); i++) {
		json_t *one = linked_new("Event");

		linked_set_text(one, "name", pg_value(rows, i, TITLE));
		set_times(one, rows, i, all_day);
		linked_set_text(one, "eventStatus", status_term(pg_value(rows, i, STATUS)));
		linked_set(one, "location", json_incref(json_object_get(result, "location")));
		json_array_append_new(list, one);
	}
	return list;
}

/* The only occurrence of an event, or the next ones of a series. waits */
static int set_when(struct request *r, json_t *result, json_t *row)
{
	bool all_day = json_is_true(linked_value(row, "all_day"));
	bool recurs = linked_value(row, "rrule") || json_array_size(linked_value(row, "rdate")) > 0;
	const char *starts = linked_text(row, "starts_local");
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select o.starts_local, extract(epoch from o.starts_at)::bigint, o.ends_local, "
		"extract(epoch from o.ends_at)::bigint, o.status, coalesce(o.title, e.title) "
		"from event.occurrence o join event.event e on e.id = o.event_id "
		"where o.event_id = $1 and o.deleted_at is null and (o.ends_at > now() or not $2::boolean) "
		"order by o.starts_at limit 20",
		PG_PARAMS(linked_text(row, "id"), recurs ? "true" : "false"));

	if (rc)
		return rc;
	if (!recurs && pg_count(rows) > 0) {
		set_times(result, rows, 0, all_day);
		return OK;
	}
	set_time(result, "startDate", starts, time_from_rfc3339(linked_text(row, "starts_at")),
		 all_day);
	linked_set_text(result, "endDate", linked_text(row, "ends_at"));
	if (pg_count(rows) > 0)
		linked_set(result, "subEvent", occurrences(result, rows, all_day));
	return OK;
}

int event_json_ld(struct request *r, json_t *row, json_t **linked)
{
	const char *text = linked_text(row, "description");
	char *url = talloc_asprintf(MEM(r), "%s/events/%s", config.public_url,
				    linked_text(row, "id"));
	json_t *result = linked_new("Event"), *picture = linked_new("ImageObject");

	linked_set_text(result, "@context", "https://schema.org");
	linked_set_text(result, "@id", url);
	linked_set_text(result, "url", url);
	linked_copy(result, row, plain);
	linked_set_text(result, "description", text ? text : linked_text(row, "summary"));
	linked_set_text(result, "eventStatus", status_term(linked_text(row, "status")));
	linked_copy(picture, row, image);
	linked_set(result, "image", picture);
	set_organiser(result, row);
	set_where(result, row);
	set_price(r, result, row);
	set_age(r, result, row);
	set_schedule(r, result, row);
	*linked = json_keep(MEM(r), result);
	return set_when(r, result, row);
}
