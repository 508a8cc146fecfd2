/* SPDX-License-Identifier: Apache-2.0 */
/* guildford audit: is the audit trail as it was written? And the trail itself, for archives and other programs. */
#include "store/audit.h"

#include <stdio.h>
#include <string.h>
#include "base/str.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/database.h"
#include "store/migrate.h"
#include "store/pg.h"
#include "base/banned.h"

enum { PROGRESS_EVERY = 100000 };

struct options {
	bool export;
	struct audit_mark from;
	const char *since;
	long long shown; /* position */
};

static void print_progress(void *arg, long long position)
{
	struct options *options = arg;

	if (position - options->shown < PROGRESS_EVERY)
		return;
	options->shown = position;
	fprintf(stderr, "verified up to position %lld\n", position);
}

static int verify(struct task *t, struct options *options)
{
	struct audit_mark mark = options->from;
	int rc = audit_verify(t, &mark, print_progress, options);
	long long count = mark.position - options->from.position;

	printf("%lld event%s verified; position %lld digest %s\n", count, count == 1 ? "" : "s",
	       mark.position, mark.position ? mark.digest : "-");
	fflush(stdout);
	return rc;
}

static int export(struct task *t, const struct options *options)
{
	long long position = 0, before = -1;
	int rc = audit_seal(t);

	while (!rc && position != before) {
		struct pg_rows *rows;

		before = position;
		rc = audit_export(t, &position, options->since, &rows);
		for (int i = 0; !rc && i < pg_count(rows); i++)
			puts(pg_value(rows, i, 1));
		if (!rc)
			talloc_free(rows);
	}
	if (!rc && fflush(stdout) != 0)
		return task_fail(t, E_INTERNAL, "The trail could not be written to the end");
	return rc;
}

static int audit(struct task *t, void *arg)
{
	struct options *options = arg;
	int rc = migrate_check(t);

	if (rc)
		return rc;
	return options->export ? export(t, options) : verify(t, options);
}

static bool is_digest(const char *text)
{
	return strlen(text) == AUDIT_DIGEST_HEX - 1 &&
	       strspn(text, "0123456789abcdef") == AUDIT_DIGEST_HEX - 1;
}

/* "--name value" of the command's two forms. */
static bool read_option(const char *name, const char *value, struct options *options)
{
	if (options->export) {
		options->since = value;
		return strcmp(name, "--since") == 0 && time_is_rfc3339(value);
	}
	if (strcmp(name, "--from") == 0)
		return str_to_int(value, 1, INT64_MAX - 1, &options->from.position);
	if (strcmp(name, "--digest") != 0 || !is_digest(value))
		return false;
	snprintf(options->from.digest, sizeof(options->from.digest), "%s", value);
	return true;
}

static int run(int argc, char **argv)
{
	struct options options = { 0 };

	if (argc < 2 || argc % 2 != 0)
		return EXIT_USAGE;
	options.export = strcmp(argv[1], "export") == 0;
	if (!options.export && strcmp(argv[1], "verify") != 0)
		return EXIT_USAGE;
	for (int i = 2; i < argc; i += 2)
		if (!read_option(argv[i], argv[i + 1], &options))
			return EXIT_USAGE;
	if ((options.from.position > 0) != (options.from.digest[0] != '\0'))
		return EXIT_USAGE;
	return database_run(audit, &options);
}

const struct command command_audit = {
	.name = "audit",
	.usage = "audit verify [--from POSITION --digest HEX] | audit export [--since TIME]",
	.doc = "verify or export the audit trail",
	.help = "verify seals what waits for it, recomputes the chain of digests and reports the first break. It prints the\n"
		"last position and its digest: kept on another machine, they show later that nothing before was changed.\n"
		"  --from POSITION --digest HEX  begin behind a position that was kept, whose digest must be this one\n"
		"export prints the sealed events with position and digest, a JSON object a line.\n"
		"  --since TIME                  events from that moment on, 2026-11-24T00:00:00Z",
	.run = run,
};
