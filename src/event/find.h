/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a request's query asks for: for what is made of a list, such as a feed. */
#ifndef EVENT_FIND_H
#define EVENT_FIND_H

#include "api/request.h"
#include "store/pg.h"
#include "base/attr.h"

/* The ids of the events that a list with this request's parameters (event_filters) would give, each once, in the order of
 * their next occurrences that meet them, `limit` at most; the column `id`. Notes problems of the parameters. waits */
int event_find_ids(struct request *r, int limit, struct pg_rows **rows) MUST_USE;

#endif
