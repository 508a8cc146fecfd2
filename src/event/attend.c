/* SPDX-License-Identifier: Apache-2.0 */
/* What organisers do with replies: let people come, check them in, take the list with them, tell them something. Called as
 * routes' functions, the writing ones and those that the audit trail notes in a transaction. */
#include <csv.h>
#include <string.h>
#include "api/audit.h"
#include "api/reply.h"
#include "api/shape.h"
#include "base/code_text.h"
#include "base/uuid.h"
#include "event/event.h"
#include "event/reply.h"
#include "store/pg.h"
#include "base/banned.h"

enum { CSV_ROWS_MAX = 50000, ANNOUNCEMENTS_A_DAY = 3 };

static int no_reply(struct request *r)
{
	return fail(r, E_NOT_FOUND, "There is no such reply");
}

/* Answers with a reply as organisers see it. waits */
static int reply_shape(struct request *r, const char *id)
{
	const struct shape *shape = shape_whole(&reply_resource);
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  talloc_asprintf(MEM(r), "select %s from event.reply t where t.id = $1",
					  shape->columns),
			  PG_PARAMS(id));

	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_object(&r->json);
	shape_write(shape, &r->json, rows, 0);
	writer_object_end(&r->json);
	return reply_end(r);
}

static int explain(struct request *r, const char *outcome)
{
	if (strcmp(outcome, "over") == 0)
		return fail(r, E_CONFLICT, "It is over");
	if (strcmp(outcome, "full") == 0)
		return fail(r, E_CONFLICT, "There is no place for them; they wait");
	return fail(r, E_CONFLICT, "They have not asked to come: their reply is %s", outcome);
}

/* Is there such an event, and such an occurrence of it, unless that is NULL? waits */
static int check_there(struct request *r, const char *event, const char *occurrence)
{
	struct pg_rows *rows;
	int rc;

	if (occurrence && !uuid_is(occurrence))
		return fail(r, E_NOT_FOUND, "There is no such occurrence");
	rc = pg_query(&r->task, &rows,
		      "select from event.event e where e.id = $1 and ($2::uuid is null or exists "
		      "(select from event.occurrence where id = $2 and event_id = e.id))",
		      PG_PARAMS(event, occurrence));
	if (!rc && pg_count(rows) == 0)
		rc = fail(r, E_NOT_FOUND, "There is no such %s",
			  occurrence ? "occurrence" : "event");
	return rc;
}

int reply_decide(struct request *r)
{
	const char *id = path_text(r, "reply_id"), *status = input_text(r, "status");
	struct pg_rows *rows;
	int rc;

	if (!uuid_is(id))
		return no_reply(r);
	rc = pg_query(
		&r->task, &rows,
		"select event.decide(id, $3) from event.reply where id = $1 and event_id = $2",
		PG_PARAMS(id, path_text(r, "id"), status));
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return no_reply(r);
	if (strcmp(pg_value(rows, 0, 0), "ok") != 0)
		return explain(r, pg_value(rows, 0, 0));
	rc = audit_request(r, "reply:decide", "reply", id, NULL,
			   json_keep(MEM(r), json_pack("{s:s}", "status", status)));
	return rc ? rc : reply_shape(r, id);
}

/* Why could they not be checked in? waits */
static int explain_check_in(struct request *r, const char *code, const char *id)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select t.status, to_char(t.checked_in_at at time zone e.time_zone, 'HH24:MI') from event.reply t "
		"join event.event e on e.id = t.event_id where t.occurrence_id = $1 and t.event_id = $2 and (t.code = $3 or t.id = $4)",
		PG_PARAMS(path_text(r, "occurrence_id"), path_text(r, "id"), code, id));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_NOT_FOUND, "Nobody who comes to this has that code");
	if (pg_value(rows, 0, 1))
		return fail(r, E_CONFLICT, "They have come already, at %s", pg_value(rows, 0, 1));
	return fail(r, E_CONFLICT, "They are not expected: their reply is %s",
		    pg_value(rows, 0, 0));
}

