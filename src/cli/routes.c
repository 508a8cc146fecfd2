/* SPDX-License-Identifier: Apache-2.0 */
/* guildford routes: every route of the program in a table, as it is served. */
#include <stdio.h>
#include "api/pipeline.h"
#include "api/route.h"
#include "cli/command.h"
#include "base/banned.h"

enum { TABLE_MAX = 1 << 20 };

static int run(int argc, char **argv)
{
	struct buf table;

	(void)argv;
	if (argc > 1)
		return EXIT_USAGE;
	api_setup();
	buf_init(&table, NULL, TABLE_MAX);
	routes_print(&table);
	fputs(buf_text(&table), stdout);
	talloc_free(table.data);
	return EXIT_DONE;
}

const struct command command_routes = {
	.name = "routes",
	.usage = "routes",
	.doc = "print the routes, who may use them and what they do",
	.help = "Prints each route with its method, path, who may use it and its operation. Paths under /v1 are\n"
		"served without /v1 as well.",
	.run = run,
};
