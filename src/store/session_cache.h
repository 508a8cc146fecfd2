/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where sessions were seen last, in Redis for 24 hours: guildford:session:<id> holds {"at":<Unix ms>,"address":"<address>"}.
 * gateway/seen.c writes it, auth/session.c shows it to the sessions' owner. It is never a reason to trust anybody: that is
 * asked of the database. Without Redis nothing is noted, and nothing is known.
 */
#ifndef STORE_SESSION_CACHE_H
#define STORE_SESSION_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/network.h"
#include "io/task.h"
#include "store/redis.h"

enum { SESSION_CACHE_LIFE = 86400 /* seconds */, SESSION_CACHE_MAX = REDIS_ARGS_MAX - 1 };

struct session_seen {
	uint64_t at_ms;			/* Unix time; 0: nothing is known */
	char address[ADDRESS_TEXT_MAX]; /* canonical (RFC 5952) */
};

/* Notes that a session was seen just now from `address`. False: Redis is away; true: it is on its way there, and nothing tells
 * whether it arrives. Does not wait. */
bool session_cache_note(const char *session_id, const char *address) MUST_USE;
/* What is known of `count` sessions (at most SESSION_CACHE_MAX) into `seen`, in one round trip. The task does not fail.
 * waits */
void session_cache_read(struct task *t, const char *const *session_ids, int count,
			struct session_seen *seen);
/* Forgets sessions that are over. A worker that has not heard of it yet may note one once more: then that goes with its 24
 * hours. Does not wait. */
void session_cache_forget(struct task *t, const char *const *session_ids, int count);

#endif
