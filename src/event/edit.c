/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PATCH of one occurrence: of this one alone, of this and those that follow, or of all. Of one alone it is the occurrence's row that
 * changes. To change those that follow, the series is cut in two: the later part becomes an event of its own, which takes its
 * occurrences and what people replied with it, and is then changed like any event.
 */
#include <string.h>
#include "api/audit.h"
#include "api/crud.h"
#include "api/reply.h"
#include "api/shape.h"
#include "base/uuid.h"
#include "event/event.h"
#include "event/series.h"
#include "model/values.h"
#include "store/pg.h"
#include "base/banned.h"

enum scope { SCOPE_THIS, SCOPE_FOLLOWING, SCOPE_ALL };

struct edit {
	struct request *r;
	const char *event_id, *id; /* of the occurrence */
	struct series series;	   /* of the event */
	const char *event_version, *version;
	int64_t recurrence, starts, ends; /* of the occurrence */
	int64_t previous;		  /* time of the rule before it */
	json_t *old;			  /* its representation */
};

static const struct field edit_fields[] = {
	{ .name = "starts_local",
	  .type = LOCAL_TIME,
	  .example = "\"2026-12-05T10:00:00\"",
	  .doc = "The new start; the end follows when it is not given." },
	{ .name = "ends_local",
	  .type = LOCAL_TIME,
	  .example = "\"2026-12-05T15:00:00\"",
	  .doc = "The new end." },
	{ .name = "status",
	  .type = ENUM,
	  .choices = "scheduled|cancelled|postponed",
	  .example = "\"cancelled\"",
	  .doc = "Does it take place?" },
	{ .name = "title",
	  .type = TEXT,
	  .min = 1,
	  .max = 160,
	  .example = "\"Christmas market\"",
	  .doc = "Null, here and below: as the event's." },
	{ .name = "summary",
	  .type = TEXT,
	  .max = 300,
	  .example = "\"With carols\"",
	  .doc = "One sentence." },
	{ .name = "description",
	  .type = TEXT,
	  .flags = MULTILINE,
	  .max = 10000,
	  .example = "\"The last before Christmas\"",
	  .doc = "Plain text." },
	{ .name = "venue.business_id",
	  .type = UUID,
	  .example = "null",
	  .doc = "The business where it takes place." },
	{ .name = "venue.name",
	  .type = TEXT,
	  .min = 1,
	  .max = 160,
	  .example = "\"Guildhall\"",
	  .doc = "What the place is called." },
	{ .name = "venue.address",
	  .type = TEXT,
	  .min = 1,
	  .max = 700,
	  .example = "\"High Street, Guildford\"",
	  .doc = "In one line, without the postcode." },
	{ .name = "venue.postcode",
	  .type = POSTCODE,
	  .max = 12,
	  .example = "\"GU1 3AA\"",
	  .doc = "Of the place." },
	{ .name = "location.lat",
	  .type = DECIMAL,
	  .min = -90,
	  .max = 90,
	  .example = "51.2361",
	  .doc = "Degrees north, WGS 84." },
	{ .name = "location.lng",
	  .type = DECIMAL,
	  .min = -180,
	  .max = 180,
	  .example = "-0.5719",
	  .doc = "Degrees east, WGS 84." },
	{ .name = "online_url",
	  .type = URL,
	  .max = 2000,
	  .example = "null",
	  .doc = "Where it can be followed online." },
	{ .name = "capacity",
	  .type = INT,
	  .min = 1,
	  .max = 1000000,
	  .example = "60",
	  .doc = "How many can come." },
	{ .name = "rrule",
	  .type = TEXT,
	  .min = 1,
	  .max = RECURRENCE_TEXT_MAX,
	  .example = "null",
	  .doc = "Only for scope=following and all: how they come from now on." },
	{ 0 },
};

const struct resource occurrence_edit = {
	.name = "occurrence_edit",
	.doc = "What is to be other.",
	.fields = edit_fields,
};

const struct filter occurrence_edit_parameters[] = {
	{ .name = "scope",
	  .schema =
		  "{\"type\":\"string\",\"enum\":[\"this\",\"following\",\"all\"],\"default\":\"this\"}",
	  .example = "\"this\"",
	  .doc = "Which occurrences change: this one, it and those after it, all." },
	{ 0 },
};