int reply_check_in(struct request *r)
{
	const char *typed = input_text(r, "code"), *id = input_text(r, "reply_id");
	char code[REPLY_CODE_LENGTH + 1];
	struct pg_rows *rows;
	int rc = check_there(r, path_text(r, "id"), path_text(r, "occurrence_id"));

	if (rc)
		return rc;
	if (!typed == !id)
		return task_problem(&r->task, "code", "or reply_id must be given, and one of them");
	if (typed && !code_text_read(typed, code, REPLY_CODE_LENGTH))
		return task_problem(&r->task, "code", "is no code: it has %d letters and digits",
				    REPLY_CODE_LENGTH);
	rc = pg_query(
		&r->task, &rows,
		"update event.reply t set checked_in_at = clock_timestamp() where t.occurrence_id = $1 and t.event_id = $2 "
		"and (t.code = $3 or t.id = $4) and t.status = 'going' and t.checked_in_at is null returning t.id",
		PG_PARAMS(path_text(r, "occurrence_id"), path_text(r, "id"), typed ? code : NULL,
			  id));
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return explain_check_in(r, typed ? code : NULL, id);
	rc = audit_request(r, "reply:check_in", "reply", pg_value(rows, 0, 0), NULL, NULL);
	return rc ? rc : reply_shape(r, pg_value(rows, 0, 0));
}

/* ---- the list ---- */

const struct filter reply_csv_parameters[] = {
	{ .name = "occurrence_id",
	  .schema = "{\"type\":\"string\",\"format\":\"uuid\"}",
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a13\"",
	  .doc = "Of this occurrence only." },
	{ .name = "status",
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"going\"",
	  .doc = "Only replies of this status." },
	{ 0 },
};

static const char csv_sql[] =
	"select to_char(o.starts_local, 'YYYY-MM-DD HH24:MI') as starts, t.name, t.status, t.guests, t.note, "
	"to_char(t.checked_in_at at time zone e.time_zone, 'YYYY-MM-DD HH24:MI') as checked_in, "
	"to_char(t.created_at at time zone e.time_zone, 'YYYY-MM-DD HH24:MI') as replied, t.id as reply_id "
	"from event.reply t join event.occurrence o on o.id = t.occurrence_id join event.event e on e.id = t.event_id "
	"where t.event_id = $1 and t.deleted_at is null and ($2::uuid is null or t.occurrence_id = $2) "
	"and ($3::text is null or t.status = $3) order by o.starts_local, t.name, t.id limit $4";

/* A cell. What a spreadsheet would take for a formula is made a text (OWASP ASVS 5.0 1.2.10). */
static void add_cell(struct request *r, const char *text)
{
	const char *safe = strchr("=+-@\t\r", text[0]) && text[0]
				   ? talloc_asprintf(MEM(r), "'%s", text)
				   : text;
	size_t len = strlen(safe), size = 2 * len + 2;
	char *cell = talloc_size(MEM(r), size);

	buf_add(&r->http->body_out, cell, csv_write(cell, size, safe, len));
	talloc_free(cell);
}

static void add_line(struct request *r, const struct pg_rows *rows, int row)
{
	for (int i = 0; i < pg_columns(rows); i++) {
		const char *text = pg_value(rows, row, i);

		if (i)
			buf_add(&r->http->body_out, ",", 1);
		add_cell(r, text ? text : "");
	}
	buf_add(&r->http->body_out, "\r\n", 2);
}

