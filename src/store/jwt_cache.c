/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of verified tokens; see jwt_cache.h. Emptied by keys.c when a key is taken out. */
#include "store/jwt_cache.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uthash.h>
#include "base/time.h"
#include "base/banned.h"

enum { DIGEST_BYTES = 32 };

struct entry {
	unsigned char digest[DIGEST_BYTES];
	struct jwt_claims claims;
	UT_hash_handle hh;
};

static struct entry *entries;

static void digest_of(const char *token, size_t len, unsigned char digest[DIGEST_BYTES])
{
	static unsigned char key[crypto_generichash_KEYBYTES];
	static bool ready;

	if (!ready)
		randombytes_buf(key, sizeof(key));
	ready = true;
	crypto_generichash(digest, DIGEST_BYTES, (const unsigned char *)token, len, key,
			   sizeof(key));
}

static struct entry *find(const unsigned char digest[DIGEST_BYTES])
{
	struct entry *e;

	HASH_FIND(hh, entries, digest, DIGEST_BYTES, e);
	return e;
}

static void drop(struct entry *e)
{
	/* the analyser loses track of what uthash keeps */
	HASH_DEL(entries, e); /* NOLINT(clang-analyzer-unix.Malloc) */
	free(e);
}

const struct jwt_claims *jwt_cached(const char *token, size_t len)
{
	unsigned char digest[DIGEST_BYTES];
	struct entry *e;

	if (!entries || len > JWT_MAX)
		return NULL;
	digest_of(token, len, digest);
	e = find(digest);
	if (!e)
		return NULL;
	if (e->claims.exp > (int64_t)(time_unix_ms() / 1000))
		return &e->claims;
	drop(e);
	return NULL;
}

/* uthash keeps the order in which they came: the first is the oldest. */
void jwt_remember(const char *token, size_t len, const struct jwt_claims *claims)
{
	unsigned char digest[DIGEST_BYTES];
	struct entry *e;

	digest_of(token, len, digest);
	e = find(digest);
	if (e)
		drop(e);
	if (HASH_COUNT(entries) >= JWT_CACHE_MAX)
		drop(entries);
	e = calloc(1, sizeof(*e));
	if (!e)
		abort();
	memcpy(e->digest, digest, DIGEST_BYTES);
	e->claims = *claims;
	HASH_ADD(hh, entries, digest, DIGEST_BYTES, e);
}

void jwt_cache_clear(void)
{
	struct entry *e, *next;

	HASH_ITER (hh, entries, e, next)
		drop(e);
}