static int read_scope(struct request *r, enum scope *scope)
{
	static const char *const names[] = { "this", "following", "all" };
	const char *text = query_text(r, "scope");

	*scope = SCOPE_THIS;
	if (!text)
		return OK;
	for (int i = SCOPE_THIS; i <= SCOPE_ALL; i++)
		if (strcmp(text, names[i]) == 0) {
			*scope = (enum scope)i;
			return OK;
		}
	return task_problem(&r->task, "scope", "must be this, following or all");
}

/* The event's row is locked before the occurrence's, as everywhere. */
static int read_event(struct edit *e)
{
	struct task *t = &e->r->task;
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select version from event.event where id = $1 and deleted_at is null for no key update",
		PG_PARAMS(e->event_id));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(e->r, E_NOT_FOUND, "There is no such event");
	e->event_version = pg_value(rows, 0, 0);
	return series_read(t, e->event_id, &e->series);
}

static bool read_time(struct edit *e, const char *name, int64_t *local)
{
	return local_read(json_string_value(json_object_get(e->old, name)), local);
}

static int read_occurrence(struct edit *e)
{
	const struct shape *shape = shape_whole(&occurrence_resource);
	struct pg_rows *rows;
	int rc =
		uuid_is(e->id)
			? pg_query(
				  &e->r->task, &rows,
				  talloc_asprintf(
					  MEM(e->r),
					  "select %s from event.occurrence t where t.id = $1 "
					  "and t.event_id = $2 and t.deleted_at is null for no key update",
					  shape->columns),
				  PG_PARAMS(e->id, e->event_id))
			: fail(e->r, E_NOT_FOUND, "There is no such occurrence");

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(e->r, E_NOT_FOUND, "There is no such occurrence");
	e->old = shape_to_json(MEM(e->r), shape, rows, 0);
	e->version = pg_value(rows, 0, shape->count);
	if (!read_time(e, "recurrence_local", &e->recurrence) ||
	    !read_time(e, "starts_local", &e->starts) || !read_time(e, "ends_local", &e->ends))
		return task_fail(&e->r->task, E_INTERNAL, NULL);
	return OK;
}

/* The times that are asked for; one that is not given follows from the other. */
static int wanted_times(struct edit *e, int64_t *starts, int64_t *ends)
{
	const char *start = input_text(e->r, "starts_local"), *end = input_text(e->r, "ends_local");

	*starts = e->starts;
	*ends = e->ends;
	if (start && !local_read(start, starts))
		return task_fail(&e->r->task, E_INTERNAL, NULL);
	*ends += *starts - e->starts;
	if (end && !local_read(end, ends))
		return task_fail(&e->r->task, E_INTERNAL, NULL);
	if (*ends < *starts)
		return task_problem(&e->r->task, "ends_local", "must not be before the start");
	if (e->series.all_day && (*starts % SERIES_DAY_S || *ends % SERIES_DAY_S))
		return task_problem(&e->r->task,
				    *starts % SERIES_DAY_S ? "starts_local" : "ends_local",
				    "must be at midnight when it is all day");
	return OK;
}

/* ---- this one ---- */

/* A business brings its name, address and location with it. waits */
static int take_venue(struct request *r)
{
	static const char *const names[] = { "venue.name", "venue.address", "venue.postcode",
					     "location.lat", "location.lng" };
	const char *id = input_text(r, "venue.business_id");
	struct pg_rows *rows;
	int rc;

	if (!id)
		return OK;
	rc = pg_query(
		&r->task, &rows,
		"select name, address, postcode, location_lat, location_lng from platform.place "
		"where resource = 'business' and id = $1 and deleted_at is null",
		PG_PARAMS(id));
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return task_problem(&r->task, "venue.business_id", "there is no such business");
	for (int i = 0; i < (int)COUNT_OF(names); i++)
		values_set(r->values, names[i], pg_value(rows, 0, i));
	return OK;
}

