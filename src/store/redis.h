/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis, for what may be lost: counts, caches, messages between nodes. One connection per worker on loop_get(); the calls
 * of all tasks are pipelined over it, and what is sent in one turn of the loop is written at once. Redis is never needed:
 * "not configured" is "away for ever", and every caller has a way to go on without it. So nothing here fails a task or
 * asks anybody to wait for Redis to come back: a call is answered, or Redis is away, which is known at once while it is.
 */
#ifndef STORE_REDIS_H
#define STORE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>
#include "base/attr.h"
#include "io/task.h"

enum redis_type { REDIS_NIL, REDIS_TEXT, REDIS_NUMBER, REDIS_LIST, REDIS_FAULT };

enum { REDIS_ARGS_MAX = 256 };

struct redis_reply {
	enum redis_type type;
	long long number; /* of a REDIS_NUMBER */
	const char *text; /* of a text, status or fault; may hold NUL bytes, one stands behind it */
	size_t len;
	const struct redis_reply *items; /* of a REDIS_LIST */
	int count;
};

/* Starts connecting to `url` ("": away for ever) and never fails: while Redis is away, reconnecting goes on with back-off
 * (100 ms to 2 s). redis://[user:password@]host[:port][/database] or unix://[user:password@]/path[?db=database]. A name is
 * looked up by the system, which blocks: give an address. `timeout_ms` is how long a call waits. A connection that says
 * nothing for that long while it is asked is dropped, and Redis is away until it answers a PING again. */
void redis_open(const char *url, int timeout_ms);
/* Closes it; who waits learns that it is away. */
void redis_close(void);
/* Does it answer? */
bool redis_is_up(void);
/* Is it one that redis_open() can take? "" is. */
bool redis_is_url(const char *url);
/* Calls `changed` whenever Redis came up or went away, on the loop's stack, until redis_close(); at most 4 of them. */
void redis_watch(void (*changed)(bool up));

/* Sends one command of `argc` arguments (at most REDIS_ARGS_MAX) and waits for its reply, at most `timeout_ms` and not beyond the
 * task's deadline. `lens` are the arguments' lengths in bytes, NULL: they are NUL-terminated. True with *reply (a child
 * of the task's memory; it may be a REDIS_FAULT, which Redis said); false: Redis is away or too slow, and whether the
 * command was done is not known. The task does not fail. waits */
bool redis_call(struct task *t, int argc, const char *const *argv, const size_t *lens,
		struct redis_reply **reply) MUST_USE;
/* The same for who cannot wait: `answered` is called on the loop's stack with the reply, which lives as long as that
 * call unless it is moved to another parent, or with NULL when Redis went away. False when it is away now: then nobody is called. */
typedef void redis_answered_fn(void *arg, struct redis_reply *reply);
bool redis_send(redis_answered_fn *answered, void *arg, int argc, const char *const *argv,
		const size_t *lens) MUST_USE;

#endif
