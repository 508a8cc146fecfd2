/* SPDX-License-Identifier: Apache-2.0 */
/* guildford import: businesses and events from a file of others. */
#include "business/import.h"

#include <stdio.h>
#include <string.h>
#include "base/config.h"
#include "base/secret.h"
#include "cli/command.h"
#include "cli/database.h"
#include "event/import.h"
#include "event/subscribe.h"
#include "io/coro.h"
#include "io/transfer.h"
#include "store/migrate.h"
#include "base/banned.h"

enum { STACK_BYTES = 2 << 20 }; /* libxml2 and jansson were not written for small stacks */

static const struct {
	const char *name;
	int (*run)(struct task *t, const struct import_options *options);
} formats[] = {
	{ "fhrs", import_run },
	{ "csv", import_run },
	{ "geojson", import_run },
	{ "ics", event_import_run },
};

static int import(struct task *t, void *arg)
{
	const struct import_options *options = arg;
	int rc = migrate_check(t);

	for (size_t i = 0; !rc && i < COUNT_OF(formats); i++)
		if (strcmp(formats[i].name, options->format) == 0)
			rc = formats[i].run(t, options);
	transfer_close();
	return rc;
}

/* "--name value" into the member of that name; *i moves on to the value. */
static int read_text(int argc, char **argv, int *i, struct import_options *options)
{
	const struct {
		const char *name;
		const char **value;
	} texts[] = {
		{ "--source", &options->source },
		{ "--map", &options->map },
		{ "--report", &options->report },
	};

	for (size_t n = 0; n < COUNT_OF(texts); n++) {
		if (strcmp(argv[*i], texts[n].name) != 0 || *i + 1 >= argc)
			continue;
		*texts[n].value = argv[++*i];
		return EXIT_DONE;
	}
	return EXIT_USAGE;
}

static int read_option(int argc, char **argv, int *i, struct import_options *options)
{
	if (strcmp(argv[*i], "--dry-run") == 0)
		options->dry_run = true;
	else if (strcmp(argv[*i], "--keep") == 0)
		options->keep = true;
	else
		return read_text(argc, argv, i, options);
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct import_options options = { 0 };
	bool known = false;
	char why[500];

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (read_option(argc, argv, &i, &options) != EXIT_DONE)
				return EXIT_USAGE;
		} else if (!options.format) {
			options.format = argv[i];
		} else if (!options.path) {
			options.path = argv[i];
		} else {
			return EXIT_USAGE;
		}
	}
	for (size_t i = 0; options.format && i < COUNT_OF(formats); i++)
		known = known || strcmp(formats[i].name, options.format) == 0;
	if (!known || !options.path || (options.map && strcmp(options.format, "csv") != 0))
		return EXIT_USAGE;
	/* the source of a fetched calendar's events is made with the key */
	if (calendar_is_url(options.path) &&
	    secret_setup(config.secret_key, config.data, why, sizeof(why)) != 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return EXIT_FAILED;
	}
	coro_setup(STACK_BYTES, 1);
	return database_run(import, &options);
}

const struct command command_import = {
	.name = "import",
	.usage =
		"import fhrs|csv|geojson|ics FILE|URL [--dry-run] [--source NAME] [--map FIELD=COLUMN,...] [--report FILE] [--keep]",
	.doc = "import businesses from a file, events from a calendar",
	.help = "Imports what a file holds. The same file twice changes nothing; a later one updates what changed\n"
		"and marks as permanently_closed what it lacks. Fields that somebody has edited since stay as they are.\n"
		"  fhrs           food hygiene ratings of one authority, XML of the Food Standards Agency\n"
		"  csv            a header and rows; columns are named like fields, or see --map\n"
		"  geojson        a FeatureCollection with OpenStreetMap tags\n"
		"  ics            a calendar (RFC 5545), from a file or a URL: events, known by their UID. What a later one cancels or\n"
		"                 lacks is cancelled, unless it is over\n"
		"  --dry-run      say what would happen, write nothing\n"
		"  --source NAME  which source this file is the whole of (default: from the file's name or authority)\n"
		"  --map M        csv: field=column,... ; \":text\" for a column is the same text in each row\n"
		"  --report FILE  where rejected rows and left-out values are listed (default: in --data)\n"
		"  --keep         what the file lacks is not gone",
	.run = run,
};
