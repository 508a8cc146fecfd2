/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to Redis: hiredis on our loop, its state, its watchdog. We give hiredis our own hooks rather than those of
 * its libuv adapter, which does not hear of a connection that was reset, and writes in the turn after. A connection is up
 * when it has answered a PING, not when it is made: the kernel makes one with a Redis that is stopped.
 */
#include "store/redis.h"

#include <assert.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/log.h"
#include "base/metrics.h"
#include "base/str.h"
#include "base/time.h"
#include "io/coro.h"
#include "io/loop.h"
#include "base/banned.h"

enum {
	CONNECT_MS = 2000,
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 2000,
	WATCHERS_MAX = 4,
	DEPTH_MAX = 4, /* of lists in lists */
	DEFAULT_PORT = 6379
};

enum state { OFF, DOWN, CONNECTING, UP };

/* Where it is, out of a URL. */
struct target {
	const char *host; /* NULL: `path` is a socket */
	const char *path;
	int port, database;
	const char *user, *password; /* NULL: none */
};

/* A command on its way. It outlives a caller that gave up: then `answered` is NULL and the reply is dropped. */
struct call {
	redis_answered_fn *answered;
	void *arg;
};

/* hiredis's side of a connection's socket; freed when libuv has closed the handle. */
struct socket {
	uv_poll_t poll;
	redisAsyncContext *context; /* NULL: gone */
	int events;
};

static struct {
	enum state state;
	TALLOC_CTX *memory;
	struct target target;
	int timeout_ms;
	redisAsyncContext *context;
	uv_timer_t timer;    /* back-off, and the limit of connecting */
	uv_timer_t watchdog; /* runs while something is outstanding */
	uv_prepare_t writer; /* runs once in a turn that has something to write */
	bool writing;
	int outstanding;
	uint64_t heard_us; /* when it last answered, or was first asked */
	unsigned attempts; /* failed connects in a row */
	void (*watchers[WATCHERS_MAX])(bool up);
} redis;

static void connect_now(void);
static void lose(const char *why);

static void tell(bool up)
{
	for (int i = 0; i < WATCHERS_MAX && redis.watchers[i]; i++)
		redis.watchers[i](up);
}

void redis_watch(void (*changed)(bool up))
{
	int i = 0;

	while (i < WATCHERS_MAX && redis.watchers[i])
		i++;
	assert(i < WATCHERS_MAX);
	redis.watchers[i] = changed;
}

bool redis_is_up(void)
{
	return redis.state == UP;
}

/* ---- URLs ---- */

/* "user:password@" or ":password@" before the rest, percent-encoded. Moves *at behind it. */
static bool read_login(TALLOC_CTX *mem, const char **at, size_t len, struct target *target)
{
	const char *end = memrchr(*at, '@', len);
	const char *colon = end ? memchr(*at, ':', (size_t)(end - *at)) : NULL;
	char *user, *password;

	if (!end)
		return true;
	if (!colon || !str_percent_decode(mem, *at, (size_t)(colon - *at), false, &user) ||
	    !str_percent_decode(mem, colon + 1, (size_t)(end - colon - 1), false, &password))
		return false;
	target->user = user[0] ? user : NULL;
	target->password = password;
	*at = end + 1;
	return true;
}

static bool read_number(const char *text, int min, int max, int *number)
{
	long long value;

	if (!str_to_int(text, min, max, &value))
		return false;
	*number = (int)value;
	return true;
}

/* "host", "host:port" or "[::1]:port", then "/database". */
static bool read_host(TALLOC_CTX *mem, const char *at, struct target *target)
{
	size_t len = strcspn(at, "/");
	const char *database = at + len;
	const char *close = at[0] == '[' ? memchr(at, ']', len) : NULL;
	const char *port = close ? close + 1 : at + strcspn(at, ":/");

	target->port = DEFAULT_PORT;
	target->host = close ? talloc_strndup(mem, at + 1, (size_t)(close - at - 1))
			     : talloc_strndup(mem, at, (size_t)(port - at));
	if (!target->host[0] || (at[0] == '[' && !close) || strpbrk(target->host, "?#[] "))
		return false;
	if (port < database &&
	    (*port != ':' ||
	     !read_number(talloc_strndup(mem, port + 1, (size_t)(database - port - 1)), 1, 65535,
			  &target->port)))
		return false;
	return !database[0] || !database[1] ||
	       read_number(database + 1, 0, 1000000, &target->database);
}

