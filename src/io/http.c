/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server's connections: accepting, reading, timeouts, closing, draining. Bytes become requests in http_parse.c
 * and replies become bytes in http_write.c.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/metrics.h"
#include "base/time.h"
#include "io/coro.h"
#include "io/http_conn.h"
#include "io/loop.h"
#include "base/banned.h"

enum {
	LISTENERS_MAX = 8,
	BACKLOG = 4096, /* this listen() has the last word on the socket's */
	READ_SIZE = 65536,
	PAUSE_AT = 65536,
	IN_MAX = 4 << 20,
	TICK_MS = 20,
	LINGER_US = 2000000,
	DRAIN_GRACE_US = 1000000
};

struct queue {
	struct conn *first, *last;
};

static struct {
	uv_tcp_t listeners[LISTENERS_MAX];
	int listener_fds[LISTENERS_MAX];
	int listener_count;
	struct http_limits limits;
	http_handler_fn *handler;
	struct queue queues[CONN_STATES];
	int connections;
	uv_timer_t timer;
	uv_idle_t parser;
	struct conn *with_input;
	bool started, draining;
	uint64_t drain_started_us, drain_until_us;
	void (*drained)(void);
	char read_buffer
		[READ_SIZE]; /* one for all: its bytes are parsed or copied before the next read */
} server;

bool http_is_draining(void)
{
	return server.draining;
}

static void unlink_conn(struct conn *c)
{
	struct queue *q = &server.queues[c->state];

	*(c->prev ? &c->prev->next : &q->first) = c->next;
	*(c->next ? &c->next->prev : &q->last) = c->prev;
	c->prev = c->next = NULL;
}

static void link_conn(struct conn *c, enum conn_state state)
{
	struct queue *q = &server.queues[state];

	c->state = state;
	c->prev = q->last;
	c->next = NULL;
	*(q->last ? &q->last->next : &q->first) = c;
	q->last = c;
}

/* To the end of the state's queue: all in one state have the same time, so each queue is in the order of deadlines. */
void conn_enter(struct conn *c, enum conn_state state)
{
	if (c->sink) {
		c->state = state;
		return;
	}
	c->since_us = time_monotonic_us();
	unlink_conn(c);
	link_conn(c, state);
}

static void end_exchange(struct conn *c)
{
	if (!c->x)
		return;
	talloc_free(c->x->mem);
	c->x = NULL;
	metric_add(METRIC_IN_FLIGHT, -1);
}

static void unqueue_input(struct conn *c)
{
	struct conn **at = &server.with_input;

	while (*at && *at != c)
		at = &(*at)->next_queued;
	if (*at)
		*at = c->next_queued;
	c->queued = false;
}

static void check_drained(void)
{
	void (*done)(void) = server.drained;

	if (!server.draining || server.connections > 0 || !done)
		return;
	/* handlers whose clients have gone are given their time as well */
	if (coro_count() > 0 && time_monotonic_us() < server.drain_until_us)
		return;
	server.drained = NULL;
	uv_timer_stop(&server.timer);
	done();
}

static void forget(struct conn *c)
{
	end_exchange(c);
	talloc_free(c->in.data);
	free(c);
	check_drained();
}

static void closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;

	server.connections--;
	metric_add(METRIC_CONNECTIONS, -1);
	unlink_conn(c);
	if (c->queued)
		unqueue_input(c);
	/* a handler still at work finds the connection closing when it replies, and lets go of it then */
	if (c->state != CONN_BUSY) {
		forget(c);
		return;
	}
	link_conn(c, CONN_BUSY);
	c->eof = true;
	c->paused = true;
	c->handler = NULL;
}

void conn_close(struct conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	if (!c->sink)
		uv_close((uv_handle_t *)&c->tcp, closed);
}

static void parse_queued(uv_idle_t *idle)
{
	uv_idle_stop(idle);
	while (server.with_input) {
		struct conn *c = server.with_input;

		server.with_input = c->next_queued;
		c->queued = false;
		conn_continue(c);
	}
}

static void queue_input(struct conn *c)
{
	if (c->queued || c->sink)
		return;
	c->queued = true;
	c->next_queued = server.with_input;
	server.with_input = c;
	uv_idle_start(&server.parser, parse_queued);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	(void)handle;
	(void)size;
	*buf = uv_buf_init(server.read_buffer, READ_SIZE);
}

