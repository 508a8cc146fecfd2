/* SPDX-License-Identifier: Apache-2.0 */
/* What imports share; see import.h. It writes files and may block. */
#include "store/import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>
#include "base/config.h"
#include "base/str.h"
#include "base/time.h"
#include "store/audit.h"
#include "store/pg.h"
#include "base/banned.h"

enum { BAR_WIDTH = 30, BAR_EVERY_US = 100000, LINE_EVERY_US = 5000000, ATTEMPTS = 5 };

char *import_source(TALLOC_CTX *mem, const struct import_options *options, size_t max)
{
	const char *slash = strrchr(options->path, '/');
	const char *name = slash ? slash + 1 : options->path;
	char *stem, *source;

	if (options->source)
		return str_cut(mem, options->source, max);
	stem = talloc_strndup(mem, name, strcspn(name, "."));
	source = talloc_asprintf(mem, "%s:%.*s", options->format, (int)(max - 10),
				 str_slug(mem, stem, max));
	talloc_free(stem);
	return source;
}

static bool open_file(struct import_report *r)
{
	char stamp[TIME_TEXT_MAX];

	if (r->path) {
		snprintf(r->used_path, sizeof(r->used_path), "%s", r->path);
	} else {
		time_format(time_unix_ms(), stamp);
		mkdir(config.data, 0755);
		snprintf(r->used_path, sizeof(r->used_path), "%.1000s/import-%s-%.23s.txt",
			 config.data, r->kind, stamp);
	}
	r->file = fopen(r->used_path, "we");
	return r->file != NULL;
}

int import_report_begin(struct task *t, struct import_report *r)
{
	r->terminal = !r->quiet && isatty(STDOUT_FILENO);
	r->shown_us = time_monotonic_us();
	if (r->path && !open_file(r))
		return task_fail(t, E_BAD_REQUEST, "Cannot write the report %s: %s", r->path,
				 strerror(errno));
	return OK;
}

/* One that nobody has named is made when there is something to report. */
static bool is_open(struct import_report *r)
{
	if (r->file || r->broken)
		return r->file != NULL;
	r->broken = !open_file(r);
	if (r->broken)
		fprintf(stderr, "guildford: cannot write the report %s: %s\n", r->used_path,
			strerror(errno));
	return !r->broken;
}

void import_report_line(struct import_report *r, const char *what, long line, const char *id,
			const char *why)
{
	/* what of it is the file's begins no line of the report */
	char *text = talloc_asprintf(NULL, "line %ld%s%.*s: %s: %s", line, id ? ", id " : "",
				     id ? (int)strcspn(id, "\r\n") : 0, id ? id : "", what, why);

	for (char *c = text; *c; c++)
		if (*c == '\r' || *c == '\n')
			*c = ' ';
	r->notes++;
	if (r->lines)
		buf_addf(r->lines, "%s\n", text);
	else if (is_open(r))
		fprintf(r->file, "%s\n", text);
	talloc_free(text);
}

void import_report_reject(struct import_report *r, long line, const char *id, const char *why)
{
	r->counts.read++;
	r->counts.rejected++;
	import_report_line(r, "rejected", line, id, why);
}

char *import_report_problems(TALLOC_CTX *mem, const struct failure *f)
{
	char *why = talloc_strdup(mem, f->message ? f->message : "");

	for (int i = 0; i < f->problem_count; i++)
		why = talloc_asprintf_append_buffer(why, "%s%s %s", why[0] ? "; " : "",
						    f->problems[i].field, f->problems[i].message);
	return why[0] ? why : talloc_asprintf_append_buffer(why, "%s", errors[f->code].title);
}

static void show_bar(struct import_report *r)
{
	int percent = r->size > 0 ? (int)(r->done * 100 / r->size) : 0;
	int filled = percent * BAR_WIDTH / 100;

	printf("\r%3d %% [%.*s%*s] %ld read, %ld rejected", percent, filled,
	       "##############################", BAR_WIDTH - filled, "", r->counts.read,
	       r->counts.rejected);
	fflush(stdout);
}

