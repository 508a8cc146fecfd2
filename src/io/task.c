/* SPDX-License-Identifier: Apache-2.0 */
/* What a piece of work carries, and running one for a command; see task.h. */
#include "io/task.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/str.h"
#include "io/coro.h"
#include "io/loop.h"
#include "base/banned.h"

enum { FIELD_MAX = 200 };

/* Formats may cut what a caller sent ("%.60s") within a character, and the text goes into JSON. */
static char *format(TALLOC_CTX *mem, const char *message, va_list ap) PRINTF_LIKE(2, 0);

static char *format(TALLOC_CTX *mem, const char *message, va_list ap)
{
	char *text = talloc_vasprintf(mem, message, ap);

	str_repair_utf8(text);
	return text;
}

int task_fail(struct task *t, enum error_code code, const char *message, ...)
{
	va_list ap;

	if (t->failure.code)
		return t->failure.code;
	t->failure.code = code;
	if (message) {
		va_start(ap, message);
		t->failure.message = format(t->mem, message, ap);
		va_end(ap);
	}
	return code;
}

int task_problem(struct task *t, const char *field, const char *message, ...)
{
	struct failure *f = &t->failure;
	va_list ap;

	if (f->code && f->code != E_VALIDATION)
		return f->code;
	f->code = E_VALIDATION;
	if (f->problem_count == PROBLEMS_MAX)
		return E_VALIDATION;
	if (!f->problems)
		f->problems = talloc_array(t->mem, struct problem, PROBLEMS_MAX);
	va_start(ap, message);
	f->problems[f->problem_count++] = (struct problem) {
		.field = str_cut(t->mem, field, FIELD_MAX), .message = format(t->mem, message, ap)
	};
	va_end(ap);
	return E_VALIDATION;
}

void task_forgive(struct task *t)
{
	memset(&t->failure, 0, sizeof(t->failure));
}

void task_keep_failure(struct task *t, TALLOC_CTX *mem)
{
	struct failure *f = &t->failure;
	const char **texts[] = { &f->message, &f->constraint, &f->sqlstate, &f->cause };
	struct problem *problems = f->problem_count
					   ? talloc_array(mem, struct problem, PROBLEMS_MAX)
					   : NULL;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (*texts[i])
			*texts[i] = talloc_strdup(mem, *texts[i]);
	for (int i = 0; i < f->problem_count; i++)
		problems[i] = (struct problem) { .field = talloc_strdup(mem, f->problems[i].field),
						 .message = talloc_strdup(mem,
									  f->problems[i].message) };
	f->problems = problems;
}

struct run {
	int (*fn)(struct task *t, void *arg);
	void *arg;
	struct task task;
	int result;
};

static void run_body(void *arg)
{
	struct run *run = arg;

	run->result = run->fn(&run->task, run->arg);
	loop_stop();
}

int task_run(int (*fn)(struct task *t, void *arg), void *arg, char *failure_text, size_t size)
{
	struct run run = { .fn = fn, .arg = arg, .result = E_INTERNAL };

	run.task.mem = talloc_new(NULL);
	loop_get();
	if (coro_start(run_body, &run) != 0)
		return E_INTERNAL;
	/* it may have ended without waiting: then stop was asked for already and this returns at once */
	loop_run();
	if (run.result && failure_text) {
		const struct failure *f = &run.task.failure;

		snprintf(failure_text, size, "%s%s%s",
			 f->message ? f->message : errors[run.result].title, f->cause ? ": " : "",
			 f->cause ? f->cause : "");
	}
	talloc_free(run.task.mem);
	return run.result;
}
