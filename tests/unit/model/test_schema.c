/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the tables held against a database, on a private cluster. */
#include "test.h"
#include "model/schema.c"
#include "with_people.h"

/* Each is done to a database that is right. */
static int differences(struct task *t)
{
	static const struct {
		const char *sql, *says; /* NULL: nothing */
	} rows[] = {
		{ "select 1", NULL },
		{ "alter table auth.role add column another text", NULL },
		{ "alter table auth.role rename column description to about",
		  "auth.role has no column description" },
		{ "alter table auth.role alter column built_in drop default, "
		  "alter column built_in type text using built_in::text",
		  "auth.role.built_in is of type text" },
		{ "alter table auth.role drop column permissions, add column permissions text",
		  "auth.role.permissions is of type text" },
		{ "alter table auth.role drop column permissions, "
		  "add column permissions text[][]",
		  NULL },
		{ "alter table auth.person rename to people", "auth.person has no column id" },
	};

	CHECK(schema_check(t) == OK);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int rc;

		CHECK(pg_begin(t) == OK);
		CHECK(pg_script(t, "alter table auth.role drop constraint role_built_in") == OK);
		CHECK(pg_script(t, rows[i].sql) == OK);
		rc = schema_check(t);
		if (rows[i].says && (rc != E_CONFLICT || !strstr(t->failure.message, rows[i].says)))
			print_error("\"%s\" gives %s\n", rows[i].sql,
				    rc ? t->failure.message : "nothing");
		CHECK(rc == (rows[i].says ? E_CONFLICT : OK));
		CHECK(!rows[i].says || strstr(t->failure.message, rows[i].says));
		task_forgive(t);
		pg_rollback(t);
	}
	return 0;
}

static void test_differences(void **state)
{
	(void)state;
	assert_int_equal(in_task(differences), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_differences) };

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
