/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics table, its shared memory and its text form (Prometheus exposition format 0.0.4); see metrics.h. */
#include "base/metrics.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include "base/banned.h"

const struct metric_row metric_rows[METRICS] = {
	[METRIC_CONNECTIONS] = { "guildford_connections", GAUGE, 1, "Open client connections." },
	[METRIC_CONNECTIONS_TOTAL] = { "guildford_connections_total", COUNTER, 1,
				       "Client connections accepted." },
	[METRIC_CONNECTIONS_REFUSED] = { "guildford_connections_refused_total", COUNTER, 1,
					 "Client connections closed at once, over the limit." },
	[METRIC_IN_FLIGHT] = { "guildford_http_requests_in_flight", GAUGE, 1,
			       "Requests that have begun to arrive and are not answered." },
	[METRIC_BYTES_IN] = { "guildford_bytes_received_total", COUNTER, 1,
			      "Bytes read from clients." },
	[METRIC_BYTES_OUT] = { "guildford_bytes_sent_total", COUNTER, 1,
			       "Bytes written to clients." },
	[METRIC_DB_STATEMENTS] = { "guildford_database_statements_total", COUNTER, 1,
				   "Statements sent to PostgreSQL." },
	[METRIC_DB_SECONDS] = { "guildford_database_seconds_total", COUNTER, 1e-6,
				"Time waited for PostgreSQL's answers." },
	[METRIC_DB_WAIT_SECONDS] = { "guildford_database_wait_seconds_total", COUNTER, 1e-6,
				     "Time waited for a connection of the pool." },
	[METRIC_DB_CONNECTIONS] = { "guildford_database_connections", GAUGE, 1,
				    "Open PostgreSQL connections." },
	[METRIC_DB_LEASED] = { "guildford_database_connections_leased", GAUGE, 1,
			       "Connections leased at the moment." },
	[METRIC_DB_ERRORS] = { "guildford_database_errors_total", COUNTER, 1,
			       "Statements that failed." },
	[METRIC_RESTARTS] = { "guildford_worker_restarts_total", COUNTER, 1,
			      "Workers, jobs processes and hashers started again after they died." },
	[METRIC_LOG_DROPPED] = { "guildford_log_lines_dropped_total", COUNTER, 1,
				 "Log writes that failed." },
	[METRIC_OFFLOAD_QUEUE] = { "guildford_offload_queue", GAUGE, 1,
				   "Hashes of passwords that wait for a place at the hashers." },
	[METRIC_OFFLOAD_REFUSED] = { "guildford_offload_refused_total", COUNTER, 1,
				     "Hashes of passwords refused, the queue being full." },
	[METRIC_OFFLOAD_SECONDS] = { "guildford_offload_seconds_total", COUNTER, 1e-6,
				     "Time that hashers worked on hashes of passwords." },
	[METRIC_JOBS_RUNS] = { "guildford_jobs_runs_total", COUNTER, 1,
			       "Runs of jobs, those that failed as well." },
	[METRIC_JOBS_FAILURES] = { "guildford_jobs_failures_total", COUNTER, 1,
				   "Runs of jobs that failed." },
	[METRIC_JOBS_QUEUE] = { "guildford_jobs_queue", GAUGE, 1,
				"Mails that wait to be sent, in the database." },
	[METRIC_REDIS_CONNECTIONS] = { "guildford_redis_connections", GAUGE, 1,
				       "Connections to Redis that answer." },
	[METRIC_REDIS_CALLS] = { "guildford_redis_calls_total", COUNTER, 1,
				 "Commands sent to Redis." },
	[METRIC_LIMITS_DEGRADED] = { "guildford_limits_degraded", FLAG, 1,
				     "1 while a node counts for itself though REDIS_URL is set." },
};

/* Upper bounds in microseconds; the contract's 200 ms is one of them. The last bucket is infinity. */
static const uint64_t bounds[METRIC_BUCKETS - 1] = { 500,    1000,    2000,    5000,	10000,
						     20000,  50000,   100000,  200000,	300000,
						     500000, 1000000, 2000000, 5000000, 10000000 };

/* What we answer (RFC 9110); anything else would be counted as 0. */
static const int statuses[] = { 0,   200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409,
				412, 413, 414, 415, 417, 429, 431, 500, 501, 503, 504, 505 };
enum { STATUSES = COUNT_OF(statuses) };

struct slot {
	_Atomic int64_t values[METRICS];
	_Atomic int64_t requests[METRIC_ROUTES_MAX][STATUSES];
	_Atomic int64_t buckets[METRIC_ROUTES_MAX][METRIC_BUCKETS];
	_Atomic int64_t duration_us[METRIC_ROUTES_MAX];
	_Atomic int64_t rejected[METRIC_POLICIES_MAX];
};

static struct slot private_slot;
static struct slot *slots;
static struct slot *own = &private_slot;

int metrics_setup(void)
{
	/* pages that no worker touches cost nothing */
	void *memory = mmap(NULL, METRIC_SLOTS_MAX * sizeof(struct slot), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	slots = memory;
	own = &slots[0];
	return 0;
}

void metrics_use_slot(int slot)
{
	if (!slots)
		return;
	own = &slots[slot];
	for (int m = 0; m < METRICS; m++)
		if (metric_rows[m].type != COUNTER)
			atomic_store_explicit(&own->values[m], 0, memory_order_relaxed);
}

/* One writer per slot: a plain load and store, no locked instruction. */
static void bump(_Atomic int64_t *value, int64_t amount)
{
	atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + amount,
			      memory_order_relaxed);
}

