/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool and the calls that wait: which connection a statement goes to, who gets a lease, and what comes back to the
 * task. Connections themselves are in pg_conn.c.
 */
#include "store/pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/metrics.h"
#include "base/time.h"
#include "store/pg_conn.h"
#include "base/banned.h"

enum { CONNECTIONS_MAX = 320, UP_WAIT_US = 1000000, RETRY_AFTER = 1 };

/* A task that waits for a connection, in the order in which they came; on its stack. */
struct wish {
	struct waiter waiter;
	struct pg_conn *given;
	struct wish *next;
};

struct pg_rows {
	PGresult *result;
};

static struct {
	struct pg_settings settings;
	struct pg_conn conns[CONNECTIONS_MAX]; /* pipelines first, then leases */
	int pipelines, total;
	struct wish *for_pipeline, *for_lease;
	bool open;
} pool;

void pg_open(const struct pg_settings *settings)
{
	assert(settings->pipelines + settings->leases <= CONNECTIONS_MAX);
	memset(&pool, 0, sizeof(pool));
	pool.settings = *settings;
	pool.pipelines = settings->pipelines;
	pool.total = settings->pipelines + settings->leases;
	pool.open = true;
	for (int i = 0; i < pool.total; i++)
		pg_conn_init(&pool.conns[i], i, &pool.settings);
	for (int i = 0; i < pool.pipelines; i++) {
		pool.conns[i].wanted = true;
		pg_conn_open(&pool.conns[i]);
	}
}

static void refuse_wishes(struct wish **list)
{
	while (*list) {
		struct wish *wish = *list;

		*list = wish->next;
		waiter_wake(&wish->waiter, E_UNAVAILABLE);
	}
}

void pg_close(void)
{
	if (!pool.open)
		return;
	pool.open = false;
	for (int i = 0; i < pool.total; i++)
		pg_conn_close(&pool.conns[i]);
	refuse_wishes(&pool.for_pipeline);
	refuse_wishes(&pool.for_lease);
}

bool pg_is_up(void)
{
	for (int i = 0; i < pool.pipelines; i++)
		if (pool.conns[i].state == PG_UP)
			return true;
	return false;
}

static int away(struct task *t)
{
	if (t->failure.code)
		return t->failure.code;
	task_fail(t, E_UNAVAILABLE, "The database is not available at the moment");
	t->failure.retry_after = RETRY_AFTER;
	return t->failure.code;
}

static void add_wish(struct wish **list, struct wish *wish)
{
	while (*list)
		list = &(*list)->next;
	*list = wish;
}

static void remove_wish(struct wish **list, struct wish *wish)
{
	while (*list && *list != wish)
		list = &(*list)->next;
	if (*list)
		*list = wish->next;
}

static uint64_t wait_limit(const struct task *t, uint64_t most_us)
{
	uint64_t limit = time_monotonic_us() + most_us;

	return t->deadline && t->deadline < limit ? t->deadline : limit;
}

/* Waits for a connection of one kind. */
static int wish_for(struct task *t, struct wish **list, uint64_t limit_us, struct pg_conn **given)
{
	struct wish wish = { 0 };
	uint64_t before = time_monotonic_us();
	int rc;

	if (!pool.open)
		return away(t);
	add_wish(list, &wish);
	rc = waiter_wait(&wish.waiter, limit_us);
	metric_add(METRIC_DB_WAIT_SECONDS, (int64_t)(time_monotonic_us() - before));
	if (rc) {
		remove_wish(list, &wish);
		return away(t);
	}
	*given = wish.given;
	return OK;
}

static struct pg_conn *least_busy_pipeline(void)
{
	struct pg_conn *best = NULL;

	for (int i = 0; i < pool.pipelines; i++) {
		struct pg_conn *c = &pool.conns[i];

		if (c->state == PG_UP && (!best || c->outstanding < best->outstanding))
			best = c;
	}
	return best;
}

static struct pg_conn *free_lease(void)
{
	for (int i = pool.pipelines; i < pool.total; i++)
		if (pool.conns[i].state == PG_UP && !pool.conns[i].leased)
			return &pool.conns[i];
	return NULL;
}

static void open_one_lease(void)
{
	for (int i = pool.pipelines; i < pool.total; i++) {
		struct pg_conn *c = &pool.conns[i];

		if (c->wanted)
			continue;
		c->wanted = true;
		pg_conn_open(c);
		return;
	}
}

