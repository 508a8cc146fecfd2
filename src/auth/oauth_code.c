/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of front ends: made, exchanged for tokens or for a link; see oauth_code.h. A code that comes is used up, whatever comes
 * of it; only who mistypes a second factor may try again. */
#include "api/reply.h"
#include "auth/oauth_code.h"

#include <string.h>
#include "api/steps.h"
#include "auth/auth.h"
#include "auth/login.h"
#include "auth/oauth_identity.h"
#include "auth/oauth_pkce.h"
#include "auth/session.h"
#include "base/secret.h"
#include "base/banned.h"

#define PURPOSE "oauth code"

int oauth_code_make(struct task *t, const struct oauth_code *in, const char **code)
{
	const char *token = secret_token(t->mem);
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"insert into auth.oauth_code (digest, kind, provider, person_id, code_challenge, subject, email, expires_at) "
		"values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + "
		"case $2 when 'second_factor' then interval '5 minutes' else interval '1 minute' end)",
		PG_PARAMS(secret_digest(t->mem, PURPOSE, token), in->kind, in->provider->name,
			  in->person_id, in->code_challenge, in->subject, in->email));

	if (!rc)
		*code = token;
	return rc;
}

static int refuse(struct request *r, const char *field)
{
	return task_problem(&r->task, field, "is not valid, or has expired");
}

/* Uses a code of a kind up, and checks the verifier: `found` says whether it is good. */
static int take(struct request *r, const char *kind, struct oauth_code *out, bool *found)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"delete from auth.oauth_code where digest = $1 and kind = $2 and expires_at > clock_timestamp() "
		"returning provider, person_id, code_challenge, subject, email",
		PG_PARAMS(secret_digest(MEM(r), PURPOSE, input_text(r, "code")), kind));

	*found = false;
	if (rc || pg_count(rows) == 0)
		return rc;
	*out = (struct oauth_code) { .kind = kind,
				     .provider = oauth_provider_find(pg_value(rows, 0, 0)),
				     .person_id = pg_value(rows, 0, 1),
				     .code_challenge = pg_value(rows, 0, 2),
				     .subject = pg_value(rows, 0, 3),
				     .email = pg_value(rows, 0, 4) };
	*found = out->provider &&
		 pkce_matches(MEM(r), input_text(r, "code_verifier"), out->code_challenge);
	return OK;
}

struct sign_in {
	struct oauth_code code;
	const char *session_id, *refresh_token; /* NULL: it was refused */
};

/* Whoever suspends the person, or sets a password, from now on waits for us and ends this session. */
static int begin_locked(struct request *r, struct sign_in *in, bool second_factor)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows,
			  "select 1 from auth.person where id = $1 and status = 'active' "
			  "and ($2::boolean or totp_confirmed_at is null) for share",
			  PG_PARAMS(in->code.person_id, second_factor ? "t" : "f"));

	if (rc || pg_count(rows) == 0)
		return rc;
	return login_begin(r, in->code.person_id, in->code.provider->name, &in->session_id,
			   &in->refresh_token);
}

/* A code that is refused is used up as well, so that is no failure of the transaction. */
static int exchange(struct request *r, void *arg)
{
	struct sign_in *in = arg;
	bool found = false;
	int rc = take(r, "sign_in", &in->code, &found);

	return rc || !found ? rc : begin_locked(r, in, false);
}

/* POST /v1/auth/oauth/exchange. */
int auth_oauth_exchange(struct request *r)
{
	struct sign_in in = { 0 };
	int rc = act_in_transaction(r, exchange, &in);

	if (rc)
		return rc;
	return in.session_id ? session_reply(r, in.session_id, in.refresh_token)
			     : refuse(r, "code");
}

/* The code of a sign-in that waits for its second factor, left where it is. */
static int find_pending(struct request *r, struct oauth_code *out)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select provider, person_id, code_challenge from auth.oauth_code "
		"where digest = $1 and kind = 'second_factor' and expires_at > clock_timestamp()",
		PG_PARAMS(secret_digest(MEM(r), PURPOSE, input_text(r, "token"))));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return refuse(r, "token");
	*out = (struct oauth_code) { .provider = oauth_provider_find(pg_value(rows, 0, 0)),
				     .person_id = pg_value(rows, 0, 1),
				     .code_challenge = pg_value(rows, 0, 2) };
	if (!out->provider ||
	    !pkce_matches(MEM(r), input_text(r, "code_verifier"), out->code_challenge))
		return refuse(r, "token");
	return OK;
}

static int complete(struct request *r, void *arg)
{
	struct sign_in *in = arg;
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, "delete from auth.oauth_code where digest = $1",
			  PG_PARAMS(secret_digest(MEM(r), PURPOSE, input_text(r, "token"))));

	return rc || pg_affected(rows) == 0 ? rc : begin_locked(r, in, true);
}

/* POST /v1/auth/oauth/complete. */
int auth_oauth_complete(struct request *r)
{
	struct account account = { 0 };
	struct sign_in in = { 0 };
	int rc = find_pending(r, &in.code);

	if (!rc)
		rc = login_account(r, in.code.person_id, NULL, &account);
	if (!rc && (!account.id || !account.email))
		rc = refuse(r, "token");
	if (!rc)
		rc = login_check_code(r, &account, input_text(r, "code"));
	if (!rc)
		rc = act_in_transaction(r, complete, &in);
	if (rc)
		return rc;
	return in.session_id ? session_reply(r, in.session_id, in.refresh_token)
			     : refuse(r, "token");
}

static int link(struct request *r, void *arg)
{
	struct oauth_code code = { 0 };
	bool *found = arg;
	int rc = take(r, "link", &code, found);

	if (rc || !*found)
		return rc;
	*found = strcmp(code.person_id, r->caller.person_id) == 0;
	return *found ? identity_link(r, code.provider, code.person_id, code.subject, code.email)
		      : OK;
}

/* POST /v1/auth/identities: the person who has begun it, in the same front end, says that it is to be. */
int auth_identity_link(struct request *r)
{
	bool found = false;
	int rc = act_in_transaction(r, link, &found);

	if (rc)
		return rc;
	return found ? reply_status(r, 200, "linked") : refuse(r, "code");
}
