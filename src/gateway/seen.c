/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions that this worker has noted within the last minute; see seen.h. Called by identify.c. */
#include "gateway/seen.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>
#include "base/time.h"
#include "base/uuid.h"
#include "store/session_cache.h"
#include "base/banned.h"

enum { NOTED_MAX = 10000, EVERY_US = 60000000 };

struct noted {
	char session_id[UUID_TEXT_SIZE];
	uint64_t at_us;
	UT_hash_handle hh;
};

static struct noted *noted; /* in the order in which they came: the first is the oldest */

static void drop_first(void)
{
	struct noted *n = noted;

	HASH_DEL(noted, n); /* NOLINT(clang-analyzer-unix.Malloc) */
	free(n);
}

static void remember(const char *session_id, uint64_t now_us)
{
	struct noted *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	if (HASH_COUNT(noted) >= NOTED_MAX)
		drop_first();
	snprintf(n->session_id, sizeof(n->session_id), "%s", session_id);
	n->at_us = now_us;
	HASH_ADD_STR(noted, session_id, n);
}

void seen_note(const char *session_id, const char *address)
{
	uint64_t now_us = time_monotonic_us();
	struct noted *n;

	while (noted && now_us - noted->at_us >= EVERY_US)
		drop_first();
	HASH_FIND_STR(noted, session_id, n);
	/* what Redis was not there for is noted when it is */
	if (!n && session_cache_note(session_id, address))
		remember(session_id, now_us);
}

void seen_clear(void)
{
	while (noted)
		drop_first();
}
