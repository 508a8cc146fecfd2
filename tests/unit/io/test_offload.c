/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of work on threads: never more at once than allowed, a queue with an end, deadlines in it and at work, the end of a
 * worker. Threads are held by a semaphore, so nothing here depends on how fast they are. */
#include "test.h"
#include <stdatomic.h>
#include "io/coro.h"
#include "io/offload.c"

enum { THREADS = 3, MANY = 20, DONE_TEXT = 'd', SECONDS_600 = 600 * SECOND_US };

static uv_sem_t gate;
static _Atomic int at_work, most_at_work, policy;

/* Works until the gate lets it through. */
static void pass_the_gate(void *arg)
{
	int now = atomic_fetch_add(&at_work, 1) + 1, most = atomic_load(&most_at_work);

	while (now > most && !atomic_compare_exchange_weak(&most_at_work, &most, now))
		;
	uv_sem_wait(&gate);
	atomic_store(&policy, sched_getscheduler(0));
	atomic_fetch_sub(&at_work, 1);
	*(char *)arg = DONE_TEXT;
}

/* A coroutine that has one piece of work done. */
struct one {
	uint64_t deadline;
	struct task task;
	char text;
	int result;
	bool over;
};
static struct one ones[MANY];

static void have_it_done(void *arg)
{
	struct one *one = arg;

	one->task = (struct task) { .mem = talloc_new(NULL), .deadline = one->deadline };
	one->result = offload(&one->task, pass_the_gate, &one->text);
	one->over = true;
	talloc_free(one->task.mem);
}

static void begin(struct one *one, uint64_t deadline)
{
	*one = (struct one) { .deadline = deadline };
	loop_get();
	assert_int_equal(coro_start(have_it_done, one), 0);
}

static int count_over(void)
{
	int n = 0;

	for (int i = 0; i < MANY; i++)
		n += ones[i].over;
	return n;
}

static int start(void **state)
{
	(void)state;
	memset(ones, 0, sizeof(ones));
	atomic_store(&most_at_work, 0);
	offload_setup(THREADS, MANY);
	return uv_sem_init(&gate, 0);
}

static int finish(void **state)
{
	(void)state;
	assert_int_equal(pool.running, 0);
	assert_int_equal(pool.queued, 0);
	assert_null(pool.first);
	assert_null(pool.last);
	assert_int_equal(metric_sum(METRIC_OFFLOAD_QUEUE), 0);
	uv_sem_destroy(&gate);
	return 0;
}

static void test_never_more_at_once_than_threads(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++)
		begin(&ones[i], 0);
	assert_int_equal(pool.running, THREADS);
	assert_int_equal(pool.queued, MANY - THREADS);
	assert_int_equal(metric_sum(METRIC_OFFLOAD_QUEUE), MANY - THREADS);
	for (int i = 0; i < MANY; i++)
		uv_sem_post(&gate);
	loop_run();
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(ones[i].result, OK);
		assert_int_equal(ones[i].text, DONE_TEXT);
	}
	assert_in_range(atomic_load(&most_at_work), 1, THREADS);
	assert_int_equal(atomic_load(&policy), SCHED_IDLE);
	assert_int_not_equal(sched_getscheduler(0), SCHED_IDLE);
}

static int ended[MANY], endings;

static void note_the_order(void *arg)
{
	uv_sem_wait(&gate);
	ended[endings++] = *(int *)arg;
}

static void have_it_noted(void *arg)
{
	struct task t = { 0 };

	if (offload(&t, note_the_order, arg) != OK)
		endings = -1;
}

