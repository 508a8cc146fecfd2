/* SPDX-License-Identifier: Apache-2.0 */
/* The leases of jobs in platform.job; see job.h. All times are the database's. */
#include "store/job.h"

#include <stdio.h>
#include "store/pg.h"
#include "base/banned.h"

enum {
	SQL_MAX = 1000,
	LEASE_MORE_MS =
		10000, /* a run that ends at its deadline still gives the lease back itself */
	BACKOFF_MAX_MS = 300000
};

int job_prepare(struct task *t, const struct job *job, const char *holder)
{
	struct pg_rows *rows;

	return pg_query(t, &rows,
			"insert into platform.job (name) values ($1) on conflict (name) do update "
			"set lease_until = '-infinity' where job.holder = $2",
			PG_PARAMS(job->name, holder));
}

static int is_due(struct task *t, const struct job *job, bool *due)
{
	struct pg_rows *rows;
	char sql[SQL_MAX];
	int rc;

	snprintf(sql, sizeof(sql),
		 "select 1 from platform.job where name = $1 and next_at <= clock_timestamp() "
		 "and lease_until <= clock_timestamp() and (%s)",
		 job->wanted ? job->wanted : "true");
	rc = pg_query(t, &rows, sql, PG_PARAMS(job->name));
	if (rc == OK)
		*due = pg_count(rows) > 0;
	return rc;
}

int job_take(struct task *t, const struct job *job, const char *holder, bool *taken)
{
	struct pg_rows *rows;
	char lease[16];
	bool due = false;
	int rc = is_due(t, job, &due);

	if (rc || !due) {
		*taken = false;
		return rc;
	}
	snprintf(lease, sizeof(lease), "%d", job->timeout_ms + LEASE_MORE_MS);
	rc = pg_query(t, &rows,
		      "update platform.job set holder = $2, started_at = clock_timestamp(), "
		      "lease_until = clock_timestamp() + $3::int * interval '1 millisecond' "
		      "where name = $1 and next_at <= clock_timestamp() "
		      "and lease_until <= clock_timestamp()",
		      PG_PARAMS(job->name, holder, lease));
	if (rc == OK)
		*taken = pg_affected(rows) == 1;
	return rc;
}

int job_end(struct task *t, const struct job *job, const char *holder, bool failed)
{
	struct pg_rows *rows;
	char every[16], most[16];

	snprintf(every, sizeof(every), "%d", job->every_ms);
	snprintf(most, sizeof(most), "%d",
		 job->every_ms > BACKOFF_MAX_MS ? job->every_ms : BACKOFF_MAX_MS);
	return pg_query(
		t, &rows,
		"update platform.job set lease_until = '-infinity', ended_at = clock_timestamp(), "
		"failures = case when $3::bool then failures + 1 else 0 end, "
		"next_at = started_at + interval '1 millisecond' * case when $3::bool "
		"then least($4::int * 2.0 ^ least(failures + 1, 30), $5::int) else $4::int end "
		"where name = $1 and holder = $2 and lease_until > '-infinity'",
		PG_PARAMS(job->name, holder, failed ? "true" : "false", every, most));
}
