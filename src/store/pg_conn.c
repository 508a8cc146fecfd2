/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to PostgreSQL on the loop: connecting, sending, taking answers in order, losing it and coming back. libpq
 * is in pipeline mode throughout and each statement is followed by its own Sync, so that an error ends with the
 * statement that made it.
 */
#include "store/pg_conn.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "store/memo.h"
#include "base/banned.h"

enum {
	CONNECT_MS = 5000,
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 2000,
	STATEMENTS_MAX = 500,
	SILENCE_US = 1000000 /* beyond statement_timeout: nobody is there */
};

static const struct pg_settings *settings;

static void connect_step(struct pg_conn *c);
static void on_ready(uv_poll_t *poll, int status, int events);

static void ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void stop_polling(struct pg_conn *c)
{
	if (!c->poll)
		return;
	uv_poll_stop(c->poll);
	uv_close((uv_handle_t *)c->poll, free_handle);
	c->poll = NULL;
	c->events = 0;
}

static void poll_for(struct pg_conn *c, int events)
{
	if (c->events == events)
		return;
	c->events = events;
	uv_poll_start(c->poll, events, on_ready);
}

/* While connecting, libpq may change sockets between steps: the poll follows it. */
static int start_polling(struct pg_conn *c)
{
	int fd = PQsocket(c->pq);

	stop_polling(c);
	c->poll = calloc(1, sizeof(*c->poll));
	if (!c->poll)
		abort();
	if (fd < 0 || uv_poll_init(loop_get(), c->poll, fd) != 0) {
		free(c->poll);
		c->poll = NULL;
		return -1;
	}
	c->poll->data = c;
	return 0;
}

void pg_conn_init(struct pg_conn *c, int number, const struct pg_settings *s)
{
	memset(c, 0, sizeof(*c));
	c->number = number;
	settings = s;
	uv_timer_init(loop_get(), &c->timer);
	uv_unref((uv_handle_t *)&c->timer);
	c->timer.data = c;
}

/* A statement may be forgotten while its Parse is still on the wire: no entry may point to it afterwards. */
static void drop_prepared(struct pg_conn *c, struct pg_prepared *p)
{
	for (struct pg_entry *entry = c->first; entry; entry = entry->next)
		if (entry->prepared == p)
			entry->prepared = NULL;
	HASH_DEL(c->statements, p);
	free(p->sql);
	free(p);
}

static void forget_statements(struct pg_conn *c)
{
	struct pg_prepared *p, *next;

	HASH_ITER (hh, c->statements, p, next)
		drop_prepared(c, p);
}

void pg_entry_free(struct pg_entry *entry)
{
	if (!entry)
		return;
	PQclear(entry->result);
	free(entry);
}

static void answer(struct pg_entry *entry, int result)
{
	struct waiter *w = entry->waiter;

	entry->next = NULL;
	if (w)
		waiter_wake(w, result);
	else
		pg_entry_free(entry);
}

