/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs process: each row of a `jobs` table runs in a coroutine of its own, again and again. When it is due is said in
 * store/job.h; what fails is logged, counted and tried again later. The supervisor in serve.c forks it.
 */
#include "cli/jobs.h"

#include <assert.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "cli/command.h"
#include "io/coro.h"
#include "io/loop.h"
#include "io/offload.h"
#include "model/resource.h"
#include "store/audit.h"
#include "store/job.h"
#include "store/mail.h"
#include "store/mail_send.h"
#include "store/memo.h"
#include "store/pg.h"
#include "base/banned.h"

enum {
	STACK_BYTES = 128 * 1024,
	STACKS_POOLED = 4,
	RUNNERS_MAX = 40,
	LEASES = 3,
	STATEMENT_TIMEOUT_MS = 60000,
	POLL_MAX_MS = 60000, /* another node may have failed at what we would do in an hour */
	ASK_MS = 5000,
	MORE_MS = 500 /* that coroutines have to end once their deadlines have passed */
};

/* Instrumented frames are several times as large. */
#ifdef GUILDFORD_SANITIZE
enum { STACK_FACTOR = 4 };
#else
enum { STACK_FACTOR = 1 };
#endif

/* The jobs that belong to no service. */
static const struct job platform_jobs[] = {
	{ .name = "mail_send",
	  .every_ms = 1000,
	  .timeout_ms = MAIL_SEND_TIMEOUT_MS,
	  .wanted = MAIL_SEND_WANTED,
	  .fn = mail_send,
	  .doc = "Sends the mails that wait." },
	{ .name = "audit_seal",
	  .every_ms = 1000,
	  .timeout_ms = 30000,
	  .wanted = "exists (select from platform.audit_unsealed)",
	  .fn = audit_seal,
	  .doc = "Appends new audit events to the chain." },
	{ .name = "mail_measure",
	  .every_ms = 5000,
	  .timeout_ms = 5000,
	  .every_node = true,
	  .fn = mail_measure,
	  .doc = "Counts the mails that wait." },
	{ .name = "mail_clean_up",
	  .every_ms = 3600000,
	  .timeout_ms = 60000,
	  .fn = mail_clean_up,
	  .doc = "Removes mails that were sent 30 days ago, or died 90 days ago." },
	{ 0 },
};

/* A job and the coroutine that runs it. */
struct runner {
	const struct job *job;
	bool prepared;
	struct task *task;    /* of the run, NULL between runs */
	struct waiter *pause; /* what it waits for between runs, else NULL */
};

static struct runner runners[RUNNERS_MAX];
static int runner_count, running;
static bool stopping;
static const char *holder;

static void add_jobs(const struct job *jobs)
{
	for (; jobs && jobs->name; jobs++) {
		assert(runner_count < RUNNERS_MAX);
		runners[runner_count++].job = jobs;
	}
}

static uint64_t from_now(int ms)
{
	return time_monotonic_us() + (uint64_t)ms * 1000;
}

/* Asks whether it is our turn. While the database is away it is not, and the workers' log says so. */
static bool is_our_turn(struct runner *r, struct task *t)
{
	bool taken = false;

	if (r->job->every_node)
		return pg_is_up();
	t->deadline = from_now(ASK_MS);
	if (!r->prepared && job_prepare(t, r->job, holder) != OK)
		return false;
	r->prepared = true;
	return job_take(t, r->job, holder, &taken) == OK && taken;
}

static void report(const struct job *job, const struct failure *failure, int rc)
{
	metric_add(METRIC_JOBS_FAILURES, 1);
	log_error("job %s: %s%s%s", job->name,
		  failure->message ? failure->message : errors[rc].title,
		  failure->cause ? ": " : "", failure->cause ? failure->cause : "");
}

static void run_once(struct runner *r)
{
	struct task t = { .mem = talloc_new(NULL) };
	int rc;

	if (is_our_turn(r, &t)) {
		task_forgive(&t);
		t.deadline = from_now(r->job->timeout_ms);
		r->task = &t;
		rc = r->job->fn(&t);
		r->task = NULL;
		metric_add(METRIC_JOBS_RUNS, 1);
		if (rc)
			report(r->job, &t.failure, rc);
		task_forgive(&t);
		t.deadline = from_now(ASK_MS);
		/* if that fails, the lease ends by itself */
		if (!r->job->every_node && job_end(&t, r->job, holder, rc != OK) != OK)
			log_warn("job %s: its lease could not be given back", r->job->name);
	}
	talloc_free(t.mem);
}

static void pause_runner(struct runner *r)
{
	int ms = r->job->every_ms < POLL_MAX_MS ? r->job->every_ms : POLL_MAX_MS;
	struct waiter w = { 0 };
	int rc;

	r->pause = &w;
	rc = waiter_wait(&w, from_now(ms));
	(void)rc; /* over is over */
	r->pause = NULL;
}

static void finish(void)
{
	pg_close();
	loop_stop(); /* kept SMTP connections end with the process: libcurl would wait for their good-byes */
}

static void run_runner(void *arg)
{
	struct runner *r = arg;

	while (!stopping) {
		run_once(r);
		if (!stopping)
			pause_runner(r);
	}
	if (--running == 0)
		finish();
}

/* What still runs after its deadline waits for nothing that ends: its lease will. */
static void on_too_late(uv_timer_t *timer)
{
	(void)timer;
	log_warn("%d jobs did not end in time", running);
	loop_stop();
}

static void on_terminate(uv_signal_t *signal, int number)
{
	static uv_timer_t timer;
	uint64_t deadline = from_now(config.drain_timeout);

	(void)signal;
	(void)number;
	if (stopping)
		return;
	stopping = true;
	uv_timer_init(loop_get(), &timer);
	uv_timer_start(&timer, on_too_late, (uint64_t)config.drain_timeout + MORE_MS, 0);
	for (int i = 0; i < runner_count; i++) {
		struct runner *r = &runners[i];

		if (r->task && r->task->deadline > deadline)
			r->task->deadline = deadline;
		if (r->pause)
			waiter_wake(r->pause, OK);
	}
}

static void say_ready(int fd)
{
	if (fd < 0)
		return;
	if (write(fd, "+", 1) != 1)
		log_error("cannot tell the supervisor that we are ready");
	close(fd);
}

static int start_runners(void)
{
	add_jobs(platform_jobs);
	for (const struct service *const *s = services; *s; s++)
		add_jobs((*s)->jobs);
	running = runner_count;
	for (int i = 0; i < runner_count; i++)
		if (coro_start(run_runner, &runners[i]) != 0)
			return -1;
	return 0;
}

int jobs_run(const struct jobs_settings *settings)
{
	static uv_signal_t terminate;

	prctl(PR_SET_NAME, "guildford-jobs");
	log_setup(log_level(), "jobs");
	metrics_use_slot(METRIC_SLOT_JOBS);
	offload_close();
	coro_setup((size_t)STACK_BYTES * STACK_FACTOR, STACKS_POOLED);
	uv_signal_init(loop_get(), &terminate);
	uv_signal_start(&terminate, on_terminate, SIGTERM);
	holder = settings->holder;
	pg_open(&(struct pg_settings) { .url = settings->url,
					.pipelines = 1,
					.leases = LEASES,
					.statement_timeout = STATEMENT_TIMEOUT_MS,
					.name = "jobs" });
	say_ready(settings->ready_fd);
	if (start_runners() != 0)
		return EXIT_FAILED;
	loop_run();
	loop_close();
	memo_clear();
	coro_cleanup();
	log_flush();
	return EXIT_DONE;
}
