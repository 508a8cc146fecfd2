/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing one event of an import. Its row is found by source and UID and locked, as everywhere before its occurrences; what
 * the calendar says goes through the same checks as a request. Called by import.c.
 */
#include "event/import_write.h"

#include <stdlib.h>
#include <string.h>
#include "api/shape.h"
#include "base/uuid.h"
#include "event/event.h"
#include "event/when.h"
#include "model/imported.h"
#include "store/pg.h"
#include "base/banned.h"

/* What is there. */
struct stored {
	const char *id; /* NULL: nothing */
	bool deleted, vanished, ahead, newer;
	const char *edited; /* names of fields: "{title,venue.name}" */
	json_t *row;	    /* its representation */
};

/* What a calendar says of an event; the other fields are none of its business. */
static const char *const said_fields[] = { "title",	     "description",  "status",
					   "categories",     "venue.name",   "venue.address",
					   "venue.postcode", "location.lat", "location.lng",
					   "online_url" };
/* Of these an edit of one is an edit of all: half of a place, or of a rule, is none. */
static const char *const place_fields[] = { "venue.business_id", "venue.name",	 "venue.address",
					    "venue.postcode",	 "location.lat", "location.lng" };

static const char *const own_fields[] = { "uid", "source", "source_id", NULL };

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void note(struct event_write *w, const char *what, int64_t local)
{
	char text[LOCAL_TEXT_SIZE];

	local_write(local, text);
	w->notes = talloc_realloc(w->mem, w->notes, const char *, (unsigned)w->note_count + 1);
	w->notes[w->note_count++] = talloc_asprintf(w->mem, "%.16s %s", text, what);
}

static int reject(struct event_write *w, const char *why)
{
	w->outcome = EVENT_REJECTED;
	w->why = talloc_strdup(w->mem, why);
	return OK;
}

static bool is_true(const struct pg_rows *rows, int column)
{
	const char *value = pg_value(rows, 0, column);

	return value && value[0] == 't';
}

static int find(struct task *t, const struct event_write *w, struct stored *s)
{
	const struct shape *shape = shape_whole(&event_resource);
	const struct ical_entry *e = w->entry;
	int more = shape->count + 1; /* behind its columns and the version */
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		talloc_asprintf(
			t->mem,
			"select %s, t.deleted_at is not null, i.vanished_at is not null, "
			"t.ends_at is null or t.ends_at > now() or exists (select from event.occurrence o "
			"where o.event_id = t.id and o.deleted_at is null and o.ends_at > now()), "
			"(i.sequence, coalesce(i.modified, '-infinity')) > ($3::integer, coalesce($4::timestamptz, i.modified, '-infinity')), "
			"t.edited_fields from event.event t left join event.imported i on i.event_id = t.id "
			"where t.source = $1 and t.source_id = $2 order by t.deleted_at desc nulls first limit 1 for no key update of t",
			shape->columns),
		PG_PARAMS(w->source, e->part->uid, talloc_asprintf(t->mem, "%d", e->sequence),
			  e->modified));

	if (rc || pg_count(rows) == 0)
		return rc;
	s->id = pg_value(rows, 0, 0);
	s->row = shape_to_json(t->mem, shape, rows, 0);
	s->deleted = is_true(rows, more);
	s->vanished = is_true(rows, more + 1);
	s->ahead = is_true(rows, more + 2);
	s->newer = is_true(rows, more + 3);
	s->edited = pg_value(rows, 0, more + 4);
	return OK;
}

/* Names stand in the array's text without quotes. */
static bool is_edited(const struct stored *s, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = s->edited ? strstr(s->edited, name) : NULL; at;
	     at = strstr(at + 1, name))
		if (strchr("{,", at[-1]) && strchr("},", at[len]))
			return true;
	return false;
}

static bool any_edited(const struct stored *s, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_edited(s, names[i]))
			return true;
	return false;
}

/* Takes out what the calendar does not say, and what people have said instead. */
static void leave_to_people(struct values *v, const struct stored *s)
{
	bool place = any_edited(s, place_fields, COUNT_OF(place_fields));
	bool times = any_edited(s, series_fields, COUNT_OF(series_fields));

	for (int i = 0; i < v->count; i++) {
		struct value *value = &v->items[i];
		const char *name = value->field->name;
		bool is_time = is_among(series_fields, COUNT_OF(series_fields), name);

		if ((!is_time && !is_among(said_fields, COUNT_OF(said_fields), name)) ||
		    (is_time && times) ||
		    (place && is_among(place_fields, COUNT_OF(place_fields), name)) ||
		    is_edited(s, name))
			value->set = value->given = false;
	}
}

