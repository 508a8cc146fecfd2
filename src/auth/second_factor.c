/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Setting a second factor up and taking it away, and checking its codes. The secret is sealed in the database; it counts
 * once a code of it has been shown. Each code is used in the statement that finds it unused, so of two at once one fails.
 */
#include "auth/second_factor.h"

#include <string.h>
#include "api/audit.h"
#include "api/reply.h"
#include "auth/auth.h"
#include "auth/recovery.h"
#include "auth/totp.h"
#include "base/secret.h"
#include "base/time.h"
#include "store/mail.h"
#include "base/banned.h"

static char *number(struct request *r, long long n)
{
	return talloc_asprintf(MEM(r), "%lld", n);
}

/* A code of the app: right, and of a later step than the last one used. */
static int use_totp(struct request *r, const struct account *account, const char *code, bool *right)
{
	size_t len;
	char *secret = secret_open(MEM(r), "totp", account->totp_secret, &len);
	struct pg_rows *rows;
	int64_t step;
	int rc;

	if (!secret)
		return fail(r, E_INTERNAL, NULL);
	*right = totp_check(secret, code, (int64_t)(time_unix_ms() / 1000), account->totp_last_step,
			    &step);
	if (!*right)
		return OK;
	rc = pg_query_long(
		&r->task, &rows,
		"update auth.person set totp_last_step = $2::bigint where id = $1 and totp_last_step < $2::bigint",
		PG_PARAMS(account->id, number(r, step)));
	if (!rc)
		*right = pg_affected(rows) > 0;
	return rc;
}

static int use_recovery_code(struct request *r, const struct account *account, const char *code,
			     bool *right)
{
	const char *digest = recovery_digest(MEM(r), code);
	struct pg_rows *rows;
	int rc;

	*right = false;
	if (!digest)
		return OK;
	rc = pg_query_long(
		&r->task, &rows,
		"with used as (update auth.recovery_code set used_at = clock_timestamp() "
		"where person_id = $1 and digest = $2 and used_at is null returning 1) "
		"select (select count(*) from used), (select count(*) from auth.recovery_code "
		"where person_id = $1 and used_at is null and digest <> $2)",
		PG_PARAMS(account->id, digest));
	if (rc || strcmp(pg_value(rows, 0, 0), "1") != 0)
		return rc;
	*right = true;
	return mail_queue(&r->task, "recovery_code_used", account->email,
			  MAIL_VALUES({ "left", pg_value(rows, 0, 1) }));
}

int second_factor_check(struct request *r, const struct account *account, const char *code,
			bool *right)
{
	int rc = use_totp(r, account, code, right);

	return rc || *right ? rc : use_recovery_code(r, account, code, right);
}

int auth_totp_begin(struct request *r)
{
	const char *secret = totp_secret(MEM(r));
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  "update auth.person set totp_secret = $2, totp_last_step = 0 "
			  "where id = $1 and totp_confirmed_at is null returning email",
			  PG_PARAMS(r->caller.person_id,
				    secret_seal(MEM(r), "totp", secret, strlen(secret))));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_CONFLICT, "There is a second factor already; take it away first");
	reply_begin(r, 200);
	writer_object(&r->json);
	writer_member(&r->json, "secret", secret);
	writer_member(&r->json, "uri", totp_uri(MEM(r), secret, pg_value(rows, 0, 0)));
	writer_object_end(&r->json);
	return reply_end(r);
}

/* New recovery codes in place of the old ones, and the reply that shows them, once. */
static int give_codes(struct request *r)
{
	const char *codes[RECOVERY_CODES], *digests[RECOVERY_CODES];
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, "delete from auth.recovery_code where person_id = $1",
			  PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	for (int i = 0; i < RECOVERY_CODES; i++) {
		codes[i] = recovery_code(MEM(r));
		digests[i] = recovery_digest(MEM(r), codes[i]);
	}
	rc = pg_query(
		&r->task, &rows,
		"insert into auth.recovery_code (person_id, digest) select $1, d from unnest($2::text[]) d",
		PG_PARAMS(r->caller.person_id, pg_array(MEM(r), digests, RECOVERY_CODES)));
	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_object(&r->json);
	writer_key(&r->json, "recovery_codes");
	writer_array(&r->json);
	for (int i = 0; i < RECOVERY_CODES; i++)
		writer_string(&r->json, codes[i]);
	writer_array_end(&r->json);
	writer_object_end(&r->json);
	return reply_end(r);
}

/* Locked, so that two confirmations at once are one after the other. */
static int read_secret(struct request *r, struct account *account, bool *confirmed)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select email, totp_secret, totp_confirmed_at is not null from auth.person "
		"where id = $1 for update",
		PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	if (pg_count(rows) == 0 || !pg_value(rows, 0, 1))
		return fail(r, E_CONFLICT, "There is no second factor");
	*account = (struct account) { .id = r->caller.person_id,
				      .email = pg_value(rows, 0, 0),
				      .totp_secret = pg_value(rows, 0, 1) };
	*confirmed = pg_value(rows, 0, 2)[0] == 't';
	return OK;
}

int auth_totp_confirm(struct request *r)
{
	struct account account = { 0 };
	struct pg_rows *rows;
	bool confirmed = false, right = false;
	int rc = read_secret(r, &account, &confirmed);

	if (!rc && confirmed)
		rc = fail(r, E_CONFLICT, "The second factor is confirmed already");
	if (!rc)
		rc = use_totp(r, &account, input_text(r, "code"), &right);
	if (rc)
		return rc;
	if (!right)
		return task_problem(&r->task, "code", "is not the code of this moment");
	rc = pg_query(&r->task, &rows,
		      "update auth.person set totp_confirmed_at = clock_timestamp() where id = $1",
		      PG_PARAMS(account.id));
	if (!rc)
		rc = audit_request(r, "person:totp_enable", "person", account.id, NULL, NULL);
	if (!rc)
		rc = mail_queue(&r->task, "totp_enabled", account.email, MAIL_NONE);
	return rc ? rc : give_codes(r);
}

int auth_totp_end(struct request *r)
{
	struct account account = { 0 };
	struct pg_rows *rows;
	bool confirmed = false;
	int rc = read_secret(r, &account, &confirmed);

	if (!rc)
		rc = pg_query(
			&r->task, &rows,
			"with gone as (delete from auth.recovery_code where person_id = $1) "
			"update auth.person set totp_secret = null, totp_confirmed_at = null where id = $1",
			PG_PARAMS(account.id));
	if (!rc)
		rc = audit_request(r, "person:totp_disable", "person", account.id, NULL, NULL);
	if (!rc && confirmed)
		rc = mail_queue(&r->task, "totp_disabled", account.email, MAIL_NONE);
	return rc ? rc : reply_status(r, 200, "disabled");
}

int auth_recovery_codes(struct request *r)
{
	struct account account = { 0 };
	bool confirmed = false;
	int rc = read_secret(r, &account, &confirmed);

	if (!rc && !confirmed)
		rc = fail(r, E_CONFLICT, "There is no second factor");
	return rc ? rc : give_codes(r);
}
