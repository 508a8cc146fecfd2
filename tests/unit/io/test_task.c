/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of failures: the first one counts, problems gather up to their limit, and what they quote stays UTF-8. */
#include "test.h"
#include <assert.h>
#include "base/str.h"
#include "io/task.c"

static void test_the_first_failure_counts(void **state)
{
	struct task t = { .mem = *state };

	assert_int_equal(task_fail(&t, E_NOT_FOUND, "no %s", "such"), E_NOT_FOUND);
	assert_int_equal(task_fail(&t, E_CONFLICT, "later"), E_NOT_FOUND);
	assert_int_equal(task_problem(&t, "name", "is bad"), E_NOT_FOUND);
	assert_string_equal(t.failure.message, "no such");
	assert_int_equal(t.failure.problem_count, 0);
	task_forgive(&t);
	assert_int_equal(task_fail(&t, E_CONFLICT, NULL), E_CONFLICT);
	assert_null(t.failure.message);
}

static void test_problems_gather_up_to_their_limit(void **state)
{
	struct task t = { .mem = *state };

	for (int i = 0; i < PROBLEMS_MAX + 5; i++)
		assert_int_equal(task_problem(&t, "name", "problem %d", i), E_VALIDATION);
	assert_int_equal(t.failure.problem_count, PROBLEMS_MAX);
	assert_string_equal(t.failure.problems[PROBLEMS_MAX - 1].message, "problem 49");
	assert_int_equal(task_fail(&t, E_CONFLICT, NULL), E_VALIDATION);
}

/* Names and values that callers send are cut: never in the middle of a character. */
static void test_what_is_quoted_stays_utf8(void **state)
{
	char *name = talloc_strdup(*state, "a");
	struct task t = { .mem = *state };
	const struct problem *p;

	for (int i = 0; i < 100; i++)
		name = talloc_asprintf_append(name, "\xe2\x82\xac");
	task_problem(&t, name, "\"%.60s\" is not known", name);
	p = &t.failure.problems[0];
	assert_true(str_is_utf8(p->field, strlen(p->field)));
	assert_true(str_is_utf8(p->message, strlen(p->message)));
	task_forgive(&t);
	task_fail(&t, E_BAD_REQUEST, "what is \"%.9s\"?", name);
	assert_true(str_is_utf8(t.failure.message, strlen(t.failure.message)));
}

static int fail_with_cause(struct task *t, void *arg)
{
	(void)arg;
	task_fail(t, E_INTERNAL, "It broke");
	t->failure.cause = "errno 5";
	return E_INTERNAL;
}

static int fail_without_message(struct task *t, void *arg)
{
	(void)arg;
	return task_fail(t, E_TIMEOUT, NULL);
}

static int succeed(struct task *t, void *arg)
{
	assert(t->mem && !t->deadline && !t->lease);
	*(int *)arg = 7;
	return OK;
}

static void test_a_command_gets_result_and_text(void **state)
{
	char text[40] = "";
	int set = 0;

	(void)state;
	assert_int_equal(task_run(succeed, &set, text, sizeof(text)), OK);
	assert_int_equal(set, 7);
	assert_string_equal(text, "");
	assert_int_equal(task_run(fail_with_cause, NULL, text, sizeof(text)), E_INTERNAL);
	assert_string_equal(text, "It broke: errno 5");
	assert_int_equal(task_run(fail_without_message, NULL, text, 8), E_TIMEOUT);
	assert_string_equal(text, "It took");
	assert_int_equal(task_run(fail_with_cause, NULL, NULL, 0), E_INTERNAL);
	loop_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_failure_counts),
		cmocka_unit_test(test_problems_gather_up_to_their_limit),
		cmocka_unit_test(test_what_is_quoted_stays_utf8),
		cmocka_unit_test(test_a_command_gets_result_and_text),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
