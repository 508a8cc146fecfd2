/* SPDX-License-Identifier: Apache-2.0 */
/* Registration, its confirmation, and the job that answers requests by mail; see account.h. */
#include "api/reply.h"
#include "auth/account.h"

#include <string.h>
#include "api/audit.h"
#include "auth/auth.h"
#include "auth/password.h"
#include "base/config.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "store/mail.h"
#include "store/pg.h"
#include "base/banned.h"

/* A write that stands alone has a connection of its own: what shares the pipeline would wait for its disk. */
int account_ask(struct task *t, const struct account_request *q)
{
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;

	uuid_new(id);
	return pg_query_long(
		t, &rows,
		"insert into auth.request (id, purpose, email, name, password_hash, provider, subject) "
		"values ($1, $2, $3, $4, $5, $6, $7)",
		PG_PARAMS(id, q->purpose, q->email, q->name, q->password_hash, q->provider,
			  q->subject));
}

static int leave_request(struct request *r, const char *purpose, const char *name, const char *hash)
{
	const struct account_request q = { .purpose = purpose,
					   .email = input_text(r, "email"),
					   .name = name,
					   .password_hash = hash };
	int rc = account_ask(&r->task, &q);

	return rc ? rc : reply_status(r, 202, "accepted");
}

int auth_register(struct request *r)
{
	const char *password = input_text(r, "password");
	const char *problem = password_problem(MEM(r), password, input_text(r, "email"));
	char *hash;
	int rc;

	if (problem)
		return task_problem(&r->task, "password", "%s", problem);
	rc = password_hash(&r->task, password, &hash);
	return rc ? rc : leave_request(r, "register", input_text(r, "name"), hash);
}

int auth_resend(struct request *r)
{
	return leave_request(r, "resend", NULL, NULL);
}

int auth_forgotten(struct request *r)
{
	return leave_request(r, "forgotten", NULL, NULL);
}

int account_create(struct task *t, const char *email, const char *name, const char *password_hash,
		   const char **person_id)
{
	char *id = talloc_size(t->mem, UUID_TEXT_SIZE);
	struct pg_rows *rows;
	int rc;

	uuid_new(id);
	rc = pg_query(
		t, &rows,
		"insert into auth.person (id, email, name, password_hash, email_verified_at) "
		"values ($1, $2, $3, $4, clock_timestamp()) on conflict (lower(email)) do nothing",
		PG_PARAMS(id, email, name, password_hash));
	if (rc)
		return rc;
	if (pg_affected(rows) == 0)
		return task_fail(t, E_DUPLICATE, "There is an account with this address");
	*person_id = id;
	return OK;
}

/* A registration that came from an account elsewhere (oauth_identity.c) brings it along, unless it is somebody's by now. */
static int add_identity(struct request *r, const char *person_id, const struct pg_rows *request)
{
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;

	if (!pg_value(request, 0, 3))
		return OK;
	uuid_new(id);
	return pg_query(&r->task, &rows,
			"insert into auth.identity (id, person_id, provider, subject, email) "
			"values ($1, $2, $3, $4, $5) on conflict do nothing",
			PG_PARAMS(id, person_id, pg_value(request, 0, 3), pg_value(request, 0, 4),
				  pg_value(request, 0, 0)));
}

/* Two registrations of one address may both be confirmed: the first makes the account, the second finds it. Whose it was
 * that was confirmed is not known when there were several: one of them may be by somebody who waits for the owner to follow
 * the wrong link. Then the account has neither password nor identity, and its owner gets a mail to set one. */
static int make(struct request *r, const struct pg_rows *registration, bool contested)
{
	const struct account_request reset = { .purpose = "forgotten",
					       .email = pg_value(registration, 0, 0) };
	struct audit_event event = audit_begin(r);
	const char *person_id = NULL;
	int rc = account_create(&r->task, pg_value(registration, 0, 0),
				pg_value(registration, 0, 1),
				contested ? NULL : pg_value(registration, 0, 2), &person_id);

	if (rc == E_DUPLICATE) {
		task_forgive(&r->task);
		return OK;
	}
	if (!rc)
		rc = contested ? account_ask(&r->task, &reset)
			       : add_identity(r, person_id, registration);
	if (rc)
		return rc;
	event.action = "person:create";
	event.resource = "person";
	event.actor_id = event.resource_id = person_id;
	return audit_add(&r->task, &event);
}

