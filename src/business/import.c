/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import of businesses, whatever their format: checks records against the resource's table, writes them in batches,
 * counts and reports. A record is the same as an earlier one when source and source_id are; what people have edited
 * since (edited_fields) stays theirs. Called by cli/import.c and cli/serve.c; it reads files and may block.
 */
#include "business/import.h"

#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "model/values.h"
#include "base/config.h"
#include "base/str.h"
#include "base/time.h"
#include "business/business.h"
#include "business/import_write.h"
#include "store/audit.h"
#include "store/pg.h"
#include "base/banned.h"

enum {
	BATCH = 500,
	BAR_WIDTH = 30,
	BAR_EVERY_US = 100000,
	LINE_EVERY_US = 5000000,
	SOURCE_MAX = 40,
	ATTEMPTS = 5
};

static const struct import_reader *const readers[] = { &fhrs_reader, &csv_reader, &geojson_reader };

struct import {
	struct task *t;
	TALLOC_CTX *batch_mem; /* of the records that wait for being written */
	const struct import_options *options;
	const struct import_reader *reader;
	char source[SOURCE_MAX + 1];
	struct import_counts counts;
	long left_out; /* values */
	long nameless; /* rejected rows whose id could not be read */
	struct import_row batch[BATCH];
	int batch_count;
	void *seen; /* tsearch tree of source_ids */
	struct import_categories categories;
	FILE *report;
	bool reported, report_failed;
	char report_path[1200];
	long long size, done; /* bytes of the file */
	uint64_t shown_us;
	bool terminal;
};

const struct import_options *import_options_of(const struct import *im)
{
	return im->options;
}

struct task *import_task(struct import *im)
{
	return im->t;
}

void import_scope(struct import *im, const char *scope)
{
	if (!im->options->source)
		snprintf(im->source, sizeof(im->source), "%.*s", SOURCE_MAX, scope);
}

static bool open_report(struct import *im)
{
	char stamp[TIME_TEXT_MAX];

	if (im->options->report) {
		snprintf(im->report_path, sizeof(im->report_path), "%s", im->options->report);
	} else {
		time_format(time_unix_ms(), stamp);
		mkdir(config.data, 0755);
		snprintf(im->report_path, sizeof(im->report_path), "%.1000s/import-%s-%.23s.txt",
			 config.data, im->reader->format, stamp);
	}
	im->report = fopen(im->report_path, "we");
	return im->report != NULL;
}

static void report_line(struct import *im, const char *what, long line, const char *source_id,
			const char *why)
{
	/* one that nobody has named is made when there is something to report */
	if (!im->report && !im->report_failed && !open_report(im)) {
		im->report_failed = true;
		fprintf(stderr, "guildford: cannot write the report %s: %s\n", im->report_path,
			strerror(errno));
	}
	if (im->report)
		/* an id is the file's: no line of the report begins in it */
		fprintf(im->report, "line %ld%s%.*s: %s: %s\n", line, source_id ? ", id " : "",
			source_id ? (int)strcspn(source_id, "\r\n") : 0, source_id ? source_id : "",
			what, why);
	im->reported = true;
}

static bool see(struct import *im, const char *source_id)
{
	const char **found = (const char **)tsearch(source_id, &im->seen,
						    (int (*)(const void *, const void *))strcmp);

	if (!found)
		abort();
	if (*found != source_id)
		return false;
	*found = strdup(source_id);
	if (!*found)
		abort();
	return true;
}

