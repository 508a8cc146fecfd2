/* SPDX-License-Identifier: Apache-2.0 */
/* The program's entry: settings, then the command that was asked for. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "base/config.h"
#include "base/log.h"
#include "cli/command.h"
#include "base/banned.h"

static const struct command *const commands[] = {
	&command_serve,	 &command_migrate, &command_import,  &command_config,
	&command_routes, &command_openapi, &command_version, &command_keys,
	&command_audit,	 &command_mail,	   &command_user,
};

static void print_usage(FILE *out)
{
	fputs("usage: guildford COMMAND [--data DIR] [--help]\n\n", out);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->doc);
	fputs("\nguildford config lists the settings: environment variables, and flags that go before them.\n",
	      out);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static enum log_level level_of(const char *name)
{
	static const char *const names[] = { "debug", "info", "warn", "error", "off" };

	for (int i = 0; i < (int)COUNT_OF(names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum log_level)i;
	return LOG_INFO;
}

static int run(const struct command *command, int argc, char **argv)
{
	char why[500];
	int rc;

	if (config_load(&argc, argv, why, sizeof(why)) != 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return EXIT_USAGE;
	}
	log_setup(level_of(config.log_level), command->name);
	rc = command->run(argc, argv);
	if (rc == EXIT_USAGE)
		fprintf(stderr, "usage: guildford %s\nguildford %s --help says more.\n",
			command->usage, command->name);
	log_flush();
	return rc;
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find(argv[1]) : NULL;

	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0)
		return EXIT_FAILED;
	if (!command) {
		bool help = argc > 1 && (wants_help(argc, argv) || strcmp(argv[1], "help") == 0);

		if (argc > 1 && !help)
			fprintf(stderr, "guildford: there is no command \"%s\"\n", argv[1]);
		print_usage(help ? stdout : stderr);
		return help ? EXIT_DONE : EXIT_USAGE;
	}
	if (wants_help(argc - 1, argv + 1)) {
		printf("usage: guildford %s\n\n%s\n", command->usage, command->help);
		return EXIT_DONE;
	}
	return run(command, argc - 1, argv + 1);
}
