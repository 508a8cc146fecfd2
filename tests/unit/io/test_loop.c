/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of waiting: woken before, while and after, by others and by the deadline. Each is one task's program. */
#include "test.h"
#include "io/loop.c"

enum { SECOND_US = 1000000 };

static int run(int (*fn)(struct task *t, void *arg))
{
	return task_run(fn, NULL, NULL, 0);
}

static int woken_before_it_waits(struct task *t, void *arg)
{
	struct waiter w = { 0 };

	(void)t;
	(void)arg;
	waiter_wake(&w, E_DUPLICATE);
	waiter_wake(&w, E_CONFLICT); /* the first one counts */
	return waiter_wait(&w, 0);
}

static int passed_deadline(struct task *t, void *arg)
{
	struct waiter w = { 0 };

	(void)t;
	(void)arg;
	return waiter_wait(&w, 1);
}

static void test_results_of_waiting(void **state)
{
	(void)state;
	assert_int_equal(run(woken_before_it_waits), E_DUPLICATE);
	assert_int_equal(run(passed_deadline), E_TIMEOUT);
}

static struct waiter many[50];
static int results[50], over;

static void wait_for_one(void *arg)
{
	struct waiter *w = arg;
	size_t i = (size_t)(w - many);

	/* odd ones have a deadline that has passed, every fifth has none */
	results[i] = waiter_wait(w, i % 2 ? 1 : i % 5 ? time_monotonic_us() + 600 * SECOND_US : 0);
	over++;
}

static void wake_the_even_ones(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT_OF(many); i += 2)
		waiter_wake(&many[i], E_DUPLICATE);
	/* from inside a coroutine nobody else runs before it waits or ends */
	assert(over == 0);
}

static void test_many_wait_with_and_without_deadlines(void **state)
{
	(void)state;
	memset(many, 0, sizeof(many));
	over = 0;
	loop_get();
	for (size_t i = 0; i < COUNT_OF(many); i++)
		assert_int_equal(coro_start(wait_for_one, &many[i]), 0);
	assert_int_equal(coro_start(wake_the_even_ones, NULL), 0);
	loop_run(); /* ends when nobody waits any more */
	assert_int_equal(over, COUNT_OF(many));
	for (size_t i = 0; i < COUNT_OF(many); i++)
		assert_int_equal(results[i], i % 2 ? E_TIMEOUT : E_DUPLICATE);
	assert_int_equal(coro_count(), 0);
}

static int sleep_less_than_asked(struct task *t, void *arg)
{
	uint64_t before = time_monotonic_us();

	(void)arg;
	t->deadline = before + SECOND_US / 10;
	sleep_for(t, 600000);
	return time_monotonic_us() >= t->deadline && time_monotonic_us() < before + 60 * SECOND_US
		       ? OK
		       : E_INTERNAL;
}

static int sleep_all_of_it(struct task *t, void *arg)
{
	uint64_t before = time_monotonic_us();

	(void)arg;
	sleep_for(t, 0);
	sleep_for(t, 30);
	/* libuv counts in whole milliseconds */
	return time_monotonic_us() >= before + 29000 ? OK : E_INTERNAL;
}

static void test_sleep_ends_in_time_or_at_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(run(sleep_all_of_it), OK);
	assert_int_equal(run(sleep_less_than_asked), OK);
}

static int close_loop(void **state)
{
	(void)state;
	loop_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results_of_waiting),
		cmocka_unit_test(test_many_wait_with_and_without_deadlines),
		cmocka_unit_test(test_sleep_ends_in_time_or_at_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, close_loop);
}
