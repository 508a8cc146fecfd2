/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/auth/login and /v1/auth/reauthenticate. Called by recover.c as well, which asks for the password again. */
#include "auth/login.h"

#include <string.h>
#include "api/audit.h"
#include "api/steps.h"
#include "auth/auth.h"
#include "auth/guard.h"
#include "auth/password.h"
#include "auth/second_factor.h"
#include "auth/session.h"
#include "base/str.h"
#include "store/mail.h"
#include "base/banned.h"

int login_account(struct request *r, const char *id, const char *email, struct account *account)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select id, email, password_hash, status, totp_last_step, "
		"case when totp_confirmed_at is not null then totp_secret end "
		"from auth.person where id = $1 or ($1 is null and lower(email) = lower($2))",
		PG_PARAMS(id, email));

	if (rc)
		return rc;
	memset(account, 0, sizeof(*account));
	if (pg_count(rows) == 0)
		return OK;
	account->id = pg_value(rows, 0, 0);
	account->email = pg_value(rows, 0, 1);
	account->password_hash = pg_value(rows, 0, 2);
	account->status = pg_value(rows, 0, 3);
	account->totp_secret = pg_value(rows, 0, 5);
	return str_to_int(pg_value(rows, 0, 4), 0, INT64_MAX, &account->totp_last_step)
		       ? OK
		       : fail(r, E_INTERNAL, NULL);
}

static int note_refusal(struct request *r, const struct account *account)
{
	struct audit_event event = audit_begin(r);

	event.action = "session:refuse";
	event.resource = "person";
	event.resource_id = account->id;
	return audit_add(&r->task, &event);
}

static const char wrong_password[] = "The address or the password is wrong";

struct refusal {
	const struct account *account;
	const char *email;
};

/* Nothing here depends on whether somebody has the address, but for the mail to who is being locked out, once. */
static int note_failure(struct request *r, void *arg)
{
	const struct refusal *refusal = arg;
	bool now_locked = false;
	int rc = guard_failed(&r->task, refusal->email, &now_locked);

	if (!rc)
		rc = note_refusal(r, refusal->account);
	if (!rc && now_locked && refusal->account->email)
		rc = mail_queue(&r->task, "account_locked", refusal->account->email,
				MAIL_VALUES({ "minutes", "15" }));
	return rc;
}

/* The answer is the same whatever was wrong; what is noted of it stays. */
static int refuse(struct request *r, const struct account *account, const char *email,
		  const char *sentence)
{
	struct refusal refusal = { .account = account, .email = email };
	int rc = act_in_transaction(r, note_failure, &refusal);

	return rc ? rc : fail(r, E_UNAUTHORIZED, "%s", sentence);
}

/* A hash of yesterday's strength is made anew while the password is at hand; that it cannot be stored is no reason to
 * refuse. */
static int strengthen(struct request *r, struct account *account, const char *password)
{
	struct pg_rows *rows;
	char *hash;
	int rc = password_hash(&r->task, password, &hash);

	if (!rc)
		rc = pg_query_long(
			&r->task, &rows,
			"update auth.person set password_hash = $2 where id = $1 and password_hash = $3",
			PG_PARAMS(account->id, hash, account->password_hash));
	if (rc)
		task_forgive(&r->task);
	else if (pg_affected(rows) > 0)
		account->password_hash = hash;
	return OK;
}

int login_check(struct request *r, struct account *account, const char *email, const char *password,
		const char *code)
{
	bool right = false, stale = false, locked;
	int rc = guard_look(&r->task, email, &locked);

	if (!rc)
		rc = account->password_hash ? password_verify(&r->task, account->password_hash,
							      password, &right, &stale)
					    : password_dummy(&r->task, password);
	if (rc)
		return rc;
	if (!right || locked || strcmp(account->status, "active") != 0)
		return refuse(r, account, email, wrong_password);
	if (account->totp_secret && !code)
		return fail(r, E_CODE_REQUIRED, NULL);
	if (account->totp_secret) {
		rc = second_factor_check(r, account, code, &right);
		if (rc)
			return rc;
		if (!right)
			return refuse(r, account, email, wrong_password);
	}
	if (stale)
		rc = strengthen(r, account, password);
	return rc ? rc : guard_forget(&r->task, email);
}

int login_check_code(struct request *r, const struct account *account, const char *code)
{
	bool right = false, locked;
	int rc = guard_look(&r->task, account->email, &locked);

	if (!rc && !locked && account->totp_secret && strcmp(account->status, "active") == 0)
		rc = second_factor_check(r, account, code, &right);
	if (rc)
		return rc;
	return right ? guard_forget(&r->task, account->email)
		     : refuse(r, account, account->email, "The code is wrong");
}

int login_begin(struct request *r, const char *person_id, const char *provider,
		const char **session_id, const char **refresh_token)
{
	struct audit_event event = audit_begin(r);
	int rc = session_begin(r, person_id, session_id, refresh_token);

	if (rc)
		return rc;
	event.action = "session:begin";
	event.actor_kind = "person";
	event.actor_id = person_id;
	event.session_id = event.resource_id = *session_id;
	event.resource = "session";
	event.detail = provider ? talloc_asprintf(MEM(r), "{\"provider\":\"%s\"}", provider) : NULL;
	return audit_add(&r->task, &event);
}

struct sign_in {
	const struct account *account;
	const char *session_id, *refresh_token;
};

/* Checking a password takes a while. Meanwhile the owner may have set another, which ends all sessions: this one would
 * begin behind that. Whoever sets one from now on waits for us, and ends it. */
static int check_again(struct request *r, const struct account *account)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  "select 1 from auth.person where id = $1 and status = 'active' "
			  "and password_hash = $2 for share",
			  PG_PARAMS(account->id, account->password_hash));

	if (rc)
		return rc;
	return pg_count(rows) > 0 ? OK : fail(r, E_UNAUTHORIZED, "%s", wrong_password);
}

static int begin(struct request *r, void *arg)
{
	struct sign_in *in = arg;
	int rc = check_again(r, in->account);

	return rc ? rc : login_begin(r, in->account->id, NULL, &in->session_id, &in->refresh_token);
}

int auth_login(struct request *r)
{
	const char *email = input_text(r, "email");
	struct account account = { 0 };
	struct sign_in in = { .account = &account };
	int rc = login_account(r, NULL, email, &account);

	if (!rc)
		rc = login_check(r, &account, email, input_text(r, "password"),
				 input_text(r, "code"));
	if (!rc)
		rc = act_in_transaction(r, begin, &in);
	return rc ? rc : session_reply(r, in.session_id, in.refresh_token);
}

/* Step-up: the session goes on, and what it may do for the next ten minutes is more. */
int auth_reauthenticate(struct request *r)
{
	struct account account = { 0 };
	struct pg_rows *rows;
	int rc = login_account(r, r->caller.person_id, NULL, &account);

	if (!rc && !account.email)
		rc = fail(r, E_UNAUTHORIZED, NULL);
	if (!rc)
		rc = login_check(r, &account, account.email, input_text(r, "password"),
				 input_text(r, "code"));
	if (!rc)
		rc = pg_query_long(
			&r->task, &rows,
			"update auth.session set shown_at = clock_timestamp() where id = $1",
			PG_PARAMS(r->caller.session_id));
	return rc ? rc : session_reply(r, r->caller.session_id, NULL);
}
