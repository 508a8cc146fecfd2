/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of what was revoked, and the timer that keeps it fresh. An access token lives 15 minutes, so nothing need be
 * remembered for longer. Rows are read by transaction, from the oldest that was open at the last reading: a row that is
 * committed late is not missed, one that is read twice does no harm.
 */
#include "gateway/revoked.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "gateway/api_key.h"
#include "gateway/roles.h"
#include "io/coro.h"
#include "io/loop.h"
#include "store/pg.h"
#include "base/banned.h"

enum { EVERY_MS = 250, READ_LIMIT_US = 2000000, FRESH_US = 900000, SINCE_MAX = 24 };
enum { REMEMBERED_US = 16 * 60 * 1000000 };

/* A session (generation 0), or the generation below which a person's tokens are refused. */
struct entry {
	char id[UUID_TEXT_SIZE];
	int generation;
	uint64_t known_us;
	UT_hash_handle hh;
};

static struct {
	struct entry *entries; /* in the order in which they came */
	char since[SINCE_MAX]; /* transaction from which to read */
	uint64_t asked_us;     /* when the last reading that was answered began; 0: never */
	bool reading;
	uv_timer_t timer;
	bool started;
} memory = { .since = "0" };

static void drop(struct entry *e)
{
	HASH_DEL(memory.entries, e); /* NOLINT(clang-analyzer-unix.Malloc) */
	free(e);
}

/* The first is the oldest. */
static void forget(uint64_t before_us)
{
	/* the analyser does not see that the head moves on */
	while (memory.entries &&
	       memory.entries->known_us < before_us) /* NOLINT(clang-analyzer-unix.Malloc) */
		drop(memory.entries);
}

/* A later generation is news: tokens of the one before may have been issued until now, so it counts from now. */
static void remember(const char *id, int generation)
{
	struct entry *e;

	HASH_FIND_STR(memory.entries, id, e);
	if (e && e->generation >= generation)
		return;
	if (e)
		drop(e);
	e = calloc(1, sizeof(*e));
	if (!e)
		abort();
	snprintf(e->id, sizeof(e->id), "%s", id);
	e->generation = generation;
	e->known_us = time_monotonic_us();
	HASH_ADD_STR(memory.entries, id, e);
}

static bool is_kind(const struct pg_rows *rows, int i, const char *kind)
{
	return strcmp(pg_value(rows, i, 1), kind) == 0;
}

static void take(const struct pg_rows *rows, int i)
{
	const char *generation = pg_value(rows, i, 3);
	long long number = 0;

	if (is_kind(rows, i, "key") || is_kind(rows, i, "role"))
		return;
	if (!generation || str_to_int(generation, 0, INT32_MAX, &number))
		remember(pg_value(rows, i, 2), (int)number);
}

/* All that was read; however many roles there are among it, they are read once. Keys are forgotten behind that, for what
 * is remembered of one has its owner's roles in it. */
static int take_all(struct task *t, const struct pg_rows *rows)
{
	bool keys = false, roles = false;
	int rc;

	for (int i = 0; i < pg_count(rows); i++) {
		if (!pg_value(rows, i, 1))
			continue;
		take(rows, i);
		keys = keys || !is_kind(rows, i, "session");
		roles = roles || is_kind(rows, i, "role");
	}
	rc = roles ? roles_load(t) : OK;
	if (keys)
		api_key_forget();
	return rc;
}

int revoked_read(struct task *t)
{
	uint64_t now = time_monotonic_us();
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select pg_snapshot_xmin(pg_current_snapshot()), r.kind, r.subject_id, r.generation "
		"from (select 1) one left join auth.revocation r on r.transaction >= $1::xid8",
		PG_PARAMS(memory.since));

	if (!rc)
		rc = take_all(t, rows);
	if (rc)
		return rc;
	snprintf(memory.since, sizeof(memory.since), "%s", pg_value(rows, 0, 0));
	memory.asked_us = now;
	if (now > REMEMBERED_US)
		forget(now - REMEMBERED_US);
	return OK;
}

static void read_once(void *arg)
{
	struct task t = { .mem = talloc_new(NULL),
			  .deadline = time_monotonic_us() + READ_LIMIT_US };
	int rc;

	(void)arg;
	if (!memory.asked_us && roles_load(&t) != OK)
		task_forgive(&t); /* what is unknown may do nothing; the next reading tries again */
	else
		rc = revoked_read(&t); /* a failure shows in memory.asked_us, which gets old */
	(void)rc;
	memory.reading = false;
	talloc_free(t.mem);
}

static void tick(uv_timer_t *timer)
{
	(void)timer;
	if (memory.reading)
		return;
	memory.reading = true;
	if (coro_start(read_once, NULL) != 0)
		memory.reading = false;
}

void revoked_start(void)
{
	uv_timer_init(loop_get(), &memory.timer);
	uv_timer_start(&memory.timer, tick, 0, EVERY_MS);
	uv_unref((uv_handle_t *)&memory.timer);
	memory.started = true;
}

void revoked_stop(void)
{
	if (memory.started)
		uv_timer_stop(&memory.timer);
	memory.started = false;
	memory.asked_us = 0;
	snprintf(memory.since, sizeof(memory.since), "0");
	forget(UINT64_MAX);
	roles_clear();
	api_key_forget();
}

static int over(struct task *t)
{
	return task_fail(t, E_UNAUTHORIZED, "The session is over; sign in again");
}

/* What is known is too old to be trusted: the database says. */
static int ask(struct task *t, const char *session_id, int generation)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select 1 from auth.session s join auth.person p on p.id = s.person_id "
		"where s.id = $1 and s.revoked_at is null and p.generation <= $2::integer",
		PG_PARAMS(session_id, talloc_asprintf(t->mem, "%d", generation)));

	if (rc)
		return rc;
	return pg_count(rows) > 0 ? OK : over(t);
}

int revoked_check(struct task *t, const char *session_id, const char *person_id, int generation)
{
	struct entry *e;

	if (!memory.asked_us || time_monotonic_us() - memory.asked_us > FRESH_US)
		return ask(t, session_id, generation);
	HASH_FIND_STR(memory.entries, session_id, e);
	if (e)
		return over(t);
	HASH_FIND_STR(memory.entries, person_id, e);
	return e && generation < e->generation ? over(t) : OK;
}
