/* SPDX-License-Identifier: Apache-2.0 */
/* guildford openapi: the description of the API, as GET /v1/openapi.json gives it. */
#include <stdio.h>
#include "gateway/describe.h"
#include "api/pipeline.h"
#include "cli/command.h"
#include "base/banned.h"

enum { DOCUMENT_MAX = 4 << 20 };

static int run(int argc, char **argv)
{
	struct buf document;

	(void)argv;
	if (argc > 1)
		return EXIT_USAGE;
	api_setup();
	buf_init(&document, NULL, DOCUMENT_MAX);
	describe_openapi(&document);
	puts(buf_text(&document));
	talloc_free(document.data);
	return EXIT_DONE;
}

const struct command command_openapi = {
	.name = "openapi",
	.usage = "openapi",
	.doc = "print the OpenAPI 3.1 document",
	.help = "Prints the OpenAPI 3.1 document of the API as JSON. It is made from the tables and needs no database.",
	.run = run,
};
