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

static struct known *known;	 /* in the order in which they came */
static uint64_t times_forgotten; /* api_key_forget() was called that often */

static void drop(struct known *k)
{
	HASH_DEL(known, k); /* NOLINT(clang-analyzer-unix.Malloc) */
	free(k);
}

void api_key_forget(void)
{
	times_forgotten++;
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

/* Two requests may have looked the same key up. */
static void remember(const struct known *fresh)
{
	struct known *k;

	HASH_FIND_STR(known, fresh->digest, k);
	if (k)
		drop(k);
	if (HASH_COUNT(known) >= REMEMBERED_MAX)
		drop(known);
	k = malloc(sizeof(*k));
	if (!k)
		abort();
	*k = *fresh;
	HASH_ADD_STR(known, digest, k);
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

static void fill(struct request *r, const struct pg_rows *rows, struct known *k)
{
	struct principal *caller = &k->caller;
	long long quota = 0;

	caller->is = CALLER_KEY;
	snprintf(caller->key_id, sizeof(caller->key_id), "%s", pg_value(rows, 0, 0));
	snprintf(caller->person_id, sizeof(caller->person_id), "%s", pg_value(rows, 0, 1));
	caller->quota = str_to_int(pg_value(rows, 0, 3), 0, INT32_MAX, &quota) ? (int)quota : 0;
	k->expires_ms = milliseconds(pg_value(rows, 0, 4));
	roles_add(&caller->granted, "member");
	add_all(r, &caller->granted, pg_value(rows, 0, 5) ? pg_value(rows, 0, 5) : "", roles_add);
	add_all(r, &caller->scopes, pg_value(rows, 0, 2), add_scope);
}

/* One statement for the key, its owner and their roles. The last use is noted once a minute at most. What was found is not
 * remembered when something was revoked while we waited: it may be what was found. */
static int look_up(struct request *r, const char *digest, struct known *k)
{
	uint64_t before = times_forgotten;
	struct pg_rows *rows;
	int rc = pg_query_long(
		&r->task, &rows,
		"with k as (select * from auth.api_key where digest = $1 and deleted_at is null), "
		"used as (update auth.api_key u set last_used_at = clock_timestamp(), "
		"last_used_address = $2::inet from k where u.id = k.id and "
		"(u.last_used_at is null or u.last_used_at < clock_timestamp() - interval '1 minute')) "
		"select k.id, k.person_id, array_to_string(k.scopes, ','), coalesce(k.quota, 0), "
		"extract(epoch from k.expires_at), (select string_agg(o.slug, ',') from auth.person_role x "
		"join auth.role o on o.id = x.role_id and o.deleted_at is null where x.person_id = k.person_id) "
		"from k join auth.person p on p.id = k.person_id and p.status = 'active'",
		PG_PARAMS(digest, r->client));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return refuse(r);
	*k = (struct known) { .known_us = time_monotonic_us() };
	snprintf(k->digest, sizeof(k->digest), "%s", digest);
	fill(r, rows, k);
	if (times_forgotten == before)
		remember(k);
	return OK;
}

int api_key_identify(struct request *r, const char *text)
{
	const char *digest = api_key_text_digest(MEM(r), text);
	const struct known *remembered = recall(digest);
	struct known found = { 0 };
	int rc;

	if (!remembered) {
		rc = look_up(r, digest, &found);
		if (rc)
			return rc;
		remembered = &found;
	}
	if (remembered->expires_ms && remembered->expires_ms <= (long long)time_unix_ms())
		return refuse(r);
	r->caller = remembered->caller;
	return OK;
}
