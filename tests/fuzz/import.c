/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import without its database: business/import.c itself, and in the place of import_write.c functions that check
 * what they are given. It runs in a coroutine, on a stack as large as the command's.
 */
#include "business/import.c"

#include <sys/mman.h>
#include <unistd.h>
#include "import.h"
#include "io/coro.h"

enum { STACK_BYTES = 2 << 20 };

struct run {
	const struct import_reader *reader;
	struct import_options options;
	FILE *f;
	long read;
};

static long written;

int import_categories(struct task *t, struct import_categories *known)
{
	(void)t;
	known->rows = NULL;
	return OK;
}

bool import_has_category(const struct import_categories *known, const char *slug)
{
	(void)known;
	return strcmp(slug, "absent") != 0;
}

int import_write(struct task *t, const char *source, const struct import_row *rows, int count,
		 bool dry_run, struct import_counts *counts)
{
	(void)t;
	(void)dry_run;
	assert(source[0] && strlen(source) <= SOURCE_MAX && count > 0 && count <= BATCH);
	for (int i = 0; i < count; i++) {
		assert(rows[i].source_id[0] && rows[i].line > 0);
		fuzz_check_again(rows[i].values);
		if (rows[i].inspection)
			fuzz_check_again(rows[i].inspection);
	}
	written += count;
	counts->created += count;
	return OK;
}

int import_close_gone(struct task *t, const char *source, const char *ids, bool dry_run,
		      struct import_counts *counts)
{
	(void)t;
	(void)source;
	(void)dry_run;
	(void)counts;
	assert(ids[0] == '{' && str_is_utf8(ids, strlen(ids)));
	return OK;
}

static void run_reader(void *arg)
{
	struct run *run = arg;
	struct task t = { .mem = talloc_new(NULL) };
	struct import *im = talloc_zero(t.mem, struct import);
	int rc;

	written = 0;
	im->t = &t;
	im->options = &run->options;
	im->reader = run->reader;
	im->batch_mem = talloc_new(t.mem);
	im->report = (struct import_report) { .path = "/dev/null", .quiet = true, .dry_run = true };
	snprintf(im->source, sizeof(im->source), "%s", run->reader->format);
	rc = import_report_begin(&t, &im->report);
	assert(rc == OK);
	rc = read_file(im, run->f);
	if (rc)
		assert((int)t.failure.code == rc && rc != E_INTERNAL);
	else
		assert(im->report.counts.read == written + im->report.counts.rejected);
	run->read = rc ? -1 : im->report.counts.read;
	rc = finish(im, rc);
	talloc_free(t.mem);
}

long fuzz_import(const struct import_reader *reader, const char *map, const uint8_t *data,
		 size_t size)
{
	static bool ready;
	struct run run = { .reader = reader,
			   .options = { .format = reader->format,
					.map = map,
					.report = "/dev/null",
					.quiet = true } };
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (!ready)
		coro_setup(STACK_BYTES, 1);
	ready = true;
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	run.f = fdopen(fd, "r");
	if (!run.f || coro_start(run_reader, &run) != 0)
		abort();
	assert(coro_count() == 0);
	fclose(run.f);
	return run.read;
}
