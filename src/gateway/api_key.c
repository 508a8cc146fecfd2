/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the key that a request came with; see api_key.h. Called by identify.c. */
#include "gateway/api_key.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "base/api_key_text.h"
#include "base/str.h"
#include "base/time.h"
#include "gateway/roles.h"
#include "store/pg.h"
#include "base/banned.h"

enum { DIGEST_TEXT = 65, REMEMBERED_US = 30000000, REMEMBERED_MAX = 10000, ROLES_MAX = 64 };

struct known {
	char digest[DIGEST_TEXT];
	struct principal caller;
	uint64_t known_us;
	long long expires_ms; /* Unix time; 0: never */
	UT_hash_handle hh;
};

static struct known *known; /* in the order in which they came */

static void drop(struct known *k)
{
	HASH_DEL(known, k); /* NOLINT(clang-analyzer-unix.Malloc) */
	free(k);
}

void api_key_forget(void)
{
	while (known)
		drop(known);
}

static struct known *recall(const char *digest)
{
	struct known *k;

	HASH_FIND_STR(known, digest, k);
	if (k && time_monotonic_us() - k->known_us > REMEMBERED_US) {
		drop(k);
		return NULL;
	}
	return k;
}

static struct known *remember(const char *digest)
{
	struct known *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	if (HASH_COUNT(known) >= REMEMBERED_MAX)
		drop(known);
	snprintf(k->digest, sizeof(k->digest), "%s", digest);
	k->known_us = time_monotonic_us();
	HASH_ADD_STR(known, digest, k);
	return k;
}

static void add_all(struct request *r, struct permissions *set, const char *list,
		    void (*add)(struct permissions *, const char *))
{
	char **items;
	int n = str_split(MEM(r), list, ',', ROLES_MAX, &items);

	for (int i = 0; i < n; i++)
		add(set, items[i]);
}

static void add_scope(struct permissions *set, const char *pattern)
{
	permissions_add(set, pattern);
}

static long long milliseconds(const char *seconds)
{
	double number = 0;

	return seconds && str_to_double(seconds, &number) ? (long long)(number * 1000) : 0;
}

static int refuse(struct request *r)
{
	return fail(r, E_UNAUTHORIZED, "The API key is not valid");
}

/* One statement for the key, its owner and their roles. The last use is noted once a minute at most. */
static int look_up(struct request *r, const char *digest, struct known **found)
{
	struct principal *caller;
	struct pg_rows *rows;
	long long quota = 0;
	int rc = pg_query(
		&r->task, &rows,
		"with k as (select * from auth.api_key where digest = $1 and deleted_at is null), "
		"used as (update auth.api_key u set last_used_at = clock_timestamp(), "
		"last_used_address = $2::inet from k where u.id = k.id and "
		"(u.last_used_at is null or u.last_used_at < clock_timestamp() - interval '1 minute')) "
		"select k.id, k.person_id, array_to_string(k.scopes, ','), coalesce(k.quota, 0), "
		"extract(epoch from k.expires_at), (select string_agg(o.slug, ',') from auth.person_role x "
		"join auth.role o on o.id = x.role_id where x.person_id = k.person_id) "
		"from k join auth.person p on p.id = k.person_id and p.status = 'active'",
		PG_PARAMS(digest, r->client));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return refuse(r);
	*found = remember(digest);
	caller = &(*found)->caller;
	caller->is = CALLER_KEY;
	snprintf(caller->key_id, sizeof(caller->key_id), "%s", pg_value(rows, 0, 0));
	snprintf(caller->person_id, sizeof(caller->person_id), "%s", pg_value(rows, 0, 1));
	caller->quota = str_to_int(pg_value(rows, 0, 3), 0, INT32_MAX, &quota) ? (int)quota : 0;
	(*found)->expires_ms = milliseconds(pg_value(rows, 0, 4));
	roles_add(&caller->granted, "member");
	add_all(r, &caller->granted, pg_value(rows, 0, 5) ? pg_value(rows, 0, 5) : "", roles_add);
	add_all(r, &caller->scopes, pg_value(rows, 0, 2), add_scope);
	return OK;
}

int api_key_identify(struct request *r, const char *text)
{
	const char *digest = api_key_text_digest(MEM(r), text);
	struct known *k = recall(digest);
	int rc = k ? OK : look_up(r, digest, &k);

	if (rc)
		return rc;
	if (k->expires_ms && k->expires_ms <= (long long)time_unix_ms())
		return refuse(r);
	r->caller = k->caller;
	return OK;
}
