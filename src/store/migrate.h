/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: the hand-written files of sql/<service>/NNNN_name.sql, compiled into the program, applied in order, each in
 * a transaction of its own, under an advisory lock. public.guildford_migration (service, number, name, digest, applied_at)
 * says what was applied. A file that was changed after it was applied, or a database that knows a number that we do
 * not, is refused.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"
#include "io/task.h"

struct migration {
	const char *service; /* "business" */
	int number;	     /* 1 for 0001 */
	const char *name;    /* "0001_directory" */
	const char *sql;
};

/* Every migration in the program, in the order in which they are applied (the build writes this table from sql/). */
extern const struct migration migrations[];
extern const size_t migrations_count;

enum migration_state {
	MIGRATION_PENDING,
	MIGRATION_APPLIED,
	MIGRATION_CHANGED,
	MIGRATION_UNKNOWN /* newer than us */
};

/* Called for each migration, known or only in the database. */
typedef void migrate_report_fn(void *arg, const char *service, const char *name,
			       enum migration_state state, const char *applied_at);

/* Reports the state of each and gives how many are pending; fails with E_CONFLICT and a sentence that says what to run
 * when the database is newer or differs. waits */
int migrate_status(struct task *t, migrate_report_fn *report, void *arg, int *pending) MUST_USE;
/* Applies what is pending; `dry_run` applies it and rolls back. waits */
int migrate_apply(struct task *t, bool dry_run, migrate_report_fn *report, void *arg) MUST_USE;
/* For serve: OK only when the database is exactly at our version; otherwise a failure that says what to run. waits */
int migrate_check(struct task *t) MUST_USE;

#endif
