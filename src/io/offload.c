/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets between workers and hashers, both ends; see offload.h. They keep messages apart (SOCK_SEQPACKET), so the kernel
 * gives each to one hasher whole, and all hashers see when the last sender has gone.
 */
#include "io/offload.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/metrics.h"
#include "base/time.h"
#include "io/loop.h"
#include "base/banned.h"

enum { RETRY_MAX = 60, SECOND_US = 1000000, AGAIN_MS = 5 };

/* Both ways. */
struct message {
	uint64_t id;	   /* unlike that of any work that a worker of this number had before */
	uint64_t deadline; /* time_monotonic_us() of the machine, 0: none */
	uint32_t worker;   /* who is to be answered */
	uint32_t us;	   /* of an answer: what it took */
	unsigned char work[OFFLOAD_WORK_MAX];
};

_Static_assert(offsetof(struct message, work) % 8 == 0, "aligned for what is in it");

/* A way with one direction; -1 is an end that this process does not hold. */
struct way {
	int from, to; /* who sends, who receives */
};

static struct way to_hashers = { -1, -1 };
static struct way to_worker[OFFLOAD_WORKERS_MAX]; /* of worker n at n - 1 */
static int workers;

enum job_state { QUEUED, SENT, DONE };

/* Lives on the stack of the coroutine that waits for it. */
struct job {
	uint64_t id, sent_us;
	const struct task *task;
	void *work;
	size_t size;
	struct waiter waiter;
	enum job_state state;
	struct job *prev, *next; /* in the list of its state */
};

struct list {
	struct job *first, *last;
	int count;
};

/* A worker's side. */
static struct pool {
	int number; /* 0: this is no worker */
	int places, queue_max;
	struct list queued, sent;
	uint64_t next_id;
	uint64_t last_us; /* from sending to answering, the last time */
	uv_poll_t answers;
	uv_timer_t again;
	bool closed;
} pool;

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int open_way(struct way *way)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return -1;
	*way = (struct way) { .from = fds[0], .to = fds[1] };
	return 0;
}

int offload_open(int count)
{
	assert(count > 0 && count <= OFFLOAD_WORKERS_MAX && to_hashers.from < 0);
	for (workers = 0; workers < count; workers++)
		if (open_way(&to_worker[workers]) != 0)
			return -1;
	return open_way(&to_hashers);
}

/* Not a high nice value: the loops are scheduled as batches, which take a core from a nicer process only at the next tick,
 * up to 4 ms later, but from an idle one at once. */
static void step_back(void)
{
	sched_setscheduler(0, SCHED_IDLE, &(struct sched_param) { 0 });
}

/* The socket takes all answers that a worker can wait for. One that does not fit is for a worker that has died and is not back: it
 * is dropped. */