/* "/path", then "?db=database". */
static bool read_path(TALLOC_CTX *mem, const char *at, struct target *target)
{
	size_t len = strcspn(at, "?");

	target->path = talloc_strndup(mem, at, len);
	return at[0] == '/' && len > 1 &&
	       (!at[len] || (strncmp(at + len, "?db=", 4) == 0 &&
			     read_number(at + len + 4, 0, 1000000, &target->database)));
}

static bool read_url(TALLOC_CTX *mem, const char *url, struct target *target)
{
	bool is_path = strncmp(url, "unix://", 7) == 0;
	const char *at = is_path ? url + 7 : url + 8;

	memset(target, 0, sizeof(*target));
	if (!is_path && strncmp(url, "redis://", 8) != 0)
		return false;
	if (!read_login(mem, &at, is_path ? strlen(at) : strcspn(at, "/"), target))
		return false;
	return is_path ? read_path(mem, at, target) : read_host(mem, at, target);
}

bool redis_is_url(const char *url)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct target target;
	bool is = !url[0] || read_url(mem, url, &target);

	talloc_free(mem);
	return is;
}

/* ---- replies ---- */

/* Into `to`, with what belongs to it as children of `mem`. */
static void copy_reply(TALLOC_CTX *mem, const redisReply *from, struct redis_reply *to, int depth)
{
	static const enum redis_type types[] = {
		[REDIS_REPLY_STRING] = REDIS_TEXT,    [REDIS_REPLY_ARRAY] = REDIS_LIST,
		[REDIS_REPLY_INTEGER] = REDIS_NUMBER, [REDIS_REPLY_NIL] = REDIS_NIL,
		[REDIS_REPLY_STATUS] = REDIS_TEXT,    [REDIS_REPLY_ERROR] = REDIS_FAULT,
	};
	struct redis_reply *items;

	memset(to, 0, sizeof(*to));
	to->type = types[from->type];
	to->number = from->integer;
	if (to->type == REDIS_TEXT || to->type == REDIS_FAULT) {
		to->text = talloc_memdup(mem, from->str, from->len + 1);
		to->len = from->len;
	}
	if (to->type != REDIS_LIST || depth == 0)
		return;
	items = talloc_array(mem, struct redis_reply, (unsigned)from->elements);
	for (size_t i = 0; i < from->elements; i++)
		copy_reply(mem, from->element[i], &items[i], depth - 1);
	to->items = items;
	to->count = (int)from->elements;
}

/* Who is answered may have run to its end, and its memory with it: so what it was given is not looked at afterwards. */
static void answer(struct call *call, const redisReply *reply)
{
	TALLOC_CTX *memory = NULL;
	struct redis_reply *copy = NULL;

	if (reply && call->answered) {
		memory = talloc_new(NULL);
		copy = talloc(memory, struct redis_reply);
		copy_reply(copy, reply, copy, DEPTH_MAX);
	}
	if (call->answered)
		call->answered(call->arg, copy);
	talloc_free(memory);
	free(call);
}

/* hiredis's callback: a reply, or NULL when the connection goes. */
static void on_reply(redisAsyncContext *context, void *reply, void *data)
{
	if (context == redis.context && !reply)
		lose(context->errstr);
	if (context == redis.context) {
		redis.outstanding--;
		redis.heard_us = time_monotonic_us();
	}
	answer(data, reply);
}

/* ---- the socket: hiredis's hooks ---- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct socket *s = poll->data;

	/* an error is read as one */
	if (s->context && (status < 0 || (events & UV_READABLE)))
		redisAsyncHandleRead(s->context);
	if (s->context && (events & UV_WRITABLE))
		redisAsyncHandleWrite(s->context);
}

static void poll_for(struct socket *s, int events)
{
	if (s->events == events)
		return;
	s->events = events;
	if (events)
		uv_poll_start(&s->poll, events, on_ready);
	else
		uv_poll_stop(&s->poll);
}

static void add_read(void *data)
{
	struct socket *s = data;

	poll_for(s, s->events | UV_READABLE);
}

static void stop_read(void *data)
{
	struct socket *s = data;

	poll_for(s, s->events & ~UV_READABLE);
}

/* What one turn of the loop asks for goes out together, before the loop waits again. */
static void write_all(uv_prepare_t *writer)
{
	uv_prepare_stop(writer);
	redis.writing = true;
	if (redis.context)
		redisAsyncHandleWrite(redis.context);
	redis.writing = false;
}

