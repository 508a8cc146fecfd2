/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of totals on a real table: exact to the last row that is counted, then an estimate that is not below it. */
#include "test.h"
#include "with_cluster.h"
#include "with_request.h"
#include "api/total.c"

static const struct resource number = { .name = "number", .service = "public" };

/* The total of the numbers up to `most`, asked in a snapshot (NULL: none). */
static int total_up_to(struct task *t, const char *most, const char *snapshot, struct total *total)
{
	struct request *r = talloc_zero(t->mem, struct request);
	struct select s;

	r->task.mem = t->mem;
	*total = (struct total) { 0 };
	select_init(&s, t->mem, &number);
	select_where(&s, "t.id <= $%d::int", select_param(&s, most));
	total_prepare(total, r, &s);
	/* what is added later is a page's and no part of the total */
	select_where(&s, "t.id > $%d::int", select_param(&s, "5"));
	return total_fetch(total, r, snapshot);
}

static int counts(struct task *t)
{
	static const struct {
		const char *most;
		long long count;
		bool estimated;
	} wanted[] = {
		{ "0", 0, false },	   { "1", 1, false },	     { "9999", 9999, false },
		{ "10000", 10000, false }, { "10001", 10001, true }, { "30000", 30000, true },
	};
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "create table number as select generate_series(1, 30000) as id",
			  PG_NONE);

	if (!rc)
		rc = pg_query(t, &rows, "analyze number", PG_NONE);
	for (int i = 0; !rc && i < (int)COUNT_OF(wanted); i++) {
		struct total total;

		rc = total_up_to(t, wanted[i].most, NULL, &total);
		if (rc || total.estimated != wanted[i].estimated)
			return 100 + i;
		if (total.estimated ? total.count <= TOTAL_EXACT_MAX || total.count > 40000
				    : total.count != wanted[i].count)
			return 200 + i;
	}
	return rc;
}

static int count_in_snapshot(struct task *t, struct total *total)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "select pg_current_snapshot()::text", PG_NONE);

	return rc ? rc : total_up_to(t, "77", pg_value(rows, 0, 0), total);
}

/* A count is kept while nothing is written, and only then. */
static int keeps(struct task *t)
{
	struct total total;
	struct pg_rows *rows;
	int statements, rc = count_in_snapshot(t, &total);

	statements = t->statements;
	if (rc || count_in_snapshot(t, &total) || total.count != 77 ||
	    t->statements != statements + 1)
		return 300;
	rc = pg_query(t, &rows, "delete from number where id = 7", PG_NONE);
	if (rc || count_in_snapshot(t, &total) || total.count != 76)
		return 301;
	memo_clear();
	return OK;
}

static void test_a_count_holds_until_something_is_written(void **state)
{
	(void)state;
	assert_int_equal(in_task(keeps), OK);
}

static void test_exact_up_to_the_limit_and_estimated_beyond(void **state)
{
	(void)state;
	assert_int_equal(in_task(counts), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_up_to_the_limit_and_estimated_beyond),
		cmocka_unit_test(test_a_count_holds_until_something_is_written),
	};

	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