void import_reject(struct import *im, long line, const char *source_id, const char *fmt, ...)
{
	char why[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	im->counts.read++;
	im->counts.rejected++;
	if (source_id)
		see(im, source_id); /* it is there, if not as it should be: not gone */
	else
		im->nameless++;
	report_line(im, "rejected", line, source_id, why);
}

static void show_bar(struct import *im)
{
	int percent = im->size > 0 ? (int)(im->done * 100 / im->size) : 0;
	int filled = percent * BAR_WIDTH / 100;

	printf("\r%3d %% [%.*s%*s] %ld read, %ld rejected", percent, filled,
	       "##############################", BAR_WIDTH - filled, "", im->counts.read,
	       im->counts.rejected);
	fflush(stdout);
}

void import_progress(struct import *im, long long done)
{
	uint64_t now = time_monotonic_us();

	im->done = done;
	if (im->options->quiet ||
	    now - im->shown_us < (im->terminal ? BAR_EVERY_US : LINE_EVERY_US))
		return;
	im->shown_us = now;
	if (im->terminal) {
		show_bar(im);
		return;
	}
	printf("%ld read, %lld %%\n", im->counts.read,
	       im->size > 0 ? im->done * 100 / im->size : 0);
	fflush(stdout);
}

/* Somebody who writes at the same moment may be in the way once or twice: the batch was rolled back and is tried again. */
static int write_batch(struct import *im)
{
	const struct import_counts before = im->counts;
	int rc = E_CONFLICT;

	for (int attempt = 0; rc == E_CONFLICT && attempt < ATTEMPTS; attempt++) {
		task_forgive(im->t);
		im->counts = before;
		rc = import_write(im->t, im->source, im->batch, im->batch_count,
				  im->options->dry_run, &im->counts);
	}
	return rc;
}

static int flush(struct import *im)
{
	int rc;

	if (im->batch_count == 0)
		return OK;
	rc = write_batch(im);
	if (rc) {
		const char *message = im->t->failure.message;

		task_forgive(im->t);
		return task_fail(im->t, rc, "Lines %ld to %ld could not be written: %s",
				 im->batch[0].line, im->batch[im->batch_count - 1].line,
				 message ? message : errors[rc].title);
	}
	im->batch_count = 0;
	talloc_free(im->batch_mem);
	im->batch_mem = talloc_new(im->t->mem);
	return OK;
}

/* Takes a field out of a body: "address.postcode" out of its object. */
static void leave_out(json_t *body, const char *name)
{
	const char *dot = strchr(name, '.');
	char object[64];

	if (!dot) {
		json_object_del(body, name);
		return;
	}
	snprintf(object, sizeof(object), "%.*s", (int)(dot - name), name);
	json_object_del(json_object_get(body, object), dot + 1);
}

/* The length of a problem's field without the number of a list's item: "other_categories.2". */
static size_t field_length(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && isdigit((unsigned char)dot[1]) ? (size_t)(dot - name) : strlen(name);
}

static bool is_optional(const char *name)
{
	size_t len = field_length(name);

	for (const struct field *f = business_resource.fields; f->name; f++)
		if (strlen(f->name) == len && strncmp(f->name, name, len) == 0)
			return !(f->flags & REQUIRED);
	return false;
}

/* A bad telephone number is no reason to lose a business: values that need not be there are left out, and reported. */
static bool drop_bad_values(struct import *im, struct record *record)
{
	struct failure *f = &im->t->failure;

	for (int i = 0; i < f->problem_count; i++)
		if (!is_optional(f->problems[i].field))
			return false;
	for (int i = 0; i < f->problem_count; i++) {
		char name[100], why[400];

		snprintf(name, sizeof(name), "%.*s", (int)field_length(f->problems[i].field),
			 f->problems[i].field);
		snprintf(why, sizeof(why), "%s %s", f->problems[i].field, f->problems[i].message);
		report_line(im, "value left out", record->line, record->source_id, why);
		leave_out(record->body, name);
		im->left_out++;
	}
	return true;
}

static void reject_problems(struct import *im, struct record *record)
{
	const struct failure *f = &im->t->failure;
	char *why = talloc_strdup(im->t->mem, f->message ? f->message : "");

	for (int i = 0; i < f->problem_count; i++)
		why = talloc_asprintf_append_buffer(why, "%s%s %s", why[0] ? "; " : "",
						    f->problems[i].field, f->problems[i].message);
	task_forgive(im->t);
	import_reject(im, record->line, record->source_id, "%s", why);
	talloc_free(why);
}

/* Half a place is no place. */
static void drop_half_location(json_t *body)
{
	json_t *location = json_object_get(body, "location");

	if (location && (!json_object_get(location, "lat") || !json_object_get(location, "lng")))
		json_object_del(body, "location");
}

/* The record's values, or NULL when it had to be rejected. They live as long as the batch. */
static struct values *check(struct import *im, struct record *record)
{
	struct task t = { .mem = im->batch_mem };
	struct values *v;

	for (int attempt = 0; attempt < 2; attempt++) {
		drop_half_location(record->body);
		t.failure = (struct failure) { 0 };
		if (input_check(&t, &business_resource, record->body, true, NULL, &v) == OK)
			return v;
		im->t->failure = t.failure;
		if (attempt > 0 || !drop_bad_values(im, record))
			break;
		task_forgive(im->t);
	}
	reject_problems(im, record);
	return NULL;
}

static struct values *check_inspection(struct import *im, struct record *record)
{
	struct task t = { .mem = im->batch_mem };
	struct values *v;

	if (!record->inspection ||
	    input_check(&t, &inspection_resource, record->inspection, true, NULL, &v) == OK)
		return record->inspection ? v : NULL;
	for (int i = 0; i < t.failure.problem_count; i++)
		report_line(im, "inspection left out", record->line, record->source_id,
			    t.failure.problems[i].message);
	im->left_out++;
	return NULL;
}

/* A category that does not exist would fail the whole batch: its row is rejected instead. */
static bool check_category(struct import *im, const struct record *record, const char *slug)
{
	if (!slug || import_has_category(&im->categories, slug))
		return true;
	import_reject(im, record->line, record->source_id, "there is no category \"%s\"", slug);
	return false;
}

static bool check_categories(struct import *im, const struct record *record)
{
	json_t *other;
	size_t i;

	if (!check_category(im, record,
			    json_string_value(json_object_get(record->body, "primary_category"))))
		return false;
	json_array_foreach(json_object_get(record->body, "other_categories"), i, other)
	{
		if (!check_category(im, record, json_string_value(other)))
			return false;
	}
	return true;
}

static int take(struct import *im, struct record *record)
{
	struct import_row *row = &im->batch[im->batch_count];
	struct values *v;

	if (!record->source_id || !record->source_id[0] || strlen(record->source_id) > 100) {
		import_reject(im, record->line, NULL, "has no id of at most 100 characters");
		return OK;
	}
	if (!see(im, record->source_id)) {
		import_reject(im, record->line, record->source_id, "stands in the file twice");
		return OK;
	}
	v = check(im, record);
	if (!v || !check_categories(im, record))
		return OK;
	im->counts.read++;
	row->line = record->line;
	row->source_id = talloc_strdup(im->batch_mem, record->source_id);
	row->values = v;
	row->inspection = check_inspection(im, record);
	im->batch_count++;
	return im->batch_count == BATCH ? flush(im) : OK;
}

int import_record(struct import *im, struct record *record)
{
	int rc = take(im, record);

	json_decref(record->body);
	json_decref(record->inspection);
	return rc;
}

static struct buf *gathered; /* twalk() takes no argument of ours */

static void gather(const void *node, VISIT visit, int depth)
{
	(void)depth;
	if (visit != preorder && visit != leaf)
		return;
	buf_addc(gathered, gathered->len > 1 ? ',' : '{');
	buf_addc(gathered, '"');
	for (const char *c = *(const char *const *)node; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_addc(gathered, '\\');
		buf_addc(gathered, *c);
	}
	buf_addc(gathered, '"');
}

/* What this source had and the file has not is closed. A row that cannot be read may be any of those. */
static int close_gone(struct import *im)
{
	struct buf ids;

	if (im->options->keep || im->nameless || im->counts.read == 0 ||
	    im->counts.read == im->counts.rejected)
		return OK;
	buf_init(&ids, im->t->mem, (size_t)1 << 30);
	gathered = &ids;
	twalk(im->seen, gather);
	buf_addc(&ids, '}');
	if (buf_full(&ids))
		return task_fail(im->t, E_BAD_REQUEST, "The file has too many ids");
	return import_close_gone(im->t, im->source, buf_text(&ids), im->options->dry_run,
				 &im->counts);
}

static void finish(struct import *im, int rc)
{
	if (im->report)
		fclose(im->report);
	tdestroy(im->seen, free);
	if (im->options->quiet)
		return;
	if (im->terminal)
		printf("\r\033[K");
	if (im->left_out)
		printf("%ld value%s left out\n", im->left_out, im->left_out == 1 ? "" : "s");
	if (im->report && im->reported)
		printf("see %s\n", im->report_path);
	if (rc)
		return;
	if (im->nameless && !im->options->keep)
		printf("%ld rows without an id that can be read: nothing was marked as gone\n",
		       im->nameless);
	if (im->options->dry_run)
		printf("dry run: nothing was written\n");
	printf("%ld read: %ld created, %ld updated, %ld unchanged, %ld gone, %ld rejected\n",
	       im->counts.read, im->counts.created, im->counts.updated, im->counts.unchanged,
	       im->counts.gone, im->counts.rejected);
	fflush(stdout);
}

/* One event for all of it: the rows say themselves where they come from. What was written before a file broke off is
 * written. */
static int note(struct import *im, int rc)
{
	const struct import_counts *c = &im->counts;
	struct audit_event event = { .action = "business:import",
				     .actor_kind = "program",
				     .resource = "business" };
	struct failure failure = im->t->failure;
	json_t *detail;
	char *text;

	if (im->options->dry_run)
		return rc;
	detail = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "source", im->source,
			   "format", im->reader->format, "whole", rc == OK, "read",
			   (json_int_t)c->read, "created", (json_int_t)c->created, "updated",
			   (json_int_t)c->updated, "unchanged", (json_int_t)c->unchanged, "gone",
			   (json_int_t)c->gone, "rejected", (json_int_t)c->rejected);
	text = json_dumps(detail, JSON_COMPACT);
	json_decref(detail);
	event.detail = text;
	task_forgive(im->t);
	if (audit_add(im->t, &event) == OK || rc)
		im->t->failure = failure;
	free(text);
	return im->t->failure.code;
}