static void do_work(struct message *m, void (*fn)(void *work))
{
	uint64_t start = time_monotonic_us();

	if (m->worker < 1 || m->worker > (uint32_t)workers || (m->deadline && start >= m->deadline))
		return;
	fn(m->work);
	m->us = (uint32_t)(time_monotonic_us() - start);
	send(to_worker[m->worker - 1].from, m, sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int offload_serve(void (*fn)(void *work))
{
	struct message m;
	ssize_t n;

	step_back();
	close_end(&to_hashers.from);
	for (int i = 0; i < workers; i++)
		close_end(&to_worker[i].to);
	while ((n = recv(to_hashers.to, &m, sizeof(m), 0)) != 0) {
		if (n < 0 && errno != EINTR)
			return -1;
		if (n == sizeof(m))
			do_work(&m, fn);
		sodium_memzero(&m, sizeof(m));
	}
	return 0;
}

static void append(struct list *list, struct job *job)
{
	job->prev = list->last;
	job->next = NULL;
	*(list->last ? &list->last->next : &list->first) = job;
	list->last = job;
	list->count++;
}

static void unlink_job(struct list *list, struct job *job)
{
	*(job->prev ? &job->prev->next : &list->first) = job->next;
	*(job->next ? &job->next->prev : &list->last) = job->prev;
	list->count--;
}

static void enqueue(struct job *job)
{
	job->state = QUEUED;
	append(&pool.queued, job);
	metric_add(METRIC_OFFLOAD_QUEUE, 1);
}

static void dequeue(struct job *job)
{
	unlink_job(&pool.queued, job);
	metric_add(METRIC_OFFLOAD_QUEUE, -1);
}

/* The loop has something to wait for as long as an answer is missing. */
static void note_sent(struct job *job)
{
	job->state = SENT;
	job->sent_us = time_monotonic_us();
	append(&pool.sent, job);
	uv_ref((uv_handle_t *)&pool.answers);
}

static void forget_sent(struct job *job)
{
	unlink_job(&pool.sent, job);
	if (pool.sent.count == 0)
		uv_unref((uv_handle_t *)&pool.answers);
}

static bool send_job(const struct job *job)
{
	struct message m = { .id = job->id,
			     .deadline = job->task->deadline,
			     .worker = (uint32_t)pool.number };
	ssize_t n;

	memcpy(m.work, job->work, job->size);
	n = send(to_hashers.from, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL);
	sodium_memzero(&m, sizeof(m));
	return n == sizeof(m);
}

static void try_again(uv_timer_t *timer);

/* The socket may be full of what other workers sent. */
static void send_some(void)
{
	while (pool.queued.first && pool.sent.count < pool.places) {
		struct job *job = pool.queued.first;

		if (!send_job(job)) {
			uv_timer_start(&pool.again, try_again, AGAIN_MS, 0);
			return;
		}
		dequeue(job);
		note_sent(job);
	}
}

static void try_again(uv_timer_t *timer)
{
	(void)timer;
	send_some();
}

/* Nobody's: it was given up at its deadline, or asked for by a worker of this number that has died. */
static struct job *find_sent(uint64_t id)
{
	struct job *job = pool.sent.first;

	while (job && job->id != id)
		job = job->next;
	return job;
}

static void take_answer(const struct message *m)
{
	struct job *job = find_sent(m->id);

	if (!job)
		return;
	forget_sent(job);
	job->state = DONE;
	memcpy(job->work, m->work, job->size);
	pool.last_us = time_monotonic_us() - job->sent_us;
	metric_add(METRIC_OFFLOAD_SECONDS, m->us);
	send_some();
	waiter_wake(&job->waiter, OK);
}

static void on_answers(uv_poll_t *poll, int status, int events)
{
	int fd = to_worker[pool.number - 1].to;
	struct message m;
	ssize_t n;

	(void)status;
	(void)events;
	while ((n = recv(fd, &m, sizeof(m), MSG_DONTWAIT)) == sizeof(m))
		take_answer(&m);
	sodium_memzero(&m, sizeof(m));
	if (n == 0)
		uv_poll_stop(poll); /* nobody is left who could answer */
}

/* Ends that are held here would hide from the others that who should hold them has gone. */
static void keep_own_ends(int number)
{
	close_end(&to_hashers.to);
	for (int i = 0; i < workers; i++) {
		close_end(&to_worker[i].from);
		if (i != number - 1)
			close_end(&to_worker[i].to);
	}
}

void offload_join(int number, int places, int queue_max)
{
	assert(number > 0 && number <= workers && places > 0 && queue_max >= 0 && !pool.number);
	keep_own_ends(number);
	pool = (struct pool) { .number = number, .places = places, .queue_max = queue_max };
	randombytes_buf(&pool.next_id, sizeof(pool.next_id));
	uv_timer_init(loop_get(), &pool.again);
	if (uv_poll_init(loop_get(), &pool.answers, to_worker[number - 1].to) != 0 ||
	    uv_poll_start(&pool.answers, UV_READABLE, on_answers) != 0)
		abort();
	uv_unref((uv_handle_t *)&pool.answers);
}

bool offload_is_joined(void)
{
	return pool.number > 0;
}

static bool is_full(void)
{
	bool goes_at_once = !pool.queued.first && pool.sent.count < pool.places;

	return !goes_at_once && pool.queued.count >= pool.queue_max;
}

/* Come back when the queue of now will have been worked off. How long an answer takes, all places being taken, tells how
 * much the other workers leave us. */
static int refuse(struct task *t)
{
	uint64_t s = (uint64_t)pool.queued.count * pool.last_us / (uint64_t)pool.places / SECOND_US;

	metric_add(METRIC_OFFLOAD_REFUSED, 1);
	task_fail(t, E_UNAVAILABLE, "The server has no core to spare for this; try again soon");
	t->failure.retry_after = s < RETRY_MAX ? (int)s + 1 : RETRY_MAX;
	return E_UNAVAILABLE;
}

/* What was sent is not waited for: its place is free, and the answer, should one come, is nobody's. */
static void give_up(struct job *job)
{
	if (job->state == QUEUED)
		dequeue(job);
	else if (job->state == SENT)
		forget_sent(job);
	send_some();
}

int offload(struct task *t, void *work, size_t size)
{
	struct job job = { .task = t, .work = work, .size = size };
	int rc;

	assert(offload_is_joined() && size <= OFFLOAD_WORK_MAX);
	if (t->deadline && time_monotonic_us() >= t->deadline)
		return task_fail(t, E_TIMEOUT, NULL);
	if (pool.closed || is_full())
		return refuse(t);
	job.id = pool.next_id++;
	enqueue(&job);
	send_some();
	rc = waiter_wait(&job.waiter, t->deadline);
	if (rc == OK)
		return OK;
	give_up(&job);
	return task_fail(t, E_TIMEOUT, NULL);
}

void offload_close(void)
{
	if (offload_is_joined() && !pool.closed) {
		metric_add(METRIC_OFFLOAD_QUEUE, -pool.queued.count);
		pool.queued = pool.sent = (struct list) { 0 };
		pool.closed = true;
		uv_close((uv_handle_t *)&pool.answers, NULL);
		uv_close((uv_handle_t *)&pool.again, NULL);
	}
	close_end(&to_hashers.from);
	close_end(&to_hashers.to);
	for (int i = 0; i < workers; i++) {
		close_end(&to_worker[i].from);
		close_end(&to_worker[i].to);
	}
	workers = 0;
}
