/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what callers are told of PostgreSQL's errors, as PostgreSQL itself raises them. */
#include "test.h"
#include "with_cluster.h"
#include "store/pg_error.c"

static const struct {
	const char *sql, *param;
	enum error_code code;
	const char *sqlstate;
	const char *constraint;
} statements[] = {
	{ "insert into e values (1, 5, 'a')", NULL, E_CONFLICT, "23505", "e_pkey" },
	{ "insert into e values (2, 0, 'a')", NULL, E_CONFLICT, "23514", "e_positive" },
	{ "insert into e values (2, null, 'a')", NULL, E_CONFLICT, "23502", NULL },
	{ "insert into f values (7)", NULL, E_CONFLICT, "23503", "f_of" },
	{ "select $1::int", "1x", E_BAD_REQUEST, "22P02", NULL },
	{ "select $1::int", "99999999999", E_BAD_REQUEST, "22003", NULL },
	{ "select $1::uuid", "1", E_BAD_REQUEST, "22P02", NULL },
	{ "select $1::date", "soon", E_BAD_REQUEST, "22007", NULL },
	{ "select $1::date", "2023-02-29", E_BAD_REQUEST, "22008", NULL },
	{ "select $1::timestamptz", "0000-01-01T00:00:00Z", E_BAD_REQUEST, "22008", NULL },
	{ "select $1::timestamptz", "2026-11-24T05:03:48+23:59", E_BAD_REQUEST, "22009", NULL },
	{ "select $1::text", "\xff", E_BAD_REQUEST, "22021", NULL },
	{ "select $1::jsonb", "{\"a\":\"\\u0000\"}", E_BAD_REQUEST, "22P05", NULL },
	{ "do $$ begin perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(30); end $$",
	  NULL, E_TIMEOUT, "57014", NULL },
	{ "do $$ begin raise sqlstate '40001'; end $$", NULL, E_CONFLICT, "40001", NULL },
	{ "do $$ begin raise sqlstate '40P01'; end $$", NULL, E_CONFLICT, "40P01", NULL },
	{ "do $$ begin raise sqlstate '53300'; end $$", NULL, E_UNAVAILABLE, "53300", NULL },
	{ "do $$ begin raise sqlstate '25006'; end $$", NULL, E_UNAVAILABLE, "25006", NULL },
	{ "select 1/0", NULL, E_INTERNAL, "22012", NULL },
	{ "select * from absent", NULL, E_INTERNAL, "42P01", NULL },
	{ "selekt", NULL, E_INTERNAL, "42601", NULL },
	{ "select pg_terminate_backend(pg_backend_pid())", NULL, E_UNAVAILABLE, NULL, NULL },
};

static int make_tables(struct task *t)
{
	struct pg_rows *answer;
	int rc = pg_query(t, &answer,
			  "create table if not exists e (id int primary key, n int not null "
			  "constraint e_positive check (n > 0), name text)",
			  PG_NONE);

	if (!rc)
		rc = pg_query(t, &answer, "insert into e values (1, 1, 'a')", PG_NONE);
	return rc ? rc
		  : pg_query(t, &answer, "create table f (e int constraint f_of references e)",
			     PG_NONE);
}

static size_t at;

static int run_one(struct task *t)
{
	struct pg_rows *answer;
	const char *param = statements[at].param;
	struct failure *f = &t->failure;
	int rc = pg_query(t, &answer, statements[at].sql, param ? 1 : 0, &param);

	if (rc != (int)statements[at].code || rc != (int)f->code)
		return 1000 + rc;
	if (statements[at].sqlstate &&
	    (!f->sqlstate || strcmp(f->sqlstate, statements[at].sqlstate) != 0))
		return 2000;
	if (statements[at].constraint &&
	    (!f->constraint || strcmp(f->constraint, statements[at].constraint) != 0))
		return 3000;
	/* what PostgreSQL says of our tables and statements is for the log only */
	if (rc && f->message && strstr(f->message, "\"e\""))
		return 4000;
	return rc == E_UNAVAILABLE && f->retry_after == 0 ? 5000 : 0;
}

static void test_each_error_is_of_its_kind(void **state)
{
	(void)state;
	assert_int_equal(in_task(make_tables), OK);
	for (at = 0; at < COUNT_OF(statements); at++)
		expect_bool(in_task(run_one) == 0, true, statements[at].sql);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_error_is_of_its_kind),
	};

	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
