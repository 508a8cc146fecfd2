/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of store/migrate.c, store/cluster.c and store/pg.c together, on a private cluster. The tables of migrations
 * are the test's own.
 */
#include "test.h"
#include <signal.h>
#include "with_cluster.h"
#include "store/migrate.c"

static size_t count;

static const struct migration two[] = {
	{ "test", 1, "0001_one",
	  "create schema test; create table test.a (id int primary key, n int not null);" },
	{ "test", 2, "0002_two", "insert into test.a values (1, 10), (2, 20);" },
};
static const struct migration changed[] = {
	{ "test", 1, "0001_one", "create schema test;" },
	{ "test", 2, "0002_two", "insert into test.a values (1, 10), (2, 20);" },
};
static const struct migration broken[] = {
	{ "test", 1, "0001_one",
	  "create schema test; create table test.a (id int primary key, n int not null);" },
	{ "test", 2, "0002_two", "insert into test.a values (1, 10), (2, 20);" },
	{ "test", 3, "0003_bad", "create table test.b (id int); select * from test.absent;" },
};

static void know(const struct migration *table, size_t rows)
{
	known = table;
	known_count = &count;
	count = rows;
}

static int apply(struct task *t)
{
	return migrate_apply(t, false, NULL, NULL);
}

static int rehearse(struct task *t)
{
	return migrate_apply(t, true, NULL, NULL);
}

static void test_pending_is_refused_then_applied(void **state)
{
	(void)state;
	know(two, 2);
	assert_int_equal(in_task(migrate_check), E_CONFLICT);
	assert_int_equal(in_task(rehearse), OK);
	assert_int_equal(in_task(migrate_check), E_CONFLICT);
	assert_int_equal(in_task(apply), OK);
	assert_int_equal(in_task(migrate_check), OK);
	assert_int_equal(in_task(apply), OK);
}

static void test_changed_and_newer_are_refused(void **state)
{
	(void)state;
	know(changed, 2);
	assert_int_equal(in_task(migrate_check), E_CONFLICT);
	assert_int_equal(in_task(apply), E_CONFLICT);
	know(two, 1);
	assert_int_equal(in_task(migrate_check), E_CONFLICT);
	know(two, 2);
	assert_int_equal(in_task(migrate_check), OK);
}

static int absent(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "select 1 where to_regclass('test.b') is null", PG_NONE);

	return rc || pg_count(rows) != 1;
}

static void test_broken_leaves_nothing(void **state)
{
	(void)state;
	know(broken, 3);
	assert_int_not_equal(in_task(apply), OK);
	assert_int_equal(in_task(absent), OK);
	know(two, 2);
	assert_int_equal(in_task(migrate_check), OK);
}

static int conflict(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "insert into test.a values ($1::int, 1)", PG_PARAMS("1"));

	if (rc != E_CONFLICT || !t->failure.constraint ||
	    strcmp(t->failure.constraint, "a_pkey") != 0)
		return 1;
	task_forgive(t);
	rc = pg_query(t, &rows, "select n from test.a where id = $1::int", PG_PARAMS("nonsense"));
	if (rc != E_BAD_REQUEST)
		return 2;
	task_forgive(t);
	rc = pg_query(t, &rows, "select n from test.a where id = $1::int", PG_PARAMS("2"));
	return rc || pg_count(rows) != 1 || strcmp(pg_value(rows, 0, 0), "20") != 0 ? 3 : 0;
}

static int rolled_back(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_begin(t);

	if (!rc)
		rc = pg_query(t, &rows, "update test.a set n = 99", PG_NONE);
	pg_rollback(t);
	if (!rc)
		rc = pg_query(t, &rows, "select 1 from test.a where n = 99", PG_NONE);
	return rc || pg_count(rows) != 0;
}

static void test_errors_and_rollback(void **state)
{
	(void)state;
	assert_int_equal(in_task(conflict), 0);
	assert_int_equal(in_task(rolled_back), 0);
}

static void test_second_start_joins(void **state)
{
	struct cluster second = { 0 };
	char why[300] = "";

	(void)state;
	assert_int_equal(cluster_start(folder, &second, why, sizeof(why)), 0);
	assert_false(second.started);
	assert_int_equal(second.postmaster, cluster.postmaster);
	cluster_stop(&second);
	assert_int_equal(kill(cluster.postmaster, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_start_joins),
		cmocka_unit_test(test_pending_is_refused_then_applied),
		cmocka_unit_test(test_changed_and_newer_are_refused),
		cmocka_unit_test(test_broken_leaves_nothing),
		cmocka_unit_test(test_errors_and_rollback),
	};

	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