void import_report_progress(struct import_report *r, long long done, long long size)
{
	uint64_t now = time_monotonic_us();

	r->done = done;
	r->size = size;
	if (r->quiet || now - r->shown_us < (r->terminal ? BAR_EVERY_US : LINE_EVERY_US))
		return;
	r->shown_us = now;
	if (r->terminal) {
		show_bar(r);
		return;
	}
	printf("%ld read, %lld %%\n", r->counts.read, size > 0 ? done * 100 / size : 0);
	fflush(stdout);
}

void import_report_remark(struct import_report *r, const char *fmt, ...)
{
	size_t used = strlen(r->remarks);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->remarks + used, sizeof(r->remarks) - used, fmt, ap);
	va_end(ap);
	used = strlen(r->remarks);
	snprintf(r->remarks + used, sizeof(r->remarks) - used, "\n");
}

void import_report_end(struct import_report *r, int rc)
{
	const struct import_counts *c = &r->counts;

	if (r->file)
		fclose(r->file);
	if (r->quiet)
		return;
	if (r->terminal)
		printf("\r\033[K");
	if (r->left_out)
		printf("%ld value%s left out\n", r->left_out, r->left_out == 1 ? "" : "s");
	if (r->file && r->notes)
		printf("see %s\n", r->used_path);
	if (rc)
		return;
	printf("%s", r->remarks);
	if (r->dry_run)
		printf("dry run: nothing was written\n");
	printf("%ld read: %ld created, %ld updated, %ld unchanged, %ld gone, %ld rejected\n",
	       c->read, c->created, c->updated, c->unchanged, c->gone, c->rejected);
	fflush(stdout);
}

int import_report_audit(struct task *t, const struct import_report *r, const char *action,
			const char *resource, const char *source, int rc)
{
	const struct import_counts *c = &r->counts;
	struct audit_event event = { .action = action,
				     .actor_kind = "program",
				     .resource = resource };
	struct failure failure = t->failure;
	json_t *detail;
	char *text;

	if (r->dry_run)
		return rc;
	detail = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "source", source,
			   "format", r->kind, "whole", rc == OK, "read", (json_int_t)c->read,
			   "created", (json_int_t)c->created, "updated", (json_int_t)c->updated,
			   "unchanged", (json_int_t)c->unchanged, "gone", (json_int_t)c->gone,
			   "rejected", (json_int_t)c->rejected);
	text = json_dumps(detail, JSON_COMPACT);
	json_decref(detail);
	event.detail = text;
	task_forgive(t);
	if (audit_add(t, &event) == OK || rc)
		t->failure = failure;
	free(text);
	return t->failure.code;
}

static int take_turn(struct task *t)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, "select pg_advisory_xact_lock(hashtextextended('import', 13))",
			PG_NONE);
}

static int attempt(struct task *t, bool dry_run, int (*fn)(struct task *t, void *arg), void *arg)
{
	TALLOC_CTX *whole = t->mem;
	int rc = pg_begin(t);

	if (rc)
		return rc;
	t->mem = talloc_new(whole);
	rc = take_turn(t);
	if (!rc)
		rc = fn(t, arg);
	task_keep_failure(t, whole);
	talloc_free(t->mem);
	t->mem = whole;
	if (!rc && !dry_run)
		return pg_commit(t);
	pg_rollback(t);
	return rc;
}

int import_transaction(struct task *t, bool dry_run, int (*fn)(struct task *t, void *arg),
		       void *arg)
{
	int rc = attempt(t, dry_run, fn, arg);

	for (int n = 1; rc == E_CONFLICT && n < ATTEMPTS; n++) {
		task_forgive(t);
		rc = attempt(t, dry_run, fn, arg);
	}
	return rc;
}
