/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: settings, one argument a line. An address that passes is one that the socket takes. */
#include "cli/listen.c"

#include "fuzz.h"
#include "base/config.h"
#include "base/str.h"

enum { ARGUMENTS_MAX = 64 };

static void check_settings(void)
{
	struct sockaddr_storage address;
	socklen_t len;
	static char shown[8192];

	assert(parse(config.listen, &address, &len) == 0);
	for (size_t i = 0; i < config_rows_count; i++) {
		config_text(i, false, shown, sizeof(shown));
		assert(!(config_rows[i].flags & CONFIG_SECRET) || !shown[0] ||
		       strspn(shown, "*") == strlen(shown));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char why[1024] = "", *argv[ARGUMENTS_MAX + 1], **lines;
	int argc = str_split(mem, talloc_strndup(mem, (const char *)data, size), '\n',
			     ARGUMENTS_MAX, &lines);
	int given = argc;

	if (argc > 0) {
		memcpy(argv, lines, (size_t)argc * sizeof(*lines));
		argv[argc] = NULL;
		if (config_load(&argc, argv, why, sizeof(why)) == 0)
			check_settings();
		else
			assert(why[0]);
		assert(argc >= 0 && argc <= given);
	}
	talloc_free(mem);
	return 0;
}
