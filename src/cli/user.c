/* SPDX-License-Identifier: Apache-2.0 */
/* guildford user: accounts and roles from the command line, for the first admin and for whoever has locked themselves out. */
#include "cli/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "auth/account.h"
#include "auth/guard.h"
#include "auth/password.h"
#include "auth/people.h"
#include "auth/session.h"
#include "base/config.h"
#include "base/formats.h"
#include "base/secret.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/database.h"
#include "store/audit.h"
#include "store/migrate.h"
#include "store/pg.h"
#include "base/banned.h"

enum { PASSWORD_BYTES = 4 * PASSWORD_MAX + 2 };

struct options {
	const char *verb, *email, *role, *name;
	bool from_stdin;
	char password[PASSWORD_BYTES];
	char *hash;
};

static int note(struct task *t, const char *action, const char *person_id, const char *role)
{
	const struct audit_event event = {
		.action = action,
		.actor_kind = "program",
		.resource = "person",
		.resource_id = person_id,
		.detail = role ? talloc_asprintf(t->mem, "{\"role\":\"%s\"}", role) : NULL
	};

	return audit_add(t, &event);
}

static int give(struct task *t, void *arg)
{
	struct options *options = arg;
	const char *id;
	int rc = people_find(t, options->email, &id);

	if (!rc)
		rc = people_grant(t, id, options->role, NULL);
	return rc ? rc : note(t, "person:grant", id, options->role);
}

static int take(struct task *t, void *arg)
{
	struct options *options = arg;
	const char *id;
	int rc = people_find(t, options->email, &id);

	if (!rc)
		rc = people_revoke(t, id, options->role);
	return rc ? rc : note(t, "person:revoke", id, options->role);
}

static int unlock(struct task *t, void *arg)
{
	const struct options *options = arg;

	return guard_forget(t, options->email);
}

static int make(struct task *t, void *arg)
{
	struct options *options = arg;
	const char *id;
	int rc = account_create(t, options->email, options->name ? options->name : options->email,
				options->hash, &id);

	if (!rc)
		rc = note(t, "person:create", id, NULL);
	if (rc || !options->role)
		return rc;
	rc = people_grant(t, id, options->role, NULL);
	return rc ? rc : note(t, "person:grant", id, options->role);
}

/* The password's hash is made before the transaction: it takes a while. */
static int create(struct task *t, struct options *options)
{
	const char *problem = password_problem(t->mem, options->password, options->email);
	int rc;

	if (problem)
		return task_fail(t, E_VALIDATION, "The password %s", problem);
	rc = password_hash(t, options->password, &options->hash);
	return rc ? rc : pg_transaction(t, make, options);
}

static int create_and_tell(struct task *t, struct options *options)
{
	int rc;

	if (!options->from_stdin)
		snprintf(options->password, sizeof(options->password), "%s", secret_token(t->mem));
	rc = create(t, options);
	if (!rc && !options->from_stdin)
		printf("%s\n", options->password);
	return rc;
}

static int write_password(struct task *t, const char *path, const char *password)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t len = strlen(password);
	bool good = fd >= 0 && write(fd, password, len) == (ssize_t)len;

	if (fd >= 0 && close(fd) == 0 && good)
		return OK;
	return task_fail(t, E_INTERNAL, "Cannot write %s: %s", path, strerror(errno));
}

/* The file first: a password that nobody could read would lock the town's owner out. */
int user_first_admin(struct task *t, const char *email, const char *path)
{
	struct options options = { .email = email, .role = "admin", .name = "Admin" };
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "select 1 from auth.person limit 1", PG_NONE);

	if (rc || pg_count(rows) > 0)
		return rc;
	snprintf(options.password, sizeof(options.password), "%s", secret_token(t->mem));
	rc = write_password(t, path, options.password);
	return rc ? rc : create(t, &options);
}

static int work(struct task *t, void *arg)
{
	static const struct {
		const char *verb;
		int (*fn)(struct task *t, void *arg);
	} verbs[] = { { "grant", give }, { "revoke", take }, { "unlock", unlock } };
	struct options *options = arg;
	char why[300];
	int rc = migrate_check(t);

	if (rc)
		return rc;
	if (secret_setup(config.secret_key, config.data, why, sizeof(why)) != 0)
		return task_fail(t, E_INTERNAL, "%s", why);
	options->email = format_email(t->mem, options->email);
	if (!options->email)
		return task_fail(t, E_VALIDATION, "That is no e-mail address");
	if (strcmp(options->verb, "create") == 0)
		return create_and_tell(t, options);
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		if (strcmp(verbs[i].verb, options->verb) == 0)
			return pg_transaction(t, verbs[i].fn, options);
	return E_INTERNAL;
}

static int read_password(struct options *options)
{
	if (!fgets(options->password, sizeof(options->password), stdin))
		return EXIT_USAGE;
	options->password[strcspn(options->password, "\r\n")] = '\0';
	options->from_stdin = true;
	return EXIT_DONE;
}

/* Options of create, behind the address. */
static int read_options(int argc, char **argv, struct options *options)
{
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "--name") == 0 && i + 1 < argc)
			options->name = argv[++i];
		else if (strcmp(argv[i], "--role") == 0 && i + 1 < argc)
			options->role = argv[++i];
		else if (strcmp(argv[i], "--password-stdin") == 0 && read_password(options) == 0)
			continue;
		else
			return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct options options = { 0 };
	bool create_it, role_given;

	if (argc < 3)
		return EXIT_USAGE;
	options.verb = argv[1];
	options.email = argv[2];
	create_it = strcmp(options.verb, "create") == 0;
	role_given = strcmp(options.verb, "grant") == 0 || strcmp(options.verb, "revoke") == 0;
	if (!create_it && !role_given && strcmp(options.verb, "unlock") != 0)
		return EXIT_USAGE;
	if (create_it && read_options(argc, argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	if (!create_it && argc != (role_given ? 4 : 3))
		return EXIT_USAGE;
	if (role_given)
		options.role = argv[3];
	if (options.role && !str_is_slug(options.role, 40))
		return EXIT_USAGE;
	return database_run(work, &options);
}

const struct command command_user = {
	.name = "user",
	.usage =
		"user create EMAIL [--name NAME] [--role ROLE] [--password-stdin] | grant EMAIL ROLE | revoke EMAIL ROLE | unlock EMAIL",
	.doc = "make accounts, give and take roles",
	.help = "create   makes an account whose address counts as confirmed. The password is read from standard input with\n"
		"         --password-stdin; without it one is made and printed.\n"
		"grant    gives a role: member, moderator, admin, or one of GET /v1/roles\n"
		"revoke   takes it; access tokens of before are refused within a second\n"
		"unlock   lets somebody sign in again who has failed ten times",
	.run = run,
};
