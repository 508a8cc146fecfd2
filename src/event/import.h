/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import of calendars (RFC 5545): their entries become events, by UID. A later one updates what changed in it, cancels what
 * it cancels or lacks, and never overwrites what people have edited. docs/how-to/import-a-calendar.md says what is taken how.
 */
#ifndef EVENT_IMPORT_H
#define EVENT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"
#include "io/task.h"
#include "store/import.h"

enum { EVENT_SOURCE_MAX = 200 };

/* Imports a file, or what a URL gives. Prints as its options say. E_BAD_REQUEST when it cannot be read, is no calendar, or
 * breaks off; the entries before that are written then, and nothing is cancelled. waits, and reads files */
int event_import_run(struct task *t, const struct import_options *options) MUST_USE;

/* Imports the text of a calendar as `source` and counts in `report`, which has begun; the caller ends it. `keep`: what the
 * calendar lacks is not cancelled. Notes it in the audit trail, when anything was written. The same failures. waits */
int event_import_text(struct task *t, struct import_report *report, const char *source, bool keep,
		      const char *text, size_t len) MUST_USE;

#endif
