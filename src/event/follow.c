/* SPDX-License-Identifier: Apache-2.0 */
/* Occurrences follow their event: after each write of it, and as time goes on. Called by api/crud.c inside the write's
 * transaction, by edits of single occurrences, and as a job. */
#include <string.h>
#include "api/request.h"
#include "base/attr.h"
#include "base/time.h"
#include "event/event.h"
#include "event/series.h"
#include "event/when.h"
#include "store/pg.h"
#include "base/banned.h"

enum { ENOUGH_US = 2000000 };

/* The whole series has moved: each occurrence to come keeps its row. By way of a far future, for two must not have the same
 * name even for a moment; one whose place is taken by what is over is left behind. What only this occurrence has, stays with
 * it: one that was moved by itself stays where it is. */
static int move(struct task *t, const char *id, long long moved_s, bool all)
{
	const char *by = talloc_asprintf(t->mem, "%lld seconds", moved_s);
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"update event.occurrence o set recurrence_local = o.recurrence_local + $2::interval + interval '1000 years' "
		"where o.event_id = $1 and ($3::boolean or o.ends_at > now()) and not exists (select from event.occurrence x "
		"where x.event_id = $1 and x.recurrence_local = o.recurrence_local + $2::interval "
		"and not $3::boolean and x.ends_at <= now())",
		PG_PARAMS(id, by, all ? "true" : "false"));

	if (rc)
		return rc;
	return pg_query(
		t, &rows,
		"update event.occurrence set recurrence_local = recurrence_local - interval '1000 years' "
		"where event_id = $1 and recurrence_local > now() + interval '500 years'",
		PG_PARAMS(id));
}

/* Those that the rule gives are there, at its times unless they have been moved; one that the rule had let go comes back. */
static const char make_sql[] =
	"insert into event.occurrence as o (event_id, recurrence_local, starts_local, ends_local, starts_at, ends_at) "
	"select e.id, l, l, l + (e.ends_local - e.starts_local), s, "
	"case when n < s then s + (e.ends_local - e.starts_local) else n end "
	"from event.event e, unnest($2::timestamp[]) l, "
	"lateral (select event.instant(l, e.time_zone) s, event.instant(l + (e.ends_local - e.starts_local), e.time_zone) n) i "
	"where e.id = $1 "
	"on conflict (event_id, recurrence_local) do update set "
	"starts_local = case when o.moved then o.starts_local else excluded.starts_local end, "
	"ends_local = case when o.moved then o.ends_local else excluded.ends_local end, "
	"starts_at = case when o.moved then o.starts_at else excluded.starts_at end, "
	"ends_at = case when o.moved then o.ends_at else excluded.ends_at end, "
	"status = case when o.let_go then 'scheduled' else o.status end, let_go = false, deleted_at = null "
	"where o.let_go or o.deleted_at is not null or ((o.ends_at > now() or $3::boolean) and not o.moved "
	"and (o.starts_local, o.ends_local, o.starts_at, o.ends_at) is distinct from "
	"(excluded.starts_local, excluded.ends_local, excluded.starts_at, excluded.ends_at))";

static const char let_go_sql[] =
	"update event.occurrence set let_go = true, "
	"status = case when going + waiting + maybe > 0 then 'cancelled' else status end, "
	"deleted_at = case when going + waiting + maybe > 0 then null else now() end "
	"where event_id = $1 and ends_at > now() and deleted_at is null and not let_go "
	"and recurrence_local <> all ($2::timestamp[])";

int event_follow(struct task *t, const char *event_id, long long moved_s)
{
	struct series *s = talloc_zero(t->mem, struct series);
	struct pg_rows *rows;
	const char *starts;
	bool single;
	int rc = series_read(t, event_id, s);

	single = !s->rule;
	if (!rc && moved_s)
		rc = move(t, event_id, moved_s, single);
	if (!rc)
		rc = series_place(t, s);
	if (rc)
		return rc;
	if (!series_expand(t->mem, s)) /* so many are refused when they are written */
		return task_fail(t, E_INTERNAL, NULL);
	starts = series_dates_text(t->mem, s->starts, s->count);
	rc = pg_query(t, &rows, make_sql, PG_PARAMS(event_id, starts, single ? "true" : "false"));
	if (!rc)
		rc = pg_query(t, &rows, let_go_sql, PG_PARAMS(event_id, starts));
	if (!rc)
		rc = pg_query(
			t, &rows,
			"update event.event set materialised_until = now() + interval '" SERIES_HORIZON
			"' where id = $1",
			PG_PARAMS(event_id));
	return rc;
}

static const char *text_of(json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

/* By how much the first start was moved, when nothing else in the times is other. */
static long long seconds_moved(json_t *old, json_t *row)
{
	int64_t before, after;

	if (!json_equal(json_object_get(old, "rrule"), json_object_get(row, "rrule")))
		return 0;
	if (!local_read(text_of(old, "starts_local"), &before) ||
	    !local_read(text_of(row, "starts_local"), &after))
		return 0;
	return after - before;
}

/* Is anything other on which occurrences depend? */
static bool times_differ(json_t *old, json_t *row)
{
	for (size_t i = 0; i < COUNT_OF(series_fields); i++)
		if (!json_equal(json_object_get(old, series_fields[i]),
				json_object_get(row, series_fields[i])))
			return true;
	return false;
}

/* They go and come back with their event. */
static int hide(struct task *t, const char *id, json_t *old, json_t *row)
{
	const char *gone = text_of(row, "deleted_at"), *was = text_of(old, "deleted_at");
	struct pg_rows *rows;

	return pg_query(t, &rows,
			"update event.occurrence set deleted_at = $2 where event_id = $1 "
			"and deleted_at is not distinct from $3::timestamptz",
			PG_PARAMS(id, gone, was));
}

int event_written(struct task *t, json_t *old, json_t *row)
{
	const char *id = text_of(row, "id");
	int rc = OK;

	if (old && (text_of(row, "deleted_at") || text_of(old, "deleted_at")))
		rc = hide(t, id, old, row);
	else if (old && !times_differ(old, row))
		return OK;
	if (rc || text_of(row, "deleted_at"))
		return rc;
	return event_follow(t, id, old ? seconds_moved(old, row) : 0);
}

int event_after_write(struct request *r, json_t *old, json_t *row)
{
	return event_written(&r->task, old, row);
}

static int extend_one(struct task *t, void *arg)
{
	const char *id = arg;
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select from event.event where id = $1 and deleted_at is null for no key update skip locked",
		PG_PARAMS(id));

	return rc || pg_count(rows) == 0 ? rc : event_follow(t, id, 0);
}

int event_extend(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select id from event.event where rrule is not null and deleted_at is null "
		"and materialised_until < now() + interval '" SERIES_HORIZON
		"' - interval '7 days' "
		"order by materialised_until limit 1000",
		PG_NONE);

	for (int i = 0; !rc && i < pg_count(rows); i++) {
		if (t->deadline && time_monotonic_us() + ENOUGH_US > t->deadline)
			break;
		rc = pg_transaction(t, extend_one, (void *)pg_value(rows, i, 0));
	}
	return rc;
}

int event_mark_past(struct task *t)
{
	struct pg_rows *rows;

	return pg_query_long(t, &rows,
			     "update event.occurrence set past = true where id = any (array("
			     "select id from event.occurrence where " EVENT_IS_PAST
			     " order by ends_at limit 2000))",
			     PG_NONE);
}
