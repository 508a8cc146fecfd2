/* SPDX-License-Identifier: Apache-2.0 */
/* One's own replies, as a list and as a calendar. Calendar programs cannot sign in: the calendar has a secret address, of which the
 * database has a digest. Called as routes' functions. */
#include <string.h>
#include "api/audit.h"
#include "api/reply.h"
#include "api/shape.h"
#include "base/config.h"
#include "base/secret.h"
#include "event/calendar.h"
#include "event/feed.h"
#include "event/reply.h"
#include "store/pg.h"
#include "base/banned.h"

enum { TOKEN_LENGTH = 43 };

const struct filter my_replies_parameters[] = {
	{ .name = "past",
	  .schema = "{\"type\":\"boolean\",\"default\":false}",
	  .example = "false",
	  .doc = "Those to what is over instead, the last first." },
	{ 0 },
};

static int read_past(struct request *r, bool *past)
{
	const char *text = query_text(r, "past");

	*past = text && strcmp(text, "true") == 0;
	if (text && !*past && strcmp(text, "false") != 0)
		return task_problem(&r->task, "past", "must be true or false");
	return OK;
}

int my_replies(struct request *r)
{
	struct pg_rows *rows;
	bool past;
	int rc = read_past(r, &past);

	if (rc)
		return rc;
	rc = pg_query(
		&r->task, &rows,
		talloc_asprintf(
			MEM(r),
			"select %s from event.reply_shown s where s.person_id = $1 and (s.ends_at <= now()) = $2::boolean "
			"order by s.starts_at %s, s.id limit 200",
			own_reply_columns(MEM(r), "s", 3), past ? "desc" : "asc"),
		PG_PARAMS(r->caller.person_id, past ? "true" : "false", own_reply_claim(MEM(r))));
	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_array(&r->json);
	for (int i = 0; i < pg_count(rows); i++)
		own_reply_write(&r->json, rows, i, 0, NULL);
	writer_array_end(&r->json);
	return reply_end(r);
}

/* ---- the calendar ---- */

int my_calendar(struct request *r)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  "select max(created_at) from event.reply_calendar where person_id = $1",
			  PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_object(&r->json);
	shape_write_time_of(&r->json, "created_at", rows, 0, 0);
	writer_object_end(&r->json);
	return reply_end(r);
}

int my_calendar_make(struct request *r)
{
	const char *token = secret_token(MEM(r));
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"insert into event.reply_calendar (person_id, digest) values ($1, $2) on conflict (person_id) do update "
		"set digest = excluded.digest, created_at = clock_timestamp(), updated_at = clock_timestamp()",
		PG_PARAMS(r->caller.person_id, secret_digest(MEM(r), "reply_calendar", token)));

	if (!rc)
		rc = audit_request(r, "reply:make_calendar", "person", r->caller.person_id, NULL,
				   NULL);
	if (rc)
		return rc;
	reply_begin(r, 201);
	writer_object(&r->json);
	writer_member(&r->json, "url",
		      talloc_asprintf(MEM(r), "%s/v1/calendars/%s.ics", config.public_url, token));
	writer_object_end(&r->json);
	return reply_end(r);
}

int my_calendar_end(struct request *r)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, "delete from event.reply_calendar where person_id = $1",
			  PG_PARAMS(r->caller.person_id));

	if (!rc)
		rc = audit_request(r, "reply:end_calendar", "person", r->caller.person_id, NULL,
				   NULL);
	return rc ? rc : reply_status(r, 200, "revoked");
}

/* Whose calendar the address is: the token, with .ics behind it or without. waits */
static int find_person(struct request *r, struct pg_rows **rows)
{
	const char *text = path_text(r, "token");
	size_t len = strlen(text);
	int rc;

	if (len == TOKEN_LENGTH + 4 && strcmp(text + TOKEN_LENGTH, ".ics") == 0)
		len = TOKEN_LENGTH;
	if (len != TOKEN_LENGTH)
		return fail(r, E_NOT_FOUND, "There is no such calendar");
	rc = pg_query(&r->task, rows,
		      "select c.person_id, c.name from event.reply_calendar k "
		      "join platform.contact c on c.person_id = k.person_id where k.digest = $1",
		      PG_PARAMS(secret_digest(MEM(r), "reply_calendar",
					      talloc_strndup(MEM(r), text, len))));
	if (!rc && pg_count(*rows) == 0)
		rc = fail(r, E_NOT_FOUND, "There is no such calendar");
	return rc;
}

int my_calendar_feed(struct request *r)
{
	struct pg_rows *found, *zones, *rows;
	const char *person;
	int rc = find_person(r, &found);

	if (rc)
		return rc;
	person = pg_value(found, 0, 0);
	rc = pg_query(
		&r->task, &zones,
		"select time_zone, min(starts) from event.reply_components($1) group by 1 order by 1",
		PG_PARAMS(person));
	if (!rc)
		rc = pg_query(&r->task, &rows, "select * from event.reply_components($1)",
			      PG_PARAMS(person));
	if (rc)
		return rc;
	calendar_begin(&r->http->body_out,
		       talloc_asprintf(MEM(r), "%s in %s", pg_value(found, 0, 1), config.town));
	for (int i = 0; i < pg_count(zones); i++)
		calendar_zone(&r->http->body_out, pg_value(zones, i, 0), pg_value(zones, i, 1));
	for (int i = 0; i < pg_count(rows); i++)
		calendar_event(&r->http->body_out, rows, i);
	calendar_end(&r->http->body_out);
	r->cache_control = "private, no-cache";
	return feed_reply_text(r, "my-replies");
}
