/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the log: whatever a message holds, a line is one JSON object. Standard error is a file meanwhile. */
#include "test.h"
#include <jansson.h>
#include <stdlib.h>
#include "base/log.c"

static FILE *file;
static int real_stderr;

static int redirect(void **state)
{
	(void)state;
	file = tmpfile();
	real_stderr = dup(STDERR_FILENO);
	log_setup(LOG_INFO, "test");
	return file && dup2(fileno(file), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int restore(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	return fclose(file);
}

/* What was written, as a string; the caller frees it. */
static char *written(void)
{
	long size = lseek(fileno(file), 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_int_equal(pread(fileno(file), text, (size_t)size, 0), size);
	return text;
}

/* The one line that was written, parsed; frees nothing of it: the caller does. */
static json_t *written_line(void)
{
	char *text = written();
	json_t *line = json_loads(text, 0, NULL);

	assert_non_null(line);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
	return line;
}

static void test_a_message_cannot_forge_a_line(void **state)
{
	static const char message[] = "a\"},\n{\"level\":\"error\"";
	json_t *line;

	(void)state;
	log_info("%s", message);
	line = written_line();
	assert_string_equal(json_string_value(json_object_get(line, "message")), message);
	assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
	assert_string_equal(json_string_value(json_object_get(line, "process")), "test");
	json_decref(line);
}

/* A long message is cut, but not in the middle of a character. */
static void test_a_cut_message_stays_utf8(void **state)
{
	char message[2 * MESSAGE_MAX] = "a";
	json_t *line;

	(void)state;
	for (size_t i = 1; i + 3 < sizeof(message); i += 3)
		memcpy(message + i, "\xe2\x82\xac", 4);
	log_warn("%s", message);
	line = written_line();
	assert_true(json_string_length(json_object_get(line, "message")) > MESSAGE_MAX - 10);
	json_decref(line);
}

static void test_a_line_of_controls_is_as_long_as_it_needs(void **state)
{
	char message[MESSAGE_MAX];
	json_t *line;

	(void)state;
	memset(message, 1, sizeof(message) - 1); /* each becomes six bytes */
	message[sizeof(message) - 1] = '\0';
	log_error("%s", message);
	line = written_line();
	assert_string_equal(json_string_value(json_object_get(line, "message")), message);
	json_decref(line);
}

static void test_lines_below_the_level_are_not_written(void **state)
{
	char *text;

	(void)state;
	log_debug("quiet");
	log_setup(LOG_OFF, "test");
	log_error("quiet, too");
	text = written();
	assert_string_equal(text, "");
	free(text);
}

static void test_finished_lines_wait_for_the_flush(void **state)
{
	static char huge[3 * BATCH];
	unsigned long long dropped_before = log_dropped();
	char *text;

	(void)state;
	log_line("{}", 2);
	text = written();
	assert_string_equal(text, "");
	free(text);
	log_flush();
	log_flush();
	log_line(huge, sizeof(huge)); /* more than it can ever hold */
	assert_int_equal(log_dropped(), dropped_before + 1);
	log_line("{}", 2);
	log_flush();
	text = written();
	assert_string_equal(text, "{}\n{}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_message_cannot_forge_a_line, redirect,
						restore),
		cmocka_unit_test_setup_teardown(test_a_cut_message_stays_utf8, redirect, restore),
		cmocka_unit_test_setup_teardown(test_a_line_of_controls_is_as_long_as_it_needs,
						redirect, restore),
		cmocka_unit_test_setup_teardown(test_lines_below_the_level_are_not_written,
						redirect, restore),
		cmocka_unit_test_setup_teardown(test_finished_lines_wait_for_the_flush, redirect,
						restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
