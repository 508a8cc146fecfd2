/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader of imports hands over, gathered as JSON: the import's side of import.h without a database. */
#ifndef TESTS_UNIT_WITH_RECORDS_H
#define TESTS_UNIT_WITH_RECORDS_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "business/import.h"

struct import {
	struct task task;
	struct import_options options;
	json_t *records;  /* of {line, id, body, inspection} */
	json_t *rejected; /* of [line, why] */
	char scope[60];
};

const struct import_options *import_options_of(const struct import *im)
{
	return &im->options;
}

struct task *import_task(struct import *im)
{
	return &im->task;
}

void import_scope(struct import *im, const char *scope)
{
	snprintf(im->scope, sizeof(im->scope), "%s", scope);
}

int import_record(struct import *im, struct record *record)
{
	json_array_append_new(im->records,
			      json_pack("{s:I, s:s?, s:o, s:o*}", "line", (json_int_t)record->line,
					"id", record->source_id, "body", record->body, "inspection",
					record->inspection));
	return OK;
}

void import_reject(struct import *im, long line, const char *source_id, const char *fmt, ...)
{
	char why[1000];
	va_list ap;

	(void)source_id;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	json_array_append_new(im->rejected, json_pack("[I, s]", (json_int_t)line, why));
}

void import_progress(struct import *im, long long done)
{
	(void)im;
	(void)done;
}

/* Reads a text as a file; what came of it is in *im until forget_records(). Gives the reader's result. */
static inline int read_records(TALLOC_CTX *mem, const struct import_reader *reader, const char *map,
			       const char *text, size_t len, struct import *im)
{
	FILE *f = tmpfile();
	int rc;

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	rewind(f);
	*im = (struct import) { .task = { .mem = mem },
				.options = { .format = reader->format, .map = map },
				.records = json_array(),
				.rejected = json_array() };
	rc = reader->read(im, f);
	fclose(f);
	return rc;
}

static inline void forget_records(struct import *im)
{
	json_decref(im->records);
	json_decref(im->rejected);
}

/* A value as sorted compact JSON, a child of mem. */
static inline const char *json_text(TALLOC_CTX *mem, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY),
	     *copy = talloc_strdup(mem, text ? text : "NULL");

	free(text);
	return copy;
}

#endif
