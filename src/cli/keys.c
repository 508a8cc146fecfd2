/* SPDX-License-Identifier: Apache-2.0 */
/* guildford keys: the keys that access tokens are signed with; store/keys.h says how they come and go. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/config.h"
#include "base/secret.h"
#include "cli/command.h"
#include "cli/database.h"
#include "store/keys.h"
#include "store/migrate.h"
#include "store/pg.h"
#include "base/banned.h"

struct rotation {
	bool at_once, lost;
};

static int list(struct task *t, void *arg)
{
	struct pg_rows *rows;
	int rc = migrate_check(t);

	(void)arg;
	if (!rc)
		rc = pg_query(
			t, &rows,
			"select kid, to_char(signs_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
			"coalesce(to_char(retired_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '-'), "
			"case when retired_at <= now() then 'retired' when signs_at > now() then 'announced' "
			"when created_at < max(created_at) filter (where signs_at <= now() and "
			"(retired_at > now() or retired_at is null)) over () then 'verifies' else 'signs' end "
			"from platform.signing_key order by created_at desc",
			PG_NONE);
	if (rc)
		return rc;
	printf("%-43s %-9s %-20s %s\n", "KEY", "STATE", "SIGNS FROM", "RETIRES");
	for (int i = 0; i < pg_count(rows); i++)
		printf("%-43s %-9s %-20s %s\n", pg_value(rows, i, 0), pg_value(rows, i, 3),
		       pg_value(rows, i, 1), pg_value(rows, i, 2));
	return OK;
}

/* Who cannot read the keys that sign now has not the nodes' secret key: they could not read a key of his either. */
static int rotate(struct task *t, void *arg)
{
	const struct rotation *rotation = arg;
	int rc = migrate_check(t);

	if (!rc && !rotation->lost)
		rc = keys_load(t);
	if (!rc)
		rc = keys_rotate(t, rotation->at_once || rotation->lost);
	return rc ? rc : list(t, NULL);
}

static int run(int argc, char **argv)
{
	struct rotation rotation = { .at_once = argc == 3 && strcmp(argv[2], "--now") == 0,
				     .lost = argc == 3 && strcmp(argv[2], "--lost") == 0 };
	char why[1300];

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return database_run(list, NULL);
	if (argc < 2 || argc > 3 || strcmp(argv[1], "rotate") != 0 ||
	    (argc == 3 && !rotation.at_once && !rotation.lost))
		return EXIT_USAGE;
	if (secret_setup(config.secret_key, config.data, why, sizeof(why)) != 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return EXIT_FAILED;
	}
	return database_run(rotate, &rotation);
}

const struct command command_keys = {
	.name = "keys",
	.usage = "keys list | keys rotate [--now | --lost]",
	.doc = "list or rotate the keys that access tokens are signed with",
	.help = "list shows the keys: one signs; others are announced, still verify, or have retired.\n"
		"rotate makes a new key. It is published at once and signs in five minutes; the older ones verify until the\n"
		"last token that they signed has expired. No request is refused, and nothing needs a restart.\n"
		"  --now   it signs in two seconds: when a key has leaked\n"
		"  --lost  the same when the secret key was lost, so that the older keys cannot be read",
	.run = run,
};
