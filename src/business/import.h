/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports: records from files of others become businesses. A reader per format streams records; import.c checks each
 * with the same table as a request, writes them in batches of one transaction, and reports what it refused.
 */
#ifndef BUSINESS_IMPORT_H
#define BUSINESS_IMPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <jansson.h>
#include "base/attr.h"
#include "io/task.h"
#include "store/import.h"

struct import;

/* One record of a file. */
struct record {
	long line; /* where it stands in the file */
	const char *source_id;
	json_t *body; /* as a POST of a business would have it, without source and source_id */
	json_t *inspection; /* as a POST of an inspection, NULL when there is none */
};

/* Imports a file. Prints progress and the last line on standard output unless quiet. E_BAD_REQUEST when the file cannot
 * be read at all or breaks off; what was committed before stays. waits */
int import_run(struct task *t, const struct import_options *options) MUST_USE;

/* For readers. The scope is the part of a source that one file is the whole of: "fhrs:307". Must be set before the
 * first record. */
void import_scope(struct import *im, const char *scope);
/* Takes a record; a reference to body and inspection goes over to the import. Stops the reader when not OK. waits */
int import_record(struct import *im, struct record *record) MUST_USE;
/* Counts a row that is no record and notes why. Without an id (NULL) it may be any: nothing is closed then. */
void import_reject(struct import *im, long line, const char *source_id, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* How far the file has been read, in bytes. */
void import_progress(struct import *im, long long done);
const struct import_options *import_options_of(const struct import *im);
struct task *import_task(struct import *im);

/* The readers' table: import_fhrs.c, import_csv.c, import_geojson.c. They read `f` to its end. wait */
struct import_reader {
	const char *format;
	int (*read)(struct import *im, FILE *f);
};
extern const struct import_reader fhrs_reader, csv_reader, geojson_reader;

#endif
