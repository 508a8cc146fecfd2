/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of business/import_fhrs.c: what the reader makes of an establishment's XML. The import around it only keeps the
 * last record. */
#include "business/import_fhrs.c"
/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

struct import {
	struct task task;
	json_t *body;
	int rejected;
};

struct task *import_task(struct import *im)
{
	return &im->task;
}

void import_scope(struct import *im, const char *scope)
{
	(void)im;
	(void)scope;
}

void import_progress(struct import *im, long long done)
{
	(void)im;
	(void)done;
}

void import_reject(struct import *im, long line, const char *source_id, const char *fmt, ...)
{
	(void)line;
	(void)source_id;
	(void)fmt;
	im->rejected++;
}

int import_record(struct import *im, struct record *record)
{
	json_decref(im->body);
	json_decref(record->inspection);
	im->body = record->body;
	return OK;
}

static void read_xml(struct import *im, const char *xml)
{
	int fd = memfd_create("fhrs", MFD_CLOEXEC);
	FILE *f;

	assert_int_equal(write(fd, xml, strlen(xml)), strlen(xml));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	f = fdopen(fd, "r");
	*im = (struct import) { .task.mem = talloc_new(NULL) };
	assert_int_equal(fhrs_reader.read(im, f), OK);
	fclose(f);
}

static void end(struct import *im)
{
	json_decref(im->body);
	talloc_free(im->task.mem);
}

static void a_text_in_pieces_is_one(void **state)
{
	struct import im;

	(void)state;
	read_xml(&im, "<a><EstablishmentDetail><FHRSID>1</FHRSID><BusinessName> Tea <!-- and -->"
		      "<![CDATA[&]]> Cake</BusinessName>astray</EstablishmentDetail></a>");
	assert_string_equal(json_string_value(json_object_get(im.body, "name")), "Tea & Cake");
	end(&im);
}

static void a_text_too_long_is_cut_between_characters(void **state)
{
	struct import im;
	char *xml = talloc_strdup(NULL,
				  "<a><EstablishmentDetail><FHRSID>1</FHRSID><BusinessName>x");
	const char *read;

	(void)state;
	for (int i = 0; i < TEXT_MAX; i++)
		xml = talloc_strdup_append_buffer(xml, "\xc3\xa9");
	xml = talloc_strdup_append_buffer(xml, "</BusinessName></EstablishmentDetail></a>");
	read_xml(&im, xml);
	talloc_free(xml);
	read = json_string_value(json_object_get(im.body, "name"));
	assert_non_null(read);
	assert_int_equal(strlen(read), TEXT_MAX);
	end(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_in_pieces_is_one),
		cmocka_unit_test(a_text_too_long_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
