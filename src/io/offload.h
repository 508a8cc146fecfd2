/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that needs a core for itself, such as the hash of a password: done in a process of its own, a hasher, while the
 * coroutine waits. All workers of the node send to one socket and all hashers receive from it, so whichever is free takes
 * what came first; the answer comes back on a socket of the worker that asked. A worker keeps a few pieces of work under
 * way there, the rest in a queue of its own, first come, first served, with a limit. Hashers step back behind everything
 * else (SCHED_IDLE), so that a storm of such work does not slow what is served; a machine that is busy to the last per cent
 * hardly gets to it.
 */
#ifndef IO_OFFLOAD_H
#define IO_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"
#include "io/task.h"

enum { OFFLOAD_WORK_MAX = 256, OFFLOAD_WORKERS_MAX = 128 };

/* Makes the sockets of workers 1 to `workers` and of all hashers, in the process that will fork them and fork them again.
 * Returns 0 or -1 with errno. */
int offload_open(int workers) MUST_USE;
/* In a fresh hasher: does fn(work) for each piece of work that comes. `work` is aligned for any type, OFFLOAD_WORK_MAX
 * bytes; what fn leaves in them goes back, and here they are wiped. What nobody waits for any longer is left out. Blocks
 * until nobody is left who could send, neither a worker nor who called offload_open(), and returns 0; -1 with errno when
 * the socket fails. */
int offload_serve(void (*fn)(void *work)) MUST_USE;
/* In a fresh worker, `number` from 1: how many pieces of work may be under way (1 to 129; one more than there are hashers
 * keeps them busy) and how many more may wait (0 and up). */
void offload_join(int number, int places, int queue_max);
/* Is this process a worker that offload_join() has made one? */
bool offload_is_joined(void);
/* Sends `size` bytes (at most OFFLOAD_WORK_MAX) of `work` to a hasher and returns when they have been replaced by what it
 * made of them. Both ends are of one program: pointers mean nothing there, the layout is the same.
 *
 * E_UNAVAILABLE with retry_after when the queue is full. E_TIMEOUT when the task's deadline passes first, also because the
 * hasher has died with it: `work` is as it was then, and nobody writes to it after the return, so that it may live on the
 * caller's stack and be wiped by the caller. waits */
int offload(struct task *t, void *work, size_t size) MUST_USE;
/* Gives the sockets up: a child that needs none, who has forked them all at the end, and a worker between its loop's last
 * turn and loop_close(). There nothing more is sent and no coroutine goes on. */
void offload_close(void);

#endif
