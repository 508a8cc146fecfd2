/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords and addresses that change: with a mail's link, or with the old password (OWASP ASVS 5.0 6.2.2, 6.2.3, 6.3.7,
 * 6.4.3, 7.4.3). A new password ends the other sessions. A reset signs nobody in, so a second factor stays in force. */
#include <string.h>
#include "api/audit.h"
#include "api/reply.h"
#include "api/steps.h"
#include "auth/account.h"
#include "auth/auth.h"
#include "auth/guard.h"
#include "auth/login.h"
#include "auth/password.h"
#include "auth/session.h"
#include "base/secret.h"
#include "base/time.h"
#include "store/mail.h"
#include "base/banned.h"

/* What either way of setting a password needs. */
struct new_password {
	const char *person_id, *email, *hash;
	const char *token_digest;		/* of a reset */
	const char *old_hash, *keep_session_id; /* of a change */
};

/* Links that were mailed before: to who asked when the password, or the address, was another. */
static int end_resets(struct task *t, const char *person_id)
{
	struct pg_rows *rows;

	return pg_query(t, &rows,
			"update auth.one_time_token set used_at = clock_timestamp() "
			"where person_id = $1 and purpose = 'reset_password' and used_at is null",
			PG_PARAMS(person_id));
}

/* Of a change only while the old password, which took a while to check, is still the password. */
static int write_password(struct request *r, const struct new_password *new)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"update auth.person set password_hash = $2 where id = $1 "
		"and status = 'active' and ($3::text is null or password_hash = $3::text)",
		PG_PARAMS(new->person_id, new->hash, new->old_hash));

	if (rc)
		return rc;
	return pg_affected(rows) > 0
		       ? OK
		       : fail(r, E_CONFLICT, "The account has changed meanwhile; try again");
}

/* Behind the lock on the person, so that two tokens at once do not wait for each other. Of one token at twice the second
 * finds it used. */
static int use_reset(struct request *r, const char *digest)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"update auth.one_time_token set used_at = clock_timestamp() where digest = $1 "
		"and used_at is null",
		PG_PARAMS(digest));

	if (rc)
		return rc;
	return pg_affected(rows) > 0
		       ? OK
		       : task_problem(&r->task, "token", "is not valid, or has expired");
}

static int set_password(struct request *r, void *arg)
{
	const struct new_password *new = arg;
	struct audit_event event = audit_begin(r);
	char now[TIME_TEXT_MAX];
	int rc = write_password(r, new);

	if (!rc && new->token_digest)
		rc = use_reset(r, new->token_digest);
	if (!rc)
		rc = end_resets(&r->task, new->person_id);
	if (!rc)
		rc = session_end_others(&r->task, new->person_id, new->keep_session_id, "password");
	if (!rc)
		rc = guard_forget(&r->task, new->email);
	if (rc)
		return rc;
	event.action = "person:password";
	event.resource = "person";
	event.actor_id = event.resource_id = new->person_id;
	rc = audit_add(&r->task, &event);
	time_format(time_unix_ms(), now);
	return rc ? rc
		  : mail_queue(&r->task, "password_changed", new->email,
			       MAIL_VALUES({ "time", now }));
}

static int check_new(struct request *r, const char *field, const char *email)
{
	const char *problem = password_problem(MEM(r), input_text(r, field), email);

	return problem ? task_problem(&r->task, field, "%s", problem) : OK;
}

int auth_reset(struct request *r)
{
	struct new_password new = { .token_digest = secret_digest(MEM(r), "reset_password",
								  input_text(r, "token")) };
	struct pg_rows *rows;
	char *hash;
	int rc = pg_query(
		&r->task, &rows,
		"select p.id, p.email from auth.one_time_token t join auth.person p on p.id = t.person_id "
		"where t.digest = $1 and t.purpose = 'reset_password' and t.used_at is null "
		"and t.expires_at > clock_timestamp() and p.status = 'active'",
		PG_PARAMS(new.token_digest));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return task_problem(&r->task, "token", "is not valid, or has expired");
	new.person_id = pg_value(rows, 0, 0);
	new.email = pg_value(rows, 0, 1);
	rc = check_new(r, "password", new.email);
	if (!rc)
		rc = password_hash(&r->task, input_text(r, "password"), &hash);
	if (rc)
		return rc;
	new.hash = hash;
	rc = act_in_transaction(r, set_password, &new);
	return rc ? rc : reply_status(r, 200, "changed");
}

/* The caller's account, once its password was shown again. */
static int show_password(struct request *r, struct account *account)
{
	int rc = login_account(r, r->caller.person_id, NULL, account);

	if (rc)
		return rc;
	if (!account->email)
		return fail(r, E_UNAUTHORIZED, NULL);
	return login_check(r, account, account->email, input_text(r, "password"),
			   input_text(r, "code"));
}

