/* SPDX-License-Identifier: Apache-2.0 */
/* guildford migrate: brings the database to this program's version, or says what that would do. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "cli/command.h"
#include "cli/database.h"
#include "store/migrate.h"
#include "base/banned.h"

struct options {
	bool status, dry_run;
	int reported;
};

static const char *const states[] = {
	[MIGRATION_PENDING] = "pending",
	[MIGRATION_APPLIED] = "applied",
	[MIGRATION_CHANGED] = "CHANGED since it was applied",
	[MIGRATION_UNKNOWN] = "UNKNOWN to this program, which is older than the database",
};

static void print_state(void *arg, const char *service, const char *name,
			enum migration_state state, const char *applied_at)
{
	struct options *options = arg;

	options->reported++;
	printf("%s/%s: %s%s%s\n", service, name, states[state], applied_at ? " " : "",
	       applied_at ? applied_at : "");
}

static void print_applied(void *arg, const char *service, const char *name,
			  enum migration_state state, const char *applied_at)
{
	struct options *options = arg;

	(void)state;
	(void)applied_at;
	options->reported++;
	printf("%s/%s: %s\n", service, name, options->dry_run ? "would be applied" : "applied");
	fflush(stdout);
}

static int migrate(struct task *t, void *arg)
{
	struct options *options = arg;
	int pending = 0, rc;

	if (!options->status) {
		rc = migrate_apply(t, options->dry_run, print_applied, options);
		if (rc == OK && options->reported == 0)
			puts("nothing to do: the database is up to date");
		return rc;
	}
	rc = migrate_status(t, print_state, options, &pending);
	if (rc == OK)
		printf("%d pending\n", pending);
	return rc;
}

static int run(int argc, char **argv)
{
	struct options options = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--status") == 0)
			options.status = true;
		else if (strcmp(argv[i], "--dry-run") == 0)
			options.dry_run = true;
		else
			return EXIT_USAGE;
	}
	if (options.status && options.dry_run)
		return EXIT_USAGE;
	return database_run(migrate, &options);
}

const struct command command_migrate = {
	.name = "migrate",
	.usage = "migrate [--status | --dry-run]",
	.doc = "bring the database to this program's version",
	.help = "Applies the migrations that the database does not have yet, each in a transaction, under a lock.\n"
		"  --status   only list the migrations and their state\n"
		"  --dry-run  apply them and roll back",
	.run = run,
};
