/* SPDX-License-Identifier: Apache-2.0 */
/* A redis-server of the test's own on a socket in a temporary folder, that can be stopped, paused and started again. */
#ifndef TESTS_UNIT_WITH_REDIS_H
#define TESTS_UNIT_WITH_REDIS_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/log.h"
#include "io/loop.h"
#include "store/redis.h"

static char redis_folder[] = "/tmp/guildford-redis-XXXXXX";
static char redis_url[100];
static pid_t redis_pid;

static inline void redis_start(const char *option, const char *value)
{
	redis_pid = fork();
	if (redis_pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", "redis.sock",
		       "--dir", redis_folder, "--save", "", option, value, NULL);
		_exit(1);
	}
}

static inline void redis_signal(int number)
{
	kill(redis_pid, number);
}

static inline void redis_kill(void)
{
	redis_signal(SIGKILL);
	waitpid(redis_pid, NULL, 0);
}

static inline int start_redis(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);   /* as main() does */
	log_setup(LOG_OFF, "test"); /* its absence is what is tested */
	if (!mkdtemp(redis_folder))
		return -1;
	snprintf(redis_url, sizeof(redis_url), "unix://%s/redis.sock", redis_folder);
	redis_start("--appendonly", "no");
	return 0;
}

static inline int stop_redis(void **state)
{
	char path[100];

	(void)state;
	loop_close();
	redis_kill();
	snprintf(path, sizeof(path), "%s/redis.sock", redis_folder);
	unlink(path);
	return rmdir(redis_folder);
}

/* Waits until Redis is up (or away), ten seconds at most: far longer than it takes. */
static inline bool wait_redis(struct task *t, bool up)
{
	for (int i = 0; i < 1000 && redis_is_up() != up; i++)
		sleep_for(t, 10);
	return redis_is_up() == up;
}

static inline int with_redis(struct task *t, void *arg)
{
	int (*const *fn)(struct task *) = arg;
	int rc;

	redis_open(redis_url, 1000);
	rc = (*fn)(t);
	redis_close();
	sleep_for(t, 10); /* until its handles are closed */
	return rc;
}

/* Runs fn in a task, with Redis open; gives what it returns: OK, or which check failed. */
static inline int in_redis_task(int (*fn)(struct task *))
{
	return task_run(with_redis, &fn, NULL, 0);
}

#endif
