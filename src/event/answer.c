/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People reply: with an account, or by a mail address that they confirm. The database decides what becomes of an answer, in one
 * statement that holds the occurrence's row (event.answer in sql/event/0003_replies.sql); here it is asked, and its refusals get
 * words. Called as routes' functions and as a job.
 */
#include <string.h>
#include "api/audit.h"
#include "api/reply.h"
#include "api/scope.h"
#include "api/select.h"
#include "api/steps.h"
#include "base/code_text.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "event/event.h"
#include "event/reply.h"
#include "io/turn.h"
#include "store/mail.h"
#include "base/banned.h"

/* What somebody answers; texts are those of SQL parameters. */
struct answer {
	const char *occurrence_id;
	const char *person_id;	  /* or, NULL, by ... */
	const char *email, *name; /* of a person both are NULL */
	const char *status, *guests, *note, *announcements;
};

static const struct {
	const char *outcome;
	int code;
	const char *text;
} refusals[] = {
	{ "gone", E_NOT_FOUND, "There is no such occurrence" },
	{ "none", E_CONFLICT, "Replies are not taken for this event" },
	{ "external", E_CONFLICT, "Replies are taken elsewhere: see rsvp.url of the event" },
	{ "over", E_CONFLICT, "Replies are not taken any more" },
	{ "refused", E_CONFLICT, "The organisers have refused this reply" },
	{ "draft", E_CONFLICT, "The event is not published" },
	{ "cancelled", E_CONFLICT, "It is cancelled" },
	{ "postponed", E_CONFLICT, "It is postponed" },
	{ "rescheduled", E_CONFLICT, "It is rescheduled: see rescheduled_to of the event" },
};

static int refuse(struct request *r, const char *outcome, const char *places)
{
	if (strcmp(outcome, "guests") == 0)
		return task_problem(&r->task, "guests", "must be at most %s for this event",
				    places);
	if (strcmp(outcome, "large") == 0)
		return task_problem(&r->task, "guests", "must be fewer: there are %s places in all",
				    places);
	if (strcmp(outcome, "full") == 0)
		return fail(r, E_CONFLICT, "There are only %s places; your reply is as it was",
			    places);
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		if (strcmp(refusals[i].outcome, outcome) == 0)
			return fail(r, refusals[i].code, "%s", refusals[i].text);
	return fail(r, E_INTERNAL, NULL);
}

static struct answer read_answer(struct request *r)
{
	struct answer a = { .status = input_text(r, "status"),
			    .guests = input_text(r, "guests"),
			    .note = input_text(r, "note"),
			    .announcements = input_text(r, "announcements") };

	if (!a.guests)
		a.guests = "0";
	if (!a.announcements)
		a.announcements = "true";
	return a;
}

static int reply_own(struct request *r, const struct pg_rows *rows, int first, const char *token)
{
	reply_begin(r, 200);
	own_reply_write(&r->json, rows, 0, first, token);
	return reply_end(r);
}

static int note(struct request *r, const char *id, const struct answer *a)
{
	json_t *after = json_keep(
		MEM(r), json_pack("{s:s, s:s}", "status", a->status, "guests", a->guests));

	return audit_request(r, "reply:answer", "reply", id, NULL, after);
}

/* In a transaction, whose last statement it is: it waits for nobody while it holds the occurrence. waits */
static int take(struct request *r, const struct answer *a)
{
	enum { OUTCOME, PLACES, SHOWN };
	char id[UUID_TEXT_SIZE], code[REPLY_CODE_LENGTH + 1];
	struct pg_rows *rows;
	const char *reply;
	int rc;

	uuid_new(id);
	code_text_make(code, REPLY_CODE_LENGTH);
	rc = pg_query(
		&r->task, &rows,
		talloc_asprintf(
			MEM(r),
			"select a.outcome, a.places, %s from event.answer($1, $2, $3, $4, $5, $6, $7, $8, "
			"$9, $10) a",
			own_reply_columns(MEM(r), "(a.shown)", 11)),
		PG_PARAMS(id, a->occurrence_id, a->person_id, a->email, a->name, a->status,
			  a->guests, a->note, a->announcements, code, own_reply_claim(MEM(r))));
	if (rc)
		return rc;
	if (strcmp(pg_value(rows, 0, OUTCOME), "ok") != 0)
		return refuse(r, pg_value(rows, 0, OUTCOME), pg_value(rows, 0, PLACES));
	reply = pg_value(rows, 0, SHOWN);
	rc = note(r, reply, a);
	if (rc)
		return rc;
	return reply_own(r, rows, SHOWN, a->person_id ? NULL : reply_token(MEM(r), reply));
}