static void shut_down(uv_shutdown_t *request, int status)
{
	(void)status;
	free(request);
}

/* Our last bytes are written: say so, and read on for a while, for a close with unread input is a reset that can eat
 * them. */
static void linger(struct conn *c)
{
	uv_shutdown_t *request = malloc(sizeof(*request));

	if (c->eof || !request || uv_shutdown(request, (uv_stream_t *)&c->tcp, shut_down) != 0) {
		free(request);
		conn_close(c);
		return;
	}
	conn_enter(c, CONN_LINGER);
	if (c->paused)
		uv_read_start((uv_stream_t *)&c->tcp, give_buffer, on_read);
	c->paused = false;
}

void conn_written(struct conn *c)
{
	bool more;

	end_exchange(c);
	if (c->closing) {
		/* closed() has been and left the rest to us */
		if (!c->handler && !c->sink) {
			unlink_conn(c);
			forget(c);
		} else {
			conn_enter(c, CONN_IDLE);
		}
		return;
	}
	if (c->close_after) {
		if (c->sink)
			c->closing = true;
		else
			linger(c);
		return;
	}
	more = c->in.len > 0;
	conn_enter(c, CONN_IDLE);
	if (more)
		queue_input(c);
	if (c->paused && c->in.len < PAUSE_AT) {
		c->paused = false;
		uv_read_start((uv_stream_t *)&c->tcp, give_buffer, on_read);
	}
}

void conn_drop(struct conn *c)
{
	conn_close(c);
	conn_written(c);
}

static void on_eof(struct conn *c)
{
	c->eof = true;
	/* a client may close its side and still wait for what it asked */
	if (c->state == CONN_BUSY || c->state == CONN_WRITE || (c->state == CONN_IDLE && c->queued))
		uv_read_stop((uv_stream_t *)&c->tcp);
	else
		conn_close(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = stream->data;

	if (n == 0)
		return;
	if (n == UV_EOF) {
		on_eof(c);
		return;
	}
	if (n < 0) {
		conn_close(c);
		return;
	}
	metric_add(METRIC_BYTES_IN, n);
	conn_take(c, buf->base, (size_t)n);
	if (c->in.len >= PAUSE_AT && (c->state == CONN_BUSY || c->state == CONN_WRITE) &&
	    !c->closing) {
		c->paused = true;
		uv_read_stop(stream);
	}
}

static void note_peer(struct conn *c)
{
	struct sockaddr_storage address;
	int len = sizeof(address);

	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&address, &len) != 0)
		return;
	if (address.ss_family == AF_INET)
		uv_ip4_name((const struct sockaddr_in *)&address, c->peer, sizeof(c->peer));
	else
		uv_ip6_name((const struct sockaddr_in6 *)&address, c->peer, sizeof(c->peer));
}

static struct conn *new_conn(const struct http_limits *limits, http_handler_fn *handler)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->limits = limits;
	c->handler = handler;
	buf_init(&c->in, NULL, IN_MAX);
	return c;
}

static void begin(struct conn *c)
{
	server.connections++;
	metric_add(METRIC_CONNECTIONS, 1);
	metric_add(METRIC_CONNECTIONS_TOTAL, 1);
	c->since_us = time_monotonic_us();
	link_conn(c, CONN_IDLE);
	uv_tcp_nodelay(&c->tcp, 1);
	note_peer(c);
	if (uv_read_start((uv_stream_t *)&c->tcp, give_buffer, on_read) != 0)
		conn_close(c);
}

static void drop(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct conn *c;

	if (status < 0) { /* out of descriptors: libuv has taken the client and closed it */
		metric_add(METRIC_CONNECTIONS_REFUSED, 1);
		return;
	}
	c = new_conn(&server.limits, server.handler);
	uv_tcp_init(loop_get(), &c->tcp);
	c->tcp.data = c;
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 ||
	    server.connections >= server.limits.connections_max) {
		metric_add(METRIC_CONNECTIONS_REFUSED, 1);
		uv_close((uv_handle_t *)&c->tcp, drop);
		return;
	}
	begin(c);
}

