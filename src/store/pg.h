/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL, for tasks that wait. Short statements of many tasks share a few connections in pipeline mode, each
 * statement with its own Sync, so that one caller's error aborts nobody else's. Transactions and long statements lease a
 * connection of their own. Statements are prepared once per connection, keyed by their text; values travel as
 * parameters only. All of it runs on loop_get().
 *
 * Failures (E_*): E_UNAVAILABLE with retry_after when PostgreSQL is away or no connection came free in time, E_TIMEOUT
 * when the deadline passed or statement_timeout struck, E_CONFLICT for constraint violations (task.failure.constraint
 * names it), E_INTERNAL for anything else (the cause is logged).
 */
#ifndef STORE_PG_H
#define STORE_PG_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"
#include "io/task.h"

struct pg_settings {
	const char *url;       /* libpq connection string or URI */
	int pipelines, leases; /* connections */
	int statement_timeout; /* ms */
	bool pages;	       /* plan for pages of lists: never a whole table first */
	const char *name;      /* application_name */
};

/* Remembers the settings and starts connecting; never fails: while PostgreSQL is away, calls answer E_UNAVAILABLE, and
 * reconnecting goes on with back-off (100 ms to 2 s). */
void pg_open(const struct pg_settings *settings);
/* Closes everything; tasks that wait get E_UNAVAILABLE. */
void pg_close(void);
/* Is at least one connection up? (for /readyz) */
bool pg_is_up(void);

/* The result of a statement: rows of text. Freed with its talloc parent (the task's mem unless moved). */
struct pg_rows;

/* Parameters: PG_PARAMS(a, b) for $1 and $2, each a NUL-terminated string or NULL for SQL null; PG_NONE for none. */
#define PG_PARAMS(...)                                                                             \
	(int)COUNT_OF(((const char *const[]) { __VA_ARGS__ })),                                    \
		((const char *const[]) { __VA_ARGS__ })
#define PG_NONE 0, NULL

enum { PG_PARAMS_MAX = 100 };

/* Runs one statement and gives its rows: on the task's lease if it holds one, otherwise pipelined. waits */
int pg_query(struct task *t, struct pg_rows **rows, const char *sql, int count,
	     const char *const *params) MUST_USE;
/* The same on a leased connection, for statements that may take more than a few milliseconds. waits */
int pg_query_long(struct task *t, struct pg_rows **rows, const char *sql, int count,
		  const char *const *params) MUST_USE;
/* Sends a statement on the lease of a task in a transaction and waits for nothing: it costs no round trip, for what
 * follows travels behind it. Its rows are dropped. If it fails, the cause is logged, what follows in the transaction
 * fails and pg_commit() answers E_CONFLICT. E_UNAVAILABLE when it could not be sent. */
int pg_send(struct task *t, const char *sql, int count, const char *const *params) MUST_USE;
/* Runs a script of several statements (migrations) on the task's lease, unprepared, without parameters. waits */
int pg_script(struct task *t, const char *sql) MUST_USE;
/* Leases a connection and begins a transaction; ends it and gives the connection back. Who begins must end, on every
 * path. All but pg_rollback() wait */
int pg_begin(struct task *t) MUST_USE;
int pg_commit(struct task *t) MUST_USE;
void pg_rollback(struct task *t);
/* Runs fn(t, arg) in a transaction: committed when it returns OK, else rolled back. Returns what fn or the commit did.
 * waits */
int pg_transaction(struct task *t, int (*fn)(struct task *t, void *arg), void *arg) MUST_USE;

int pg_count(const struct pg_rows *rows);
int pg_columns(const struct pg_rows *rows);
/* Column number of a name, -1 when absent. */
int pg_column(const struct pg_rows *rows, const char *name);
/* Text of a value, NULL for SQL null; and its length in bytes. */
const char *pg_value(const struct pg_rows *rows, int row, int column);
size_t pg_length(const struct pg_rows *rows, int row, int column);
/* Rows touched by an INSERT, UPDATE or DELETE. */
long long pg_affected(const struct pg_rows *rows);
/* The literal of a text[] with these items: '{"a","b"}'. */
const char *pg_array(TALLOC_CTX *mem, const char *const *items, int count);

#endif
