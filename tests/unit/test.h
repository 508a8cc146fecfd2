/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes before the .c that it tests (whose last header bans calls that system headers declare):
 * cmocka, and the assertions of tables, which name the row that failed.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <talloc.h>
#include <cmocka.h>
#include "base/attr.h"

static inline void expect_bool(bool got, bool want, const char *input)
{
	if (got != want)
		fail_msg("\"%s\" gives %s", input, got ? "true" : "false");
}

/* NULL is a text of its own. */
static inline void expect_text(const char *got, const char *want, const char *input)
{
	if (!got != !want || (got && strcmp(got, want) != 0))
		fail_msg("\"%s\" gives \"%s\", not \"%s\"", input, got ? got : "NULL",
			 want ? want : "NULL");
}

#undef fail /* src/api has its own; use expect_*() */

/* A context for the test's own memory, as cmocka's setup and teardown. */
static inline int new_memory(void **state)
{
	*state = talloc_new(NULL);
	return *state ? 0 : -1;
}

static inline int free_memory(void **state)
{
	return talloc_free(*state);
}

#endif
