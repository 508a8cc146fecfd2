/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `metrics` table and its values. The values live in memory that the supervisor maps before it forks; each worker
 * writes its own slot (no locks, relaxed atomics) and any of them can sum all slots for GET /metrics. A counter that a
 * dead worker had reached stays in its slot, so sums never go back.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"

enum metric {
	METRIC_CONNECTIONS, /* gauge */
	METRIC_CONNECTIONS_TOTAL,
	METRIC_CONNECTIONS_REFUSED, /* over the limit */
	METRIC_IN_FLIGHT,	    /* gauge */
	METRIC_BYTES_IN,
	METRIC_BYTES_OUT,
	METRIC_DB_STATEMENTS,
	METRIC_DB_SECONDS,	/* microseconds inside; waiting for PostgreSQL's answers */
	METRIC_DB_WAIT_SECONDS, /* microseconds inside; waiting for a connection */
	METRIC_DB_CONNECTIONS,	/* gauge: open connections */
	METRIC_DB_LEASED,	/* gauge: leased connections */
	METRIC_DB_ERRORS,
	METRIC_RESTARTS, /* children that the supervisor started again */
	METRIC_LOG_DROPPED,
	METRIC_OFFLOAD_QUEUE, /* gauge: waiting for a place at the hashers */
	METRIC_OFFLOAD_REFUSED,
	METRIC_OFFLOAD_SECONDS, /* microseconds inside; of hashers at work */
	METRIC_JOBS_RUNS,
	METRIC_JOBS_FAILURES,
	METRIC_JOBS_QUEUE,	  /* gauge: mails that wait */
	METRIC_REDIS_CONNECTIONS, /* gauge: connections that answer */
	METRIC_REDIS_CALLS,
	METRIC_LIMITS_DEGRADED, /* flag: 1 in each worker that counts without Redis though it should not */
	METRICS
};

/* A FLAG is a gauge that is 1 while it is set in any process. */
enum metric_type { COUNTER, GAUGE, FLAG };

struct metric_row {
	const char *name; /* guildford_connections */
	enum metric_type type;
	double scale; /* printed value = stored value * scale */
	const char *doc;
};

extern const struct metric_row metric_rows[METRICS];

/* Per route: requests by status and a latency histogram. Routes are numbered by api/route.c. */
enum {
	METRIC_ROUTES_MAX = 160,
	METRIC_BUCKETS = 16,
	METRIC_SLOTS_MAX = 130,
	METRIC_POLICIES_MAX = 16
};
enum { METRIC_SLOT_JOBS = METRIC_SLOTS_MAX - 1 };

/* Maps the shared memory. Call once in the supervisor before it forks (a process that never calls it counts into a
 * private slot). Returns 0 or -1 with errno. */
int metrics_setup(void) MUST_USE;
/* Which slot this process writes: 0 is the supervisor, workers follow, METRIC_SLOT_JOBS is the last. Gauges of the slot
 * restart at zero. */
void metrics_use_slot(int slot);
void metric_add(enum metric m, int64_t amount);
/* Sets a gauge of this process's slot. */
void metric_set(enum metric m, int64_t value);
/* Counts one answered request of route number `route` (0 is "no route") with its HTTP status and duration. */
void metric_request(int route, int status, uint64_t duration_us);
/* Counts one request that policy number `policy` rejected. */
void metric_rejected(int policy);
/* The sum over all slots, unscaled. */
int64_t metric_sum(enum metric m);
/* Appends everything in the Prometheus text format 0.0.4. `route_name` gives a label for a route number, NULL ends. */
void metrics_print(struct buf *out, const char *(*route_name)(int route));
/* Appends the rejections by policy; `policy_name` as above. */
void metrics_print_rejected(struct buf *out, const char *(*policy_name)(int policy));

#endif