/* Has all of it been over for so long that no occurrences are made of it any more? */
static int look_whether_over(struct task *t, const struct ical_entry *e, bool *over)
{
	struct series *s = talloc_zero(t->mem, struct series);
	const char *problem;
	int rc;

	s->zone = e->zone;
	s->all_day = e->all_day;
	s->first = e->starts;
	s->end = e->ends;
	s->rule = e->rrule ? recurrence_parse(t->mem, e->rrule, &problem) : NULL;
	s->rdate = series_dates_text(t->mem, e->rdate, e->rdate_count);
	s->exdate = series_dates_text(t->mem, e->exdate, e->exdate_count);
	*over = false;
	if (e->rrule && !s->rule) /* the check will say so */
		return OK;
	rc = series_place(t, s);
	if (!rc && series_expand(t->mem, s))
		*over = !s->endless && s->last + (s->end - s->first) < s->from;
	return rc;
}

/* The same event of another calendar, or our own that has come back by way of one. */
static int look_elsewhere(struct task *t, struct event_write *w)
{
	struct pg_rows *rows;
	const char *from;
	int rc = pg_query(
		t, &rows,
		"select source from event.event where uid = $1 and deleted_at is null order by id limit 1",
		PG_PARAMS(w->entry->part->uid));

	if (rc || pg_count(rows) == 0)
		return rc;
	from = pg_value(rows, 0, 0);
	return reject(w, from ? talloc_asprintf(t->mem, "is here already, from %s", from)
			      : "is here already, as an event of our own");
}

static int check(struct task *t, struct event_write *w, const struct stored *s, struct values **v)
{
	char *why;
	int rc = input_check(t, &event_resource, w->body, true, NULL, v);

	if (!rc) {
		leave_to_people(*v, s);
		rc = event_when_check(t, *v, s->row);
	}
	if (rc != E_VALIDATION)
		return rc;
	why = import_report_problems(t->mem, &t->failure);
	task_forgive(t);
	return reject(w, why);
}

static int create(struct task *t, const struct event_write *w, struct values *v, char *id)
{
	const char *uid = w->entry->part->uid;
	const struct imported_columns own = {
		.columns = "id, uid, source, source_id",
		.sql = "$1, $2, $3, $2",
		.count = 3,
		.params = { id, uid, w->source },
	};
	int rc;

	uuid_new(id);
	values_set(v, "sequence", talloc_asprintf(t->mem, "%d", w->entry->sequence));
	rc = imported_add(t, v, own_fields, &own);
	return rc ? rc : event_follow(t, id, 0);
}

/* Is any of it other than it was? */
static bool differs(struct values *v, json_t *old)
{
	for (int i = 0; i < v->count; i++) {
		const char *name = v->items[i].field->name;

		if ((is_among(said_fields, COUNT_OF(said_fields), name) ||
		     is_among(series_fields, COUNT_OF(series_fields), name)) &&
		    values_change(v, old, name))
			return true;
	}
	return false;
}

/* SEQUENCE goes up with ours, and is not behind the calendar's. */
static void choose_sequence(struct task *t, const struct event_write *w, struct values *v)
{
	struct value *value = values_get(v, "sequence");

	if (value->set && value->text && strtol(value->text, NULL, 10) < w->entry->sequence)
		values_set(v, "sequence", talloc_asprintf(t->mem, "%d", w->entry->sequence));
}

static int change(struct task *t, const struct event_write *w, const struct stored *s,
		  struct values *v, bool *changed)
{
	const struct shape *shape = shape_whole(&event_resource);
	struct pg_rows *rows;
	int rc;

	if (!differs(v, s->row))
		return OK;
	choose_sequence(t, w, v);
	rc = imported_change(t, v, own_fields, s->id, changed);
	if (rc || !*changed)
		return rc;
	rc = pg_query(t, &rows,
		      talloc_asprintf(t->mem, "select %s from event.event t where t.id = $1",
				      shape->columns),
		      PG_PARAMS(s->id));
	return rc ? rc : event_written(t, s->row, shape_to_json(t->mem, shape, rows, 0));
}

static void note_dates(struct event_write *w, const char *array, const char *what)
{
	int64_t dates[SERIES_DATES_MAX];
	int n = series_read_dates(array, dates);

	for (int i = 0; i < n; i++)
		note(w, what, dates[i]);
}