static bool expired(const struct conn *c, uint64_t now, uint64_t limit_us)
{
	return now >= c->since_us && now - c->since_us >= limit_us;
}

/* Has a slow reader taken anything since we last looked? */
static bool has_progressed(struct conn *c)
{
	size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
	bool progressed = left != c->unwritten;

	c->unwritten = left;
	return progressed;
}

static void time_out(enum conn_state state, uint64_t now, uint64_t limit_us)
{
	struct conn *c;

	while ((c = server.queues[state].first) && expired(c, now, limit_us)) {
		/* out of the way first: a refusal may take it to another queue, a close leaves it here */
		conn_enter(c, state);
		if (c->closing || (state == CONN_WRITE && has_progressed(c)))
			continue;
		if (state == CONN_HEAD)
			conn_refuse(c, E_REQUEST_TIMEOUT, "The headers did not arrive in time");
		else if (state == CONN_BODY)
			conn_refuse(c, E_REQUEST_TIMEOUT, "The body did not arrive in time");
		else
			conn_close(c);
	}
}

static void tick(uv_timer_t *timer)
{
	uint64_t now = time_monotonic_us();
	const struct http_limits *l = &server.limits;

	(void)timer;
	time_out(CONN_IDLE, now, (uint64_t)l->idle_timeout * 1000);
	time_out(CONN_HEAD, now, (uint64_t)l->header_timeout * 1000);
	time_out(CONN_BODY, now, (uint64_t)l->body_timeout * 1000);
	time_out(CONN_WRITE, now, (uint64_t)l->write_timeout * 1000);
	time_out(CONN_LINGER, now, LINGER_US);
	if (!server.draining)
		return;
	if (now >= server.drain_started_us + DRAIN_GRACE_US)
		time_out(CONN_IDLE, now, 0);
	if (now >= server.drain_until_us)
		for (int s = 0; s < CONN_STATES; s++)
			for (struct conn *c = server.queues[s].first; c; c = c->next)
				conn_close(c);
	check_drained();
}

int http_serve(int fd, const struct http_limits *limits, http_handler_fn *handler)
{
	uv_tcp_t *listener = &server.listeners[server.listener_count];
	int rc;

	assert(server.listener_count < LISTENERS_MAX);
	server.limits = *limits;
	server.handler = handler;
	if (!server.started) {
		uv_timer_init(loop_get(), &server.timer);
		uv_timer_start(&server.timer, tick, TICK_MS, TICK_MS);
		uv_idle_init(loop_get(), &server.parser);
		server.started = true;
	}
	uv_tcp_init(loop_get(), listener);
	rc = uv_tcp_open(listener, fd);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)listener, BACKLOG, on_connection);
	if (rc == 0)
		server.listener_fds[server.listener_count++] = fd;
	return rc;
}

/* Clients that the kernel has already said yes to are served, too. */
static void accept_queued(int fd)
{
	int client;

	while ((client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct conn *c = new_conn(&server.limits, server.handler);

		uv_tcp_init(loop_get(), &c->tcp);
		c->tcp.data = c;
		if (uv_tcp_open(&c->tcp, client) != 0) {
			close(client);
			uv_close((uv_handle_t *)&c->tcp, drop);
			continue;
		}
		begin(c);
	}
}

void http_drain(int timeout_ms, void (*done)(void))
{
	if (server.draining)
		return;
	server.draining = true;
	server.drain_started_us = time_monotonic_us();
	server.drain_until_us = server.drain_started_us + (uint64_t)timeout_ms * 1000;
	server.drained = done;
	for (int i = 0; i < server.listener_count; i++) {
		accept_queued(server.listener_fds[i]);
		uv_close((uv_handle_t *)&server.listeners[i], NULL);
	}
	check_drained();
}

void http_feed(const struct http_limits *limits, http_handler_fn *handler, const char *data,
	       size_t len, struct buf *out)
{
	struct conn *c = new_conn(limits, handler);

	c->sink = out;
	conn_take(c, data, len);
	while (c->in.len > 0 && !c->closing && c->state == CONN_IDLE) {
		size_t before = c->in.len;

		conn_continue(c);
		if (c->in.len == before)
			break;
	}
	end_exchange(c);
	talloc_free(c->in.data);
	free(c);
}
