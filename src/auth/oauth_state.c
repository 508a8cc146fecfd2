/* SPDX-License-Identifier: Apache-2.0 */
/* Sign-ins that have begun; see oauth_state.h. Each is used up in the statement that finds it. */
#include "auth/oauth_state.h"

#include <string.h>
#include "base/secret.h"
#include "store/pg.h"
#include "base/banned.h"

#define PURPOSE "oauth state"

int oauth_ticket_make(struct task *t, const struct oauth_state *in, const char **ticket)
{
	const char *token = secret_token(t->mem);
	struct pg_rows *rows;
	int rc = pg_query_long(
		t, &rows,
		"insert into auth.oauth_state (digest, kind, provider, person_id, code_challenge, return_to, expires_at) "
		"values ($1, 'ticket', $2, $3, $4, $5, clock_timestamp() + interval '10 minutes')",
		PG_PARAMS(secret_digest(t->mem, PURPOSE, token), in->provider->name, in->person_id,
			  in->code_challenge, in->return_to));

	if (!rc)
		*ticket = token;
	return rc;
}

int oauth_ticket_take(struct task *t, const struct oauth_provider *provider, const char *ticket,
		      struct oauth_state *out)
{
	struct pg_rows *rows;
	int rc = pg_query_long(t, &rows,
			       "delete from auth.oauth_state where digest = $1 and kind = 'ticket' "
			       "and provider = $2 and expires_at > clock_timestamp() "
			       "returning person_id, code_challenge, return_to",
			       PG_PARAMS(secret_digest(t->mem, PURPOSE, ticket), provider->name));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return task_fail(t, E_BAD_REQUEST,
				 "This link was used already, or is too old: ask for a new one");
	*out = (struct oauth_state) { .provider = provider,
				      .person_id = pg_value(rows, 0, 0),
				      .code_challenge = pg_value(rows, 0, 1),
				      .return_to = pg_value(rows, 0, 2) };
	return OK;
}

static const char *seal(struct task *t, const char *text)
{
	return secret_seal(t->mem, PURPOSE, text, strlen(text));
}

int oauth_state_make(struct task *t, struct oauth_state *s, const char *browser, const char **state)
{
	const char *token = secret_token(t->mem), *verifier = secret_token(t->mem);
	const char *nonce = secret_token(t->mem);
	struct pg_rows *rows;
	int rc = pg_query_long(
		t, &rows,
		"insert into auth.oauth_state (digest, kind, provider, browser_digest, person_id, code_challenge, "
		"return_to, verifier, nonce, expires_at) "
		"values ($1, 'state', $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + interval '10 minutes')",
		PG_PARAMS(secret_digest(t->mem, PURPOSE, token), s->provider->name,
			  secret_digest(t->mem, "oauth browser", browser), s->person_id,
			  s->code_challenge, s->return_to, seal(t, verifier), seal(t, nonce)));

	if (rc)
		return rc;
	s->verifier = verifier;
	s->nonce = nonce;
	*state = token;
	return OK;
}

int oauth_state_take(struct task *t, const struct oauth_provider *provider, const char *state,
		     const char *browser, struct oauth_state *out)
{
	struct pg_rows *rows;
	size_t len;
	int rc = pg_query_long(
		t, &rows,
		"delete from auth.oauth_state where digest = $1 and kind = 'state' and provider = $2 "
		"and browser_digest = $3 returning person_id, code_challenge, return_to, verifier, nonce, "
		"expires_at <= clock_timestamp()",
		PG_PARAMS(secret_digest(t->mem, PURPOSE, state), provider->name,
			  secret_digest(t->mem, "oauth browser", browser)));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return task_fail(
			t, E_BAD_REQUEST,
			"This sign-in was not begun in this browser, or is over: begin it again");
	*out = (struct oauth_state) {
		.provider = provider,
		.person_id = pg_value(rows, 0, 0),
		.code_challenge = pg_value(rows, 0, 1),
		.return_to = pg_value(rows, 0, 2),
		.verifier = secret_open(t->mem, PURPOSE, pg_value(rows, 0, 3), &len),
		.nonce = secret_open(t->mem, PURPOSE, pg_value(rows, 0, 4), &len),
		.expired = pg_value(rows, 0, 5)[0] == 't'
	};
	return out->verifier && out->nonce ? OK : task_fail(t, E_INTERNAL, NULL);
}
