/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the pool on a real cluster: what tasks that share a connection do to each other, and what one leaves behind. */
#include "test.h"
#include "with_cluster.h"
#include "io/coro.h"
#include "store/memo.h"
#include "store/pg.c"

/* Several tasks at once; the one that runs the test waits for all. */
struct worker {
	struct task task;
	int (*fn)(struct task *t);
	int result;
	int *left;
	struct waiter *all;
};

static void work(void *arg)
{
	struct worker *w = arg;

	w->result = w->fn(&w->task);
	if (--*w->left == 0)
		waiter_wake(w->all, OK);
}

static void start_worker(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	uv_close((uv_handle_t *)timer, NULL);
	assert(coro_start(work, w) == 0);
}

/* Runs fns[i % n] in `count` tasks at the same time; the results are in workers[]. */
static void at_once(struct task *t, struct worker *workers, int count,
		    int (*const *fns)(struct task *), int n)
{
	uv_timer_t *timers = talloc_array(t->mem, uv_timer_t, count);
	struct waiter all = { 0 };
	int left = count, rc;

	for (int i = 0; i < count; i++) {
		workers[i] = (struct worker) { .task = { .mem = talloc_new(t->mem),
							 .deadline = t->deadline },
					       .fn = fns[i % n],
					       .left = &left,
					       .all = &all };
		uv_timer_init(loop_get(), &timers[i]);
		timers[i].data = &workers[i];
		uv_timer_start(&timers[i], start_worker, 0, 0);
	}
	rc = waiter_wait(&all, 0);
	assert(rc == OK);
}

static int good(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "select $1::int + 1, null, ''", PG_PARAMS("41"));

	if (rc)
		return rc;
	return strcmp(pg_value(rows, 0, 0), "42") == 0 && !pg_value(rows, 0, 1) &&
			       strcmp(pg_value(rows, 0, 2), "") == 0
		       ? OK
		       : E_INTERNAL;
}

static int does_not_parse(struct task *t)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, "select from from", PG_NONE);
}

static int does_not_run(struct task *t)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, "select 1 / $1::int", PG_PARAMS("0"));
}

static int errors_among_neighbours(struct task *t)
{
	static int (*const fns[])(struct task *) = { good, does_not_parse, good, does_not_run };
	static struct worker workers[60];

	for (int round = 0; round < 2; round++) {
		at_once(t, workers, COUNT_OF(workers), fns, COUNT_OF(fns));
		for (int i = 0; i < (int)COUNT_OF(workers); i++)
			if (workers[i].result != (i % 2 ? E_INTERNAL : OK))
				return 1000 + i;
	}
	return OK;
}

static void test_an_error_aborts_no_neighbour_in_the_pipeline(void **state)
{
	(void)state;
	assert_int_equal(in_task(errors_among_neighbours), OK);
}

static int begin_insert(struct task *t, const char *id)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "create table if not exists x (id int primary key)", PG_NONE);

	if (!rc)
		rc = pg_begin(t);
	return rc ? rc : pg_query(t, &rows, "insert into x values ($1::int)", PG_PARAMS(id));
}

static int count_x(struct task *t, const char *id)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "select 1 from x where id = $1::int", PG_PARAMS(id));

	return rc ? -1 : pg_count(rows);
}

static int only_committed_rows_stay(struct task *t)
{
	if (begin_insert(t, "1") || count_x(t, "1") != 1)
		return 1;
	pg_rollback(t);
	pg_rollback(t); /* nothing is left to be rolled back */
	if (t->lease || count_x(t, "1") != 0)
		return 2;
	if (begin_insert(t, "2") || pg_commit(t) || t->lease || count_x(t, "2") != 1)
		return 3;
	/* a failed statement spoils the transaction: commit says so */
	if (begin_insert(t, "3") || does_not_run(t) != E_INTERNAL)
		return 4;
	task_forgive(t);
	if (pg_commit(t) != E_CONFLICT)
		return 5;
	task_forgive(t);
	return count_x(t, "3") == 0 && good(t) == OK ? OK : 6;
}

static void test_only_committed_rows_stay(void **state)
{
	(void)state;
	assert_int_equal(in_task(only_committed_rows_stay), OK);
}

static int begin_send(struct task *t, const char *id)
{
	int rc = pg_begin(t);

	return rc ? rc : pg_send(t, "insert into x values ($1::int)", PG_PARAMS(id));
}

