/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's loop and the waits on it. A waiter is woken either by who it waits for or by its deadline; both only mark
 * it and the coroutine goes on from the loop's stack: at once when we are on it, else in the next turn.
 */
#include "io/loop.h"

#include <assert.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/time.h"
#include "io/coro.h"
#include "base/banned.h"

enum { DEADLINE_TICK_MS = 50 };

static uv_loop_t loop;
static bool made;
static uv_check_t flusher;
static uv_timer_t ticker;
static uv_idle_t waker;
static struct waiter *with_deadline; /* all that wait with one */
static struct waiter *ready;	     /* woken from inside a coroutine: to be resumed next turn */

static void flush_log(uv_check_t *handle)
{
	(void)handle;
	log_flush();
}

uv_loop_t *loop_get(void)
{
	if (made)
		return &loop;
	if (uv_loop_init(&loop) != 0)
		abort();
	made = true;
	uv_check_init(&loop, &flusher);
	uv_check_start(&flusher, flush_log);
	uv_unref((uv_handle_t *)&flusher);
	uv_timer_init(&loop, &ticker);
	uv_idle_init(&loop, &waker);
	return &loop;
}

void loop_run(void)
{
	uv_run(loop_get(), UV_RUN_DEFAULT);
	log_flush();
}

void loop_stop(void)
{
	uv_stop(loop_get());
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void loop_close(void)
{
	if (!made)
		return;
	uv_walk(&loop, close_handle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	made = false;
	with_deadline = ready = NULL;
	coro_cleanup();
}

static void unlink_deadline(struct waiter *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		with_deadline = w->next;
	if (w->next)
		w->next->prev = w->prev;
	if (!with_deadline)
		uv_timer_stop(&ticker);
}

static void tick(uv_timer_t *timer)
{
	uint64_t now = time_monotonic_us();

	(void)timer;
	for (struct waiter *w = with_deadline; w;) {
		struct waiter *expired = w;

		w = w->next;
		if (now < expired->deadline)
			continue;
		waiter_wake(expired, E_TIMEOUT);
		/* resuming it may have changed the list: begin again */
		w = with_deadline;
	}
}

static void link_deadline(struct waiter *w)
{
	if (!with_deadline)
		uv_timer_start(&ticker, tick, DEADLINE_TICK_MS, DEADLINE_TICK_MS);
	w->prev = NULL;
	w->next = with_deadline;
	if (with_deadline)
		with_deadline->prev = w;
	with_deadline = w;
}

int waiter_wait(struct waiter *w, uint64_t deadline)
{
	w->coro = coro_self();
	assert(w->coro);
	if (w->done)
		return w->result;
	w->deadline = deadline;
	if (deadline)
		link_deadline(w);
	coro_wait();
	assert(w->done);
	return w->result;
}

static void wake_ready(uv_idle_t *handle)
{
	struct waiter *list = ready;

	ready = NULL;
	uv_idle_stop(handle);
	while (list) {
		struct waiter *w = list;

		list = w->next;
		coro_resume(w->coro);
	}
}

void waiter_wake(struct waiter *w, int result)
{
	if (w->done)
		return;
	w->done = true;
	w->result = result;
	if (!w->coro)
		return; /* it does not wait yet, and will not have to */
	if (w->deadline)
		unlink_deadline(w);
	if (!coro_self()) {
		coro_resume(w->coro);
		return;
	}
	w->next = ready;
	ready = w;
	uv_idle_start(&waker, wake_ready);
}

static void sleep_over(uv_timer_t *timer)
{
	waiter_wake(timer->data, OK);
}

static void sleep_closed(uv_handle_t *handle)
{
	free(handle);
}

void sleep_for(struct task *t, uint64_t ms)
{
	uv_timer_t *timer = malloc(sizeof(*timer));
	struct waiter w = { 0 };
	int rc;

	if (!timer)
		abort();
	uv_timer_init(loop_get(), timer);
	timer->data = &w;
	uv_timer_start(timer, sleep_over, ms, 0);
	rc = waiter_wait(&w, t->deadline);
	(void)rc; /* early or not, the sleep is over */
	uv_close((uv_handle_t *)timer, sleep_closed);
}