/* hiredis asks for this at each command; and again, from within write_all(), when the socket takes no more. */
static void add_write(void *data)
{
	struct socket *s = data;

	if (redis.state != UP || redis.writing || (s->events & UV_WRITABLE))
		poll_for(s, s->events | UV_WRITABLE);
	else
		uv_prepare_start(&redis.writer, write_all);
}

static void stop_write(void *data)
{
	struct socket *s = data;

	poll_for(s, s->events & ~UV_WRITABLE);
}

static void free_socket(uv_handle_t *handle)
{
	free(handle->data);
}

static void clean_up(void *data)
{
	struct socket *s = data;

	s->context = NULL;
	uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, free_socket);
}

static int attach(redisAsyncContext *context)
{
	struct socket *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	if (uv_poll_init(loop_get(), &s->poll, context->c.fd) != 0) {
		free(s);
		return -1;
	}
	s->poll.data = s;
	s->context = context;
	context->ev.data = s;
	context->ev.addRead = add_read;
	context->ev.delRead = stop_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = stop_write;
	context->ev.cleanup = clean_up;
	return 0;
}

/* ---- the connection ---- */

static void on_timer(uv_timer_t *timer);

static void retry_later(void)
{
	unsigned shift = redis.attempts < 5 ? redis.attempts : 5;
	uint64_t delay = BACKOFF_FIRST_MS << shift;

	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	redis.attempts++;
	uv_timer_start(&redis.timer, on_timer, delay + randombytes_uniform(BACKOFF_FIRST_MS), 0);
}

/* The connection is no more, or about to be: from now on Redis is away. */
static void lose(const char *why)
{
	bool was_up = redis.state == UP;

	if (redis.attempts == 0)
		log_warn("Redis is away: %s", why[0] ? why : "the connection was closed");
	redis.context = NULL;
	redis.state = DOWN;
	redis.outstanding = 0;
	uv_timer_stop(&redis.watchdog);
	retry_later();
	if (!was_up)
		return;
	metric_add(METRIC_REDIS_CONNECTIONS, -1);
	tell(false);
}

/* We give it up; who waits learns that it is away. */
static void drop(const char *why)
{
	redisAsyncContext *context = redis.context;

	lose(why);
	if (context)
		redisAsyncFree(context);
}

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	if (redis.state == CONNECTING)
		drop("connecting took too long");
	else if (redis.state == DOWN)
		connect_now();
}

/* Whoever says nothing for the whole of the timeout is gone: nobody else needs to wait for as long to learn it. */
static void on_watchdog(uv_timer_t *timer)
{
	uint64_t limit = (uint64_t)redis.timeout_ms * 1000;
	uint64_t silent = time_monotonic_us() - redis.heard_us;

	/* perhaps it is only that we did not listen */
	if (redis.outstanding > 0 && silent >= limit) {
		redisAsyncHandleRead(redis.context);
		silent = time_monotonic_us() - redis.heard_us;
	}
	if (redis.state != UP || redis.outstanding == 0)
		return;
	if (silent >= limit)
		drop("it does not answer");
	else
		uv_timer_start(timer, on_watchdog, (limit - silent) / 1000 + 1, 0);
}

static void come_up(void)
{
	uv_timer_stop(&redis.timer);
	redis.state = UP;
	if (redis.attempts > 0)
		log_info("Redis is there again");
	redis.attempts = 0;
	metric_add(METRIC_REDIS_CONNECTIONS, 1);
	tell(true);
}

/* The answers to what a connection begins with; `data` is set with the last. */
static void on_greeted(redisAsyncContext *context, void *data, void *last)
{
	const redisReply *reply = data;

	if (context != redis.context)
		return;
	if (!reply)
		lose(context->errstr);
	else if (reply->type == REDIS_REPLY_ERROR)
		drop(reply->str);
	else if (last)
		come_up();
}

static void on_connect(const redisAsyncContext *context, int status)
{
	if (context == redis.context && status != REDIS_OK)
		lose(context->errstr);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	(void)status;
	if (context == redis.context)
		lose(context->errstr);
}

