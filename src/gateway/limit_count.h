/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting a request against its keys: in Redis, by one atomic script for all requests of a subject in one turn of the
 * loop; or, when Redis is away or too slow, in the node's memory. Called by limit.c.
 */
#ifndef GATEWAY_LIMIT_COUNT_H
#define GATEWAY_LIMIT_COUNT_H

#include "gateway/limit.h"

/* Gets ready; call it in a worker, after redis_open(). */
void limit_count_open(void);
/* Counts one request against all `count` keys, or against none when one of them has no room: then false. `states` say how
 * each stands. waits */
bool limit_count(struct task *t, const struct limit_key *keys, int count,
		 struct limit_state *states) MUST_USE;

#endif