static int take_it(struct request *r, void *arg)
{
	return take(r, arg);
}

/* One after the other, for they would wait for the occurrence's row, each with a connection. waits */
static int take_in_turn(struct request *r, struct answer *a)
{
	struct turn turn;
	int rc = turn_take(&r->task, &turn, a->occurrence_id);

	if (rc)
		return rc;
	rc = act_in_transaction(r, take_it, a);
	turn_give(&turn);
	return rc;
}

/* Is there such an occurrence, as far as the caller may know? Then `rows` has its title, its time and why it takes no replies.
 * waits */
static int find_occurrence(struct request *r, struct pg_rows **rows)
{
	const char *id = path_text(r, "id"), *occurrence = path_text(r, "occurrence_id");
	struct select s;
	int rc;

	if (!uuid_is(id) || !uuid_is(occurrence))
		return fail(r, E_NOT_FOUND, "There is no such occurrence");
	select_init(&s, MEM(r), &event_resource);
	select_where(&s, "t.id = $%d", select_param(&s, id));
	select_where(&s, "o.id = $%d", select_param(&s, occurrence));
	select_where(&s, "t.deleted_at is null and o.deleted_at is null");
	scope_visible(r, &s, true);
	rc = pg_query(
		&r->task, rows,
		talloc_asprintf(
			MEM(r),
			"select coalesce(o.title, t.title), event.when_text(o.starts_local, t.all_day), "
			"event.why_closed(o, t), t.rsvp_guests_max from event.event t "
			"join event.occurrence o on o.event_id = t.id%s",
			buf_text(&s.where)),
		s.param_count, s.params);
	if (!rc && pg_count(*rows) == 0)
		rc = fail(r, E_NOT_FOUND, "There is no such occurrence");
	return rc;
}

int reply_put(struct request *r)
{
	struct answer a = read_answer(r);
	struct pg_rows *rows;
	int rc = find_occurrence(r, &rows);

	a.occurrence_id = path_text(r, "occurrence_id");
	a.person_id = r->caller.person_id;
	return rc ? rc : take_in_turn(r, &a);
}

/* One's reply, or that of a token. waits */
static int show(struct request *r, const char *condition, const char *one, const char *two,
		const char *token)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  talloc_asprintf(MEM(r), "select %s from event.reply_shown s where %s",
					  own_reply_columns(MEM(r), "s", 3), condition),
			  PG_PARAMS(one, two, own_reply_claim(MEM(r))));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_NOT_FOUND, "There is no such reply");
	return reply_own(r, rows, 0, token);
}

int reply_get(struct request *r)
{
	struct pg_rows *rows;
	int rc = find_occurrence(r, &rows);

	return rc ? rc
		  : show(r, "s.occurrence_id = $1 and s.person_id = $2",
			 path_text(r, "occurrence_id"), r->caller.person_id, NULL);
}

/* ---- by mail ---- */

struct mail_answer {
	struct answer a;
	const char *title, *when;
};

/* Three mails an hour are enough for any address: what more is asked for is dropped. */
static const char request_sql[] =
	"insert into event.reply_request (digest, occurrence_id, email, name, status, guests, note, announcements) "
	"select $1, $2, $3, $4, $5, $6, $7, $8 where (select count(*) from event.reply_request where lower(email) = lower($3) "
	"and created_at > clock_timestamp() - interval '1 hour') < 3";

static int leave_request(struct request *r, void *arg)
{
	const struct mail_answer *m = arg;
	const struct answer *a = &m->a;
	const char *token = secret_token(MEM(r));
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, request_sql,
			  PG_PARAMS(secret_digest(MEM(r), "reply_request", token), a->occurrence_id,
				    a->email, a->name, a->status, a->guests, a->note,
				    a->announcements));

	if (rc || pg_affected(rows) == 0)
		return rc;
	return mail_queue(&r->task, "reply_confirm", a->email,
			  MAIL_VALUES({ "title", m->title }, { "when", m->when },
				      { "link", mail_page(MEM(r), "confirm-reply", token) },
				      { "code", token }));
}

