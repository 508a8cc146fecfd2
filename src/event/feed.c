/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calendars to subscribe to: one event, or those that a list's parameters find. The tag of a calendar is that of its bytes;
 * they are made of what the versions of its events say, and kept until one of these is another. Called as routes' functions.
 */
#include "event/feed.h"

#include <stdlib.h>
#include <string.h>
#include "api/reply.h"
#include "api/route.h"
#include "api/scope.h"
#include "api/select.h"
#include "base/config.h"
#include "event/calendar.h"
#include "event/event.h"
#include "event/find.h"
#include "store/memo.h"
#include "base/banned.h"

enum { EVENTS_MAX = 5000, PORTION = 200 };

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of the ids, which time does not change. */
static const char **sorted(struct request *r, const struct pg_rows *rows, int count)
{
	const char **ids = talloc_array(MEM(r), const char *, (size_t)count);

	for (int i = 0; i < count; i++)
		ids[i] = pg_value(rows, i, 0);
	qsort(ids, (size_t)count, sizeof(*ids), by_text);
	return ids;
}

/* Portion by portion: others are served meanwhile, and not all rows are in memory at once. waits */
static int add_events(struct request *r, struct buf *out, const char **ids, int count)
{
	for (int first = 0; first < count; first += PORTION) {
		int n = count - first < PORTION ? count - first : PORTION;
		struct pg_rows *rows;
		int rc = pg_query(&r->task, &rows,
				  "select * from event.calendar_components($1::uuid[])",
				  PG_PARAMS(pg_array(MEM(r), ids + first, n)));

		if (rc)
			return rc;
		for (int i = 0; i < pg_count(rows); i++)
			calendar_event(out, rows, i);
		talloc_free(rows);
	}
	return OK;
}

/* waits */
static int add_calendar(struct request *r, const char *name, const struct pg_rows *zones,
			const char **ids, int count)
{
	struct buf *out = &r->http->body_out;
	int rc;

	calendar_begin(out, name);
	for (int i = 0; i < pg_count(zones); i++)
		calendar_zone(out, pg_value(zones, i, 0), pg_value(zones, i, 1));
	rc = add_events(r, out, ids, count);
	calendar_end(out);
	return rc;
}

/* What a calendar is known by as long as nothing in it changes. */
static const char *version_of(struct request *r, const char *name, const struct pg_rows *zones)
{
	char *version = talloc_strdup(MEM(r), name);

	for (int i = 0; i < pg_count(zones); i++)
		version = talloc_asprintf_append_buffer(version, " %s %s", pg_value(zones, i, 0),
							pg_value(zones, i, 2));
	return version;
}

int feed_reply_text(struct request *r, const char *file)
{
	r->http->status = 200;
	r->http->gzip_allowed = true;
	http_header_add(r->http, "Content-Type", "text/calendar; charset=utf-8");
	http_header_addf(r->http, "Content-Disposition", "attachment; filename=\"%s.ics\"", file);
	return OK;
}

int feed_reply(struct request *r, const char *name, const char *file, const struct pg_rows *found)
{
	struct buf *out = &r->http->body_out;
	int count = pg_count(found) < EVENTS_MAX ? pg_count(found) : EVENTS_MAX;
	const char **ids = sorted(r, found, count);
	const char *key = strchr(r->route->path, '{') ? NULL : r->http->target;
	const char *version, *kept;
	struct pg_rows *zones;
	int rc;

	if (pg_count(found) > EVENTS_MAX)
		name = talloc_asprintf(MEM(r), "%s (the next %d)", name, EVENTS_MAX);
	rc = pg_query_long(&r->task, &zones, "select * from event.calendar_zones($1::uuid[])",
			   PG_PARAMS(pg_array(MEM(r), ids, count)));
	if (rc)
		return rc;
	version = version_of(r, name, zones);
	buf_clear(out);
	kept = key ? memo_get(key, version) : NULL;
	if (kept) {
		buf_adds(out, kept);
		return feed_reply_text(r, file);
	}
	rc = add_calendar(r, name, zones, ids, count);
	if (rc)
		return rc;
	if (key && !buf_full(out))
		memo_put(key, version, buf_text(out));
	return feed_reply_text(r, file);
}

int feed_event(struct request *r)
{
	struct pg_rows *rows;
	struct select s;
	int rc;

	select_init(&s, MEM(r), &event_resource);
	rc = scope_item(r, &s);
	if (rc)
		return rc;
	select_where(&s, "t.deleted_at is null");
	scope_visible(r, &s, true);
	rc = pg_query(&r->task, &rows,
		      talloc_asprintf(MEM(r), "select t.id, t.title from event.event t%s",
				      buf_text(&s.where)),
		      s.param_count, s.params);
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_NOT_FOUND, "There is no such event");
	return feed_reply(r, pg_value(rows, 0, 1), pg_value(rows, 0, 0), rows);
}

/* Of a business it has the business's name, where that is known. waits */
static int name_of(struct request *r, const char **name)
{
	const char *organiser = query_text(r, "organiser"), *venue = query_text(r, "venue");
	struct pg_rows *rows;
	int rc;

	*name = talloc_asprintf(MEM(r), "What's on in %s", config.town);
	if (!organiser && !venue)
		return OK;
	rc = pg_query(
		&r->task, &rows,
		"select name from platform.place where resource = 'business' and id = $1::uuid and deleted_at is null",
		PG_PARAMS(organiser ? organiser : venue));
	if (!rc && pg_count(rows) > 0)
		*name = talloc_asprintf(MEM(r), "What's on: %s", pg_value(rows, 0, 0));
	return rc;
}

int feed_calendar(struct request *r)
{
	struct pg_rows *rows;
	const char *name;
	int rc = event_find_ids(r, EVENTS_MAX + 1, &rows);

	if (!rc)
		rc = name_of(r, &name);
	return rc ? rc : feed_reply(r, name, "whats-on", rows);
}
