/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many rows a list has in all: exact up to TOTAL_EXACT_MAX, beyond that the planner's estimate.
 */
#ifndef API_TOTAL_H
#define API_TOTAL_H

#include "api/request.h"
#include "api/select.h"
#include "base/attr.h"

enum { TOTAL_EXACT_MAX = 10000 };

struct total {
	long long count;
	bool estimated;
	bool quick;	       /* short enough a statement to be pipelined */
	const char *rows_sql;  /* "select 1 from ... where ..." without limit */
	const char *count_sql; /* the same as it is counted */
	const char *plan_sql;  /* the same as the planner guesses it best */
	int param_count;
	const char *const *params;
};

/* Remembers what is to be counted: call it when the conditions stand and before a cursor's is added. */
void total_prepare(struct total *total, struct request *r, struct select *s);
/* The planner's estimate, which costs no reading. waits */
int total_estimate(struct total *total, struct request *r) MUST_USE;
/* Counts, unless that has been done and nothing was written since: `snapshot` is that of a statement just answered, NULL
 * when there is none. waits */
int total_fetch(struct total *total, struct request *r, const char *snapshot) MUST_USE;

#endif