static void grant(struct wish **list, struct pg_conn *c)
{
	struct wish *wish = *list;

	*list = wish->next;
	wish->given = c;
	waiter_wake(&wish->waiter, OK);
}

static void hand_over(struct pg_conn *c)
{
	c->leased = true;
	metric_add(METRIC_DB_LEASED, 1);
}

void pg_conn_changed(struct pg_conn *c)
{
	if (c->state != PG_UP)
		return;
	if (c->number < pool.pipelines) {
		while (pool.for_pipeline)
			grant(&pool.for_pipeline, c);
		return;
	}
	if (pool.for_lease && !c->leased) {
		hand_over(c);
		grant(&pool.for_lease, c);
	}
}

static int take_lease(struct task *t, struct pg_conn **c)
{
	*c = free_lease();
	if (*c) {
		hand_over(*c);
		return OK;
	}
	open_one_lease();
	/* with the database away no connection will come: callers are told soon; busy ones are worth the whole deadline */
	return wish_for(t, &pool.for_lease, wait_limit(t, pg_is_up() ? 60000000 : UP_WAIT_US), c);
}

static void give_back(struct pg_conn *c)
{
	c->leased = c->lost = false;
	metric_add(METRIC_DB_LEASED, -1);
	if (c->in_doubt)
		pg_conn_reset(c, "a caller gave up on its transaction");
	else
		pg_conn_changed(c);
}

static int free_rows(struct pg_rows *rows)
{
	PQclear(rows->result);
	return 0;
}

/* The answered entry to rows or to a failure. */
static int take_answer(struct task *t, struct pg_entry *entry, struct pg_rows **rows)
{
	ExecStatusType status = PQresultStatus(entry->result);
	struct pg_rows *taken;

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		int rc = pg_fail(t, entry->result);

		pg_entry_free(entry);
		return rc;
	}
	taken = talloc(t->mem, struct pg_rows);
	taken->result = entry->result;
	entry->result = NULL;
	talloc_set_destructor(taken, free_rows);
	pg_entry_free(entry);
	*rows = taken;
	return OK;
}

/* A statement whose plan or name PostgreSQL no longer has (after a migration): it is to be prepared anew. */
static bool is_stale(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate && (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "0A000") == 0);
}

static int wait_for(struct task *t, struct pg_conn *c, struct pg_entry *entry, struct waiter *w)
{
	uint64_t before = time_monotonic_us();
	int rc = waiter_wait(w, t->deadline);
	uint64_t took = time_monotonic_us() - before;

	t->statements++;
	t->db_us += took;
	metric_add(METRIC_DB_SECONDS, (int64_t)took);
	if (rc == E_TIMEOUT) {
		entry->waiter = NULL; /* its answer is dropped when it comes */
		c->in_doubt = c->leased;
		pg_conn_suspect(c);
		return task_fail(t, E_TIMEOUT, "The database took too long");
	}
	if (rc) {
		pg_entry_free(entry);
		return away(t);
	}
	return OK;
}

static int run_on(struct task *t, struct pg_conn *c, struct pg_rows **rows, const char *sql,
		  int count, const char *const *params)
{
	for (int attempt = 0;; attempt++) {
		struct waiter w = { 0 };
		struct pg_entry *entry = pg_conn_send(c, &w, sql, count, params);
		int rc;

		if (!entry)
			return away(t);
		rc = wait_for(t, c, entry, &w);
		if (rc)
			return rc;
		if (!is_stale(entry->result))
			return take_answer(t, entry, rows);
		pg_conn_forget(c, sql);
		if (attempt > 0 || t->lease == c) /* a transaction has failed with it */
			return take_answer(t, entry, rows);
		pg_entry_free(entry);
	}
}

int pg_query(struct task *t, struct pg_rows **rows, const char *sql, int count,
	     const char *const *params)
{
	struct pg_conn *c = t->lease ? t->lease : least_busy_pipeline();
	int rc;

	assert(count <= PG_PARAMS_MAX);
	if (!c) {
		rc = wish_for(t, &pool.for_pipeline, wait_limit(t, UP_WAIT_US), &c);
		if (rc)
			return rc;
	}
	return run_on(t, c, rows, sql, count, params);
}

int pg_query_long(struct task *t, struct pg_rows **rows, const char *sql, int count,
		  const char *const *params)
{
	struct pg_conn *c;
	int rc;

	if (t->lease)
		return pg_query(t, rows, sql, count, params);
	rc = take_lease(t, &c);
	if (rc)
		return rc;
	rc = run_on(t, c, rows, sql, count, params);
	give_back(c);
	return rc;
}

