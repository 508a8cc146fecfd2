/* SPDX-License-Identifier: Apache-2.0 */
/* What the table of events cannot say: categories must exist, a venue or organiser that is a business is known by what it
 * publishes of itself, who names a business as the organiser must be its own. Called by api/crud.c before it writes,
 * inside the transaction. */
#include <string.h>
#include "api/request.h"
#include "api/steps.h"
#include "event/event.h"
#include "event/when.h"
#include "store/pg.h"
#include "base/uuid.h"
#include "base/banned.h"

/* One statement says it all: categories that do not exist, the two businesses, the caller's relation to the organiser,
 * the event that takes the place of this one. */
static const char rules_sql[] =
	"select (select string_agg(c, ', ') from unnest($1::text[]) c where not exists "
	"(select from event.event_category where slug = c and deleted_at is null)), "
	"v.id, v.name, v.address, v.postcode, v.location_lat, v.location_lng, o.id, o.name, "
	"exists (select from platform.relation x where x.resource = 'business' and x.resource_id = $3::uuid "
	"and x.person_id = nullif($4, '')::uuid and x.relation = any (string_to_array('" EVENT_BUSINESS_ORGANISERS
	"', '|'))), exists (select from event.event where id = $5::uuid and deleted_at is null) "
	"from (values (true)) one "
	"left join platform.place v on v.resource = 'business' and v.id = $2::uuid and v.deleted_at is null "
	"left join platform.place o on o.resource = 'business' and o.id = $3::uuid and o.deleted_at is null";

enum {
	NO_CATEGORIES,
	VENUE,
	VENUE_NAME,
	VENUE_ADDRESS,
	VENUE_POSTCODE,
	VENUE_LAT,
	VENUE_LNG,
	ORGANISER,
	ORGANISER_NAME,
	IS_OURS,
	NEXT_EXISTS
};

static void take_venue(struct values *v, const struct pg_rows *answer)
{
	values_set(v, "venue.name", pg_value(answer, 0, VENUE_NAME));
	values_set(v, "venue.address", pg_value(answer, 0, VENUE_ADDRESS));
	values_set(v, "venue.postcode", pg_value(answer, 0, VENUE_POSTCODE));
	values_set(v, "location.lat", pg_value(answer, 0, VENUE_LAT));
	values_set(v, "location.lng", pg_value(answer, 0, VENUE_LNG));
}

static int judge_organiser(struct request *r, struct values *v, const struct pg_rows *answer)
{
	if (!pg_value(answer, 0, ORGANISER))
		return task_problem(&r->task, "organiser.business_id", "there is no such business");
	values_set(v, "organiser.name", pg_value(answer, 0, ORGANISER_NAME));
	if (pg_value(answer, 0, IS_OURS)[0] == 't' ||
	    allow_has(r, permission_find("event:moderate")))
		return OK;
	return fail(
		r, E_FORBIDDEN,
		"You need the permission event:moderate, or to be owner or manager of the business that organises it");
}

static int check_database(struct request *r, struct values *v, json_t *old)
{
	const char *categories = values_get(v, "categories")->text;
	const char *venue = values_after(MEM(r), v, old, "venue.business_id");
	const char *organiser = values_change(v, old, "organiser.business_id")
					? values_get(v, "organiser.business_id")->text
					: NULL;
	const char *next = values_get(v, "rescheduled_to")->text;
	struct pg_rows *answer;
	int rc;

	if (!categories && !venue && !organiser && !next)
		return OK;
	rc = pg_query(&r->task, &answer, rules_sql,
		      PG_PARAMS(categories, venue, organiser, r->caller.person_id, next));
	if (rc)
		return rc;
	if (pg_value(answer, 0, NO_CATEGORIES))
		task_problem(&r->task, "categories", "there is no event category %.200s",
			     pg_value(answer, 0, NO_CATEGORIES));
	if (next && pg_value(answer, 0, NEXT_EXISTS)[0] != 't')
		task_problem(&r->task, "rescheduled_to", "there is no such event");
	if (venue && pg_value(answer, 0, VENUE))
		take_venue(v, answer);
	else if (venue && values_change(v, old, "venue.business_id"))
		task_problem(&r->task, "venue.business_id", "there is no such business");
	if (r->task.failure.code)
		return r->task.failure.code;
	return organiser ? judge_organiser(r, v, answer) : OK;
}

/* Whom it belongs to when no business organises it, and the name that calendars know it by for good. */
static void make_own(struct request *r, struct values *v)
{
	bool own = r->caller.person_id[0] && !values_get(v, "organiser.business_id")->text;
	char id[UUID_TEXT_SIZE];

	uuid_new(id);
	values_set(v, "organiser.person_id", own ? r->caller.person_id : NULL);
	values_set(v, "uid", talloc_asprintf(MEM(r), "%s@guildford", id));
}

static void check_status(struct request *r, struct values *v, json_t *old)
{
	const char *status = values_after(MEM(r), v, old, "status");
	const char *next = values_after(MEM(r), v, old, "rescheduled_to");
	bool rescheduled = status && strcmp(status, "rescheduled") == 0;

	if (rescheduled && !next)
		task_problem(&r->task, "rescheduled_to",
			     "is needed when the status is rescheduled");
	if (next && !rescheduled)
		task_problem(&r->task, "rescheduled_to",
			     "is only for events whose status is rescheduled");
}

static void check_rsvp(struct request *r, struct values *v, json_t *old)
{
	const char *mode = values_after(MEM(r), v, old, "rsvp.mode");

	if (mode && strcmp(mode, "external") == 0 && !values_after(MEM(r), v, old, "rsvp.url"))
		task_problem(&r->task, "rsvp.url", "is needed when replies are taken elsewhere");
}

int event_before_write(struct request *r, struct values *v, json_t *old)
{
	int rc;

	values_check_pair(&r->task, v, old, "location.lat", "location.lng");
	values_check_pair(&r->task, v, old, "source", "source_id");
	values_check_pair(&r->task, v, old, "image.url", "image.alt");
	check_status(r, v, old);
	check_rsvp(r, v, old);
	if (r->task.failure.code)
		return r->task.failure.code;
	rc = event_when_check(&r->task, v, old);
	if (!rc)
		rc = check_database(r, v, old);
	if (!rc && !old)
		make_own(r, v);
	return rc;
}

static const struct {
	const char *constraint, *field, *problem;
} limits[] = {
	{ "event_check", "ends_local", "must not be before the start" },
	{ "event_check3", "price.to", "must not be below price.from" },
	{ "event_check4", "age.max", "must not be below age.min" },
};

int event_on_conflict(struct request *r, struct values *v, const char *constraint)
{
	(void)v;
	if (strcmp(constraint, "event_source") == 0)
		return fail(r, E_DUPLICATE, "Another event has this source and source_id");
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		if (strcmp(constraint, limits[i].constraint) == 0)
			return task_problem(&r->task, limits[i].field, "%s", limits[i].problem);
	return fail(r, E_CONFLICT, NULL);
}
