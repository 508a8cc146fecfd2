/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: database, server, drain. The supervisor in serve.c forks it. */
#include "cli/worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "api/pipeline.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "cli/command.h"
#include "gateway/revoked.h"
#include "gateway/limit.h"
#include "gateway/seen.h"
#include "io/coro.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/offload.h"
#include "io/transfer.h"
#include "store/keys.h"
#include "store/memo.h"
#include "store/pg.h"
#include "store/redis.h"
#include "base/banned.h"

enum {
	STACK_BYTES = 128 * 1024,
	STACKS_POOLED = 64,
	READY_POLL_MS = 5,
	READY_POLLS = 600,
	REDIS_POLLS = 200
};

/* Instrumented frames are several times as large. */
#ifdef GUILDFORD_SANITIZE
enum { STACK_FACTOR = 4 };
#else
enum { STACK_FACTOR = 1 };
#endif

/* The kernel does not interrupt PostgreSQL for each answer that we could take from it: we find several when our turn comes,
 * and so does it. On a machine whose cores are shared by both, reads by id rose from 45,000 to 57,000 a second (two cores,
 * 64 connections, the load generator on them as well). */
static void be_patient(void)
{
	if (sched_setscheduler(0, SCHED_BATCH, &(struct sched_param) { 0 }) != 0)
		log_warn("cannot choose the scheduling of batches: %s", strerror(errno));
}

static void drained(void)
{
	revoked_stop();
	pg_close();
	transfer_close();
	redis_close();
	loop_stop();
}

static void on_terminate(uv_signal_t *signal, int number)
{
	/* it stays open: a service manager tells everybody, then the supervisor tells us once more */
	(void)signal;
	(void)number;
	http_drain(config.drain_timeout, drained);
}

/* Ready when the database answers; without one it serves all the same after a while, and says 503. Redis gets a moment. */
static void announce(void *arg)
{
	const struct worker_settings *settings = arg;
	struct task t = { .mem = talloc_new(NULL) };

	for (int i = 0; i < READY_POLLS && !pg_is_up(); i++)
		sleep_for(&t, READY_POLL_MS);
	t.deadline = time_monotonic_us() + (uint64_t)config.request_timeout * 1000;
	/* else at the first token */
	if (keys_load(&t) != OK)
		log_warn("the signing keys cannot be read yet");
	for (int i = 0; i < REDIS_POLLS && config.redis_url[0] && !redis_is_up(); i++)
		sleep_for(&t, READY_POLL_MS);
	talloc_free(t.mem);
	if (settings->ready_fd < 0)
		return;
	if (write(settings->ready_fd, "+", 1) != 1)
		log_error("cannot tell the supervisor that we are ready");
	close(settings->ready_fd);
}

static int start_serving(const struct worker_settings *settings)
{
	const struct http_limits limits = {
		.header_max = config.header_max,
		.url_max = config.url_max,
		.body_max = config.body_max,
		.header_timeout = config.header_timeout,
		.body_timeout = config.body_timeout,
		.idle_timeout = config.idle_timeout,
		.write_timeout = config.write_timeout,
		.connections_max = config.connections_max,
		.requests_max = config.requests_max,
	};

	return http_serve(settings->listen_fd, &limits, pipeline_handle);
}

int worker_run(const struct worker_settings *settings)
{
	static uv_signal_t terminate;
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "worker %d", settings->number);
	log_setup(log_level(), name);
	metrics_use_slot(settings->number);
	time_set_zone(config.time_zone);
	be_patient();
	coro_setup((size_t)STACK_BYTES * STACK_FACTOR, STACKS_POOLED);
	/* one more than can be at work, so that none waits for the next one's message */
	offload_join(settings->number, settings->hashers + 1, config.password_queue);
	uv_signal_init(loop_get(), &terminate);
	uv_signal_start(&terminate, on_terminate, SIGTERM);
	pg_open(&(struct pg_settings) { .url = settings->url,
					.pipelines = config.database_pipelines,
					.leases = config.database_leases,
					.statement_timeout = config.statement_timeout,
					.pages = true,
					.name = name });
	revoked_start();
	redis_open(config.redis_url, config.redis_timeout);
	limit_open();
	rc = start_serving(settings);
	if (rc) {
		log_error("cannot serve: %s", uv_strerror(rc));
		return EXIT_FAILED;
	}
	if (coro_start(announce, (void *)settings) != 0)
		return EXIT_FAILED;
	loop_run();
	offload_close();
	loop_close();
	memo_clear();
	seen_clear();
	coro_cleanup();
	log_flush();
	return EXIT_DONE;
}
