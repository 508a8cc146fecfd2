/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of work that hashers do: real ones, forked as the supervisor does it. Never more under way than there are places, a
 * queue with an end, deadlines in it and at work, hashers that die, a worker that ends. Hashers are held by a semaphore, so
 * nothing here depends on how fast they are. */
#include "test.h"
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "io/coro.h"
#include "io/offload.c"

enum { WORKERS = 3, WE = 2, MANY = 20, HASHERS_MAX = 4, GIVE_UP_S = 60 };
#define SECONDS_600 (600ULL * SECOND_US)

/* What the hashers and the test share. */
static struct shared {
	sem_t gate, arrived;
	_Atomic int at_work, most_at_work, begun;
} * shared;

struct text {
	int number, policy, order;
	pid_t pid;
};

static void wait_at(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += GIVE_UP_S;
	if (sem_timedwait(sem, &until) != 0)
		abort();
}

/* Works until the gate lets it through. */
static void pass_the_gate(void *work)
{
	int now = atomic_fetch_add(&shared->at_work, 1) + 1;
	int most = atomic_load(&shared->most_at_work);
	struct text *text = work;

	while (now > most && !atomic_compare_exchange_weak(&shared->most_at_work, &most, now))
		;
	text->order = atomic_fetch_add(&shared->begun, 1) + 1;
	sem_post(&shared->arrived);
	wait_at(&shared->gate);
	text->policy = sched_getscheduler(0);
	text->pid = getpid();
	atomic_fetch_sub(&shared->at_work, 1);
}

static pid_t hashers[HASHERS_MAX];

static pid_t fork_hasher(void)
{
	for (int i = 0; i < HASHERS_MAX; i++) {
		if (hashers[i])
			continue;
		hashers[i] = fork();
		if (hashers[i] == 0)
			_exit(offload_serve(pass_the_gate) == 0 ? 0 : 1);
		return hashers[i];
	}
	abort();
}

/* All hashers are forked before: who has joined holds its own ends only. */
static void begin_with(int count, int places, int queue_max)
{
	for (int i = 0; i < count; i++)
		fork_hasher();
	offload_join(WE, places, queue_max);
}

static void open_gate(int count)
{
	for (int i = 0; i < count; i++)
		sem_post(&shared->gate);
}

/* A coroutine that has one piece of work done. */
struct one {
	uint64_t deadline;
	struct task task;
	struct text text;
	int result;
	bool over;
};
static struct one ones[MANY];

static void have_it_done(void *arg)
{
	struct one *one = arg;

	one->task = (struct task) { .mem = talloc_new(NULL), .deadline = one->deadline };
	one->result = offload(&one->task, &one->text, sizeof(one->text));
	one->over = true;
	talloc_free(one->task.mem);
}

static void begin(int number, uint64_t deadline)
{
	ones[number] = (struct one) { .deadline = deadline, .text = { .number = number } };
	assert_int_equal(coro_start(have_it_done, &ones[number]), 0);
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
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || sem_init(&shared->gate, 1, 0) ||
	    sem_init(&shared->arrived, 1, 0))
		return -1;
	return offload_open(WORKERS);
}

/* All hashers end by themselves as soon as the last who could send has gone. */
static int finish(void **state)
{
	int status;

	(void)state;
	assert_int_equal(pool.queued.count + pool.sent.count, 0);
	assert_null(pool.queued.first);
	assert_null(pool.queued.last);
	assert_null(pool.sent.first);
	assert_null(pool.sent.last);
	assert_int_equal(metric_sum(METRIC_OFFLOAD_QUEUE), 0);
	offload_close();
	loop_close();
	pool.number = 0;
	for (int i = 0; i < HASHERS_MAX; i++)
		if (hashers[i]) {
			assert_int_equal(waitpid(hashers[i], &status, 0), hashers[i]);
			assert_int_equal(status, 0);
			hashers[i] = 0;
		}
	munmap(shared, sizeof(*shared));
	return 0;
}

static void test_never_more_at_once_than_hashers(void **state)
{
	pid_t first = 0;
	bool both = false;

	(void)state;
	begin_with(2, 3, MANY);
	for (int i = 0; i < MANY; i++)
		begin(i, 0);
	assert_int_equal(pool.sent.count, 3);
	assert_int_equal(pool.queued.count, MANY - 3);
	assert_int_equal(metric_sum(METRIC_OFFLOAD_QUEUE), MANY - 3);
	wait_at(&shared->arrived);
	wait_at(&shared->arrived);
	open_gate(MANY);
	loop_run();
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(ones[i].result, OK);
		assert_int_equal(ones[i].text.number, i);
		assert_int_equal(ones[i].text.policy, SCHED_IDLE);
		both = both || (first && first != ones[i].text.pid);
		first = ones[i].text.pid;
	}
	assert_true(both);
	assert_int_equal(shared->most_at_work, 2);
	assert_int_not_equal(sched_getscheduler(0), SCHED_IDLE);
}