static const struct import_reader *find_reader(const char *format)
{
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		if (strcmp(readers[i]->format, format) == 0)
			return readers[i];
	return NULL;
}

/* "csv:schools" of files/schools.csv: a file is the whole of its own source unless told. */
static void default_source(struct import *im, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char *stem = talloc_strndup(im->t->mem, name, strcspn(name, "."));

	snprintf(im->source, sizeof(im->source), "%s:%.*s", im->reader->format, SOURCE_MAX - 10,
		 str_slug(im->t->mem, stem, SOURCE_MAX));
	talloc_free(stem);
}

static int read_file(struct import *im, FILE *f)
{
	struct stat st;
	int rc;

	im->size = fstat(fileno(f), &st) == 0 ? st.st_size : 0;
	if (im->size > 0 && S_ISDIR(st.st_mode))
		return task_fail(im->t, E_BAD_REQUEST, "Cannot read %s: %s", im->options->path,
				 strerror(EISDIR));
	im->terminal = !im->options->quiet && isatty(STDOUT_FILENO);
	im->shown_us = time_monotonic_us();
	rc = import_categories(im->t, &im->categories);
	if (!rc)
		rc = im->reader->read(im, f);
	if (!rc)
		rc = flush(im);
	return rc ? rc : close_gone(im);
}

int import_run(struct task *t, const struct import_options *options)
{
	struct import *im = talloc_zero(t->mem, struct import);
	FILE *f;
	int rc;

	im->t = t;
	im->options = options;
	im->reader = find_reader(options->format);
	im->batch_mem = talloc_new(t->mem);
	if (!im->reader)
		return task_fail(t, E_BAD_REQUEST, "There is no format \"%s\"", options->format);
	if (options->source)
		snprintf(im->source, sizeof(im->source), "%.*s", SOURCE_MAX, options->source);
	else
		default_source(im, options->path);
	f = fopen(options->path, "re");
	if (!f)
		return task_fail(t, E_BAD_REQUEST, "Cannot read %s: %s", options->path,
				 strerror(errno));
	if (options->report && !open_report(im)) {
		rc = task_fail(t, E_BAD_REQUEST, "Cannot write the report %s: %s", options->report,
			       strerror(errno));
		fclose(f);
		return rc;
	}
	rc = note(im, read_file(im, f));
	fclose(f);
	finish(im, rc);
	return rc;
}
