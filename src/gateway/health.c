/* SPDX-License-Identifier: Apache-2.0 */
/* GET /livez and /readyz: for load balancers and people. */
#include "api/reply.h"
#include "base/config.h"
#include "base/time.h"
#include "gateway/gateway.h"
#include "store/pg.h"
#include "store/redis.h"
#include "base/banned.h"

enum { DATABASE_WAIT_US = 1000000 };

static int reply_states(struct request *r, const char *database)
{
	reply_begin(r, 200);
	writer_object(&r->json);
	writer_key(&r->json, "status");
	writer_string(&r->json, "ok");
	if (database) {
		writer_key(&r->json, "database");
		writer_string(&r->json, database);
	}
	/* its absence is no reason to send callers elsewhere */
	if (database && config.redis_url[0]) {
		writer_key(&r->json, "redis");
		writer_string(&r->json, redis_is_up() ? "ok" : "away");
	}
	writer_object_end(&r->json);
	return reply_end(r);
}

int health_live(struct request *r)
{
	return reply_states(r, NULL);
}

/* A question that is answered, not a flag that may be old; and within a second. */
int health_ready(struct request *r)
{
	struct pg_rows *rows;
	uint64_t limit = time_monotonic_us() + DATABASE_WAIT_US;

	if (r->task.deadline > limit)
		r->task.deadline = limit;
	if (pg_query(&r->task, &rows, "select 1", PG_NONE) == OK)
		return reply_states(r, "ok");
	task_forgive(&r->task);
	task_problem(&r->task, "database", "does not answer");
	r->task.failure.code = E_UNAVAILABLE;
	r->task.failure.retry_after = 1;
	return E_UNAVAILABLE;
}