static void test_first_come_first_served(void **state)
{
	(void)state;
	begin_with(1, 2, MANY);
	open_gate(MANY);
	for (int i = 0; i < MANY; i++)
		begin(i, 0);
	loop_run();
	for (int i = 0; i < MANY; i++)
		assert_int_equal(ones[i].text.order, i + 1);
}

static void test_a_full_queue_refuses(void **state)
{
	int64_t refused = metric_sum(METRIC_OFFLOAD_REFUSED);

	(void)state;
	begin_with(1, 1, 2);
	pool.last_us = 2 * SECOND_US;
	for (int i = 0; i < 4; i++)
		begin(i, 0);
	assert_true(ones[3].over);
	assert_int_equal(ones[3].result, E_UNAVAILABLE);
	/* two wait, two seconds each, then it is its turn */
	assert_int_equal(ones[3].task.failure.retry_after, 5);
	assert_int_equal(metric_sum(METRIC_OFFLOAD_REFUSED), refused + 1);
	pool.last_us = SECONDS_600;
	begin(4, 0);
	assert_int_equal(ones[4].task.failure.retry_after, RETRY_MAX);
	open_gate(3);
	loop_run();
	assert_int_equal(count_over(), 5);
	assert_int_equal(ones[3].text.pid, 0);
}

/* A queue of none: work is taken as long as a place is free. */
static void test_without_a_queue(void **state)
{
	(void)state;
	begin_with(1, 1, 0);
	begin(0, 0);
	begin(1, 0);
	assert_int_equal(ones[1].result, E_UNAVAILABLE);
	open_gate(1);
	loop_run();
	assert_int_equal(ones[0].result, OK);
}

static void open_when_the_queue_is_short(void *arg)
{
	struct task t = { 0 };

	while (pool.queued.count > 1)
		sleep_for(&t, 5);
	*(bool *)arg = !ones[0].over && !ones[3].over;
	open_gate(2);
}

static void test_a_deadline_in_the_queue(void **state)
{
	bool others_wait = false;

	(void)state;
	begin_with(1, 1, MANY);
	begin(0, 0);
	begin(1, time_monotonic_us() + SECOND_US / 2);
	begin(2, time_monotonic_us() + SECOND_US / 2);
	begin(3, time_monotonic_us() + SECONDS_600);
	assert_int_equal(coro_start(open_when_the_queue_is_short, &others_wait), 0);
	loop_run();
	assert_true(others_wait);
	assert_int_equal(ones[0].result, OK);
	assert_int_equal(ones[1].result, E_TIMEOUT);
	assert_int_equal(ones[2].result, E_TIMEOUT);
	assert_int_equal(ones[3].result, OK);
	/* their work was never begun */
	assert_int_equal(shared->begun, 2);
}

/* Its place goes to the next, which is done after it; its answer is nobody's. */
static void test_a_deadline_at_work(void **state)
{
	(void)state;
	begin_with(1, 1, MANY);
	begin(0, time_monotonic_us() + SECOND_US / 2);
	loop_run();
	assert_int_equal(ones[0].result, E_TIMEOUT);
	begin(1, 0);
	assert_int_equal(pool.sent.count, 1);
	open_gate(2);
	loop_run();
	assert_int_equal(ones[1].result, OK);
	assert_int_equal(ones[1].text.number, 1);
	assert_int_equal(ones[0].text.pid, 0);
	assert_int_equal(shared->begun, 2);
	begin(2, 1);
	assert_int_equal(ones[2].result, E_TIMEOUT);
	assert_int_equal(shared->begun, 2);
}

/* Sent, but not yet at work when its deadline passes: hashers do not begin it. */
static void test_what_nobody_waits_for_is_left_out(void **state)
{
	(void)state;
	begin_with(1, 3, MANY);
	begin(0, 0);
	wait_at(&shared->arrived);
	begin(1, time_monotonic_us() + SECOND_US / 5);
	begin(2, 0);
	assert_int_equal(pool.sent.count, 3);
	while (!ones[1].over)
		uv_run(loop_get(), UV_RUN_ONCE);
	assert_int_equal(ones[1].result, E_TIMEOUT);
	open_gate(2);
	loop_run();
	assert_int_equal(ones[0].result, OK);
	assert_int_equal(ones[2].result, OK);
	assert_int_equal(shared->begun, 2);
}

