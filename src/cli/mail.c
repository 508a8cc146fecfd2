/* SPDX-License-Identifier: Apache-2.0 */
/* guildford mail: what waits to be sent and what could not be, sending that again, and a first mail to see one arrive. */
#include <stdio.h>
#include <string.h>
#include "base/config.h"
#include "base/secret.h"
#include "base/uuid.h"
#include "cli/command.h"
#include "cli/database.h"
#include "store/mail.h"
#include "base/banned.h"

static int list(struct task *t, void *arg)
{
	const bool *dead = arg;
	struct pg_rows *rows;
	int rc = mail_list(t, *dead, &rows);

	if (rc)
		return rc;
	for (int i = 0; i < pg_count(rows); i++) {
		const char *next = pg_value(rows, i, 5), *error = pg_value(rows, i, 6);

		printf("%s  %s  %s to %s, %s attempts%s%s%s%s\n", pg_value(rows, i, 0),
		       pg_value(rows, i, 4), pg_value(rows, i, 1), pg_value(rows, i, 2),
		       pg_value(rows, i, 3), next ? ", next " : "", next ? next : "",
		       error ? ": " : "", error ? error : "");
	}
	if (pg_count(rows) == MAIL_LIST_MAX)
		printf("these are the oldest %d\n", MAIL_LIST_MAX);
	return OK;
}

static int replay(struct task *t, void *arg)
{
	const char *id = arg;
	long long count = 0;
	int rc = mail_replay(t, id, &count);

	if (rc)
		return rc;
	if (id && count == 0)
		return task_fail(t, E_NOT_FOUND, "There is no dead mail with this id");
	printf("%lld will be sent again\n", count);
	return OK;
}

static int queue_test(struct task *t, void *arg)
{
	int rc = mail_queue(t, "test", arg, MAIL_NONE);

	if (rc == OK)
		puts("queued; guildford serve sends it");
	return rc;
}

static int run_test(char *address)
{
	char why[300];

	if (secret_setup(config.secret_key, config.data, why, sizeof(why)) != 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return EXIT_FAILED;
	}
	return database_run(queue_test, address);
}

static int run(int argc, char **argv)
{
	bool dead = argc == 3 && strcmp(argv[2], "--dead") == 0;

	if (argc < 2)
		return EXIT_USAGE;
	if (strcmp(argv[1], "list") == 0 && (argc == 2 || dead))
		return database_run(list, &dead);
	if (argc != 3)
		return EXIT_USAGE;
	if (strcmp(argv[1], "replay") == 0 && strcmp(argv[2], "--all-dead") == 0)
		return database_run(replay, NULL);
	if (strcmp(argv[1], "replay") == 0 && uuid_is(argv[2]))
		return database_run(replay, argv[2]);
	if (strcmp(argv[1], "test") == 0)
		return run_test(argv[2]);
	return EXIT_USAGE;
}

const struct command command_mail = {
	.name = "mail",
	.usage = "mail list [--dead] | replay ID|--all-dead | test ADDRESS",
	.doc = "what waits to be sent, and what could not be",
	.help = "Mails are queued in the database; the jobs process of `guildford serve` sends them to SMTP_URL or, without it,\n"
		"writes them into mail/ of the data folder.\n"
		"  list               the mails that wait or are dead, oldest first, with the last error\n"
		"  list --dead        only those that were given up\n"
		"  replay ID          lets a dead mail wait again as if it were new\n"
		"  replay --all-dead  all of them\n"
		"  test ADDRESS       queues a mail that says that mail arrives",
	.run = run,
};
