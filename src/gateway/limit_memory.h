/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rate-limit counts of this node, in memory that all its workers share: what counts while Redis is not there, and what
 * remembers enough meanwhile for the change between the two to let nobody have a quota twice. Atomic words, no locks,
 * of a fixed size. Nothing waits.
 */
#ifndef GATEWAY_LIMIT_MEMORY_H
#define GATEWAY_LIMIT_MEMORY_H

#include <stdbool.h>
#include "gateway/limit.h"

/* Maps the memory. Call once in the supervisor before it forks. Returns 0, or -1 with errno. */
int limit_memory_setup(void) MUST_USE;
/* The hash of a key's text, the same in all workers and unknown to callers. */
uint64_t limit_memory_hash(const char *text, size_t len);
/* Counts a request if the quota has room for it; *state is how things stand then. */
bool limit_memory_take(const struct limit_key *key, struct limit_state *state) MUST_USE;
/* Takes back what limit_memory_take() counted with this state. */
void limit_memory_give(const struct limit_key *key, const struct limit_state *state);
/* Counts a request that Redis has granted. */
void limit_memory_note(const struct limit_key *key);
/* Notes that requests of a policy are granted without Redis; and: has that happened within its window? */
void limit_memory_alone(int policy);
bool limit_memory_was_alone(int policy);

#endif
