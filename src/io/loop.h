/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's event loop: one libuv loop per process, and sleeping on it. Everything that waits in this program waits
 * here.
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdint.h>
#include <stdbool.h>
#include <uv.h>
#include "base/attr.h"
#include "io/task.h"

/* The process's loop; made on first use. */
uv_loop_t *loop_get(void);
/* Runs until nothing is left to wait for or loop_stop() was called. Flushes the log once a turn. */
void loop_run(void);
void loop_stop(void);
/* Closes what is left and frees the loop. */
void loop_close(void);

/* One waiting coroutine with its deadline; lives on the waiter's stack. The module that will wake it keeps a pointer
 * to it and calls waiter_wake(); a module that dies with waiters calls waiter_wake() on each with an error. */
struct waiter {
	struct coro *coro;
	int result; /* what waiter_wait() returns */
	bool done;
	uint64_t deadline;
	struct waiter *prev, *next; /* in the loop's list of deadlines */
};

/* Suspends the running coroutine until waiter_wake(w, result), and returns that result; returns E_TIMEOUT once
 * `deadline` (time_monotonic_us, 0 none) has passed. Deadlines are checked every 50 ms by one timer, not one each.
 * waits */
int waiter_wait(struct waiter *w, uint64_t deadline) MUST_USE;
void waiter_wake(struct waiter *w, int result);

/* Waits `ms` milliseconds, but not beyond the task's deadline. waits */
void sleep_for(struct task *t, uint64_t ms);

#endif