int reply_csv(struct request *r)
{
	static const char head[] = "starts,name,status,guests,note,checked_in,replied,reply_id\r\n";
	const char *occurrence = query_text(r, "occurrence_id"), *limit;
	struct pg_rows *rows;
	int rc = check_there(r, path_text(r, "id"), NULL);

	if (rc)
		return rc;
	if (occurrence && !uuid_is(occurrence))
		return task_problem(&r->task, "occurrence_id", "must be a UUID");
	limit = talloc_asprintf(MEM(r), "%d", CSV_ROWS_MAX + 1);
	rc = pg_query(&r->task, &rows, csv_sql,
		      PG_PARAMS(path_text(r, "id"), occurrence, query_text(r, "status"), limit));
	if (!rc && pg_count(rows) > CSV_ROWS_MAX)
		rc = task_problem(&r->task, "occurrence_id", "is needed: there are over %d replies",
				  CSV_ROWS_MAX);
	if (!rc)
		rc = audit_request(r, "reply:list", "event", path_text(r, "id"), NULL, NULL);
	if (rc)
		return rc;
	r->http->status = 200;
	r->http->gzip_allowed = true;
	http_header_add(r->http, "Content-Type", "text/csv; charset=utf-8; header=present");
	http_header_add(r->http, "Content-Disposition", "attachment; filename=\"replies.csv\"");
	buf_add(&r->http->body_out, head, sizeof(head) - 1);
	for (int i = 0; i < pg_count(rows); i++)
		add_line(r, rows, i);
	return OK;
}

/* ---- announcements ---- */

/* To each person once, be it that they come to several. */
static const char announce_sql[] =
	"with made as (insert into event.announcement (event_id, occurrence_id, person_id, subject, text) "
	"select $1::uuid, $2::uuid, $3::uuid, $4, $5 where (select count(*) from event.announcement where event_id = $1::uuid "
	"and created_at > clock_timestamp() - interval '1 day') < $6::integer returning id), "
	"told as (insert into event.notice (reply_id, kind, announcement_id) select distinct on (coalesce(t.person_id::text, lower(t.email))) "
	"t.id, 'announcement', made.id from made, event.reply t join event.occurrence o on o.id = t.occurrence_id "
	"where t.event_id = $1::uuid and t.announcements and t.status in ('going', 'maybe', 'requested', 'waiting', 'offered') "
	"and case when $2::uuid is null then o.ends_at > clock_timestamp() else o.id = $2::uuid end "
	"and coalesce(t.person_id::text, t.email) is not null "
	"order by coalesce(t.person_id::text, lower(t.email)), o.starts_at returning 1) "
	"select (select id from made), (select count(*) from told)";

/* Holds the event, so that two announcements at once are counted. waits */
static int check_announcement(struct request *r, const char *id, const char *occurrence)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  "select from event.event where id = $1 for no key update", PG_PARAMS(id));

	if (!rc && occurrence)
		rc = pg_query(&r->task, &rows,
			      "select from event.occurrence where id = $1 and event_id = $2",
			      PG_PARAMS(occurrence, id));
	if (!rc && pg_count(rows) == 0)
		rc = occurrence ? task_problem(&r->task, "occurrence_id",
					       "there is no such occurrence of this event")
				: fail(r, E_NOT_FOUND, "There is no such event");
	return rc;
}

int reply_announce(struct request *r)
{
	const char *id = path_text(r, "id"), *occurrence = input_text(r, "occurrence_id");
	const char *person = r->caller.person_id[0] ? r->caller.person_id : NULL;
	struct pg_rows *rows;
	int rc = check_announcement(r, id, occurrence);

	if (rc)
		return rc;
	rc = pg_query(&r->task, &rows, announce_sql,
		      PG_PARAMS(id, occurrence, person, input_text(r, "subject"),
				input_text(r, "text"),
				talloc_asprintf(MEM(r), "%d", ANNOUNCEMENTS_A_DAY)));
	if (rc)
		return rc;
	if (!pg_value(rows, 0, 0)) {
		r->task.failure.retry_after = 3600;
		return fail(r, E_RATE_LIMITED, "An event has %d announcements a day",
			    ANNOUNCEMENTS_A_DAY);
	}
	rc = audit_request(
		r, "reply:announce", "event", id, NULL,
		json_keep(MEM(r), json_pack("{s:s}", "subject", input_text(r, "subject"))));
	if (rc)
		return rc;
	reply_begin(r, 202);
	writer_object(&r->json);
	writer_key(&r->json, "recipients");
	writer_raw(&r->json, pg_value(rows, 0, 1), pg_length(rows, 0, 1));
	writer_object_end(&r->json);
	return reply_end(r);
}
