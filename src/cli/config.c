/* SPDX-License-Identifier: Apache-2.0 */
/* guildford config: every setting with its value, where that came from, and what it is. */
#include <stdio.h>
#include <stdlib.h>
#include "base/config.h"
#include "cli/command.h"
#include "base/banned.h"

enum { VALUE_MAX = 4001 };

static void print_row(size_t i)
{
	const struct config_row *row = &config_rows[i];
	char *value = calloc(1, VALUE_MAX);

	if (!value)
		abort();
	config_text(i, false, value, VALUE_MAX);
	printf("%-38s %-52s %-11s %s%s%s%s", row->env, value[0] ? value : "-", config_source(i),
	       row->doc, row->unit ? " (" : "", row->unit ? row->unit : "", row->unit ? ")" : "");
	if (row->flag)
		printf(" --%s", row->flag);
	putchar('\n');
	free(value);
}

static int run(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return EXIT_USAGE;
	printf("%-38s %-52s %-11s %s\n", "SETTING", "VALUE", "SOURCE", "MEANING");
	for (size_t i = 0; i < config_rows_count; i++)
		print_row(i);
	return EXIT_DONE;
}

const struct command command_config = {
	.name = "config",
	.usage = "config",
	.doc = "print every setting with its value and source",
	.help = "Prints each setting: the environment variable, its value (secrets masked), whether the value is the\n"
		"default, from the environment or from a flag, what it means, and the flag that sets it.",
	.run = run,
};
