/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations: compares the table of the program with the one in the database and applies what is pending. It decides
 * order and safety; the statements themselves are the files'. Called by the migrate and serve commands.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/migrate.h"
#include "store/pg.h"
#include "base/banned.h"

enum { DIGEST_HEX = 2 * crypto_generichash_BYTES + 1 };

/* Pointers, so that a test may put its own table here. */
static const struct migration *known = migrations;
static const size_t *known_count = &migrations_count;

/* "guildf" in ASCII: the lock that lets one node migrate at a time. */
#define LOCK_KEY "113723577460326"

static void digest_of(const struct migration *m, char *hex)
{
	unsigned char digest[crypto_generichash_BYTES];

	crypto_generichash(digest, sizeof(digest), (const unsigned char *)m->sql, strlen(m->sql),
			   NULL, 0);
	sodium_bin2hex(hex, DIGEST_HEX, digest, sizeof(digest));
}

/* Every row that the database has; NULL when it was never migrated. */
static int read_applied(struct task *t, struct pg_rows **rows)
{
	int rc = pg_query(t, rows,
			  "select 1 where to_regclass('public.guildford_migration') is not null",
			  PG_NONE);

	if (rc)
		return rc;
	if (pg_count(*rows) == 0) {
		*rows = NULL;
		return OK;
	}
	return pg_query(
		t, rows,
		"select service, number, name, digest, applied_at from public.guildford_migration "
		"order by service, number",
		PG_NONE);
}

static int find_row(const struct pg_rows *rows, const struct migration *m)
{
	int count = rows ? pg_count(rows) : 0;

	for (int i = 0; i < count; i++)
		if (strcmp(pg_value(rows, i, 0), m->service) == 0 &&
		    strtol(pg_value(rows, i, 1), NULL, 10) == m->number)
			return i;
	return -1;
}

static bool is_known(const char *service, long number)
{
	for (size_t i = 0; i < *known_count; i++)
		if (strcmp(known[i].service, service) == 0 && known[i].number == number)
			return true;
	return false;
}

static enum migration_state state_of(const struct pg_rows *rows, const struct migration *m,
				     const char **applied_at)
{
	char hex[DIGEST_HEX];
	int row = find_row(rows, m);

	*applied_at = row < 0 ? NULL : pg_value(rows, row, 4);
	if (row < 0)
		return MIGRATION_PENDING;
	digest_of(m, hex);
	return strcmp(pg_value(rows, row, 3), hex) == 0 ? MIGRATION_APPLIED : MIGRATION_CHANGED;
}

/* Reports all, counts the pending, and fails when the database is not one that we can bring up to date. */
static int compare(struct task *t, const struct pg_rows *rows, migrate_report_fn *report, void *arg,
		   int *pending)
{
	const char *unknown = NULL, *changed = NULL, *at;
	int waiting = 0;

	for (size_t i = 0; i < *known_count; i++) {
		enum migration_state state = state_of(rows, &known[i], &at);

		waiting += state == MIGRATION_PENDING;
		if (state == MIGRATION_CHANGED && !changed)
			changed = talloc_asprintf(t->mem, "%s/%s", known[i].service, known[i].name);
		if (report)
			report(arg, known[i].service, known[i].name, state, at);
	}
	for (int i = 0; rows && i < pg_count(rows); i++) {
		if (is_known(pg_value(rows, i, 0), strtol(pg_value(rows, i, 1), NULL, 10)))
			continue;
		if (!unknown)
			unknown = talloc_asprintf(t->mem, "%s/%s", pg_value(rows, i, 0),
						  pg_value(rows, i, 2));
		if (report)
			report(arg, pg_value(rows, i, 0), pg_value(rows, i, 2), MIGRATION_UNKNOWN,
			       pg_value(rows, i, 4));
	}
	if (unknown)
		return task_fail(
			t, E_CONFLICT,
			"The database is newer than this program: it has %s; run the newer guildford",
			unknown);
	if (changed)
		return task_fail(
			t, E_CONFLICT,
			"Migration %s was changed after it was applied; restore the file that was applied",
			changed);
	*pending = waiting;
	return OK;
}

int migrate_status(struct task *t, migrate_report_fn *report, void *arg, int *pending)
{
	struct pg_rows *rows;
	int rc = read_applied(t, &rows);

	return rc ? rc : compare(t, rows, report, arg, pending);
}

/* In the open transaction, under the lock that ends with it. */
static int lock_and_prepare(struct task *t)
{
	return pg_script(
		t,
		"set local statement_timeout = 0;"
		"set local client_min_messages = warning;"
		"select pg_advisory_xact_lock(" LOCK_KEY ");"
		"create table if not exists public.guildford_migration ("
		"service text not null, number integer not null, name text not null, digest text not null,"
		"applied_at timestamptz not null default now(), primary key (service, number))");
}

static int apply_one(struct task *t, const struct migration *m)
{
	char hex[DIGEST_HEX], number[16];
	struct pg_rows *rows;
	int rc = pg_script(t, m->sql);

	if (rc)
		return rc;
	digest_of(m, hex);
	snprintf(number, sizeof(number), "%d", m->number);
	return pg_query(
		t, &rows,
		"insert into public.guildford_migration (service, number, name, digest, applied_at) "
		"values ($1, $2::int, $3, $4, clock_timestamp())",
		PG_PARAMS(m->service, number, m->name, hex));
}

/* The next pending one, if any, in the open transaction: asked again under the lock, for another node may have been
 * first. `from` moves past it. */
static int apply_next(struct task *t, size_t *from, migrate_report_fn *report, void *arg)
{
	struct pg_rows *rows;
	const char *at;
	int pending, rc = lock_and_prepare(t);

	if (!rc)
		rc = read_applied(t, &rows);
	if (!rc)
		rc = compare(t, rows, NULL, NULL, &pending);
	if (rc)
		return rc;
	while (*from < *known_count && state_of(rows, &known[*from], &at) != MIGRATION_PENDING)
		++*from;
	if (*from == *known_count)
		return OK;
	rc = apply_one(t, &known[*from]);
	if (rc) {
		log_error("migration %s/%s failed: %s", known[*from].service, known[*from].name,
			  t->failure.cause ? t->failure.cause : "no connection");
		return rc;
	}
	if (report)
		report(arg, known[*from].service, known[*from].name, MIGRATION_APPLIED, NULL);
	++*from;
	return OK;
}

int migrate_apply(struct task *t, bool dry_run, migrate_report_fn *report, void *arg)
{
	size_t from = 0;
	int rc = OK;

	while (!rc && from < *known_count) {
		rc = pg_begin(t);
		if (rc)
			return rc;
		do
			rc = apply_next(t, &from, report, arg);
		while (!rc && dry_run && from < *known_count);
		if (rc || dry_run)
			pg_rollback(t);
		else
			rc = pg_commit(t);
	}
	return rc;
}

int migrate_check(struct task *t)
{
	int pending, rc = migrate_status(t, NULL, NULL, &pending);

	if (rc)
		return rc;
	if (pending > 0)
		return task_fail(t, E_CONFLICT,
				 "The database is older than this program; run guildford migrate");
	return OK;
}
