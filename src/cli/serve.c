/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guildford serve: the supervisor. It prepares the database, opens the socket, forks the workers, the jobs process and
 * the hashers, starts again what dies, and ends everything in order. It serves no request itself and may block.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "api/pipeline.h"
#include "model/schema.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/uuid.h"
#include "business/import.h"
#include "event/import.h"
#include "cli/command.h"
#include "cli/database.h"
#include "cli/hasher.h"
#include "cli/jobs.h"
#include "cli/listen.h"
#include "cli/user.h"
#include "cli/worker.h"
#include "gateway/client.h"
#include "gateway/limit.h"
#include "io/loop.h"
#include "io/offload.h"
#include "store/cluster.h"
#include "store/keys.h"
#include "store/migrate.h"
#include "store/pg.h"
#include "store/redis.h"
#include "base/banned.h"

enum {
	WORKERS_MAX = METRIC_SLOT_JOBS - 1,
	HASHERS_MAX = 128,
	BACKOFF_FIRST_US = 100000,
	BACKOFF_MAX_US = 10000000,
	STEADY_US = 30000000, /* who lived that long starts with the first back-off again */
	TICK_MS = 200,
	READY_MS = 30000,
	GRACE_US = 3000000,
	DATABASE_WAIT_US = 30000000
};

struct child {
	pid_t pid; /* 0: to be started at start_us */
	uint64_t started_us, start_us, backoff_us;
};

static struct supervisor {
	struct cluster cluster;
	bool private_cluster;
	const char *url;
	int listen_fd;
	int workers, hashers;
	struct child children[WORKERS_MAX + 1 + HASHERS_MAX];
	char holder[UUID_TEXT_SIZE]; /* of our jobs' leases */
	uint64_t cluster_backoff_us, cluster_start_us;
	sigset_t signals;
	bool migrate;
	const char *sample, *admin;
} supervisor;

/* What ends the program in order, SIGKILL being for the rest. */
static const int endings[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

static bool is_ending(int number)
{
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (endings[i] == number)
			return true;
	return false;
}

/* Who was started with nohup stays when the terminal goes. */
static void block_signals(void)
{
	struct sigaction hangup;

	sigemptyset(&supervisor.signals);
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		sigaddset(&supervisor.signals, endings[i]);
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		sigdelset(&supervisor.signals, SIGHUP);
	sigaddset(&supervisor.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &supervisor.signals, NULL);
}

/* Signals wait, blocked, until supervise() takes them; what may last looks for them itself. */
static bool is_told_to_end(void)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		if (sigismember(&pending, endings[i]))
			return true;
	return false;
}

static int usage(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--migrate") == 0)
			supervisor.migrate = true;
		else if (strcmp(argv[i], "--sample") == 0 && i + 1 < argc)
			supervisor.sample = argv[++i];
		else if (strcmp(argv[i], "--admin") == 0 && i + 1 < argc)
			supervisor.admin = argv[++i];
		else
			return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/* The database may be starting up just as we are. */
static void wait_for_database(struct task *t)
{
	uint64_t until = time_monotonic_us() + DATABASE_WAIT_US;
	struct pg_rows *rows;

	while (pg_query(t, &rows, "select 1", PG_NONE) == E_UNAVAILABLE &&
	       time_monotonic_us() < until && !is_told_to_end()) {
		task_forgive(t);
		sleep_for(t, TICK_MS);
	}
}

/* The calendar of the same name beside the CSV: "sample/guildford.ics". */
static const char *sample_calendar(TALLOC_CTX *mem)
{
	const char *dot = strrchr(supervisor.sample, '.');
	const char *path = talloc_asprintf(mem, "%.*s.ics",
					   dot ? (int)(dot - supervisor.sample)
					       : (int)strlen(supervisor.sample),
					   supervisor.sample);

	return access(path, R_OK) == 0 ? path : NULL;
}

static int load_sample(struct task *t)
{
	struct import_options places = { .format = "csv",
					 .path = supervisor.sample,
					 .quiet = true };
	struct import_options events = { .format = "ics",
					 .path = sample_calendar(t->mem),
					 .quiet = true };
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select exists (select from business.business), exists (select from event.event)",
		PG_NONE);

	if (!rc && pg_value(rows, 0, 0)[0] == 'f')
		rc = import_run(t, &places);
	if (!rc && events.path && pg_value(rows, 0, 1)[0] == 'f')
		rc = event_import_run(t, &events);
	return rc;
}

static int prepare(struct task *t, void *arg)
{
	int rc = OK;

	(void)arg;
	wait_for_database(t);
	if (!t->failure.code && supervisor.migrate)
		rc = migrate_apply(t, false, NULL, NULL);
	if (t->failure.code)
		return t->failure.code;
	if (!rc)
		rc = migrate_check(t);
	if (!rc)
		rc = schema_check(t);
	if (!rc)
		rc = keys_load(t);
	if (!rc && supervisor.admin)
		rc = user_first_admin(t, supervisor.admin,
				      talloc_asprintf(t->mem, "%s/admin-password", config.data));
	if (!rc && supervisor.sample)
		rc = load_sample(t);
	return rc;
}