/* Everybody who waits on it learns that it is gone. */
static void answer_all(struct pg_conn *c)
{
	struct pg_entry *entry = c->first;

	c->first = c->last = NULL;
	c->outstanding = 0;
	while (entry) {
		struct pg_entry *next = entry->next;

		PQclear(entry->result);
		entry->result = NULL;
		answer(entry, E_UNAVAILABLE);
		entry = next;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct pg_conn *c = timer->data;

	if (c->state == PG_CONNECTING)
		pg_conn_reset(c, "connecting took too long");
	else if (c->state == PG_DOWN && c->wanted)
		pg_conn_open(c);
}

static void retry_later(struct pg_conn *c)
{
	unsigned shift = c->attempts < 5 ? c->attempts : 5;
	uint64_t delay = BACKOFF_FIRST_MS << shift;

	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	c->attempts++;
	uv_timer_start(&c->timer, on_timer, delay + randombytes_uniform(BACKOFF_FIRST_MS), 0);
}

static void take_down(struct pg_conn *c)
{
	bool was_up = c->state == PG_UP;

	c->state = PG_DOWN;
	c->in_doubt = false;
	c->lost = c->leased;
	stop_polling(c);
	uv_timer_stop(&c->timer);
	if (c->pq)
		PQfinish(c->pq);
	c->pq = NULL;
	forget_statements(c);
	if (was_up) {
		metric_add(METRIC_DB_CONNECTIONS, -1);
		memo_clear(); /* who answers next may be another */
	}
	answer_all(c);
}

void pg_conn_reset(struct pg_conn *c, const char *why)
{
	if (c->attempts == 0)
		log_warn("database connection %d: %s", c->number, why);
	take_down(c);
	if (c->wanted)
		retry_later(c);
	pg_conn_changed(c);
}

void pg_conn_suspect(struct pg_conn *c)
{
	uint64_t limit = (uint64_t)settings->statement_timeout * 1000 + SILENCE_US;

	if (c->state == PG_UP && !c->leased && c->outstanding > 0 &&
	    time_monotonic_us() - c->heard_us > limit)
		pg_conn_reset(c, "it does not answer");
}

static void timer_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

void pg_conn_close(struct pg_conn *c)
{
	c->wanted = false;
	take_down(c);
	uv_close((uv_handle_t *)&c->timer, timer_closed);
}

/* Lists are looked up in the order of an index, a page at a time: whatever reads a whole table first is a mistake of the
 * planner. A short statement is planned once, a long one for its own values. */
static const char page_planning[] =
	" -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=";

static const char *plan_mode(const struct pg_conn *c)
{
	return c->number < settings->pipelines ? "force_generic_plan" : "force_custom_plan";
}

void pg_conn_open(struct pg_conn *c)
{
	char options[512];
	const char *keywords[] = { "dbname",	       "application_name",
				   "client_encoding",  "options",
				   "connect_timeout",  "keepalives_idle",
				   "tcp_user_timeout", NULL };
	const char *values[] = { settings->url, settings->name, "UTF8",	 options,
				 "5",		"30",		"20000", NULL };

	if (c->state != PG_DOWN)
		return;
	snprintf(
		options, sizeof(options),
		"-c statement_timeout=%d -c idle_in_transaction_session_timeout=60000 -c TimeZone=UTC -c DateStyle=ISO "
		"-c jit=off -c work_mem=16MB -c max_parallel_workers_per_gather=0%s%s",
		settings->statement_timeout, settings->pages ? page_planning : "",
		settings->pages ? plan_mode(c) : "");
	c->state = PG_CONNECTING;
	uv_timer_start(&c->timer, on_timer, CONNECT_MS, 0);
	c->pq = PQconnectStartParams(keywords, values, 1);
	if (!c->pq || PQstatus(c->pq) == CONNECTION_BAD) {
		pg_conn_reset(c, c->pq ? PQerrorMessage(c->pq) : "no memory");
		return;
	}
	PQsetNoticeReceiver(c->pq, ignore_notice, NULL);
	if (start_polling(c) != 0)
		pg_conn_reset(c, "no socket");
	else
		poll_for(c,
			 UV_WRITABLE); /* as PQconnectPoll is documented: first wait for writing */
}

static void come_up(struct pg_conn *c)
{
	if (PQsetnonblocking(c->pq, 1) != 0 || PQenterPipelineMode(c->pq) != 1 ||
	    start_polling(c) != 0) {
		pg_conn_reset(c, PQerrorMessage(c->pq));
		return;
	}
	uv_timer_stop(&c->timer);
	c->state = PG_UP;
	c->attempts = 0;
	poll_for(c, UV_READABLE);
	metric_add(METRIC_DB_CONNECTIONS, 1);
	pg_conn_changed(c);
}

static void connect_step(struct pg_conn *c)
{
	PostgresPollingStatusType next = PQconnectPoll(c->pq);

	if (next == PGRES_POLLING_OK) {
		come_up(c);
		return;
	}
	if (next == PGRES_POLLING_FAILED || start_polling(c) != 0) {
		pg_conn_reset(c, PQerrorMessage(c->pq));
		return;
	}
	poll_for(c, next == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE);
}

static bool is_error(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED;
}

/* A statement of a transaction failed whose answer nobody waits for: the log has its cause, and the connection is not used
 * again, for the statement may be one that PostgreSQL no longer has prepared. */
static void distrust(struct pg_conn *c, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	log_error("database: a statement that was only sent: %s %s", sqlstate ? sqlstate : "",
		  message ? message : "");
	metric_add(METRIC_DB_ERRORS, 1);
	c->in_doubt = true;
}

/* The statement at the head of the queue is answered: its Sync has come. */
static void complete(struct pg_conn *c)
{
	struct pg_entry *entry = c->first;

	assert(entry);
	c->first = entry->next;
	if (!c->first)
		c->last = NULL;
	c->outstanding--;
	c->heard_us = time_monotonic_us();
	if (!entry->waiter && c->leased && !c->in_doubt && is_error(entry->result))
		distrust(c, entry->result);
	answer(entry, OK);
}

static void take_result(struct pg_conn *c, PGresult *result)
{
	struct pg_entry *entry = c->first;

	if (!entry) { /* a notice of the end: the connection will say so itself */
		PQclear(result);
		return;
	}
	if (entry->preparing && !is_error(result)) {
		entry->preparing = false;
		PQclear(result);
		return;
	}
	/* the first error is the one that tells; of a script's results the last */
	if (entry->result && is_error(entry->result)) {
		PQclear(result);
		return;
	}
	PQclear(entry->result);
	entry->result = result;
	if (entry->preparing && entry->prepared)
		pg_conn_forget(c, entry->prepared->sql);
	entry->preparing = false;
}

static void leave_script(struct pg_conn *c)
{
	if (PQenterPipelineMode(c->pq) != 1)
		pg_conn_reset(c, PQerrorMessage(c->pq));
	else
		complete(c);
}

static void take_results(struct pg_conn *c)
{
	while (c->state == PG_UP && c->outstanding > 0 && !PQisBusy(c->pq)) {
		PGresult *result = PQgetResult(c->pq);

		if (PQpipelineStatus(c->pq) == PQ_PIPELINE_OFF) {
			if (result)
				take_result(c, result);
			else
				leave_script(c);
			continue;
		}
		if (!result)
			continue; /* between a statement's results and what follows */
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			complete(c);
			continue;
		}
		take_result(c, result);
	}
	if (c->state == PG_UP && PQstatus(c->pq) == CONNECTION_BAD)
		pg_conn_reset(c, PQerrorMessage(c->pq));
}

