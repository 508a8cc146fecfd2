/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a command its database; see database.h. */
#include "cli/database.h"

#include <stdio.h>
#include "base/config.h"
#include "cli/command.h"
#include "io/loop.h"
#include "store/cluster.h"
#include "store/pg.h"
#include "base/banned.h"

enum { STATEMENT_TIMEOUT_MS = 600000 };

struct job {
	const char *url;
	int (*fn)(struct task *t, void *arg);
	void *arg;
};

static int run_job(struct task *t, void *arg)
{
	const struct job *job = arg;
	int rc;

	pg_open(&(struct pg_settings) { .url = job->url,
					.pipelines = 1,
					.leases = 2,
					.statement_timeout = STATEMENT_TIMEOUT_MS,
					.name = "guildford command" });
	rc = job->fn(t, job->arg);
	pg_close();
	return rc;
}

int database_run_at(const char *url, int (*fn)(struct task *t, void *arg), void *arg)
{
	struct job job = { .url = url, .fn = fn, .arg = arg };
	char why[1000] = "";
	int rc = task_run(run_job, &job, why, sizeof(why));

	loop_close();
	if (rc == OK)
		return EXIT_DONE;
	fprintf(stderr, "guildford: %s%s\n", why,
		rc == E_UNAVAILABLE && config.database_url[0] ? " (DATABASE_URL says where)" : "");
	return EXIT_FAILED;
}

int database_run(int (*fn)(struct task *t, void *arg), void *arg)
{
	struct cluster cluster = { 0 };
	char why[600];
	int rc;

	if (config.database_url[0])
		return database_run_at(config.database_url, fn, arg);
	if (cluster_start(config.data, &cluster, why, sizeof(why)) != 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return EXIT_FAILED;
	}
	rc = database_run_at(cluster.url, fn, arg);
	cluster_stop(&cluster);
	return rc;
}