static int what_is_only_sent_is_part_of_it(struct task *t)
{
	if (begin_send(t, "10") || pg_commit(t) || count_x(t, "10") != 1)
		return 1;
	if (begin_send(t, "11"))
		return 2;
	pg_rollback(t);
	if (count_x(t, "11") != 0)
		return 3;
	for (int i = 0; i < 3; i++) { /* more often than there are leases */
		if (begin_send(t, "12") || pg_send(t, "insert into x values (1/0)", PG_NONE) ||
		    pg_commit(t) != E_CONFLICT)
			return 4;
		task_forgive(t);
	}
	/* what follows fails at once */
	if (begin_send(t, "not a number") || good(t) == OK)
		return 5;
	pg_rollback(t);
	task_forgive(t);
	return count_x(t, "12") == 0 && begin_send(t, "13") == OK && pg_commit(t) == OK ? OK : 6;
}

static void test_what_is_only_sent_is_part_of_the_transaction(void **state)
{
	(void)state;
	assert_int_equal(in_task(what_is_only_sent_is_part_of_it), OK);
}

static int hold_a_lease(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_begin(t);

	if (rc)
		return rc;
	rc = pg_query(t, &rows, "select pg_sleep(0.05)", PG_NONE);
	pg_rollback(t);
	return rc;
}

/* There are two leases: the others wait their turn. */
static int many_transactions(struct task *t)
{
	static int (*const fns[])(struct task *) = { hold_a_lease, good };
	static struct worker workers[20];

	at_once(t, workers, COUNT_OF(workers), fns, COUNT_OF(fns));
	for (int i = 0; i < (int)COUNT_OF(workers); i++)
		if (workers[i].result)
			return 1000 + i;
	return OK;
}

static void test_transactions_beyond_the_leases_wait_their_turn(void **state)
{
	(void)state;
	assert_int_equal(in_task(many_transactions), OK);
}

static int sleeps_too_long(struct task *t)
{
	struct pg_rows *rows;

	t->deadline = time_monotonic_us() + 100000;
	return pg_query(t, &rows, "select pg_sleep(1)", PG_NONE);
}

static int gives_up_in_a_transaction(struct task *t)
{
	int rc = pg_begin(t);

	if (rc)
		return rc;
	rc = sleeps_too_long(t);
	pg_rollback(t);
	return rc;
}

static int deadlines(struct task *t)
{
	int (*const fns[])(struct task *) = { sleeps_too_long, gives_up_in_a_transaction };

	for (size_t i = 0; i < COUNT_OF(fns); i++) {
		if (fns[i](t) != E_TIMEOUT || t->failure.code != E_TIMEOUT || t->lease)
			return 1 + (int)i;
		task_forgive(t);
		t->deadline = 0;
		/* the connection's late answer is nobody else's */
		for (int k = 0; k < 6; k++)
			if (good(t))
				return 10;
		if (hold_a_lease(t) || hold_a_lease(t))
			return 11;
	}
	return OK;
}

static void test_a_passed_deadline_ends_the_wait_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(in_task(deadlines), OK);
}

static int statement_timeout(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query_long(t, &rows, "select pg_sleep(30)", PG_NONE);

	return rc == E_TIMEOUT && strcmp(t->failure.sqlstate, "57014") == 0 ? OK : 1;
}

static void test_a_statement_ends_at_its_timeout(void **state)
{
	(void)state;
	assert_int_equal(in_task(statement_timeout), OK);
}

static const char star[] = "select * from changing";

static int columns_of_star(struct task *t, bool in_transaction)
{
	struct pg_rows *rows;
	int rc = in_transaction ? pg_begin(t) : OK;

	if (!rc)
		rc = pg_query(t, &rows, star, PG_NONE);
	pg_rollback(t);
	return rc ? -rc : pg_columns(rows);
}

/* A migration may change what a prepared statement gives, or take the statement away. */
static int stale_statements(struct task *t)
{
	struct pg_rows *rows;

	if (pg_query(t, &rows, "create table changing (a int)", PG_NONE) ||
	    columns_of_star(t, false) != 1 || columns_of_star(t, true) != 1)
		return 1;
	if (pg_query(t, &rows, "alter table changing add b int", PG_NONE))
		return 2;
	if (columns_of_star(t, false) != 2)
		return 3;
	/* a transaction cannot go on after the error: this one fails, but not every one after it */
	if (columns_of_star(t, true) != 2) {
		task_forgive(t);
		if (columns_of_star(t, true) != 2)
			return 4;
	}
	for (int i = 0; i < 4; i++) /* on each pipeline */
		if (pg_query(t, &rows, "deallocate all", PG_NONE))
			return 5;
	return columns_of_star(t, false) == 2 && good(t) == OK ? OK : 6;
}