/* Its single times. When one of them is other, whoever keeps the event by its ETag learns of it. */
static int change_times(struct task *t, struct event_write *w, const char *id, bool *changed)
{
	char *json = json_dumps(w->changes, JSON_COMPACT);
	struct pg_rows *rows, *none;
	int rc = pg_query(t, &rows, "select * from event.import_changes($1, $2::jsonb)",
			  PG_PARAMS(id, json));

	free(json);
	if (rc)
		return rc;
	note_dates(w, pg_value(rows, 0, 1), "is changed, but the rule does not give this time");
	note_dates(w, pg_value(rows, 0, 2),
		   "is changed, but too far ahead: it is looked at again later");
	if (strcmp(pg_value(rows, 0, 0), "0") == 0)
		return OK;
	*changed = true;
	return pg_query(t, &none, "update event.event set sequence = sequence + 1 where id = $1",
			PG_PARAMS(id));
}

static int remember(struct task *t, const struct event_write *w, const char *id)
{
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"insert into event.imported as i (event_id, digest, sequence, modified) values ($1, $2, $3, $4) "
		"on conflict (event_id) do update set (digest, sequence, modified, vanished_at, updated_at) "
		"= (excluded.digest, excluded.sequence, excluded.modified, null, clock_timestamp()) "
		"where (i.digest, i.sequence, i.modified) is distinct from (excluded.digest, excluded.sequence, excluded.modified) "
		"or i.vanished_at is not null",
		PG_PARAMS(id, w->complete && w->note_count == 0 ? w->digest : NULL,
			  talloc_asprintf(t->mem, "%d", w->entry->sequence), w->entry->modified));
}

static int write_new(struct task *t, struct event_write *w)
{
	const struct stored nothing = { 0 };
	char id[UUID_TEXT_SIZE];
	struct values *v;
	bool over = false, changed;
	int rc = look_whether_over(t, w->entry, &over);

	if (over)
		w->outcome = EVENT_OVER;
	if (!rc && !over)
		rc = look_elsewhere(t, w);
	if (!rc && w->outcome == EVENT_CREATED)
		rc = check(t, w, &nothing, &v);
	if (rc || w->outcome != EVENT_CREATED)
		return rc;
	rc = create(t, w, v, id);
	if (!rc && json_array_size(w->changes) > 0)
		rc = change_times(t, w, id, &changed);
	return rc ? rc : remember(t, w, id);
}

/* A series whose rule now ends before today: what was still to come of it is cancelled. */
static int end_series(struct task *t, struct event_write *w, const struct stored *s)
{
	struct pg_rows *rows;
	int rc;

	w->outcome = EVENT_UNCHANGED;
	if (!s->ahead || is_edited(s, "status") ||
	    any_edited(s, series_fields, COUNT_OF(series_fields)))
		return OK;
	rc = pg_query(
		t, &rows,
		"update event.event set status = 'cancelled', sequence = sequence + 1 where id = $1 and status <> 'cancelled'",
		PG_PARAMS(s->id));
	if (!rc && pg_affected(rows) > 0) {
		w->outcome = EVENT_GONE;
		rc = pg_query(t, &rows,
			      "update event.imported set vanished_at = clock_timestamp(), "
			      "updated_at = clock_timestamp() where event_id = $1",
			      PG_PARAMS(s->id));
	}
	return rc;
}

static int write_known(struct task *t, struct event_write *w, const struct stored *s)
{
	bool over = false, changed = false;
	struct values *v;
	int rc = OK;

	w->outcome = EVENT_UNCHANGED;
	if (s->deleted) /* somebody took it out: it stays out */
		return OK;
	if (s->newer && !s->vanished) {
		note(w, "is the time of an entry that is older than what is here",
		     w->entry->starts);
		return OK;
	}
	if (w->entry->rrule)
		rc = look_whether_over(t, w->entry, &over);
	if (rc || over)
		return rc ? rc : end_series(t, w, s);
	rc = check(t, w, s, &v);
	if (rc || w->outcome == EVENT_REJECTED)
		return rc;
	rc = change(t, w, s, v, &changed);
	if (!rc)
		rc = change_times(t, w, s->id, &changed);
	if (!rc)
		rc = remember(t, w, s->id);
	if (changed)
		w->outcome = EVENT_UPDATED;
	return rc;
}

int event_write(struct task *t, void *arg)
{
	struct event_write *w = arg;
	struct stored s = { 0 };
	int rc;

	w->outcome = EVENT_CREATED;
	w->note_count = 0;
	rc = find(t, w, &s);
	if (rc)
		return rc;
	return s.id ? write_known(t, w, &s) : write_new(t, w);
}
