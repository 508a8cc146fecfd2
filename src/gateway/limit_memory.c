/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of this node in shared memory; see limit_memory.h. A window is cut into 60 slices and a subject has a ring of
 * them: a word each, with the slice's number and its count. What counts is every slice that reaches into the window, so
 * never more than the quota in any window, and a slot comes free at most a slice (1 s of 60) late.
 *
 * Who takes adds first and looks then: of two workers that take the last slot together at least the later one sees both, takes its own
 * back and tries again. So they may refuse one request too many, once in a long while; never one too few.
 *
 * Subjects stand in sets of seven, found by hash. When all seven of a set have been seen within the window, an eighth
 * subject of that set is counted in the set's last entry, which is everybody's: together with other strangers, so it may
 * get less than its quota, not more. While anybody is counted there, no newcomer of the set gets an entry of its own: it might be the one.
 */
#include "gateway/limit_memory.h"

#include <assert.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include "base/time.h"
#include "base/banned.h"

enum { SETS = 4096, OWN = 7, SLICES = 60, RING = 63, TRIES = 8 };

/* 512 bytes; a set of them is a page, and pages that nobody needs cost nothing. */
struct entry {
	_Atomic uint64_t
		owner; /* part of its hash << 32 | second after which nothing in it counts */
	_Atomic uint64_t ring[RING]; /* slice << 32 | requests in it */
};

struct set {
	struct entry own[OWN];
	struct entry shared;
};

static struct table {
	unsigned char key[crypto_shorthash_KEYBYTES];
	_Atomic uint64_t alone_s[LIMIT_POLICIES];
	struct set sets[LIMIT_POLICIES][SETS];
} * table;

/* A moment, as a policy's rings see it. */
struct moment {
	uint64_t ms;
	uint32_t window_ms, slice_ms;
	uint32_t slice, first; /* the current one; the first that counts */
};

int limit_memory_setup(void)
{
	void *memory = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	table = memory;
	randombytes_buf(table->key, sizeof(table->key));
	return 0;
}

uint64_t limit_memory_hash(const char *text, size_t len)
{
	uint64_t hash;

	assert(table);
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)text, len, table->key);
	return hash;
}

static struct moment now_for(int policy)
{
	struct moment m = { .ms = time_monotonic_us() / 1000,
			    .window_ms = (uint32_t)limit_policies[policy].window_s * 1000 };

	m.slice_ms = m.window_ms / SLICES;
	m.slice = (uint32_t)(m.ms / m.slice_ms);
	m.first = m.ms < m.window_ms ? 0 : (uint32_t)((m.ms - m.window_ms) / m.slice_ms);
	return m;
}

/* The second until which what is counted now may count. */
static uint32_t until(const struct moment *m)
{
	return (uint32_t)((m->ms + m->window_ms + 2 * m->slice_ms) / 1000 + 1);
}

/* Keeps an entry for its owner that long. False when another has become its owner meanwhile. */
static bool keep(struct entry *entry, uint64_t seen, uint32_t name, uint32_t until_s)
{
	uint64_t wanted = (uint64_t)name << 32 | until_s;

	return (seen >> 32 == name && (uint32_t)seen >= until_s) ||
	       atomic_compare_exchange_strong(&entry->owner, &seen, wanted);
}

static struct entry *find_once(struct set *set, uint32_t name, const struct moment *m)
{
	uint32_t now_s = (uint32_t)(m->ms / 1000), until_s = until(m);
	struct entry *idle = NULL;
	uint64_t idle_owner = 0, owner;

	for (int i = 0; i < OWN; i++) {
		owner = atomic_load(&set->own[i].owner);
		if (owner >> 32 == name)
			return keep(&set->own[i], owner, name, until_s) ? &set->own[i] : NULL;
		if (!idle && (uint32_t)owner < now_s) {
			idle = &set->own[i];
			idle_owner = owner;
		}
	}
	owner = atomic_load(&set->shared.owner);
	if (!idle || (uint32_t)owner >= now_s)
		return keep(&set->shared, owner, 0, until_s) ? &set->shared : NULL;
	return keep(idle, idle_owner, name, until_s) ? idle : NULL;
}

/* The subject's entry. Again when another worker was quicker: it is done then. */
static struct entry *find(const struct limit_key *key, const struct moment *m)
{
	struct set *set = &table->sets[key->policy][key->hash % SETS];
	uint32_t name = (uint32_t)(key->hash >> 32) | 1;
	struct entry *entry;

	do
		entry = find_once(set, name, m);
	while (!entry);
	return entry;
}

/* Adds one to a slice. False when the ring has gone round since: the moment is long past. */
static bool add(struct entry *entry, uint32_t slice)
{
	_Atomic uint64_t *word = &entry->ring[slice % RING];
	uint64_t seen = atomic_load(word), wanted;

	do {
		if (seen >> 32 > slice)
			return false;
		wanted = seen >> 32 == slice ? seen + 1 : (uint64_t)slice << 32 | 1;
	} while (!atomic_compare_exchange_weak(word, &seen, wanted));
	return true;
}

static void take_back(struct entry *entry, uint32_t slice)
{
	_Atomic uint64_t *word = &entry->ring[slice % RING];
	uint64_t seen = atomic_load(word);

	do {
		if (seen >> 32 != slice || !(uint32_t)seen)
			return;
	} while (!atomic_compare_exchange_weak(word, &seen, seen - 1));
}

/* How many count at this moment, and when the first of them no longer will. */
static void look(struct entry *entry, const struct limit_key *key, const struct moment *m,
		 struct limit_state *state)
{
	uint32_t oldest = UINT32_MAX;
	long long used = 0;

	for (int i = 0; i < RING; i++) {
		uint64_t word = atomic_load(&entry->ring[i]);
		uint32_t slice = (uint32_t)(word >> 32);

		if (!(uint32_t)word || slice < m->first)
			continue;
		used += (uint32_t)word;
		if (slice < oldest)
			oldest = slice;
	}
	state->left = key->quota - used;
	state->wait_ms = used ? ((uint64_t)oldest + 1) * m->slice_ms + m->window_ms - m->ms : 0;
}

bool limit_memory_take(const struct limit_key *key, struct limit_state *state)
{
	for (int i = 0; i < TRIES; i++) {
		struct moment m = now_for(key->policy);
		struct entry *entry = find(key, &m);

		look(entry, key, &m, state);
		if (state->left <= 0)
			return false;
		if (!add(entry, m.slice))
			continue;
		look(entry, key, &m, state);
		state->slice = m.slice;
		if (state->left >= 0)
			return true;
		take_back(entry, m.slice);
	}
	state->left = 0;
	return false;
}

void limit_memory_give(const struct limit_key *key, const struct limit_state *state)
{
	struct moment m = now_for(key->policy);

	take_back(find(key, &m), state->slice);
}

void limit_memory_note(const struct limit_key *key)
{
	struct moment m = now_for(key->policy);

	(void)add(find(key, &m), m.slice); /* false: nothing that would count is lost */
}

void limit_memory_alone(int policy)
{
	atomic_store(&table->alone_s[policy], time_monotonic_us() / 1000000 + 1);
}

bool limit_memory_was_alone(int policy)
{
	uint64_t last = atomic_load(&table->alone_s[policy]);
	uint64_t window = (uint64_t)limit_policies[policy].window_s;

	return last && time_monotonic_us() / 1000000 <= last + window + window / SLICES + 1;
}
