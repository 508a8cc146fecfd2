/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SELECT being put together for a list: conditions, joins and parameters come from filters, the rest from the table.
 * Values only ever become parameters.
 */
#ifndef API_SELECT_H
#define API_SELECT_H

#include "api/request.h"
#include "api/resource.h"
#include "base/attr.h"
#include "base/buf.h"

struct select {
	TALLOC_CTX *mem;
	const struct resource *resource;
	struct buf joins;
	struct buf where;
	const char *params[PG_PARAMS_MAX];
	int param_count;
	const char *extra;	/* more columns, after the shape's: "<sql> as distance_m" */
	const char *extra_name; /* JSON name of that column */
	const char *distance;	/* SQL to sort by distance, when near is given */
	const char *relevance;	/* SQL to sort by relevance, when q is given */
	const char *parent_id;	/* of a nested resource */
};

void select_init(struct select *s, TALLOC_CTX *mem, const struct resource *resource);
/* Adds a parameter and returns its number for "$n". */
int select_param(struct select *s, const char *text);
/* Adds "and (<condition>)". The format is ours, values go through select_param(). */
void select_where(struct select *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void select_join(struct select *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A PostgreSQL array literal of strings. */
const char *sql_array(TALLOC_CTX *mem, const char *const *items, int count);

#endif
