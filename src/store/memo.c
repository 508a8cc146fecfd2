/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of facts and the snapshots that they were seen in; see memo.h. Called by api/list.c and api/total.c, emptied by pg_conn.c. */
#include "store/memo.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "base/banned.h"

enum { KEY_MAX = 2 << 10, VALUE_MAX = 1 << 20, MEMO_MAX = 8 << 20, ENTRY_OVERHEAD = 128 };

struct entry {
	char *key, *snapshot, *value;
	size_t size;
	UT_hash_handle hh;
};

static struct entry *entries;
static size_t used; /* bytes */

static void forget(struct entry *e)
{
	used -= e->size;
	free(e->snapshot);
	free(e->value);
}

static void drop(struct entry *e)
{
	/* the analyser loses track of what uthash keeps */
	HASH_DEL(entries, e); /* NOLINT(clang-analyzer-unix.Malloc) */
	forget(e);
	free(e->key);
	free(e);
}

void memo_clear(void)
{
	struct entry *e, *next;

	HASH_ITER (hh, entries, e, next)
		drop(e);
}

const char *memo_get(const char *key, const char *snapshot)
{
	struct entry *e;

	if (!snapshot)
		return NULL;
	HASH_FIND_STR(entries, key, e);
	return e && strcmp(e->snapshot, snapshot) == 0 ? e->value : NULL;
}

static struct entry *add(const char *key)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->key = strdup(key);
	HASH_ADD_KEYPTR(hh, entries, e->key, strlen(e->key), e);
	return e;
}

/* uthash keeps the order in which they came: the first is the oldest. */
static void make_room(void)
{
	struct entry *e, *next;

	HASH_ITER (hh, entries, e, next) {
		if (used <= MEMO_MAX)
			return;
		drop(e);
	}
}

void memo_put(const char *key, const char *snapshot, const char *value)
{
	struct entry *e;

	if (!snapshot || strlen(key) > KEY_MAX || strlen(value) > VALUE_MAX)
		return;
	HASH_FIND_STR(entries, key, e);
	if (e)
		forget(e);
	else
		e = add(key);
	e->snapshot = strdup(snapshot);
	e->value = strdup(value);
	e->size = strlen(key) + strlen(value) + sizeof(*e) + ENTRY_OVERHEAD;
	used += e->size;
	make_room();
}
