/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private PostgreSQL cluster: found, created, started, joined, stopped. It knows processes and folders; what is said
 * to the database is pg.c's. The supervisor and the commands call it before any loop, so it may block.
 *
 * A process belongs to the cluster when its working folder is the cluster's (PostgreSQL changes into it). That, and not
 * the number in postmaster.pid, says who lives: the number may have been given to somebody else after a kill -9.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/config.h"
#include "base/time.h"
#include "store/cluster.h"
#include "base/banned.h"
/* This file runs before any loop: it may block. */
#undef PQexec
#undef PQconnectdb

enum {
	START_SECONDS = 60,
	STOP_SECONDS = 30,
	ORPHAN_SECONDS = 5,
	POLL_MS = 15,
	SOCKET_PATH_MAX = 107,
	NAME = 1024,
	SHORT = 960
};

struct place {
	char data[SHORT], postgres[NAME], fresh[NAME], socket[NAME], log[NAME], owner[NAME];
	char bin[SHORT];
	uid_t uid; /* who the cluster runs as */
	gid_t gid;
	bool drop; /* we are root: become uid first */
	char *why;
	size_t size;
};

static int fail(const struct place *p, const char *what, const char *name)
{
	snprintf(p->why, p->size, "%s %s: %s", what, name, strerror(errno));
	return -1;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec) { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* The major version that made the cluster, 0 when there is none yet. */
static int cluster_version(const struct place *p)
{
	char file[NAME + 32], line[16] = "";
	FILE *f;

	snprintf(file, sizeof(file), "%s/PG_VERSION", p->postgres);
	f = fopen(file, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return (int)strtol(line, NULL, 10);
}

/* Debian's packages: the version that made the cluster, for a new one the newest. */
static bool find_packaged(struct place *p, int wanted)
{
	static const char folder[] = "/usr/lib/postgresql/";
	int best = -1;
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int version = (int)strtol(found.gl_pathv[i] + strlen(folder), NULL, 10);

		if (version <= best || (wanted && version != wanted))
			continue;
		best = version;
		snprintf(p->bin, sizeof(p->bin), "%s%d/bin", folder, version);
	}
	globfree(&found);
	return best >= 0;
}

static bool find_in_path(struct place *p)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t len = strcspn(path, ":");
		char file[NAME];

		snprintf(p->bin, sizeof(p->bin), "%.*s", (int)len, path);
		snprintf(file, sizeof(file), "%s/postgres", p->bin);
		if (len > 0 && access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static int find_bin(struct place *p)
{
	int wanted = cluster_version(p);

	if (find_packaged(p, wanted) || find_in_path(p))
		return 0;
	if (wanted)
		snprintf(p->why, p->size, "%s was made by PostgreSQL %d, which is not installed",
			 p->postgres, wanted);
	else
		snprintf(
			p->why, p->size,
			"PostgreSQL is not installed: no postgres in /usr/lib/postgresql/*/bin nor in PATH");
	return -1;
}

static int find_user(struct place *p)
{
	const struct passwd *user;

	p->uid = geteuid();
	p->gid = getegid();
	if (p->uid != 0)
		return 0;
	user = getpwnam("postgres");
	if (!user)
		user = getpwnam("nobody");
	if (!user) {
		snprintf(
			p->why, p->size,
			"We are root and there is no user postgres or nobody to run the cluster as");
		return -1;
	}
	p->uid = user->pw_uid;
	p->gid = user->pw_gid;
	p->drop = true;
	return 0;
}

/* In a child: from now on we are the cluster's user. */
static int become(const struct place *p)
{
	if (!p->drop)
		return 0;
	return setgroups(1, &p->gid) != 0 || setgid(p->gid) != 0 || setuid(p->uid) != 0 ? -1 : 0;
}

/* We are root and may go anywhere, but the cluster's user may not: /root is closed to it on most machines. */
static int check_passage(const struct place *p)
{
	const struct passwd *user = getpwuid(p->uid);
	int status;
	pid_t pid;

	if (!p->drop)
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(become(p) != 0 || access(p->data, X_OK) != 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fail(p, "Cannot look at", p->data);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	snprintf(p->why, p->size,
		 "PostgreSQL does not run as root, and user %s cannot enter %s: "
		 "chmod a+x it and what is above it, or choose another --data",
		 user ? user->pw_name : "of the cluster", p->data);
	return -1;
}

/* A folder that only the cluster's user enters. An existing one must be exactly that: /tmp is everybody's. */
static int make_folder(const struct place *p, const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0 && p->drop && lchown(path, p->uid, p->gid) != 0)
		return fail(p, "Cannot give away", path);
	if (lstat(path, &st) != 0)
		return fail(p, "Cannot make", path);
	if (S_ISDIR(st.st_mode) && st.st_uid == p->uid && (st.st_mode & 077) == 0)
		return 0;
	snprintf(p->why, p->size, "%s is not a folder of the cluster's user alone", path);
	return -1;
}

/* The socket's folder travels in lists and connection strings: plain characters only, so that nothing needs quoting. */
static void choose_socket(struct place *p)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
	unsigned char digest[crypto_generichash_BYTES_MIN];
	char hex[2 * sizeof(digest) + 1];

	snprintf(p->socket, sizeof(p->socket), "%s/socket", p->data);
	if (strlen(p->socket) + strlen("/.s.PGSQL.5432") <= SOCKET_PATH_MAX &&
	    p->socket[strspn(p->socket, plain)] == '\0')
		return;
	crypto_generichash(digest, sizeof(digest), (const unsigned char *)p->data, strlen(p->data),
			   NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
	snprintf(p->socket, sizeof(p->socket), "/tmp/guildford-%s", hex);
}

__attribute__((noinline)) static int find_place(struct place *p, const char *data)
{
	char *full;

	if (mkdir(data, 0755) != 0 && errno != EEXIST)
		return fail(p, "Cannot make", data);
	full = realpath(data, NULL);
	if (!full)
		return fail(p, "Cannot find", data);
	if (strlen(full) >= sizeof(p->data)) {
		free(full);
		errno = ENAMETOOLONG;
		return fail(p, "Cannot use", data);
	}
	snprintf(p->data, sizeof(p->data), "%s", full);
	free(full);
	snprintf(p->postgres, sizeof(p->postgres), "%s/postgres", p->data);
	snprintf(p->fresh, sizeof(p->fresh), "%s/postgres.new", p->data);
	snprintf(p->log, sizeof(p->log), "%s/postgres.log", p->data);
	snprintf(p->owner, sizeof(p->owner), "%s/owner", p->data);
	choose_socket(p);
	if (find_bin(p) || find_user(p) || check_passage(p))
		return -1;
	return 0;
}

/* Runs a program as the cluster's user, in a session of its own: a terminal's Ctrl-C must not reach it. */
static pid_t spawn(const struct place *p, const char *program, char *const *argv)
{
	char file[NAME];
	sigset_t none;
	int in, out;
	pid_t pid;

	snprintf(file, sizeof(file), "%s/%s", p->bin, program);
	pid = fork();
	if (pid != 0)
		return pid;
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	in = open("/dev/null", O_RDONLY);
	out = open(p->log, O_WRONLY | O_CREAT | O_APPEND, 0640);
	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	if (become(p) != 0)
		_exit(126);
	umask(077);
	if (p->drop && chdir("/") != 0)
		_exit(126);
	execv(file, argv);
	_exit(127);
}

static int run(const struct place *p, const char *program, char *const *argv)
{
	pid_t pid = spawn(p, program, argv);
	int status;

	if (pid < 0)
		return fail(p, "Cannot start", program);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(p, "Cannot wait for", program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	snprintf(p->why, p->size, "%s failed; %s says why", program, p->log);
	return -1;
}

/* Into postgres.new, then renamed: a kill in the middle leaves nothing that looks like a cluster. */
static int create(const struct place *p)
{
	char *rm[] = { "rm", "-rf", "--", (char *)p->fresh, NULL };
	char *argv[] = { "initdb",
			 "-D",
			 (char *)p->fresh,
			 "-U",
			 "guildford",
			 "--auth=trust",
			 "--encoding=UTF8",
			 "--locale=C.UTF-8",
			 "--locale-provider=libc",
			 "--data-checksums",
			 NULL };
	pid_t pid;
	int parent;

	if (access(p->postgres, F_OK) == 0)
		return 0;
	pid = fork();
	if (pid == 0) {
		execvp("rm", rm);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		return fail(p, "Cannot remove", p->fresh);
	if (make_folder(p, p->fresh) || run(p, "initdb", argv))
		return -1;
	if (rename(p->fresh, p->postgres) != 0)
		return fail(p, "Cannot rename", p->fresh);
	parent = open(p->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0) {
		fsync(parent);
		close(parent);
	}
	return 0;
}

/* The postmaster's number as its file has it, 0 when there is none. */
static pid_t recorded(const char *file)
{
	FILE *f = fopen(file, "re");
	char line[32] = "";

	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return (pid_t)strtol(line, NULL, 10);
}

static pid_t postmaster(const struct place *p)
{
	char file[NAME + 32];

	snprintf(file, sizeof(file), "%s/postmaster.pid", p->postgres);
	return recorded(file);
}

static bool lives_here(const struct place *p, const char *pid)
{
	char link[64], target[NAME];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%.20s/cwd", pid);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return strcmp(target, p->postgres) == 0;
}

/* How many processes of the cluster live: its postmaster, or backends that outlived it. Each is sent signal `number`;
 * 0 sends none. */
static int signal_inhabitants(const struct place *p, int number)
{
	const struct dirent *entry;
	int found = 0;
	DIR *proc = opendir("/proc");

	if (!proc)
		return 0;
	while ((entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !lives_here(p, entry->d_name))
			continue;
		kill((pid_t)strtol(entry->d_name, NULL, 10), number);
		found++;
	}
	closedir(proc);
	return found;
}

static bool has_postmaster(const struct place *p)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)postmaster(p));
	return lives_here(p, pid);
}

static void url_for(const struct place *p, const char *database, char *out, size_t size)
{
	snprintf(out, size, "host=%.200s port=5432 user=guildford dbname=%s", p->socket, database);
}

/* Nobody lives here, so the files that say otherwise are left over. */
static void sweep(const struct place *p)
{
	char file[NAME + 32];

	snprintf(file, sizeof(file), "%s/postmaster.pid", p->postgres);
	unlink(file);
	snprintf(file, sizeof(file), "%s/.s.PGSQL.5432.lock", p->socket);
	unlink(file);
	snprintf(file, sizeof(file), "%s/.s.PGSQL.5432", p->socket);
	unlink(file);
}

/* All that the workers may open, and some for commands and people. */
static int connections_needed(void)
{
	long workers = config.workers > 0 ? config.workers : sysconf(_SC_NPROCESSORS_ONLN);
	long needed = workers * (config.database_pipelines + config.database_leases) + 20;

	return needed < 100 ? 100 : (int)needed;
}

/* Sized for a machine that the program and the load share. */
static pid_t launch(const struct place *p)
{
	long long mb = (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGE_SIZE) / (1024 * 1024);
	long long shared = mb / 4 < 1024 ? mb / 4 : 1024;
	char buffers[64], cache[64], connections[64], sockets[NAME + 32];
	char *argv[] = {
		"postgres",
		"-D",
		(char *)p->postgres,
		"-c",
		"listen_addresses=",
		"-c",
		sockets,
		"-c",
		"port=5432",
		"-c",
		"unix_socket_permissions=0700",
		"-c",
		buffers,
		"-c",
		cache,
		"-c",
		connections,
		"-c",
		"jit=off",
		"-c",
		"wal_compression=on",
		"-c",
		"random_page_cost=1.1",
		"-c",
		"logging_collector=off",
		"-c",
		"log_destination=stderr",
		"-c",
		"log_min_messages=warning",
		"-c",
		"max_wal_size=2GB",
		"-c",
		"checkpoint_completion_target=0.9",
		NULL,
	};

	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", p->socket);
	snprintf(connections, sizeof(connections), "max_connections=%d", connections_needed());
	snprintf(buffers, sizeof(buffers), "shared_buffers=%lldMB", shared < 16 ? 16 : shared);
	snprintf(cache, sizeof(cache), "effective_cache_size=%lldMB", mb / 2 < 64 ? 64 : mb / 2);
	return spawn(p, "postgres", argv);
}

/* Waits until it answers, starting it whenever nobody lives in it. `child` is set when it is ours. Backends notice that
 * their postmaster was killed and end, but not one that is frozen or in recovery: those are ended as the postmaster
 * would have done it, for nobody can start while they live. */
__attribute__((noinline)) static int wait_up(const struct place *p, const char *url, pid_t *child)
{
	uint64_t start_us = time_monotonic_us(), waited_us;
	int status;

	while ((waited_us = time_monotonic_us() - start_us) < START_SECONDS * 1000000ull) {
		if (PQping(url) == PQPING_OK)
			return 0;
		if (*child > 0 && waitpid(*child, &status, WNOHANG) == *child) {
			*child = 0;
			snprintf(p->why, p->size, "PostgreSQL did not start; %.300s says why",
				 p->log);
			return -1;
		}
		if (*child == 0 && waited_us > ORPHAN_SECONDS * 1000000ull && !has_postmaster(p))
			signal_inhabitants(p, SIGKILL);
		if (*child == 0 && signal_inhabitants(p, 0) == 0) {
			sweep(p);
			*child = launch(p);
			if (*child < 0)
				return fail(p, "Cannot start", "postgres");
		}
		pause_ms(POLL_MS);
	}
	snprintf(p->why, p->size, "PostgreSQL did not answer in %d s; see %.300s", START_SECONDS,
		 p->log);
	return -1;
}

/* A kill between initdb and here leaves a cluster without it: asked at each start. */
static int make_database(const struct place *p, const char *url)
{
	char admin[512];
	PGresult *result;
	PGconn *conn = PQconnectdb(url);
	bool ok = PQstatus(conn) == CONNECTION_OK;

	PQfinish(conn);
	if (ok)
		return 0;
	url_for(p, "postgres", admin, sizeof(admin));
	conn = PQconnectdb(admin);
	result = PQexec(conn, "create database guildford");
	ok = PQresultStatus(result) == PGRES_COMMAND_OK;
	if (!ok)
		snprintf(p->why, p->size, "Cannot create the database: %s", PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
	return ok ? 0 : -1;
}

/* Whoever uses the cluster has a share in the lock of its file, which the kernel takes back even from the killed. */
static int hold(const struct place *p, struct cluster *c)
{
	if (c->held)
		return 0;
	c->users = open(p->owner, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->users < 0 || flock(c->users, LOCK_SH) != 0) {
		int rc = fail(p, "Cannot lock", p->owner);

		if (c->users >= 0)
			close(c->users);
		return rc;
	}
	snprintf(c->data, sizeof(c->data), "%s", p->data);
	c->held = true;
	return 0;
}

static void let_go(struct cluster *c)
{
	close(c->users);
	c->held = false;
}

static void halt(pid_t pid)
{
	uint64_t start = time_monotonic_us();
	bool hurried = false;

	kill(pid, SIGINT);
	while (time_monotonic_us() - start < STOP_SECONDS * 1000000ull) {
		if (waitpid(pid, NULL, WNOHANG) == pid || kill(pid, 0) != 0)
			return;
		if (!hurried && time_monotonic_us() - start > (STOP_SECONDS - 5) * 1000000ull) {
			kill(pid, SIGQUIT);
			hurried = true;
		}
		pause_ms(POLL_MS);
	}
}

__attribute__((noinline)) static int start(struct place *p, struct cluster *c)
{
	char url[sizeof(c->url)];
	pid_t child = 0;

	url_for(p, "guildford", url, sizeof(url));
	if (create(p))
		return -1;
	if (wait_up(p, url, &child) || make_database(p, url)) {
		if (child > 0)
			halt(child);
		return -1;
	}
	memcpy(c->url, url, sizeof(url));
	c->postmaster = child > 0 ? child : postmaster(p);
	c->started = child > 0;
	return 0;
}

int cluster_start(const char *data, struct cluster *c, char *why, size_t size)
{
	struct place *p = calloc(1, sizeof(*p));
	char lock[NAME];
	int fd, rc = -1;

	if (!p || sodium_init() < 0)
		abort();
	p->why = why;
	p->size = size;
	if (find_place(p, data) == 0) {
		snprintf(lock, sizeof(lock), "%s/lock", p->data);
		fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) != 0)
			fail(p, "Cannot lock", lock);
		else
			rc = make_folder(p, p->socket) || hold(p, c) || start(p, c) ? -1 : 0;
		if (rc && c->held)
			let_go(c);
		if (fd >= 0)
			close(fd);
	}
	free(p);
	return rc;
}

/* The last one stops it; nobody can join meanwhile. */
static void stop_unused(const struct place *p, const struct cluster *c)
{
	char lock[NAME], pid[16];
	int fd;

	snprintf(lock, sizeof(lock), "%s/lock", c->data);
	fd = open(lock, O_RDWR | O_CLOEXEC);
	snprintf(pid, sizeof(pid), "%d", (int)postmaster(p));
	if (fd >= 0 && flock(fd, LOCK_EX) == 0 && flock(c->users, LOCK_EX | LOCK_NB) == 0 &&
	    lives_here(p, pid))
		halt(postmaster(p));
	if (fd >= 0)
		close(fd);
}

void cluster_stop(struct cluster *c)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	if (c->held) {
		snprintf(p->postgres, sizeof(p->postgres), "%s/postgres", c->data);
		stop_unused(p, c);
		let_go(c);
	}
	free(p);
	c->started = false;
}
