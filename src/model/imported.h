/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that an import writes: as a request would, but for what people have edited since, which stays as it is. */
#ifndef MODEL_IMPORTED_H
#define MODEL_IMPORTED_H

#include <stdbool.h>
#include "base/attr.h"
#include "model/values.h"

/* Columns that the import fills itself, in a row that it adds: "id, source", the SQL of each, "$1, upper($2)", and its
 * parameters. */
struct imported_columns {
	const char *columns, *sql;
	int count;
	const char *params[8];
};

/* Adds a row of the values' resource; `own` are the fields that are not written, ended by NULL. Memory is the task's. waits */
int imported_add(struct task *t, const struct values *v, const char *const *own,
		 const struct imported_columns *more) MUST_USE;
/* Writes the values into the row with this id, but for fields that people have edited (the column edited_fields), and
 * nothing when all is so already; `changed` becomes true when it was not. waits */
int imported_change(struct task *t, const struct values *v, const char *const *own, const char *id,
		    bool *changed) MUST_USE;

#endif
