/* SPDX-License-Identifier: Apache-2.0 */
/* The `commands` table: one row and one file per command of the program. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
	const char *name;
	const char *usage; /* "import fhrs|csv|geojson FILE [--dry-run]" */
	const char *doc;   /* one line for the list */
	const char *help;  /* paragraphs for --help */
	/* argv[0] is the command's name; settings' flags are gone already. Returns an exit code. */
	int (*run)(int argc, char **argv);
};

extern const struct command command_serve, command_migrate, command_import, command_config,
	command_routes, command_openapi, command_version, command_keys, command_audit, command_mail,
	command_user;

#endif
