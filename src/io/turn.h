/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: of the coroutines of this process that are about to change the same thing, one goes on and the others wait here, in the
 * order in which they came. No correctness rests on it, for other processes do not know of it; what makes them wait for
 * each other anyway, a row's lock, is then waited for by one connection instead of many. Measured: bench/README.md, replies.
 */
#ifndef IO_TURN_H
#define IO_TURN_H

#include "base/attr.h"
#include "io/loop.h"
#include "io/task.h"

/* On the stack of who takes it, from turn_take() to turn_give(). */
struct turn {
	struct waiter waiter;
	const char *key;
	struct turn *first, **end; /* of the holder: who waits */
	struct turn *next;	   /* among those, or among the holders */
};

/* Waits until nobody else holds the key (any text that lives until turn_give()). OK, and then turn_give() must follow; or
 * E_TIMEOUT at the task's deadline. waits */
int turn_take(struct task *t, struct turn *turn, const char *key) MUST_USE;
void turn_give(struct turn *turn);

#endif