static void flush(struct pg_conn *c)
{
	int left = PQflush(c->pq);

	if (left < 0)
		return; /* the reading side learns of it and resets */
	poll_for(c, left ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct pg_conn *c = poll->data;

	if (c->poll != poll)
		return;
	if (c->state == PG_CONNECTING) {
		connect_step(c);
		return;
	}
	if (events & UV_WRITABLE)
		flush(c);
	if (status < 0 || !PQconsumeInput(c->pq)) {
		pg_conn_reset(c, PQerrorMessage(c->pq));
		return;
	}
	take_results(c);
}

void pg_conn_forget(struct pg_conn *c, const char *sql)
{
	struct pg_prepared *p;

	HASH_FIND_STR(c->statements, sql, p);
	if (p)
		drop_prepared(c, p);
}

/* The statement's name on this connection; *fresh when it must be prepared first. Texts vary with the filters that
 * callers combine: when there are too many, all are dropped here and in PostgreSQL, which costs a Parse each. */
static struct pg_prepared *find_prepared(struct pg_conn *c, const char *sql, bool *fresh)
{
	struct pg_prepared *p;

	HASH_FIND_STR(c->statements, sql, p);
	*fresh = !p;
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->sql = strdup(sql);
	snprintf(p->name, sizeof(p->name), "s%u", c->names++);
	HASH_ADD_KEYPTR(hh, c->statements, p->sql, strlen(p->sql), p);
	return p;
}

static struct pg_entry *new_entry(struct waiter *w)
{
	struct pg_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		abort();
	entry->waiter = w;
	return entry;
}

static void append(struct pg_conn *c, struct pg_entry *entry)
{
	if (c->last)
		c->last->next = entry;
	else
		c->first = entry;
	c->last = entry;
	if (c->outstanding++ == 0)
		c->heard_us = time_monotonic_us();
	metric_add(METRIC_DB_STATEMENTS, 1);
}

static bool deallocate_all(struct pg_conn *c)
{
	forget_statements(c);
	if (!PQsendQueryParams(c->pq, "deallocate all", 0, NULL, NULL, NULL, NULL, 0) ||
	    !PQpipelineSync(c->pq)) {
		pg_conn_reset(c, PQerrorMessage(c->pq));
		return false;
	}
	append(c, new_entry(NULL));
	return true;
}

struct pg_entry *pg_conn_send(struct pg_conn *c, struct waiter *w, const char *sql, int count,
			      const char *const *params)
{
	struct pg_prepared *p;
	struct pg_entry *entry;
	bool fresh;

	if (c->state != PG_UP || c->lost ||
	    (HASH_COUNT(c->statements) >= STATEMENTS_MAX && !deallocate_all(c)))
		return NULL;
	p = find_prepared(c, sql, &fresh);
	if ((fresh && !PQsendPrepare(c->pq, p->name, sql, 0, NULL)) ||
	    !PQsendQueryPrepared(c->pq, p->name, count, params, NULL, NULL, 0) ||
	    !PQpipelineSync(c->pq)) {
		pg_conn_reset(c, PQerrorMessage(c->pq));
		return NULL;
	}
	entry = new_entry(w);
	entry->preparing = fresh;
	entry->prepared = fresh ? p : NULL;
	append(c, entry);
	flush(c);
	return entry;
}

struct pg_entry *pg_conn_send_script(struct pg_conn *c, struct waiter *w, const char *sql)
{
	struct pg_entry *entry;

	if (c->state != PG_UP || c->lost || c->outstanding > 0 || !PQexitPipelineMode(c->pq))
		return NULL;
	if (!PQsendQuery(c->pq, sql)) {
		pg_conn_reset(c, PQerrorMessage(c->pq));
		return NULL;
	}
	entry = new_entry(w);
	append(c, entry);
	flush(c);
	return entry;
}