void metric_add(enum metric m, int64_t amount)
{
	bump(&own->values[m], amount);
}

void metric_set(enum metric m, int64_t value)
{
	atomic_store_explicit(&own->values[m], value, memory_order_relaxed);
}

static int status_index(int status)
{
	for (int i = 1; i < STATUSES; i++)
		if (statuses[i] == status)
			return i;
	return 0;
}

void metric_request(int route, int status, uint64_t duration_us)
{
	int bucket = 0;

	while (bucket < METRIC_BUCKETS - 1 && duration_us > bounds[bucket])
		bucket++;
	bump(&own->requests[route][status_index(status)], 1);
	bump(&own->buckets[route][bucket], 1);
	bump(&own->duration_us[route], (int64_t)duration_us);
}

void metric_rejected(int policy)
{
	bump(&own->rejected[policy], 1);
}

static int64_t sum(size_t offset)
{
	int64_t total = 0;

	if (!slots)
		return *(const int64_t *)((const char *)own + offset);
	for (int i = 0; i < METRIC_SLOTS_MAX; i++)
		total += atomic_load_explicit((_Atomic int64_t *)((char *)&slots[i] + offset),
					      memory_order_relaxed);
	return total;
}

int64_t metric_sum(enum metric m)
{
	return sum(offsetof(struct slot, values) + (size_t)m * sizeof(int64_t));
}

static int64_t sum_requests(int route, int index)
{
	return sum(offsetof(struct slot, requests) +
		   (size_t)(route * STATUSES + index) * sizeof(int64_t));
}

static void print_requests(struct buf *out, const char *(*route_name)(int))
{
	buf_adds(out,
		 "# HELP guildford_http_requests_total Requests answered, by route and status.\n"
		 "# TYPE guildford_http_requests_total counter\n");
	for (int route = 0; route < METRIC_ROUTES_MAX && route_name(route); route++) {
		for (int i = 0; i < STATUSES; i++) {
			int64_t n = sum_requests(route, i);

			if (n)
				buf_addf(
					out,
					"guildford_http_requests_total{route=\"%s\",status=\"%d\"} %lld\n",
					route_name(route), statuses[i], (long long)n);
		}
	}
}

static void print_histogram(struct buf *out, int route, const char *name)
{
	int64_t count = 0;

	for (int b = 0; b < METRIC_BUCKETS; b++) {
		count += sum(offsetof(struct slot, buckets) +
			     (size_t)(route * METRIC_BUCKETS + b) * sizeof(int64_t));
		if (b < METRIC_BUCKETS - 1)
			buf_addf(
				out,
				"guildford_http_request_duration_seconds_bucket{route=\"%s\",le=\"%g\"} %lld\n",
				name, (double)bounds[b] / 1e6, (long long)count);
	}
	buf_addf(out,
		 "guildford_http_request_duration_seconds_bucket{route=\"%s\",le=\"+Inf\"} %lld\n",
		 name, (long long)count);
	buf_addf(out, "guildford_http_request_duration_seconds_sum{route=\"%s\"} %.6f\n", name,
		 (double)sum(offsetof(struct slot, duration_us) + (size_t)route * sizeof(int64_t)) /
			 1e6);
	buf_addf(out, "guildford_http_request_duration_seconds_count{route=\"%s\"} %lld\n", name,
		 (long long)count);
}

static int64_t requests_of(int route)
{
	int64_t total = 0;

	for (int i = 0; i < STATUSES; i++)
		total += sum_requests(route, i);
	return total;
}

void metrics_print(struct buf *out, const char *(*route_name)(int))
{
	for (int m = 0; m < METRICS; m++) {
		const struct metric_row *row = &metric_rows[m];

		buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->doc, row->name,
			 row->type == COUNTER ? "counter" : "gauge");
		if (row->type == FLAG)
			buf_addf(out, "%s %d\n", row->name, metric_sum(m) > 0);
		else if (row->scale == 1)
			buf_addf(out, "%s %lld\n", row->name, (long long)metric_sum(m));
		else
			buf_addf(out, "%s %.6f\n", row->name, (double)metric_sum(m) * row->scale);
	}
	print_requests(out, route_name);
	buf_adds(
		out,
		"# HELP guildford_http_request_duration_seconds Time from a request's first byte to its answer.\n"
		"# TYPE guildford_http_request_duration_seconds histogram\n");
	for (int route = 0; route < METRIC_ROUTES_MAX && route_name(route); route++)
		if (requests_of(route))
			print_histogram(out, route, route_name(route));
}

void metrics_print_rejected(struct buf *out, const char *(*policy_name)(int))
{
	buf_adds(
		out,
		"# HELP guildford_limits_rejected_total Requests answered 429, by the policy that had no room.\n"
		"# TYPE guildford_limits_rejected_total counter\n");
	for (int policy = 0; policy < METRIC_POLICIES_MAX && policy_name(policy); policy++)
		buf_addf(out, "guildford_limits_rejected_total{policy=\"%s\"} %lld\n",
			 policy_name(policy),
			 (long long)sum(offsetof(struct slot, rejected) +
					(size_t)policy * sizeof(int64_t)));
}
