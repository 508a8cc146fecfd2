/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that needs a core for itself, such as the hash of a password: done on a thread of libuv's pool while the coroutine
 * waits. At most so many at once as the worker was given threads, the rest in a queue, first come, first served, with a
 * limit. The threads step back behind everything else (SCHED_IDLE), so that a storm of such work does not slow what is served;
 * a machine that is busy to the last per cent hardly gets to it.
 */
#ifndef IO_OFFLOAD_H
#define IO_OFFLOAD_H

#include "base/attr.h"
#include "io/task.h"

enum { OFFLOAD_QUEUE_DEFAULT = 100 };

/* How many run at once (1 and up) and how many more may wait (0 and up); without it 1 and OFFLOAD_QUEUE_DEFAULT. Libuv's
 * pool gets one thread more than that, so that names are resolved as well: call it before the pool's first use, in the
 * process that will use it. */
void offload_setup(int threads, int queue_max);
/* Runs fn(arg) on a thread and returns when it is done. `fn` may use `arg` and what hangs on it and nothing else: no
 * talloc, no task, no log, no metric, for all of these belong to the loop's thread; it must come to an end by itself.
 *
 * E_UNAVAILABLE with retry_after when the queue is full. E_TIMEOUT when the task's deadline passes before fn is done: one
 * that waits in the queue leaves it at once and fn is never called; one that runs is waited for all the same, beyond the
 * deadline, because nothing can stop a thread. So no thread uses `arg` once this has returned, whatever it returned, and
 * `arg` may live on the caller's stack and be wiped by the caller. waits */
int offload(struct task *t, void (*fn)(void *arg), void *arg) MUST_USE;
/* For the end of a worker, between its loop's last turn and loop_close(): what is queued is never begun, what runs is
 * waited for by loop_close(), and no coroutine goes on. Their stacks stay mapped, so that threads still find `arg`. */
void offload_close(void);

#endif