static int start_database(void)
{
	char why[600];

	supervisor.url = config.database_url;
	if (config.database_url[0])
		return 0;
	supervisor.private_cluster = true;
	if (cluster_start(config.data, &supervisor.cluster, why, sizeof(why)) != 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return -1;
	}
	supervisor.url = supervisor.cluster.url;
	return 0;
}

/* Many connections need many descriptors: as many as the system lets us have. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warn("cannot raise the number of open files: %s", strerror(errno));
}

_Static_assert((int)WORKERS_MAX <= OFFLOAD_WORKERS_MAX,
	       "each worker gets answers from the hashers");

/* The workers are children 1 to `workers`, the jobs process is the one after them, then come the hashers. */
static int count_children(void)
{
	return supervisor.workers + 1 + supervisor.hashers;
}

static bool is_worker(int number)
{
	return number <= supervisor.workers;
}

static bool is_jobs(int number)
{
	return number == supervisor.workers + 1;
}

/* From 1. */
static int hasher_number(int number)
{
	return number - supervisor.workers - 1;
}

/* For the log; good until the next call. */
static const char *name_child(int number)
{
	static char name[32];

	if (is_jobs(number))
		return "the jobs process";
	if (is_worker(number))
		snprintf(name, sizeof(name), "worker %d", number);
	else
		snprintf(name, sizeof(name), "hasher %d", hasher_number(number));
	return name;
}

static int be_child(int number, int ready_fd, pid_t parent)
{
	const struct worker_settings settings = { .number = number,
						  .listen_fd = supervisor.listen_fd,
						  .ready_fd = ready_fd,
						  .url = supervisor.url,
						  .hashers = supervisor.hashers };
	const struct jobs_settings jobs = { .ready_fd = ready_fd,
					    .url = supervisor.url,
					    .holder = supervisor.holder };
	const struct hasher_settings hasher = { .number = hasher_number(number),
						.ready_fd = ready_fd };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return EXIT_FAILED;
	/* a terminal's signals reach all; the supervisor says when */
	for (size_t i = 0; i < COUNT_OF(endings); i++)
		signal(endings[i], SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (is_worker(number))
		return worker_run(&settings);
	close(supervisor.listen_fd);
	return is_jobs(number) ? jobs_run(&jobs) : hasher_run(&hasher);
}

/* Forks child `number`, which tells `ready` when it serves; -1 when nobody waits for that. */
static void start_child(int number, int ready)
{
	struct child *c = &supervisor.children[number - 1];
	pid_t parent = getpid();

	log_flush();
	c->pid = fork();
	if (c->pid == 0)
		_exit(be_child(number, ready, parent));
	c->started_us = time_monotonic_us();
	if (c->pid > 0)
		return;
	log_error("cannot start %s: %s", name_child(number), strerror(errno));
	c->pid = 0;
	c->start_us = c->started_us + BACKOFF_MAX_US;
}

/* Starts all and waits until each has said that it is ready. */
static int start_children(void)
{
	int fds[2], ready = 0;
	char byte;

	if (pipe(fds) != 0)
		return -1;
	for (int i = 1; i <= count_children(); i++)
		start_child(i, fds[1]);
	close(fds[1]);
	while (ready < count_children()) {
		struct pollfd p = { .fd = fds[0], .events = POLLIN };

		if (poll(&p, 1, READY_MS) <= 0 || read(fds[0], &byte, 1) != 1)
			break;
		ready++;
	}
	close(fds[0]);
	return ready == count_children() ? 0 : -1;
}

/* Of the slot of one that has died, where nobody else writes now. A hasher has none. */
static void clear_gauges(int number)
{
	if (!is_worker(number) && !is_jobs(number))
		return;
	metrics_use_slot(is_jobs(number) ? METRIC_SLOT_JOBS : number);
	metrics_use_slot(0);
}

static void child_died(int number, int status)
{
	struct child *c = &supervisor.children[number - 1];
	uint64_t now = time_monotonic_us();
	bool steady = now - c->started_us > STEADY_US;

	if (WIFSIGNALED(status))
		log_error("%s was ended by signal %d", name_child(number), WTERMSIG(status));
	else
		log_error("%s ended with status %d", name_child(number), WEXITSTATUS(status));
	clear_gauges(number);
	metric_add(METRIC_RESTARTS, 1);
	c->pid = 0;
	c->backoff_us = steady || !c->backoff_us	     ? BACKOFF_FIRST_US
			: c->backoff_us * 2 < BACKOFF_MAX_US ? c->backoff_us * 2
							     : BACKOFF_MAX_US;
	c->start_us = now + c->backoff_us;
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < count_children(); i++)
			if (supervisor.children[i].pid == pid)
				child_died(i + 1, status);
}