static void test_first_come_first_served(void **state)
{
	int numbers[MANY];

	(void)state;
	offload_setup(1, MANY);
	endings = 0;
	loop_get();
	for (int i = 0; i < MANY; i++) {
		numbers[i] = i;
		assert_int_equal(coro_start(have_it_noted, &numbers[i]), 0);
		uv_sem_post(&gate);
	}
	loop_run();
	assert_int_equal(endings, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(ended[i], i);
}

static void test_a_full_queue_refuses(void **state)
{
	int64_t refused = metric_sum(METRIC_OFFLOAD_REFUSED);

	(void)state;
	offload_setup(1, 2);
	pool.last_us = 2 * SECOND_US;
	for (int i = 0; i < 4; i++)
		begin(&ones[i], 0);
	assert_true(ones[3].over);
	assert_int_equal(ones[3].result, E_UNAVAILABLE);
	/* two wait, two seconds each, then it is its turn */
	assert_int_equal(ones[3].task.failure.retry_after, 5);
	assert_int_equal(metric_sum(METRIC_OFFLOAD_REFUSED), refused + 1);
	pool.last_us = SECONDS_600;
	begin(&ones[4], 0);
	assert_int_equal(ones[4].task.failure.retry_after, RETRY_MAX);
	for (int i = 0; i < 3; i++)
		uv_sem_post(&gate);
	loop_run();
	assert_int_equal(count_over(), 5);
	assert_int_equal(ones[3].text, 0);
}

/* A queue of none: work is taken as long as a thread is free. */
static void test_without_a_queue(void **state)
{
	(void)state;
	offload_setup(1, 0);
	begin(&ones[0], 0);
	begin(&ones[1], 0);
	assert_int_equal(ones[1].result, E_UNAVAILABLE);
	uv_sem_post(&gate);
	loop_run();
	assert_int_equal(ones[0].result, OK);
}

static void post_when_the_queue_is_short(void *arg)
{
	struct task t = { 0 };

	while (pool.queued > 1)
		sleep_for(&t, 5);
	*(bool *)arg = !ones[0].over && !ones[3].over;
	uv_sem_post(&gate);
	uv_sem_post(&gate);
}

static void test_a_deadline_in_the_queue(void **state)
{
	bool others_wait = false;

	(void)state;
	offload_setup(1, MANY);
	begin(&ones[0], 0);
	begin(&ones[1], time_monotonic_us() + SECOND_US / 2);
	begin(&ones[2], time_monotonic_us() + SECOND_US / 2);
	begin(&ones[3], time_monotonic_us() + SECONDS_600);
	assert_int_equal(coro_start(post_when_the_queue_is_short, &others_wait), 0);
	loop_run();
	assert_true(others_wait);
	assert_int_equal(ones[0].result, OK);
	assert_int_equal(ones[1].result, E_TIMEOUT);
	assert_int_equal(ones[2].result, E_TIMEOUT);
	assert_int_equal(ones[3].result, OK);
	/* their work was never begun */
	assert_int_equal(ones[1].text, 0);
	assert_int_equal(ones[2].text, 0);
}

/* Is the caller still there when its deadline has passed, for the loop too? */
static void post_after_the_deadline(void *arg)
{
	struct waiter w = { 0 };
	struct task t = { 0 };
	int rc;

	/* a wait with the same deadline, begun later, so that it is woken no earlier */
	rc = waiter_wait(&w, ones[0].deadline);
	sleep_for(&t, 1);
	*(bool *)arg = rc == E_TIMEOUT && !ones[0].over;
	uv_sem_post(&gate);
}

static void test_a_deadline_at_work(void **state)
{
	bool waits = false;

	(void)state;
	begin(&ones[0], time_monotonic_us() + SECOND_US / 2);
	assert_int_equal(coro_start(post_after_the_deadline, &waits), 0);
	loop_run();
	assert_true(waits);
	assert_int_equal(ones[0].result, E_TIMEOUT);
	assert_int_equal(ones[0].text, DONE_TEXT);
	begin(&ones[1], 1);
	assert_int_equal(ones[1].result, E_TIMEOUT);
	assert_int_equal(ones[1].text, 0);
}

/* As a worker ends whose time to drain is over: threads end, coroutines do not go on. */
static void test_the_end_of_a_worker(void **state)
{
	(void)state;
	offload_setup(1, MANY);
	for (int i = 0; i < 3; i++)
		begin(&ones[i], time_monotonic_us() + SECONDS_600);
	offload_close();
	begin(&ones[3], 0);
	assert_int_equal(ones[3].result, E_UNAVAILABLE);
	uv_sem_post(&gate);
	loop_close();
	assert_int_equal(count_over(), 1);
	assert_int_equal(ones[0].text, DONE_TEXT);
	assert_int_equal(ones[1].text, 0);
	assert_int_equal(coro_count(), 3);
	for (int i = 0; i < 3; i++)
		talloc_free(ones[i].task.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_never_more_at_once_than_threads, start,
						finish),
		cmocka_unit_test_setup_teardown(test_first_come_first_served, start, finish),
		cmocka_unit_test_setup_teardown(test_a_full_queue_refuses, start, finish),
		cmocka_unit_test_setup_teardown(test_without_a_queue, start, finish),
		cmocka_unit_test_setup_teardown(test_a_deadline_in_the_queue, start, finish),
		cmocka_unit_test_setup_teardown(test_a_deadline_at_work, start, finish),
		cmocka_unit_test_setup_teardown(test_the_end_of_a_worker, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
