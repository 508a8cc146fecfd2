/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private cluster in a temporary folder that the test's program starts and stops itself. Each test's work is a task:
 * cmocka's own jumps must not cross coroutine stacks, so a task returns its result.
 */
#ifndef TESTS_UNIT_WITH_CLUSTER_H
#define TESTS_UNIT_WITH_CLUSTER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/log.h"
#include "io/loop.h"
#include "store/cluster.h"
#include "store/pg.h"

static struct cluster cluster;
static char folder[] = "/tmp/guildford-test-XXXXXX";

static inline int with_pool(struct task *t, void *arg)
{
	const struct pg_settings settings = { .url = cluster.url,
					      .pipelines = 2,
					      .leases = 2,
					      .statement_timeout = 5000,
					      .name = "test" };
	int (*const *fn)(struct task *) = arg;
	int rc;

	pg_open(&settings);
	rc = (*fn)(t);
	pg_close();
	sleep_for(t, 1); /* until its timers are closed: the next pool begins where they are */
	return rc;
}

/* Runs fn in a task, with a pool of two pipelines and two leases; gives what it returns: OK, or which check failed. */
static inline int in_task(int (*fn)(struct task *))
{
	return task_run(with_pool, &fn, NULL, 0);
}

static inline int start_cluster(void **state)
{
	char why[300] = "";

	(void)state;
	log_setup(LOG_OFF, "test"); /* errors are what is tested */
	if (!mkdtemp(folder) || chmod(folder, 0755) != 0)
		return -1;
	if (cluster_start(folder, &cluster, why, sizeof(why)) == 0)
		return 0;
	print_error("%s\n", why);
	return -1;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int stop_cluster(void **state)
{
	(void)state;
	loop_close();
	cluster_stop(&cluster);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