/* The private cluster died: the workers answer 503 and reconnect by themselves once it is back. */
static void mind_cluster(void)
{
	uint64_t now = time_monotonic_us();
	char why[600];

	if (!supervisor.private_cluster || kill(supervisor.cluster.postmaster, 0) == 0 ||
	    now < supervisor.cluster_start_us)
		return;
	log_error("PostgreSQL has gone; starting it again");
	if (cluster_start(config.data, &supervisor.cluster, why, sizeof(why)) == 0) {
		supervisor.cluster_backoff_us = 0;
		return;
	}
	log_error("%s", why);
	supervisor.cluster_backoff_us = supervisor.cluster_backoff_us ? BACKOFF_MAX_US
								      : BACKOFF_FIRST_US * 10;
	supervisor.cluster_start_us = now + supervisor.cluster_backoff_us;
}

static void supervise(void)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };

	for (;;) {
		int number = sigtimedwait(&supervisor.signals, NULL, &tick);

		if (is_ending(number))
			return;
		reap();
		mind_cluster();
		for (int i = 0; i < count_children(); i++)
			if (supervisor.children[i].pid == 0 &&
			    supervisor.children[i].start_us <= time_monotonic_us())
				start_child(i + 1, -1);
		log_flush();
	}
}

static int count_alive(void)
{
	int n = 0;

	for (int i = 0; i < count_children(); i++) {
		struct child *c = &supervisor.children[i];

		if (c->pid > 0 && waitpid(c->pid, NULL, WNOHANG) == c->pid)
			c->pid = 0;
		n += c->pid > 0;
	}
	return n;
}

static void signal_children(int number)
{
	for (int i = 0; i < count_children(); i++)
		if (supervisor.children[i].pid > 0)
			kill(supervisor.children[i].pid, number);
}

/* Children drain, the hashers after the workers have gone; a second signal, or too long, kills them (but a closing terminal hangs up more than once). Then the
 * cluster, whose clients are gone. */
static void end(void)
{
	const struct timespec tick = { .tv_nsec = 10000000L };
	uint64_t until = time_monotonic_us() + (uint64_t)config.drain_timeout * 1000 + GRACE_US;

	close(supervisor.listen_fd);
	offload_close();
	signal_children(SIGTERM);
	while (count_alive() > 0 && time_monotonic_us() < until) {
		int number = sigtimedwait(&supervisor.signals, NULL, &tick);

		if (is_ending(number) && number != SIGHUP)
			break;
	}
	signal_children(SIGKILL);
	while (count_alive() > 0)
		sigtimedwait(&supervisor.signals, NULL, &tick);
	cluster_stop(&supervisor.cluster);
}

static int serve(const char *url)
{
	api_setup();
	client_setup();
	if (metrics_setup() != 0 || limit_setup() != 0 || offload_open(supervisor.workers) != 0 ||
	    start_children() != 0) {
		fprintf(stderr, "guildford: the workers did not start; the log says why\n");
		end();
		return EXIT_FAILED;
	}
	printf("listening on %s\n", url);
	fflush(stdout);
	supervise();
	end();
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	char url[120], why[1300];
	int cores, rc = usage(argc, argv);

	if (rc)
		return rc;
	cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	supervisor.workers = config.workers > 0 ? config.workers : cores;
	supervisor.hashers = cores < HASHERS_MAX ? cores : HASHERS_MAX;
	if (!redis_is_url(config.redis_url)) {
		fprintf(stderr,
			"guildford: REDIS_URL is neither redis://[user:password@]host[:port][/database] nor "
			"unix://[user:password@]/path[?db=database]\n");
		return EXIT_USAGE;
	}
	if (supervisor.workers > WORKERS_MAX)
		supervisor.workers = WORKERS_MAX;
	supervisor.listen_fd = listen_open(config.listen, url, sizeof(url), why, sizeof(why));
	if (supervisor.listen_fd < 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return EXIT_FAILED;
	}
	if (secret_setup(config.secret_key, config.data, why, sizeof(why)) != 0) {
		fprintf(stderr, "guildford: %s\n", why);
		return EXIT_FAILED;
	}
	uuid_new(supervisor.holder);
	block_signals();
	raise_limits();
	if (start_database() != 0)
		return EXIT_FAILED;
	if (database_run_at(supervisor.url, prepare, NULL) != EXIT_DONE) {
		cluster_stop(&supervisor.cluster);
		return EXIT_FAILED;
	}
	return serve(url);
}

const struct command command_serve = {
	.name = "serve",
	.usage =
		"serve [--listen HOST:PORT] [--data DIR] [--workers N] [--migrate] [--sample FILE] [--admin EMAIL]",
	.doc = "serve the API",
	.help = "Serves on --listen until SIGTERM or Ctrl-C, and prints \"listening on URL\" when it is ready. The database\n"
		"is DATABASE_URL, or a private PostgreSQL cluster in --data that is started and stopped with it.\n"
		"  --migrate      first apply pending migrations\n"
		"  --sample FILE  import this CSV when there is no business yet, and the calendar of that name beside it (.ics) when\n"
		"                 there is no event yet\n"
		"  --admin EMAIL  make this admin when there is no account yet; the password goes to admin-password in --data\n"
		"`guildford config` lists all settings.",
	.run = run,
};
