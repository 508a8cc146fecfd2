/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the audit trail and verifies its chain. The chain is made in SQL (sql/platform/0003_audit.sql) and recomputed
 * here, so that a function that was changed in the database does not vouch for itself. Called by api/audit.c, by imports,
 * and by `guildford audit`.
 */
#include "store/audit.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/uuid.h"
#include "store/pg.h"
#include "base/banned.h"

enum { BATCH = 1000, DIGEST = crypto_hash_sha256_BYTES };

_Static_assert(2 * DIGEST + 1 == AUDIT_DIGEST_HEX, "a digest fits a mark");

/* Columns of walk_sql: the seal's, then the event's in the order of its text. */
enum { POSITION, EVENT_ID, SEAL_DIGEST, TEXT_FIRST, TEXT_END = TEXT_FIRST + 16 };

#define WALK                                                                                       \
	"select s.position, s.event_id, encode(s.digest, 'hex'), e.id, e.seq, e.transaction, "     \
	"(extract(epoch from e.created_at) * 1000000)::bigint, e.action, e.actor_id, "             \
	"e.actor_kind, e.key_id, e.session_id, text(e.address), e.request_id, e.resource, "        \
	"e.resource_id, e.before, e.after, e.detail "                                              \
	"from platform.audit_seal s left join platform.audit_event e on e.id = s.event_id "        \
	"where s.position > $1::bigint order by s.position limit $2::int"

int audit_add(struct task *t, const struct audit_event *event)
{
	static const char sql[] =
		"insert into platform.audit_event (id, action, actor_kind, actor_id, key_id, session_id, address, "
		"request_id, resource, resource_id, before, after, detail) "
		"values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
	char id[UUID_TEXT_SIZE];
	const char *const params[] = { id,
				       event->action,
				       event->actor_kind,
				       event->actor_id,
				       event->key_id,
				       event->session_id,
				       event->address,
				       event->request_id,
				       event->resource,
				       event->resource_id,
				       event->before,
				       event->after,
				       event->detail };
	struct pg_rows *rows;

	uuid_new(id);
	if (t->lease)
		return pg_send(t, sql, COUNT_OF(params), params);
	return pg_query(t, &rows, sql, COUNT_OF(params), params);
}

int audit_seal(struct task *t)
{
	char most[16];
	struct pg_rows *rows;
	long long taken = 1;

	snprintf(most, sizeof(most), "%d", BATCH);
	while (taken > 0) {
		/* a lease: it may wait for another sealer, and nobody's statement should wait behind it */
		int rc = pg_query_long(t, &rows, "select platform.audit_seal($1::int)",
				       PG_PARAMS(most));

		if (rc)
			return rc;
		taken = strtoll(pg_value(rows, 0, 0), NULL, 10);
		talloc_free(rows);
	}
	return OK;
}

/* One value of an event's text: see platform.audit_part(). */
static void add_part(crypto_hash_sha256_state *state, const char *value, size_t len)
{
	char length[24];

	snprintf(length, sizeof(length), "%zu:", len);
	if (!value)
		snprintf(length, sizeof(length), "-");
	crypto_hash_sha256_update(state, (const unsigned char *)length, strlen(length));
	if (value)
		crypto_hash_sha256_update(state, (const unsigned char *)value, len);
	crypto_hash_sha256_update(state, (const unsigned char *)"\n", 1);
}

/* The digest that a row of WALK should have behind the one before, "" for the first of all. */
static void digest_of(const struct pg_rows *rows, int row, const char *before, char *hex)
{
	unsigned char chained[DIGEST] = { 0 };
	crypto_hash_sha256_state state;

	if (before[0])
		sodium_hex2bin(chained, DIGEST, before, strlen(before), NULL, NULL, NULL);
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, chained, DIGEST);
	for (int i = TEXT_FIRST; i < TEXT_END; i++)
		add_part(&state, pg_value(rows, row, i), pg_length(rows, row, i));
	crypto_hash_sha256_final(&state, chained);
	sodium_bin2hex(hex, AUDIT_DIGEST_HEX, chained, DIGEST);
}

static int walk(struct task *t, long long position, int most, struct pg_rows **rows)
{
	char from[24], limit[16];

	snprintf(from, sizeof(from), "%lld", position);
	snprintf(limit, sizeof(limit), "%d", most);
	return pg_query_long(t, rows, WALK, PG_PARAMS(from, limit));
}

