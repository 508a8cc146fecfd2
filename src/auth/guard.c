/* SPDX-License-Identifier: Apache-2.0 */
/* Failed sign-ins by address; see guard.h. Called by login.c and whatever else asks for a password or a code. */
#include "auth/guard.h"

#include <ctype.h>
#include "base/secret.h"
#include "store/pg.h"
#include "base/banned.h"

/* Of an address in one case: a@x and A@x are one account. */
static const char *digest_of(struct task *t, const char *email)
{
	char *folded = talloc_strdup(t->mem, email);

	for (char *c = folded; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return secret_digest(t->mem, "login failure", folded);
}

int guard_look(struct task *t, const char *email, bool *locked)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows,
			  "select 1 from auth.login_failure where address_digest = $1 and "
			  "locked_until > clock_timestamp()",
			  PG_PARAMS(digest_of(t, email)));

	if (!rc)
		*locked = pg_count(rows) > 0;
	return rc;
}

int guard_failed(struct task *t, const char *email, bool *now_locked)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"insert into auth.login_failure as f (address_digest, failures, failing_since) "
		"values ($1, 1, clock_timestamp()) on conflict (address_digest) do update set "
		"failures = case when f.failing_since < clock_timestamp() - interval '15 minutes' then 1 "
		"else f.failures + 1 end, "
		"failing_since = case when f.failing_since < clock_timestamp() - interval '15 minutes' "
		"then clock_timestamp() else f.failing_since end, "
		"locked_until = case when f.failures = 9 and "
		"f.failing_since >= clock_timestamp() - interval '15 minutes' "
		"then clock_timestamp() + interval '15 minutes' else f.locked_until end "
		"returning failures = 10",
		PG_PARAMS(digest_of(t, email)));

	if (!rc)
		*now_locked = pg_value(rows, 0, 0)[0] == 't';
	return rc;
}

int guard_forget(struct task *t, const char *email)
{
	struct pg_rows *rows;

	return pg_query_long(t, &rows, "delete from auth.login_failure where address_digest = $1",
			     PG_PARAMS(digest_of(t, email)));
}
