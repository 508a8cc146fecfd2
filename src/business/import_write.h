/* SPDX-License-Identifier: Apache-2.0 */
/* Writing what an import has checked. */
#ifndef BUSINESS_IMPORT_WRITE_H
#define BUSINESS_IMPORT_WRITE_H

#include <stdbool.h>
#include "model/values.h"
#include "base/attr.h"
#include "business/import.h"
#include "store/pg.h"

struct import_row {
	long line;
	const char *source_id;
	struct values *values;
	struct values *inspection; /* NULL: none */
};

struct import_categories {
	struct pg_rows *rows;
};

/* Reads the live categories. waits */
int import_categories(struct task *t, struct import_categories *categories) MUST_USE;
bool import_has_category(const struct import_categories *categories, const char *slug);
/* Writes rows of a source in one transaction (rolled back in a dry run) and counts what that did. waits */
int import_write(struct task *t, const char *source, const struct import_row *rows, int count,
		 bool dry_run, struct import_counts *counts) MUST_USE;
/* Closes the source's businesses that are not in `ids`, an array literal. waits */
int import_close_gone(struct task *t, const char *source, const char *ids, bool dry_run,
		      struct import_counts *counts) MUST_USE;

#endif