int reply_by_mail(struct request *r)
{
	enum { TITLE, WHEN, CLOSED, GUESTS_MAX };
	struct mail_answer m = { .a = read_answer(r) };
	struct pg_rows *rows;
	int rc = find_occurrence(r, &rows);

	if (rc)
		return rc;
	if (pg_value(rows, 0, CLOSED))
		return refuse(r, pg_value(rows, 0, CLOSED), NULL);
	if (strtol(m.a.guests, NULL, 10) > strtol(pg_value(rows, 0, GUESTS_MAX), NULL, 10))
		return refuse(r, "guests", pg_value(rows, 0, GUESTS_MAX));
	m.title = pg_value(rows, 0, TITLE);
	m.when = pg_value(rows, 0, WHEN);
	m.a.occurrence_id = path_text(r, "occurrence_id");
	m.a.email = input_text(r, "email");
	m.a.name = input_text(r, "name");
	rc = act_in_transaction(r, leave_request, &m);
	return rc ? rc : reply_status(r, 202, "accepted");
}

/* Whoever has an account with the address replies as that person. */
static const char confirm_sql[] =
	"update event.reply_request q set used_at = clock_timestamp() where digest = $1 and used_at is null "
	"and created_at > clock_timestamp() - interval '1 day' "
	"returning occurrence_id, email, name, status, guests, note, announcements, "
	"(select person_id from platform.contact c where lower(c.email) = lower(q.email))";

static int confirm(struct request *r, void *arg)
{
	const char *digest = secret_digest(MEM(r), "reply_request", input_text(r, "token"));
	struct answer a = { 0 };
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, confirm_sql, PG_PARAMS(digest));

	(void)arg;
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return task_problem(&r->task, "token", "is not valid, or has expired");
	a.occurrence_id = pg_value(rows, 0, 0);
	a.status = pg_value(rows, 0, 3);
	a.guests = pg_value(rows, 0, 4);
	a.note = pg_value(rows, 0, 5);
	a.announcements = pg_value(rows, 0, 6);
	a.person_id = pg_value(rows, 0, 7);
	a.email = a.person_id ? NULL : pg_value(rows, 0, 1);
	a.name = a.person_id ? NULL : pg_value(rows, 0, 2);
	return take(r, &a);
}

int reply_confirm(struct request *r)
{
	return act_in_transaction(r, confirm, NULL);
}

int reply_by_token(struct request *r)
{
	const char *token = input_text(r, "token"), *id = reply_token_read(MEM(r), token);
	struct answer a = read_answer(r);
	struct pg_rows *rows;
	int rc;

	if (!id)
		return task_problem(&r->task, "token", "is not valid");
	rc = pg_query(
		&r->task, &rows,
		"select occurrence_id, email from event.reply where id = $1 and email is not null",
		PG_PARAMS(id));
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return task_problem(&r->task, "token", "is not valid");
	if (!a.status)
		return show(r, "s.id = $1 and s.email = $2", id, pg_value(rows, 0, 1), token);
	a.occurrence_id = pg_value(rows, 0, 0);
	a.email = pg_value(rows, 0, 1);
	return take_in_turn(r, &a);
}

/* ---- as time goes on ---- */

static int lapse_one(struct task *t, void *arg)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, "select event.lapse($1, $2)",
			PG_PARAMS((const char *)arg, own_reply_claim(t->mem)));
}

int reply_lapse(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows,
			  "select distinct occurrence_id from event.reply where status = 'offered' "
			  "and offered_at <= clock_timestamp() - $1::interval limit 100",
			  PG_PARAMS(own_reply_claim(t->mem)));

	for (int i = 0; !rc && i < pg_count(rows); i++)
		rc = pg_transaction(t, lapse_one, (void *)pg_value(rows, i, 0));
	return rc;
}

/* Of who has no account nothing is kept that says who it was, 90 days after the event. */
static const char *const forget_sql[] = {
	"delete from event.reply_request where " REPLY_REQUEST_IS_OLD,
	("update event.reply set name = 'Erased', email = null, note = null where id in (select r.id from event.reply r "
	 "join event.occurrence o on o.id = r.occurrence_id where " REPLY_IS_OLD " limit 1000)"),
};

int reply_forget(struct task *t)
{
	struct pg_rows *rows;
	int rc = OK;

	for (size_t i = 0; !rc && i < COUNT_OF(forget_sql); i++)
		rc = pg_query_long(t, &rows, forget_sql[i], PG_NONE);
	return rc;
}