int auth_password(struct request *r)
{
	struct new_password new = { .person_id = r->caller.person_id,
				    .keep_session_id = r->caller.session_id };
	struct account account = { 0 };
	char *hash;
	int rc = show_password(r, &account);

	if (!rc)
		rc = check_new(r, "new_password", account.email);
	if (!rc)
		rc = password_hash(&r->task, input_text(r, "new_password"), &hash);
	if (rc)
		return rc;
	new.email = account.email;
	new.old_hash = account.password_hash;
	new.hash = hash;
	rc = act_in_transaction(r, set_password, &new);
	return rc ? rc : reply_status(r, 200, "changed");
}

struct email_change {
	const struct account *account;
	char id[UUID_TEXT_SIZE];
};

static int mail_confirmation(struct request *r, const struct email_change *change,
			     const char *purpose, const char *to)
{
	const char *token = secret_token(MEM(r));
	const char *link = mail_page(MEM(r), "confirm-email", token);
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"insert into auth.one_time_token (digest, purpose, person_id, change_id, expires_at) "
		"values ($1, $2, $3, $4, clock_timestamp() + interval '1 hour')",
		PG_PARAMS(secret_digest(MEM(r), "change_email", token), purpose,
			  change->account->id, change->id));

	if (rc)
		return rc;
	if (strcmp(purpose, "change_email_new") == 0)
		return mail_queue(&r->task, "email_change_new", to,
				  MAIL_VALUES({ "link", link }, { "minutes", "60" }));
	return mail_queue(&r->task, "email_change_old", to,
			  MAIL_VALUES({ "link", link }, { "minutes", "60" },
				      { "new_address", input_text(r, "email") }));
}

static int begin_change(struct request *r, void *arg)
{
	struct email_change *change = arg;
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  "insert into auth.email_change (id, person_id, email, expires_at) "
			  "values ($1, $2, $3, clock_timestamp() + interval '1 hour')",
			  PG_PARAMS(change->id, change->account->id, input_text(r, "email")));

	if (!rc)
		rc = mail_confirmation(r, change, "change_email_old", change->account->email);
	return rc ? rc : mail_confirmation(r, change, "change_email_new", input_text(r, "email"));
}

int auth_email(struct request *r)
{
	struct account account = { 0 };
	struct email_change change = { .account = &account };
	int rc = show_password(r, &account);

	uuid_new(change.id);
	if (!rc)
		rc = act_in_transaction(r, begin_change, &change);
	return rc ? rc : reply_status(r, 202, "accepted");
}

/* Both have said yes: now it is the address. */
static int complete_change(struct request *r, const char *person_id, const char *email)
{
	struct audit_event event = audit_begin(r);
	struct pg_rows *rows, *changed;
	int rc = pg_query(&r->task, &rows, "select email from auth.person where id = $1 for update",
			  PG_PARAMS(person_id));

	if (!rc)
		rc = pg_query(
			&r->task, &changed,
			"update auth.person set email = $2, email_verified_at = clock_timestamp() "
			"where id = $1 and status = 'active' and not exists "
			"(select from auth.person o where lower(o.email) = lower($2) and o.id <> $1)",
			PG_PARAMS(person_id, email));
	if (rc)
		return rc;
	if (pg_affected(changed) == 0)
		return fail(r, E_CONFLICT, "There is another account with this address");
	rc = end_resets(&r->task, person_id);
	if (rc)
		return rc;
	event.action = "person:email";
	event.resource = "person";
	event.actor_id = event.resource_id = person_id;
	rc = audit_add(&r->task, &event);
	if (!rc)
		rc = mail_queue(&r->task, "email_changed", pg_value(rows, 0, 0),
				MAIL_VALUES({ "new_address", email }));
	return rc ? rc : reply_status(r, 200, "changed");
}

int auth_email_confirm(struct request *r)
{
	struct pg_rows *rows, *used;
	int rc = pg_query(
		&r->task, &used,
		"update auth.one_time_token set used_at = clock_timestamp() where digest = $1 "
		"and change_id is not null and used_at is null and expires_at > clock_timestamp() "
		"returning change_id, purpose",
		PG_PARAMS(secret_digest(MEM(r), "change_email", input_text(r, "token"))));

	if (rc)
		return rc;
	if (pg_count(used) == 0)
		return task_problem(&r->task, "token", "is not valid, or has expired");
	rc = pg_query(
		&r->task, &rows,
		"update auth.email_change set "
		"old_confirmed_at = case when $2 = 'change_email_old' then clock_timestamp() else old_confirmed_at end, "
		"new_confirmed_at = case when $2 = 'change_email_new' then clock_timestamp() else new_confirmed_at end "
		"where id = $1 returning person_id, email, "
		"old_confirmed_at is not null and new_confirmed_at is not null",
		PG_PARAMS(pg_value(used, 0, 0), pg_value(used, 0, 1)));
	if (rc)
		return rc;
	if (pg_value(rows, 0, 2)[0] != 't')
		return reply_status(r, 200, "confirmed");
	return complete_change(r, pg_value(rows, 0, 0), pg_value(rows, 0, 1));
}