/* Work that was under way in it is lost, its place is not; what waited in the socket goes to the others. */
static void test_a_hasher_dies_at_work(void **state)
{
	pid_t victim;
	int status;

	(void)state;
	victim = fork_hasher();
	fork_hasher();
	kill(hashers[1], SIGSTOP); /* as one that the supervisor has yet to start */
	begin_with(0, 2, MANY);
	begin(0, time_monotonic_us() + SECOND_US);
	wait_at(&shared->arrived);
	begin(1, time_monotonic_us() + SECONDS_600);
	begin(2, time_monotonic_us() + SECONDS_600);
	kill(victim, SIGKILL);
	assert_int_equal(waitpid(victim, &status, 0), victim);
	hashers[0] = 0;
	kill(hashers[1], SIGCONT);
	open_gate(2);
	loop_run();
	assert_int_equal(ones[0].result, E_TIMEOUT);
	assert_int_equal(ones[1].result, OK);
	assert_int_equal(ones[2].result, OK);
	assert_int_not_equal(ones[1].text.pid, victim);
}

/* A worker that died has left work behind; who comes after it under the same number is not told. */
static void test_answers_of_a_predecessor(void **state)
{
	static struct text left = { .number = 99 };
	struct job old = {
		.id = 0x1234, .task = &(struct task) { 0 }, .work = &left, .size = sizeof(left)
	};

	(void)state;
	begin_with(1, 1, MANY);
	assert_true(send_job(&old));
	wait_at(&shared->arrived);
	begin(0, 0);
	open_gate(2);
	loop_run();
	assert_int_equal(ones[0].result, OK);
	assert_int_equal(ones[0].text.number, 0);
	assert_int_equal(ones[0].text.order, 2);
	assert_int_equal(left.pid, 0);
}

/* Full of what other workers sent, here long overdue: ours waits in the queue and is sent later. */
static void test_a_full_socket(void **state)
{
	char nothing = 0;
	struct job other = { .task = &(struct task) { .deadline = 1 }, .work = &nothing };

	(void)state;
	fork_hasher();
	kill(hashers[0], SIGSTOP);
	begin_with(0, 3, MANY);
	while (send_job(&other))
		;
	for (int i = 0; i < MANY; i++)
		begin(i, 0);
	assert_int_equal(pool.queued.count, MANY);
	assert_true(uv_is_active((uv_handle_t *)&pool.again));
	open_gate(MANY);
	kill(hashers[0], SIGCONT);
	loop_run();
	assert_int_equal(count_over(), MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(ones[i].result, OK);
		assert_int_equal(ones[i].text.order, i + 1);
	}
}

/* As a worker ends whose time to drain is over: coroutines do not go on, hashers finish what they have and end. */
static void test_the_end_of_a_worker(void **state)
{
	(void)state;
	begin_with(1, 1, MANY);
	for (int i = 0; i < 3; i++)
		begin(i, time_monotonic_us() + SECONDS_600);
	wait_at(&shared->arrived);
	offload_close();
	begin(3, 0);
	assert_int_equal(ones[3].result, E_UNAVAILABLE);
	open_gate(1);
	assert_int_equal(count_over(), 1);
	assert_int_equal(coro_count(), 3);
	for (int i = 0; i < 3; i++)
		talloc_free(ones[i].task.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_never_more_at_once_than_hashers, start,
						finish),
		cmocka_unit_test_setup_teardown(test_first_come_first_served, start, finish),
		cmocka_unit_test_setup_teardown(test_a_full_queue_refuses, start, finish),
		cmocka_unit_test_setup_teardown(test_without_a_queue, start, finish),
		cmocka_unit_test_setup_teardown(test_a_deadline_in_the_queue, start, finish),
		cmocka_unit_test_setup_teardown(test_a_deadline_at_work, start, finish),
		cmocka_unit_test_setup_teardown(test_what_nobody_waits_for_is_left_out, start,
						finish),
		cmocka_unit_test_setup_teardown(test_a_hasher_dies_at_work, start, finish),
		cmocka_unit_test_setup_teardown(test_answers_of_a_predecessor, start, finish),
		cmocka_unit_test_setup_teardown(test_a_full_socket, start, finish),
		cmocka_unit_test_setup_teardown(test_the_end_of_a_worker, start, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
