/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded way to libuv's thread pool; see offload.h. Libuv's own queue has no limit and is shared with the resolver, so
 * it only ever gets as many jobs as may run, and the others wait here. Everything but run_job() is on the loop's thread.
 */
#include "io/offload.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/metrics.h"
#include "base/time.h"
#include "io/loop.h"
#include "base/banned.h"

enum { RETRY_MAX = 60, SECOND_US = 1000000 };

enum job_state { QUEUED, RUNNING, DONE };

/* Lives on the stack of the coroutine that waits for it, which stays while the state is RUNNING. */
struct job {
	uv_work_t work;
	void (*fn)(void *arg);
	void *arg;
	struct waiter waiter;
	enum job_state state;
	uint64_t us;		 /* that fn took */
	struct job *prev, *next; /* in the queue */
};

static struct pool {
	int threads, queue_max;
	int running, queued;
	struct job *first, *last;
	uint64_t last_us; /* that the last one took: what a place in the queue costs */
	bool closed;
} pool = { .threads = 1, .queue_max = OFFLOAD_QUEUE_DEFAULT };

void offload_setup(int threads, int queue_max)
{
	char size[16];

	assert(threads > 0 && queue_max >= 0 && pool.running == 0 && pool.queued == 0);
	pool.threads = threads;
	pool.queue_max = queue_max;
	pool.closed = false;
	snprintf(size, sizeof(size), "%d", threads + 1);
	setenv("UV_THREADPOOL_SIZE", size, 1);
}

/* Not a high nice value: the loops are scheduled as batches, which take a core from a nicer thread only at the next tick,
 * up to 4 ms later, but from an idle one at once. It never comes back to the front; resolving names, the pool's other work,
 * is waiting anyway. */
static void step_back(void)
{
	static _Thread_local bool done;

	if (!done)
		done = sched_setscheduler(0, SCHED_IDLE, &(struct sched_param) { 0 }) == 0;
}

static void run_job(uv_work_t *work)
{
	struct job *job = work->data;
	uint64_t start;

	step_back();
	start = time_monotonic_us();
	job->fn(job->arg);
	job->us = time_monotonic_us() - start;
}

static void enqueue(struct job *job)
{
	job->state = QUEUED;
	job->prev = pool.last;
	*(pool.last ? &pool.last->next : &pool.first) = job;
	pool.last = job;
	pool.queued++;
	metric_add(METRIC_OFFLOAD_QUEUE, 1);
}

static void dequeue(struct job *job)
{
	*(job->prev ? &job->prev->next : &pool.first) = job->next;
	*(job->next ? &job->next->prev : &pool.last) = job->prev;
	pool.queued--;
	metric_add(METRIC_OFFLOAD_QUEUE, -1);
}

static void start_some(void);

static void job_done(uv_work_t *work, int status)
{
	struct job *job = work->data;

	(void)status; /* nobody cancels one */
	job->state = DONE;
	pool.running--;
	pool.last_us = job->us;
	metric_add(METRIC_OFFLOAD_SECONDS, (int64_t)job->us);
	if (pool.closed)
		return;
	start_some();
	waiter_wake(&job->waiter, OK);
}

static void start_some(void)
{
	while (pool.first && pool.running < pool.threads) {
		struct job *job = pool.first;

		dequeue(job);
		job->state = RUNNING;
		job->work.data = job;
		pool.running++;
		if (uv_queue_work(loop_get(), &job->work, run_job, job_done) != 0)
			abort();
	}
}

/* Come back when the queue of now will have been worked off, as far as the last one's time tells. */
static int refuse(struct task *t)
{
	uint64_t s = (uint64_t)pool.queued * pool.last_us / (uint64_t)pool.threads / SECOND_US + 1;

	metric_add(METRIC_OFFLOAD_REFUSED, 1);
	task_fail(t, E_UNAVAILABLE, "The server has no core to spare for this; try again soon");
	t->failure.retry_after = s < RETRY_MAX ? (int)s : RETRY_MAX;
	return E_UNAVAILABLE;
}

/* Nothing stops a thread: who has run out of time while it works waits for its end all the same. */
static void wait_for_end(struct job *job)
{
	int rc;

	job->waiter = (struct waiter) { 0 };
	rc = waiter_wait(&job->waiter, 0);
	assert(rc == OK);
}

int offload(struct task *t, void (*fn)(void *arg), void *arg)
{
	struct job job = { .fn = fn, .arg = arg };
	int rc;

	if (t->deadline && time_monotonic_us() >= t->deadline)
		return task_fail(t, E_TIMEOUT, NULL);
	if (pool.closed || (pool.running >= pool.threads && pool.queued >= pool.queue_max))
		return refuse(t);
	enqueue(&job);
	start_some();
	rc = waiter_wait(&job.waiter, t->deadline);
	if (rc == OK)
		return OK;
	if (job.state == QUEUED)
		dequeue(&job);
	else if (job.state == RUNNING)
		wait_for_end(&job);
	return task_fail(t, E_TIMEOUT, NULL);
}

void offload_close(void)
{
	metric_add(METRIC_OFFLOAD_QUEUE, -pool.queued);
	pool.first = pool.last = NULL;
	pool.queued = 0;
	pool.closed = true;
}