static int check_this(struct edit *e)
{
	struct request *r = e->r;
	struct value *status = values_get(r->values, "status");

	if (values_get(r->values, "rrule")->given)
		task_problem(&r->task, "rrule", "is only for scope=following and scope=all");
	for (int i = 0; i < r->values->count; i++)
		r->values->items[i].set = r->values->items[i].given;
	values_check_pair(&r->task, r->values, e->old, "location.lat", "location.lng");
	if (status->given && !status->text)
		status->text = "scheduled";
	return r->task.failure.code;
}

static bool is_time(const struct value *value)
{
	return value->field->type == LOCAL_TIME || strcmp(value->field->name, "rrule") == 0;
}

static int write_this(struct edit *e, int64_t starts, int64_t ends, struct pg_rows **rows)
{
	struct request *r = e->r;
	char start[LOCAL_TEXT_SIZE], end[LOCAL_TEXT_SIZE];
	char *set = talloc_strdup(MEM(r), "");
	struct select s;
	int first, last;

	local_write(starts, start);
	local_write(ends, end);
	select_init(&s, MEM(r), &occurrence_resource);
	select_where(&s, "t.id = $%d", select_param(&s, e->id));
	first = select_param(&s, start);
	last = select_param(&s, end);
	for (int i = 0; i < r->values->count; i++) {
		const struct value *value = &r->values->items[i];

		if (value->set && !is_time(value))
			set = talloc_asprintf_append_buffer(set, "%s = $%d, ",
							    field_column(MEM(r), value->field),
							    select_param(&s, value->text));
	}
	return pg_query(
		&r->task, rows,
		talloc_asprintf(
			MEM(r),
			"update event.occurrence t set %sstarts_local = $%d::timestamp, ends_local = $%d::timestamp, "
			"starts_at = event.instant($%d::timestamp, e.time_zone), "
			"ends_at = greatest(event.instant($%d::timestamp, e.time_zone), event.instant($%d::timestamp, e.time_zone)), "
			"moved = $%d::timestamp <> t.recurrence_local or "
			"$%d::timestamp - $%d::timestamp <> e.ends_local - e.starts_local, "
			"changed = true, edited = true, sequence = t.sequence + 1 from event.event e%s and e.id = t.event_id returning %s",
			set, first, last, first, first, last, first, last, first,
			buf_text(&s.where), shape_whole(&occurrence_resource)->columns),
		s.param_count, s.params);
}

static int change_this(struct edit *e)
{
	struct request *r = e->r;
	const struct shape *shape = shape_whole(&occurrence_resource);
	struct pg_rows *rows, *none;
	int64_t starts, ends;
	int rc = reply_check_match(r, e->version);

	if (!rc)
		rc = check_this(e);
	if (!rc)
		rc = wanted_times(e, &starts, &ends);
	if (!rc)
		rc = take_venue(r);
	if (!rc)
		rc = write_this(e, starts, ends, &rows);
	/* who keeps the event by its ETag learns that something in it is other */
	if (!rc)
		rc = pg_query(&r->task, &none,
			      "update event.event set sequence = sequence + 1 where id = $1",
			      PG_PARAMS(e->event_id));
	if (!rc)
		rc = audit_request(r, "occurrence:update", "occurrence", e->id, e->old,
				   shape_to_json(MEM(r), shape, rows, 0));
	return rc ? rc : reply_row(r, 200, shape, rows, 0);
}

/* ---- those that follow, and all ---- */

static void name_time(json_t *body, const char *name, int64_t local)
{
	char text[LOCAL_TEXT_SIZE];

	local_write(local, text);
	json_object_set_new(body, name, json_string(text));
}

