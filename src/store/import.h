/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What imports share, whatever they import: how they write, one at a time, and what they tell of themselves: what became of the
 * entries, a file with a line for each that was not taken as it is, a progress bar, an event of the audit trail. For imports
 * of the command line and of jobs.
 */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/attr.h"
#include "base/buf.h"
#include "io/task.h"

struct import_options {
	const char *format; /* "fhrs", "csv", "geojson" or "ics" */
	const char *path;   /* of ics also a URL */
	const char *source; /* name of the source; NULL: from the file's authority or name */
	const char *map;    /* csv: "field=column,..." ; NULL: columns are named like fields */
	const char *report; /* file for what was refused; NULL: one in --data, if need be */
	bool dry_run;
	bool quiet; /* no progress, no last line */
	bool keep;  /* what is missing from the file is not gone */
};

struct import_counts {
	long read, created, updated, unchanged, gone, rejected;
};

struct import_report {
	const char *kind; /* format of what is imported, "fhrs": stands in the file's name */
	const char *
		path; /* of the file; NULL: one in --data, made when there is something to report */
	struct buf *lines; /* not NULL: the lines go here instead, as far as they fit */
	bool quiet;	   /* no progress, no last lines */
	bool dry_run;
	struct import_counts counts;
	long left_out; /* values */
	long notes;    /* lines that were reported */
	/* the report's own */
	FILE *file;
	bool broken, terminal;
	char used_path[1200], remarks[400];
	long long size, done;
	uint64_t shown_us;
};

/* The name of the source: what was asked for, or the format and the file's name: "csv:schools" of files/schools.csv, for a file is
 * the whole of its own source unless told. At most `max` bytes, a child of mem. */
char *import_source(TALLOC_CTX *mem, const struct import_options *options, size_t max);
/* Begins; what the members above say must stand there. E_BAD_REQUEST when the file that was named cannot be written. */
int import_report_begin(struct task *t, struct import_report *r) MUST_USE;
/* A line about the entry in line `line` of what is read, whose id may be NULL: "rejected", and why. */
void import_report_line(struct import_report *r, const char *what, long line, const char *id,
			const char *why);
/* The same, and the entry counts as read and rejected. */
void import_report_reject(struct import_report *r, long line, const char *id, const char *why);
/* A failure's message and its fields' problems in one line, a child of mem. */
char *import_report_problems(TALLOC_CTX *mem, const struct failure *f);
/* So much of the whole is done, in any unit; shows the bar, now and then. */
void import_report_progress(struct import_report *r, long long done, long long size);
/* A sentence that stands before the last line. */
void import_report_remark(struct import_report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Ends it: closes the file, prints what there is to say, of an import that failed (rc) only where the report is. */
void import_report_end(struct import_report *r, int rc);
/* Notes the import in the audit trail, unless it was a dry run; `rc` is how it ended. Returns it, or the failure of noting.
 * What a failed import has written before is written. waits */
int import_report_audit(struct task *t, const struct import_report *r, const char *action,
			const char *resource, const char *source, int rc) MUST_USE;

/* Runs fn(t, arg) in a transaction, one import at a time over all nodes, for two that each hold rows that the other needs would
 * only end each other. Again, when somebody else who writes was in the way (E_CONFLICT): up to five times in all, so fn
 * must begin anew each time. Rolled back when fn fails or it is a dry run. The memory that fn takes from the task is freed; a
 * failure's texts are not. waits */
int import_transaction(struct task *t, bool dry_run, int (*fn)(struct task *t, void *arg),
		       void *arg) MUST_USE;

#endif
