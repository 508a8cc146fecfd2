/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to PostgreSQL, shared by pg.c and pg_conn.c. Always in pipeline mode: one statement's answer or many. */
#ifndef STORE_PG_CONN_H
#define STORE_PG_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <uthash.h>
#include <uv.h>
#include "io/loop.h"
#include "store/pg.h"

enum pg_state { PG_DOWN, PG_CONNECTING, PG_UP };

/* A prepared statement of a connection: its text and its name. */
struct pg_prepared {
	char *sql;
	char name[16];
	UT_hash_handle hh;
};

/* A statement on its way. It outlives a caller that gave up: then `waiter` is NULL and the answer is dropped. */
struct pg_entry {
	struct pg_entry *next;
	struct waiter *waiter;
	PGresult *result; /* the answer */
	bool preparing;	  /* the answer to the Parse comes first */
	struct pg_prepared *prepared;
};

struct pg_conn {
	PGconn *pq;
	enum pg_state state;
	uv_poll_t *poll;  /* NULL while there is no socket */
	uv_timer_t timer; /* back-off, and the limit of connecting */
	int events;	  /* what poll waits for */
	int number;
	bool wanted; /* reconnect when lost; a lease's connection is opened on demand */
	bool leased;
	bool in_doubt; /* a caller gave up in mid-transaction: close rather than reuse */
	bool lost; /* since it was leased, and its transaction with it, though it may be up again */
	unsigned attempts; /* failed connects in a row */
	struct pg_entry *first, *last;
	int outstanding;
	uint64_t heard_us; /* when it last answered, or was first asked */
	struct pg_prepared *statements;
	unsigned names;
};

/* pg_conn.c */
void pg_conn_init(struct pg_conn *c, int number, const struct pg_settings *settings);
/* Starts connecting unless it is up or on its way. */
void pg_conn_open(struct pg_conn *c);
/* Drops the connection; what waits on it gets `E_UNAVAILABLE`. Reconnects if wanted. */
void pg_conn_reset(struct pg_conn *c, const char *why);
void pg_conn_close(struct pg_conn *c);
/* Sends a statement with its Sync. The entry is answered by waking its waiter with OK (entry->result is then set) or
 * E_UNAVAILABLE. NULL when it could not be sent. */
struct pg_entry *pg_conn_send(struct pg_conn *c, struct waiter *w, const char *sql, int count,
			      const char *const *params);
/* The same for a script without parameters; the connection must have nothing outstanding. */
struct pg_entry *pg_conn_send_script(struct pg_conn *c, struct waiter *w, const char *sql);
/* A caller gave up on it: resets a pipeline that has answered nobody for longer than any statement may take. */
void pg_conn_suspect(struct pg_conn *c);
/* Frees an answered entry. */
void pg_entry_free(struct pg_entry *entry);
/* Forgets a prepared statement, so that it is prepared anew. */
void pg_conn_forget(struct pg_conn *c, const char *sql);

/* pg.c: told when a connection came up or was lost. */
void pg_conn_changed(struct pg_conn *c);

/* pg_error.c: records what PostgreSQL said as the task's failure; the one place where SQLSTATE meets our codes. */
int pg_fail(struct task *t, const PGresult *result) MUST_USE;

#endif
