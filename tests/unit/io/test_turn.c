/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of turns: one at a time for a key, in order, and those whose deadline passes are passed over. */
#include "test.h"
#include "io/turn.c"
#include "base/time.h"
#include "io/coro.h"

enum { MANY = 20 };

struct worker {
	struct task task;
	const char *key;
	int ms, number, result;
	bool late;
};

static struct worker workers[MANY];
static int inside, most, order[MANY], ended;

static void work(void *arg)
{
	struct worker *w = arg;
	struct turn turn;

	w->task.mem = talloc_new(NULL);
	w->task.deadline = w->late ? time_monotonic_us() + 60000 : 0;
	w->result = turn_take(&w->task, &turn, w->key);
	if (w->result == OK) {
		inside++;
		most = inside > most ? inside : most;
		order[ended++] = w->number;
		sleep_for(&w->task, (uint64_t)w->ms);
		inside--;
		turn_give(&turn);
	}
	talloc_free(w->task.mem);
}

static void run_all(int count)
{
	inside = most = ended = 0;
	loop_get();
	for (int i = 0; i < count; i++)
		assert_int_equal(coro_start(work, &workers[i]), 0);
	loop_run();
	loop_close();
	assert_null(holders);
}

static void set(int i, const char *key, int ms, bool late)
{
	workers[i] = (struct worker) { .key = key, .ms = ms, .number = i, .late = late };
}

static void test_one_at_a_time_and_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++)
		set(i, "a", 1, false);
	run_all(MANY);
	assert_int_equal(most, 1);
	assert_int_equal(ended, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(order[i], i);
}

static void test_other_keys_do_not_wait(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++)
		set(i, i % 2 ? "a" : "b", 1, false);
	run_all(MANY);
	assert_int_equal(most, 2);
	assert_int_equal(ended, MANY);
}

/* The first holds it for long; who cannot wait so long is told, the others come after it. */
static void test_deadlines(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++)
		set(i, "a", i ? 1 : 300, i % 3 == 1);
	run_all(MANY);
	assert_int_equal(most, 1);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(workers[i].result, i % 3 == 1 ? E_TIMEOUT : OK);
	for (int i = 1; i < ended; i++)
		assert_true(order[i] > order[i - 1]);
}

/* Deadlines that pass about when the turn comes: nobody is left, and nobody waits for ever. */
static void test_deadlines_at_the_same_time(void **state)
{
	(void)state;
	for (int ms = 40; ms < 120; ms += 5) {
		for (int i = 0; i < MANY; i++)
			set(i, "a", i ? 1 : ms, true);
		run_all(MANY);
		assert_int_equal(most, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_at_a_time_and_in_order),
		cmocka_unit_test(test_other_keys_do_not_wait),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_deadlines_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