static void greet(redisAsyncContext *context)
{
	const struct target *target = &redis.target;

	if (target->password && target->user)
		redisAsyncCommand(context, on_greeted, NULL, "AUTH %s %s", target->user,
				  target->password);
	else if (target->password)
		redisAsyncCommand(context, on_greeted, NULL, "AUTH %s", target->password);
	if (target->database)
		redisAsyncCommand(context, on_greeted, NULL, "SELECT %d", target->database);
	redisAsyncCommand(context, on_greeted, &redis, "PING");
}

static void connect_now(void)
{
	const struct target *target = &redis.target;
	redisAsyncContext *context = target->host ? redisAsyncConnect(target->host, target->port)
						  : redisAsyncConnectUnix(target->path);

	redis.context = context;
	redis.state = CONNECTING;
	uv_timer_start(&redis.timer, on_timer, CONNECT_MS, 0);
	if (!context || context->err || attach(context) != 0) {
		drop(context && context->err ? context->errstr : "no socket");
		return;
	}
	redisAsyncSetConnectCallback(context, on_connect);
	redisAsyncSetDisconnectCallback(context, on_disconnect);
	greet(context);
}

void redis_open(const char *url, int timeout_ms)
{
	memset(&redis, 0, sizeof(redis));
	if (!url[0])
		return;
	redis.memory = talloc_new(NULL);
	redis.timeout_ms = timeout_ms;
	if (!read_url(redis.memory, url, &redis.target))
		abort(); /* the settings have been checked */
	uv_timer_init(loop_get(), &redis.timer);
	uv_timer_init(loop_get(), &redis.watchdog);
	uv_prepare_init(loop_get(), &redis.writer);
	uv_unref((uv_handle_t *)&redis.timer);
	uv_unref((uv_handle_t *)&redis.watchdog);
	connect_now();
}

void redis_close(void)
{
	redisAsyncContext *context = redis.context;

	if (redis.state == OFF)
		return;
	if (redis.state == UP)
		metric_add(METRIC_REDIS_CONNECTIONS, -1);
	redis.state = OFF;
	redis.context = NULL;
	memset(redis.watchers, 0, sizeof(redis.watchers));
	if (context)
		redisAsyncFree(context);
	uv_close((uv_handle_t *)&redis.timer, NULL);
	uv_close((uv_handle_t *)&redis.watchdog, NULL);
	uv_close((uv_handle_t *)&redis.writer, NULL);
	TALLOC_FREE(redis.memory);
}

/* ---- calls ---- */

static struct call *send_call(redis_answered_fn *answered, void *arg, int argc,
			      const char *const *argv, const size_t *lens)
{
	struct call *call;

	assert(argc <= REDIS_ARGS_MAX);
	if (redis.state != UP)
		return NULL;
	call = calloc(1, sizeof(*call));
	if (!call)
		abort();
	call->answered = answered;
	call->arg = arg;
	if (redisAsyncCommandArgv(redis.context, on_reply, call, argc, (const char **)argv, lens) !=
	    REDIS_OK) {
		free(call);
		return NULL;
	}
	metric_add(METRIC_REDIS_CALLS, 1);
	if (redis.outstanding++ > 0)
		return call;
	redis.heard_us = time_monotonic_us();
	if (!uv_is_active((uv_handle_t *)&redis.watchdog))
		uv_timer_start(&redis.watchdog, on_watchdog, (uint64_t)redis.timeout_ms, 0);
	return call;
}

bool redis_send(redis_answered_fn *answered, void *arg, int argc, const char *const *argv,
		const size_t *lens)
{
	return send_call(answered, arg, argc, argv, lens) != NULL;
}

struct wait {
	struct waiter waiter;
	TALLOC_CTX *mem;
	struct redis_reply *reply;
};

static void on_waited(void *arg, struct redis_reply *reply)
{
	struct wait *wait = arg;

	if (reply)
		wait->reply = talloc_move(wait->mem, &reply);
	waiter_wake(&wait->waiter, OK);
}

bool redis_call(struct task *t, int argc, const char *const *argv, const size_t *lens,
		struct redis_reply **reply)
{
	uint64_t limit = time_monotonic_us() + (uint64_t)redis.timeout_ms * 1000;
	struct wait wait = { .mem = t->mem };
	struct call *call = send_call(on_waited, &wait, argc, argv, lens);

	if (!call)
		return false;
	if (t->deadline && t->deadline < limit)
		limit = t->deadline;
	if (waiter_wait(&wait.waiter, limit) == E_TIMEOUT)
		call->answered = NULL;
	if (!wait.reply)
		return false;
	*reply = wait.reply;
	return true;
}