/* An array of times, each moved by so much, as JSON. */
static json_t *dates_json(TALLOC_CTX *mem, const char *array, int64_t moved)
{
	int64_t *dates = talloc_array(mem, int64_t, SERIES_DATES_MAX);
	int n = series_read_dates(array, dates);
	json_t *list = json_array();
	char text[LOCAL_TEXT_SIZE];

	for (int i = 0; i < n; i++) {
		local_write(dates[i] + moved, text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

/* The body as one for the event, whose first start is `first`. */
static int to_event(struct edit *e, int64_t first)
{
	struct request *r = e->r;
	json_t *body = json_keep(MEM(r), json_copy(r->body));
	const char *status = input_text(r, "status");
	int64_t starts, ends, moved;
	int rc = wanted_times(e, &starts, &ends);

	if (rc)
		return rc;
	if (status)
		json_object_set_new(
			body, "status",
			json_string(strcmp(status, "scheduled") == 0 ? "published" : status));
	moved = starts - e->recurrence;
	if (json_object_get(r->body, "starts_local") || json_object_get(r->body, "ends_local")) {
		name_time(body, "starts_local", first + moved);
		name_time(body, "ends_local", first + moved + (ends - starts));
		json_object_set_new(body, "rdate", dates_json(MEM(r), e->series.rdate, moved));
		json_object_set_new(body, "exdate", dates_json(MEM(r), e->series.exdate, moved));
	}
	r->body = body;
	return OK;
}

static const char *dates_text(struct edit *e, const char *array, bool later)
{
	int64_t *dates = talloc_array(MEM(e->r), int64_t, SERIES_DATES_MAX);
	int n = series_read_dates(array, dates), kept = 0;

	for (int i = 0; i < n; i++)
		if ((dates[i] >= e->recurrence) == later)
			dates[kept++] = dates[i];
	return series_dates_text(MEM(e->r), dates, kept);
}

/* What of the row goes over as it is: what people write, less what is divided. */
static const char *copied_columns(TALLOC_CTX *mem)
{
	static const char *const divided[] = { "starts_local", "ends_local", "rrule", "rdate",
					       "exdate" };
	char *columns = talloc_strdup(mem, "organiser_person_id, version");

	for (const struct field *f = event_resource.fields; f->name; f++) {
		bool other = (f->flags & (READ_ONLY | GUARDED)) != 0;

		for (size_t i = 0; i < COUNT_OF(divided); i++)
			other = other || strcmp(f->name, divided[i]) == 0;
		if (!other)
			columns = talloc_asprintf_append_buffer(columns, ", %s",
								field_column(mem, f));
	}
	return columns;
}

/* The later part as an event of its own. */
static int insert_later(struct edit *e, const char *id, const char *rule)
{
	char start[LOCAL_TEXT_SIZE], end[LOCAL_TEXT_SIZE];
	const char *columns = copied_columns(MEM(e->r));
	struct pg_rows *rows;

	local_write(e->recurrence, start);
	local_write(e->recurrence + (e->series.end - e->series.first), end);
	return pg_query(
		&e->r->task, &rows,
		talloc_asprintf(
			MEM(e->r),
			"insert into event.event (id, uid, split_from, starts_local, ends_local, rrule, rdate, exdate, starts_at, "
			"ends_at, materialised_until, %s) select $1::uuid, $1::uuid::text || '@guildford', id, $3::timestamp, $4::timestamp, $5, $6::timestamp[], "
			"$7::timestamp[], event.instant($3::timestamp, time_zone), ends_at, materialised_until, %s from event.event where id = $2",
			columns, columns),
		PG_PARAMS(id, e->event_id, start, end, rule, dates_text(e, e->series.rdate, true),
			  dates_text(e, e->series.exdate, true)));
}

/* The rule of the earlier part ends with the day of its last time, so that it may be moved within that: by the day, or by an
 * instant in UTC as RFC 5545 wants it of local times. */
static int cut_rule(struct edit *e, const char **rule)
{
	struct recurrence cut = *e->series.rule;
	char text[LOCAL_TEXT_SIZE];
	struct pg_rows *rows;
	int rc;

	cut.count = 0;
	cut.until = e->series.all_day ? UNTIL_DATE : UNTIL_UTC;
	cut.until_at = e->previous - e->previous % SERIES_DAY_S + SERIES_DAY_S - 1;
	if (cut.until_at >= e->recurrence)
		cut.until_at = e->recurrence - 1;
	if (!e->series.all_day) {
		local_write(cut.until_at, text);
		rc = pg_query(&e->r->task, &rows,
			      "select event.instant($1::timestamp, $2) at time zone 'UTC'",
			      PG_PARAMS(text, e->series.zone));
		if (rc || !local_read(pg_value(rows, 0, 0), &cut.until_at))
			return rc ? rc : task_fail(&e->r->task, E_INTERNAL, NULL);
	}
	*rule = recurrence_text(MEM(e->r), &cut);
	return OK;
}

static int shorten_earlier(struct edit *e)
{
	struct pg_rows *rows;
	const char *rule = NULL;
	int rc = cut_rule(e, &rule);

	if (rc)
		return rc;
	return pg_query(
		&e->r->task, &rows,
		"update event.event t set rrule = $2, rdate = $3::timestamp[], exdate = $4::timestamp[], sequence = t.sequence + 1, "
		/* an import would make it whole again */
		"edited_fields = array(select distinct f from unnest(t.edited_fields || '{rrule}') f order by f), "
		"ends_at = coalesce((select max(o.ends_at) from event.occurrence o where o.event_id = t.id and o.deleted_at is null), "
		"t.starts_at) where t.id = $1",
		PG_PARAMS(e->event_id, rule, dates_text(e, e->series.rdate, false),
			  dates_text(e, e->series.exdate, false)));
}

static int hand_over(struct edit *e, const char *id)
{
	char cut[LOCAL_TEXT_SIZE];
	struct pg_rows *rows;
	int rc;

	local_write(e->recurrence, cut);
	rc = pg_query(
		&e->r->task, &rows,
		"update event.occurrence set event_id = $2 where event_id = $1 and recurrence_local >= $3::timestamp",
		PG_PARAMS(e->event_id, id, cut));
	if (rc)
		return rc;
	return pg_query(
		&e->r->task, &rows,
		"insert into platform.relation (person_id, relation, resource, resource_id, granted_by) "
		"select person_id, relation, resource, $2, granted_by from platform.relation "
		"where resource = 'event' and resource_id = $1",
		PG_PARAMS(e->event_id, id));
}

/* How many of a counted rule are left at the cut, and whether the cut is one of the rule's times. */
static int later_rule(struct edit *e, const char **text)
{
	struct series *s = &e->series;
	struct recurrence later = *s->rule;
	int64_t *before = talloc_array(MEM(e->r), int64_t, SERIES_EVER_MAX);
	int n = recurrence_expand(s->rule, s->first, INT64_MAX, s->first, e->recurrence, before,
				  SERIES_EVER_MAX);

	if (n < 2 || before[n - 1] != e->recurrence)
		return fail(e->r, E_CONFLICT,
			    "The rule does not give this one: change it with scope=this");
	e->previous = before[n - 2];
	if (later.count)
		later.count -= n - 1;
	*text = recurrence_text(MEM(e->r), &later);
	talloc_free(before);
	return OK;
}

static void name_item(struct request *r, const char *id)
{
	for (int i = 0; i < r->path_param_count; i++)
		if (strcmp(r->path_params[i].name, "id") == 0)
			r->path_params[i].value = id;
}

static int change_all(struct edit *e)
{
	int rc = to_event(e, e->series.first);

	return rc ? rc : crud_update(e->r);
}

static int change_following(struct edit *e)
{
	struct request *r = e->r;
	char *id = talloc_size(MEM(r), UUID_TEXT_SIZE);
	const char *rule = NULL;
	int rc;

	if (!e->series.rule || e->recurrence == e->series.first)
		return change_all(e);
	rc = reply_check_match(r, e->event_version);
	if (!rc)
		rc = later_rule(e, &rule);
	if (rc)
		return rc;
	uuid_new(id);
	rc = insert_later(e, id, rule);
	if (!rc)
		rc = hand_over(e, id);
	if (!rc)
		rc = shorten_earlier(e);
	if (rc)
		return rc;
	e->series.rdate = dates_text(e, e->series.rdate, true);
	e->series.exdate = dates_text(e, e->series.exdate, true);
	rc = to_event(e, e->recurrence);
	name_item(r, id);
	return rc ? rc : crud_update(r);
}

int occurrence_update(struct request *r)
{
	struct edit *e = talloc_zero(MEM(r), struct edit);
	enum scope scope;
	int rc = read_scope(r, &scope);

	e->r = r;
	e->event_id = path_text(r, "id");
	e->id = path_text(r, "occurrence_id");
	if (!rc)
		rc = read_event(e);
	if (!rc)
		rc = read_occurrence(e);
	if (rc)
		return rc;
	if (scope == SCOPE_THIS)
		return change_this(e);
	return scope == SCOPE_ALL ? change_all(e) : change_following(e);
}