int pg_send(struct task *t, const char *sql, int count, const char *const *params)
{
	assert(t->lease && count <= PG_PARAMS_MAX);
	if (!pg_conn_send(t->lease, NULL, sql, count, params))
		return away(t);
	t->statements++;
	return OK;
}

int pg_script(struct task *t, const char *sql)
{
	struct waiter w = { 0 };
	struct pg_entry *entry;
	struct pg_rows *rows;
	int rc;

	assert(t->lease);
	/* whatever was sent without waiting (BEGIN) must be answered before the mode can change */
	rc = pg_query(t, &rows, "select 1", PG_NONE);
	if (rc)
		return rc;
	entry = pg_conn_send_script(t->lease, &w, sql);
	if (!entry)
		return away(t);
	rc = wait_for(t, t->lease, entry, &w);
	return rc ? rc : take_answer(t, entry, &rows);
}

int pg_begin(struct task *t)
{
	struct pg_conn *c;
	int rc;

	assert(!t->lease);
	rc = take_lease(t, &c);
	if (rc)
		return rc;
	/* Sent and not waited for: the first statement follows on the same wire. A lease plans each statement for its values,
	 * which is for lists; of a transaction's statements, and of those in triggers, plans may be kept. */
	if (!pg_conn_send(c, NULL, "begin", PG_NONE) ||
	    !pg_conn_send(c, NULL, "set local plan_cache_mode = auto", PG_NONE)) {
		give_back(c);
		return away(t);
	}
	t->lease = c;
	t->statements += 2;
	return OK;
}

static void end(struct task *t)
{
	struct pg_conn *c = t->lease;

	t->lease = NULL;
	give_back(c);
}

int pg_commit(struct task *t)
{
	struct pg_rows *rows;
	int rc;

	assert(t->lease);
	rc = pg_query(t, &rows, "commit", PG_NONE);
	/* a transaction in error commits by rolling back, and says so only in its tag */
	if (!rc && strcmp(PQcmdStatus(rows->result), "COMMIT") != 0)
		rc = task_fail(t, E_CONFLICT, "The change was rolled back");
	if (rc == E_UNAVAILABLE || rc == E_TIMEOUT)
		t->failure.message =
			"The database did not answer at the moment of saving; look whether it was saved";
	end(t);
	return rc;
}

void pg_rollback(struct task *t)
{
	if (!t->lease)
		return;
	if (!t->lease->in_doubt && !pg_conn_send(t->lease, NULL, "rollback", PG_NONE))
		t->lease->in_doubt =
			false; /* the connection is gone, and the transaction with it */
	end(t);
}

int pg_transaction(struct task *t, int (*fn)(struct task *t, void *arg), void *arg)
{
	int rc = pg_begin(t);

	if (rc)
		return rc;
	rc = fn(t, arg);
	if (!rc)
		return pg_commit(t);
	pg_rollback(t);
	return rc;
}

int pg_count(const struct pg_rows *rows)
{
	return PQntuples(rows->result);
}

int pg_columns(const struct pg_rows *rows)
{
	return PQnfields(rows->result);
}

int pg_column(const struct pg_rows *rows, const char *name)
{
	return PQfnumber(rows->result, name);
}

const char *pg_value(const struct pg_rows *rows, int row, int column)
{
	return PQgetisnull(rows->result, row, column) ? NULL
						      : PQgetvalue(rows->result, row, column);
}

size_t pg_length(const struct pg_rows *rows, int row, int column)
{
	return (size_t)PQgetlength(rows->result, row, column);
}

long long pg_affected(const struct pg_rows *rows)
{
	return strtoll(PQcmdTuples(rows->result), NULL, 10);
}

const char *pg_array(TALLOC_CTX *mem, const char *const *items, int count)
{
	struct buf b;

	buf_init(&b, mem, (size_t)1 << 30); /* the items are bounded where they come in */
	buf_addc(&b, '{');
	for (int i = 0; i < count; i++) {
		buf_adds(&b, i ? ",\"" : "\"");
		for (const char *c = items[i]; *c; c++) {
			if (*c == '"' || *c == '\\')
				buf_addc(&b, '\\');
			buf_addc(&b, *c);
		}
		buf_addc(&b, '"');
	}
	buf_addc(&b, '}');
	assert(!buf_full(&b));
	return buf_text(&b);
}