int auth_verify(struct request *r)
{
	const char *digest = secret_digest(MEM(r), "verify_email", input_text(r, "token"));
	struct pg_rows *rows;
	bool contested;
	int rc = pg_query(
		&r->task, &rows,
		"update auth.one_time_token t set used_at = clock_timestamp() from auth.request q "
		"where t.digest = $1 and t.purpose = 'verify_email' and t.used_at is null "
		"and t.expires_at > clock_timestamp() and q.id = t.request_id "
		"returning q.email, q.name, q.password_hash, q.provider, q.subject, exists "
		"(select from auth.request o where lower(o.email) = lower(q.email) and o.purpose = 'register' "
		"and o.id <> q.id)",
		PG_PARAMS(digest));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return task_problem(&r->task, "token", "is not valid, or has expired");
	contested = pg_value(rows, 0, 5)[0] == 't';
	rc = make(r, rows, contested);
	return rc ? rc : reply_status(r, 200, contested ? "password_needed" : "confirmed");
}

/* Each link is good for an hour (ASVS 6.5.5 asks for a short life; a mail may take a while). */
static int mail_link(struct task *t, const char *template, const char *purpose, const char *page,
		     const char *to, const char *person_id, const char *request_id)
{
	const char *token = secret_token(t->mem);
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"insert into auth.one_time_token (digest, purpose, person_id, request_id, expires_at) "
		"values ($1, $2, $3, $4, clock_timestamp() + interval '1 hour')",
		PG_PARAMS(secret_digest(t->mem, purpose, token), purpose, person_id, request_id));

	if (rc)
		return rc;
	if (request_id)
		return mail_queue(t, template, to,
				  MAIL_VALUES({ "link", mail_page(t->mem, page, token) },
					      { "code", token }, { "minutes", "60" }));
	return mail_queue(
		t, template, to,
		MAIL_VALUES({ "link", mail_page(t->mem, page, token) }, { "minutes", "60" }));
}

/* The account that an address has, and the newest registration of it that may still be confirmed. */
static int answer(struct task *t, const struct pg_rows *found, int i)
{
	const char *purpose = pg_value(found, i, 1), *email = pg_value(found, i, 2);
	const char *person_id = pg_value(found, i, 3), *registration = pg_value(found, i, 4);

	if (strcmp(purpose, "forgotten") == 0)
		return person_id ? mail_link(t, "reset_password", "reset_password",
					     "reset-password", email, person_id, NULL)
				 : OK;
	if (person_id)
		return mail_queue(t, "already_registered", email, MAIL_NONE);
	return registration ? mail_link(t, "verify_email", "verify_email", "verify", email, NULL,
					registration)
			    : OK;
}

/* An address that no mail can go to keeps nobody else waiting. */
static int answer_one(struct task *t, const struct pg_rows *found, int i)
{
	int rc = answer(t, found, i);

	if (rc != E_VALIDATION)
		return rc;
	task_forgive(t);
	return OK;
}

/* Three mails of a kind an hour are enough for any address: what more is asked for is dropped. */
static const char open_sql[] =
	"with open as (update auth.request q set done_at = clock_timestamp() where q.id in "
	"(select id from auth.request where done_at is null order by created_at limit 100 "
	"for update skip locked) returning q.id, q.purpose, q.email, q.created_at) "
	"select o.id, o.purpose, coalesce(p.email, o.email), p.id, "
	"case when o.purpose = 'register' then o.id else (select g.id from auth.request g "
	"where lower(g.email) = lower(o.email) and g.purpose = 'register' "
	"and g.created_at > clock_timestamp() - interval '1 day' order by g.created_at desc limit 1) end "
	"from open o left join auth.person p on lower(p.email) = lower(o.email) and p.status = 'active' "
	"where (select count(*) from auth.request e where lower(e.email) = lower(o.email) and e.purpose = o.purpose "
	"and e.created_at > o.created_at - interval '1 hour' and (e.created_at, e.id) < (o.created_at, o.id)) < 3 "
	"order by o.created_at";

static int answer_all(struct task *t, void *arg)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, open_sql, PG_NONE);

	(void)arg;
	for (int i = 0; !rc && i < pg_count(rows); i++)
		rc = answer_one(t, rows, i);
	return rc;
}

int account_answer(struct task *t)
{
	return pg_transaction(t, answer_all, NULL);
}
