/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of leases on a real cluster: one holder at a time, freed by its end, its successor or time, and back-off. */
#include "test.h"
#include "with_cluster.h"
#include "store/migrate.h"
#include "store/job.c"

static const struct job nightly = { .name = "nightly", .every_ms = 3600000, .timeout_ms = 1000 };
static const struct job always = { .name = "always", .every_ms = 0, .timeout_ms = 1000 };

/* 1: taken, 0: not, -1: failed. */
static int take(struct task *t, const struct job *job, const char *holder)
{
	bool taken = false;

	return job_take(t, job, holder, &taken) ? -1 : taken;
}

static int say(struct task *t, const char *sql)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_NONE);
}

static int migrate(struct task *t)
{
	return migrate_apply(t, false, NULL, NULL);
}

/* Each step returns 0, or the number of what did not hold. */
static int one_holder(struct task *t)
{
	if (job_prepare(t, &always, "a") || job_prepare(t, &always, "b"))
		return 1;
	if (take(t, &always, "a") != 1 || take(t, &always, "a") != 0 || take(t, &always, "b") != 0)
		return 2;
	if (job_prepare(t, &always, "b") || take(t, &always, "b") != 0)
		return 3; /* another's lease is not touched */
	if (job_end(t, &always, "b", false) || take(t, &always, "b") != 0)
		return 4;
	if (job_end(t, &always, "a", false) || take(t, &always, "b") != 1)
		return 5;
	if (job_prepare(t, &always, "b") || take(t, &always, "a") != 1)
		return 6; /* b was killed and started again */
	if (say(t,
		"update platform.job set lease_until = clock_timestamp() - interval '1 s' where name = 'always'") ||
	    take(t, &always, "b") != 1)
		return 7; /* a was killed, and time has passed */
	/* a was only frozen, and comes too late */
	return job_end(t, &always, "a", true) || take(t, &always, "a") != 0 ? 8 : 0;
}

static int due_times(struct task *t)
{
	if (job_prepare(t, &nightly, "a") || take(t, &nightly, "a") != 1 ||
	    job_end(t, &nightly, "a", false))
		return 1;
	if (take(t, &nightly, "a") != 0 || take(t, &nightly, "b") != 0)
		return 2; /* not before its hour, at no node */
	return say(t,
		   "update platform.job set next_at = clock_timestamp() where name = 'nightly'") ||
			       take(t, &nightly, "b") != 1
		       ? 3
		       : 0;
}

static int wanted_first(struct task *t)
{
	struct job idle = {
		.name = "idle", .every_ms = 0, .timeout_ms = 1000, .wanted = "1 = 2 or 2 = 3"
	};
	struct pg_rows *rows;

	if (job_prepare(t, &idle, "a") || take(t, &idle, "a") != 0)
		return 1;
	if (pg_query(t, &rows,
		     "select 1 from platform.job where name = 'idle' and started_at is null",
		     PG_NONE) ||
	    pg_count(rows) != 1)
		return 2;
	idle.wanted = "1 = 1 or 2 = 3";
	return take(t, &idle, "a") != 1 ? 3 : 0;
}

/* Seconds between the last beginning and the next, of `failing`. */
static const char *gap(struct task *t)
{
	struct pg_rows *rows;

	return pg_query(
		       t, &rows,
		       "select extract(epoch from next_at - started_at)::int from platform.job where name = 'failing'",
		       PG_NONE)
		       ? "none"
		       : pg_value(rows, 0, 0);
}

static int back_off(struct task *t)
{
	static const struct job failing = { .name = "failing",
					    .every_ms = 1000,
					    .timeout_ms = 1000 };
	static const char *const gaps[] = { "2", "4", "8" };

	if (job_prepare(t, &failing, "a"))
		return 1;
	for (size_t i = 0; i < COUNT_OF(gaps); i++)
		if (say(t,
			"update platform.job set next_at = '-infinity' where name = 'failing'") ||
		    take(t, &failing, "a") != 1 || job_end(t, &failing, "a", true) ||
		    strcmp(gap(t), gaps[i]) != 0)
			return 2 + (int)i;
	if (say(t,
		"update platform.job set next_at = '-infinity', failures = 1000000 where name = 'failing'") ||
	    take(t, &failing, "a") != 1 || job_end(t, &failing, "a", true) ||
	    strcmp(gap(t), "300") != 0)
		return 10;
	if (say(t, "update platform.job set next_at = '-infinity' where name = 'failing'") ||
	    take(t, &failing, "a") != 1 || job_end(t, &failing, "a", false))
		return 11;
	return strcmp(gap(t), "1") == 0 ? 0 : 12;
}

static void test_one_holder_at_a_time(void **state)
{
	(void)state;
	assert_int_equal(in_task(one_holder), 0);
}

static void test_it_is_due_once_over_all_nodes(void **state)
{
	(void)state;
	assert_int_equal(in_task(due_times), 0);
}

static void test_what_is_not_wanted_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_task(wanted_first), 0);
}

static void test_failures_back_off(void **state)
{
	(void)state;
	assert_int_equal(in_task(back_off), 0);
}

static int start(void **state)
{
	return start_cluster(state) == 0 && in_task(migrate) == OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_holder_at_a_time),
		cmocka_unit_test(test_it_is_due_once_over_all_nodes),
		cmocka_unit_test(test_what_is_not_wanted_writes_nothing),
		cmocka_unit_test(test_failures_back_off),
	};

	return cmocka_run_group_tests(tests, start, stop_cluster);
}
