/* SPDX-License-Identifier: Apache-2.0 */
/* guildford version: which program this is. */
#include <stdio.h>
#include "cli/command.h"
#include "base/banned.h"

static int run(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return EXIT_USAGE;
	puts("guildford " GUILDFORD_VERSION);
	return EXIT_DONE;
}

const struct command command_version = {
	.name = "version",
	.usage = "version",
	.doc = "print the version",
	.help = "Prints the program's name and version.",
	.run = run,
};
