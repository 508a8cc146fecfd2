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
#include "model/values.h"
#include "base/str.h"
#include "business/business.h"
#include "business/import_write.h"
#include "store/pg.h"
#include "base/banned.h"

enum { BATCH = 500, SOURCE_MAX = 40 };

static const struct import_reader *const readers[] = { &fhrs_reader, &csv_reader, &geojson_reader };

struct import {
	struct task *t;
	TALLOC_CTX *batch_mem; /* of the records that wait for being written */
	const struct import_options *options;
	const struct import_reader *reader;
	char source[SOURCE_MAX + 1];
	struct import_report report;
	long nameless; /* rejected rows whose id could not be read */
	struct import_row batch[BATCH];
	int batch_count;
	void *seen; /* tsearch tree of source_ids */
	struct import_categories categories;
	long long size; /* bytes of the file */
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
	if (source_id)
		see(im, source_id); /* it is there, if not as it should be: not gone */
	else
		im->nameless++;
	import_report_reject(&im->report, line, source_id, why);
}

void import_progress(struct import *im, long long done)
{
	import_report_progress(&im->report, done, im->size);
}

static int flush(struct import *im)
{
	int rc;

	if (im->batch_count == 0)
		return OK;
	rc = import_write(im->t, im->source, im->batch, im->batch_count, im->options->dry_run,
			  &im->report.counts);
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
		import_report_line(&im->report, "value left out", record->line, record->source_id,
				   why);
		leave_out(record->body, name);
		im->report.left_out++;
	}
	return true;
}

static void reject_problems(struct import *im, struct record *record)
{
	char *why = import_report_problems(im->t->mem, &im->t->failure);

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
		import_report_line(&im->report, "inspection left out", record->line,
				   record->source_id, t.failure.problems[i].message);
	im->report.left_out++;
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
	im->report.counts.read++;
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

	if (im->options->keep || im->nameless || im->report.counts.read == 0 ||
	    im->report.counts.read == im->report.counts.rejected)
		return OK;
	buf_init(&ids, im->t->mem, (size_t)1 << 30);
	gathered = &ids;
	twalk(im->seen, gather);
	buf_addc(&ids, '}');
	if (buf_full(&ids))
		return task_fail(im->t, E_BAD_REQUEST, "The file has too many ids");
	return import_close_gone(im->t, im->source, buf_text(&ids), im->options->dry_run,
				 &im->report.counts);
}

/* One event in the audit trail for all of it: the rows say themselves where they come from. */
static int finish(struct import *im, int rc)
{
	rc = import_report_audit(im->t, &im->report, "business:import", "business", im->source, rc);
	tdestroy(im->seen, free);
	if (im->nameless && !im->options->keep)
		import_report_remark(
			&im->report,
			"%ld rows without an id that can be read: nothing was marked as gone",
			im->nameless);
	import_report_end(&im->report, rc);
	return rc;
}

static const struct import_reader *find_reader(const char *format)
{
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		if (strcmp(readers[i]->format, format) == 0)
			return readers[i];
	return NULL;
}

static int read_file(struct import *im, FILE *f)
{
	struct stat st;
	int rc;

	im->size = fstat(fileno(f), &st) == 0 ? st.st_size : 0;
	if (im->size > 0 && S_ISDIR(st.st_mode))
		return task_fail(im->t, E_BAD_REQUEST, "Cannot read %s: %s", im->options->path,
				 strerror(EISDIR));
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
	snprintf(im->source, sizeof(im->source), "%s", import_source(t->mem, options, SOURCE_MAX));
	f = fopen(options->path, "re");
	if (!f)
		return task_fail(t, E_BAD_REQUEST, "Cannot read %s: %s", options->path,
				 strerror(errno));
	im->report = (struct import_report) { .kind = options->format,
					      .path = options->report,
					      .quiet = options->quiet,
					      .dry_run = options->dry_run };
	rc = import_report_begin(t, &im->report);
	if (!rc)
		rc = finish(im, read_file(im, f));
	fclose(f);
	return rc;
}
