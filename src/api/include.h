/* SPDX-License-Identifier: Apache-2.0 */
/* ?include=: what belongs to the rows of a page, fetched by one statement per relation and written into each row. */
#ifndef API_INCLUDE_H
#define API_INCLUDE_H

#include "api/request.h"
#include "base/attr.h"
#include "base/writer.h"
#include "store/pg.h"

enum { INCLUDES_MAX = 8 };

struct included {
	int count;
	struct {
		const struct relation *relation;
		const struct pg_rows *rows;
		int next; /* the first row not yet written: rows come in the order of their owners */
	} items[INCLUDES_MAX];
};

/* Reads ?include=; E_VALIDATION names an unknown relation. */
int include_from_query(struct request *r, const struct resource *resource, struct included *inc);
/* Fetches for all rows of `owners`, whose column `id_column` holds their ids. waits */
int include_fetch(struct request *r, struct included *inc, const struct pg_rows *owners, int count,
		  int id_column) MUST_USE;
/* Writes the keys of owner number `owner` (0 and up, in order). */
void include_write(struct included *inc, struct writer *j, int owner);

#endif
