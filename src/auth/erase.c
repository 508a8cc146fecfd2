/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time does to accounts: planned erasures come due, and what has expired is removed. Jobs. An erased person stays as an
 * id without a name, so that what others wrote about it, and the audit trail, still add up (GDPR article 17).
 */
#include "auth/erase.h"

#include "model/resource.h"
#include "store/audit.h"
#include "store/mail.h"
#include "store/pg.h"
#include "base/banned.h"

static const char *const forget_sql[] = {
	"delete from auth.identity where person_id = $1",
	"delete from auth.oauth_state where person_id = $1",
	"delete from auth.oauth_code where person_id = $1",
	"delete from auth.recovery_code where person_id = $1",
	"delete from auth.one_time_token where person_id = $1",
	"delete from auth.email_change where person_id = $1",
	"delete from auth.api_key where person_id = $1",
	"delete from auth.person_role where person_id = $1",
	"delete from auth.session where person_id = $1",
	"delete from platform.relation where person_id = $1",
	("update auth.person set email = null, name = 'Erased', password_hash = null, totp_secret = null, "
	 "totp_confirmed_at = null, email_verified_at = null, erase_at = null, status = 'erased', "
	 "deleted_at = clock_timestamp() where id = $1"),
};

/* What other services keep about them. */
static int forget_holdings(struct task *t, const char *id, const char *email)
{
	struct pg_rows *rows;
	int rc = OK;

	for (const struct service *const *s = services; *s; s++)
		for (const struct holding *h = (*s)->holdings; !rc && h && h->name; h++)
			rc = pg_query(t, &rows, h->forget_sql, PG_PARAMS(id, email));
	return rc;
}

static int forget(struct task *t, const char *id, const char *email)
{
	const struct audit_event event = { .action = "person:erase",
					   .actor_kind = "program",
					   .resource = "person",
					   .resource_id = id };
	struct pg_rows *rows;
	int rc = forget_holdings(t, id, email);

	for (size_t i = 0; !rc && i < COUNT_OF(forget_sql); i++)
		rc = pg_query(t, &rows, forget_sql[i], PG_PARAMS(id));
	if (!rc)
		rc = pg_query(t, &rows, "delete from auth.request where lower(email) = lower($1)",
			      PG_PARAMS(email));
	if (!rc)
		rc = audit_add(t, &event);
	if (!rc)
		rc = mail_queue(t, "erased", email, MAIL_NONE);
	if (rc != E_VALIDATION)
		return rc;
	task_forgive(t); /* an address that no mail can go to is erased like any other */
	return OK;
}

/* Here and below the statement's time: clock_timestamp() may be another for each row, so that no index can be used. */
static int forget_all(struct task *t, void *arg)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select id, email from auth.person where erase_at <= statement_timestamp() "
		"order by erase_at limit 100 for update skip locked",
		PG_NONE);

	(void)arg;
	for (int i = 0; !rc && i < pg_count(rows); i++)
		rc = forget(t, pg_value(rows, i, 0), pg_value(rows, i, 1));
	return rc;
}

int erase_due(struct task *t)
{
	return pg_transaction(t, forget_all, NULL);
}

static const char *const expired_sql[] = {
	"delete from auth.revocation where created_at < statement_timestamp() - interval '20 minutes'",
	"delete from auth.one_time_token where expires_at < statement_timestamp() - interval '1 day'",
	"delete from auth.email_change where expires_at < statement_timestamp() - interval '1 day'",
	"delete from auth.refresh_token where expires_at < statement_timestamp()",
	"delete from auth.session where expires_at < statement_timestamp() - interval '30 days'",
	"delete from auth.request where created_at < statement_timestamp() - interval '2 days'",
	"delete from auth.login_failure where failing_since < statement_timestamp() - interval '1 hour'",
	"delete from auth.oauth_state where expires_at < statement_timestamp() - interval '1 hour'",
	"delete from auth.oauth_code where expires_at < statement_timestamp()",
};

int erase_expired(struct task *t)
{
	struct pg_rows *rows;
	int rc = OK;

	for (size_t i = 0; !rc && i < COUNT_OF(expired_sql); i++)
		rc = pg_query_long(t, &rows, expired_sql[i], PG_NONE);
	return rc;
}
