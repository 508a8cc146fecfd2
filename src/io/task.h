/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is a piece of work that may wait: a request, an import, a migration. It carries what every wait needs, and
 * nothing else: the memory that dies with it, the deadline, the first error, and the database connection that it
 * holds while in a transaction.
 */
#ifndef IO_TASK_H
#define IO_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include "base/attr.h"
#include "base/error.h"

struct pg_conn;

/* One field's problem, in the order found. */
struct problem {
	const char *field;   /* "address.postcode" */
	const char *message; /* "must be a UK postcode such as GU1 3AJ" */
};

enum { PROBLEMS_MAX = 50 };

struct failure {
	enum error_code code; /* OK: none */
	const char *message;  /* for the caller; NULL: the table's title */
	struct problem *problems;
	int problem_count;
	/* name of the violated constraint, of a conflict that PostgreSQL reported */
	const char *constraint;
	const char *sqlstate; /* for the log */
	const char *cause;    /* for the log only, never sent: PostgreSQL's message, errno text */
	int retry_after;      /* seconds, 0: no such header */
};

struct task {
	TALLOC_CTX *mem; /* freed when the task ends */
	/* time_monotonic_us() at which every wait gives up; 0: none (commands) */
	uint64_t deadline;
	struct failure failure; /* the first error */
	struct pg_conn *lease;	/* the connection that it holds, NULL outside a transaction */
	uint64_t db_us;		/* time spent waiting for PostgreSQL */
	int statements;		/* statements sent */
};

/* Records the first error (a later one is ignored) and returns its code. `message` is a printf format, text for the
 * caller: one sentence that says what is wrong and, where it can, what to do; NULL takes the table's title. */
int task_fail(struct task *t, enum error_code code, const char *message, ...) PRINTF_LIKE(3, 4);
/* Adds a field's problem and makes the failure E_VALIDATION; returns E_VALIDATION. Both texts are copied. */
int task_problem(struct task *t, const char *field, const char *message, ...) PRINTF_LIKE(3, 4);
/* Forgets the failure, for a caller that has dealt with it. */
void task_forgive(struct task *t);
/* Copies the failure's texts into `mem`, before the memory that they lie in is freed. */
void task_keep_failure(struct task *t, TALLOC_CTX *mem);

/* Runs fn(task, arg) in a coroutine on a fresh loop until it returns, for commands. `mem` of the task is a child of NULL
 * and freed at the end. Returns what fn returned; on failure `failure_text` (if not NULL) gets the message. */
int task_run(int (*fn)(struct task *t, void *arg), void *arg, char *failure_text,
	     size_t size) MUST_USE;

#endif