/* A digest does not fit: was it the event that was changed, or the digest? The next seal was made when both were right. */
static int explain(struct task *t, const struct audit_mark *mark, const struct pg_rows *rows,
		   int row)
{
	const char *stored = pg_value(rows, row, SEAL_DIGEST);
	char computed[AUDIT_DIGEST_HEX], after[AUDIT_DIGEST_HEX];
	struct pg_rows *next;
	int rc = walk(t, mark->position + 1, 1, &next);

	if (rc)
		return rc;
	if (pg_count(next) == 1 && pg_value(next, 0, TEXT_FIRST)) {
		digest_of(rows, row, mark->digest, computed);
		digest_of(next, 0, computed, after);
		if (strcmp(after, pg_value(next, 0, SEAL_DIGEST)) == 0)
			return task_fail(t, E_CONFLICT,
					 "Position %lld: the digest of the seal was changed",
					 mark->position + 1);
		digest_of(next, 0, stored, after);
		if (strcmp(after, pg_value(next, 0, SEAL_DIGEST)) == 0)
			return task_fail(
				t, E_CONFLICT,
				"Position %lld: the event %s was changed after it was sealed",
				mark->position + 1, pg_value(rows, row, EVENT_ID));
	}
	return task_fail(t, E_CONFLICT, "Position %lld: the event %s or its digest was changed",
			 mark->position + 1, pg_value(rows, row, EVENT_ID));
}

/* One seal held against the mark before it, which moves on to it. */
static int check(struct task *t, struct audit_mark *mark, const struct pg_rows *rows, int row)
{
	long long position = strtoll(pg_value(rows, row, POSITION), NULL, 10);
	char digest[AUDIT_DIGEST_HEX];

	if (position != mark->position + 1)
		return task_fail(t, E_CONFLICT, "Position %lld: the seal is missing",
				 mark->position + 1);
	if (!pg_value(rows, row, TEXT_FIRST))
		return task_fail(t, E_CONFLICT, "Position %lld: the event %s is missing", position,
				 pg_value(rows, row, EVENT_ID));
	digest_of(rows, row, mark->digest, digest);
	if (strcmp(digest, pg_value(rows, row, SEAL_DIGEST)) != 0)
		return explain(t, mark, rows, row);
	*mark = (struct audit_mark) { .position = position };
	memcpy(mark->digest, digest, sizeof(digest));
	return OK;
}

/* Is the chain at the mark as it was when the mark was taken? */
static int check_mark(struct task *t, const struct audit_mark *mark)
{
	struct pg_rows *rows;
	int rc;

	if (mark->position == 0)
		return OK;
	rc = walk(t, mark->position - 1, 1, &rows);
	if (rc)
		return rc;
	if (pg_count(rows) == 0 || strtoll(pg_value(rows, 0, POSITION), NULL, 10) != mark->position)
		return task_fail(t, E_CONFLICT, "Position %lld: the seal is missing",
				 mark->position);
	if (strcmp(pg_value(rows, 0, SEAL_DIGEST), mark->digest) != 0)
		return task_fail(
			t, E_CONFLICT,
			"Position %lld: the digest is not the one that was kept; it, or something before it, "
			"was changed",
			mark->position);
	return OK;
}

/* Whoever takes an event out of the chain, or keeps it out, leaves it here: an event is sealed or waits for it. */
static int check_outside(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query_long(
		t, &rows,
		"select e.id from platform.audit_event e "
		"where not exists (select from platform.audit_seal s where s.event_id = e.id) "
		"and not exists (select from platform.audit_unsealed u where u.event_id = e.id) limit 1",
		PG_NONE);

	if (rc || pg_count(rows) == 0)
		return rc;
	return task_fail(t, E_CONFLICT, "The event %s has no seal and does not wait for one",
			 pg_value(rows, 0, 0));
}

int audit_verify(struct task *t, struct audit_mark *mark,
		 void (*progress)(void *arg, long long position), void *arg)
{
	struct pg_rows *rows;
	int count = BATCH, rc = audit_seal(t);

	if (!rc)
		rc = check_mark(t, mark);
	while (!rc && count == BATCH) {
		rc = walk(t, mark->position, BATCH, &rows);
		if (rc)
			return rc;
		count = pg_count(rows);
		for (int i = 0; !rc && i < count; i++)
			rc = check(t, mark, rows, i);
		talloc_free(rows);
		if (progress && !rc)
			progress(arg, mark->position);
	}
	return rc ? rc : check_outside(t);
}

int audit_export(struct task *t, long long *position, const char *since, struct pg_rows **rows)
{
	char from[24], limit[16];
	int rc;

	snprintf(from, sizeof(from), "%lld", *position);
	snprintf(limit, sizeof(limit), "%d", BATCH);
	rc = pg_query_long(
		t, rows,
		"select s.position, jsonb_build_object('position', s.position, 'digest', encode(s.digest, 'hex')) || "
		"(to_jsonb(e) - 'version' - 'deleted_at') "
		"from platform.audit_seal s join platform.audit_event e on e.id = s.event_id "
		"where s.position > $1::bigint and ($2::timestamptz is null or e.created_at >= $2::timestamptz) "
		"order by s.position limit $3::int",
		PG_PARAMS(from, since, limit));
	if (rc || pg_count(*rows) == 0)
		return rc;
	*position = strtoll(pg_value(*rows, pg_count(*rows) - 1, 0), NULL, 10);
	return OK;
}