static void test_stale_statements_are_prepared_anew(void **state)
{
	(void)state;
	assert_int_equal(in_task(stale_statements), OK);
}

/* More texts than a connection keeps prepared. */
static int many_texts(struct task *t)
{
	for (int i = 0; i < 1200; i++) {
		struct pg_rows *rows;
		const char *sql = talloc_asprintf(t->mem, "select %d, $1::text", i);

		if (pg_query(t, &rows, sql, PG_PARAMS("a")) ||
		    strtoll(pg_value(rows, 0, 0), NULL, 10) != i)
			return 1 + i;
		talloc_free(rows);
	}
	return OK;
}

static void test_any_number_of_texts_can_be_sent(void **state)
{
	(void)state;
	assert_int_equal(in_task(many_texts), OK);
}

static int values(struct task *t)
{
	char *large = talloc_array(t->mem, char, 1000001);
	const char *params[PG_PARAMS_MAX];
	char *sql = talloc_strdup(t->mem, "select 'a'");
	struct pg_rows *rows;

	memset(large, 'x', 1000000);
	large[1000000] = '\0';
	if (pg_query(t, &rows, "select $1::text as \"The Name\", $2::bytea",
		     PG_PARAMS(large, NULL)))
		return 1;
	if (pg_length(rows, 0, 0) != 1000000 || pg_value(rows, 0, 1) ||
	    pg_length(rows, 0, 1) != 0 || pg_column(rows, "\"The Name\"") != 0 ||
	    pg_column(rows, "absent") != -1)
		return 2;
	for (int i = 0; i < PG_PARAMS_MAX; i++) {
		params[i] = "b";
		sql = talloc_asprintf_append(sql, " || $%d", i + 1);
	}
	if (pg_query(t, &rows, sql, PG_PARAMS_MAX, params) ||
	    pg_length(rows, 0, 0) != PG_PARAMS_MAX + 1)
		return 3;
	if (pg_query(t, &rows, "create temp table gone (a int)", PG_NONE) ||
	    pg_affected(rows) != 0 || pg_count(rows) != 0)
		return 4;
	return OK;
}

static void test_values_of_any_size(void **state)
{
	(void)state;
	assert_int_equal(in_task(values), OK);
}

static int killed(struct task *t)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, "select pg_terminate_backend(pg_backend_pid())", PG_NONE);
}

static int killed_in_transaction(struct task *t)
{
	int rc = pg_begin(t);

	if (rc)
		return rc;
	rc = killed(t);
	pg_rollback(t);
	return rc;
}

static int connections_come_back(struct task *t)
{
	int (*const fns[])(struct task *) = { killed, killed_in_transaction };

	for (int i = 0; i < 4; i++) {
		memo_put("what", "1:1:", "of the database before");
		if (fns[i % 2](t) != E_UNAVAILABLE || t->failure.retry_after == 0)
			return 1;
		task_forgive(t);
		t->deadline = time_monotonic_us() + 30000000;
		while (good(t) || hold_a_lease(t) || memo_get("what", "1:1:")) {
			task_forgive(t);
			if (time_monotonic_us() > t->deadline)
				return 2;
			sleep_for(t, 20);
		}
	}
	return OK;
}

static void test_lost_connections_come_back(void **state)
{
	(void)state;
	assert_int_equal(in_task(connections_come_back), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_error_aborts_no_neighbour_in_the_pipeline),
		cmocka_unit_test(test_only_committed_rows_stay),
		cmocka_unit_test(test_what_is_only_sent_is_part_of_the_transaction),
		cmocka_unit_test(test_transactions_beyond_the_leases_wait_their_turn),
		cmocka_unit_test(test_a_passed_deadline_ends_the_wait_and_nothing_else),
		cmocka_unit_test(test_a_statement_ends_at_its_timeout),
		cmocka_unit_test(test_stale_statements_are_prepared_anew),
		cmocka_unit_test(test_any_number_of_texts_can_be_sent),
		cmocka_unit_test(test_values_of_any_size),
		cmocka_unit_test(test_lost_connections_come_back),
	};

	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
