/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what roles may do, as read from a private cluster. */
#include "test.h"
#include "gateway/roles.c"
#include "with_people.h"

static int run(struct task *t, const char *sql)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_NONE);
}

static bool may(const char *slug, const char *permission)
{
	struct permissions set = { 0 };

	roles_add(&set, slug);
	return permissions_have(&set, permission_find(permission));
}

static int those_of_the_program(struct task *t)
{
	CHECK(roles_load(t) == OK);
	CHECK(may("member", "business:create") && !may("member", "business:update"));
	CHECK(may("moderator", "business:moderate") && may("moderator", "person:read"));
	CHECK(!may("moderator", "person:update") && !may("moderator", "role:read") &&
	      !may("moderator", "audit_event:read"));
	for (int i = 0; permission_name(i); i++)
		CHECK(may("admin", permission_name(i)));
	CHECK(!may("nothing", "business:create") && !may("", "business:create"));
	return 0;
}

static void test_those_of_the_program(void **state)
{
	(void)state;
	assert_int_equal(in_task(those_of_the_program), OK);
}

static int made(struct task *t)
{
	CHECK(run(t, "insert into auth.role (slug, permissions) values "
		     "('made-b', '{role:read,category:*,no:thing}'), ('made-a', '{}')") == OK);
	CHECK(roles_load(t) == OK);
	CHECK(may("made-b", "role:read") && may("made-b", "category:update"));
	CHECK(!may("made-b", "role:update") && !may("made-a", "role:read"));
	CHECK(run(t, "update auth.role set permissions = '{role:update}' where slug = 'made-b'") ==
	      OK);
	CHECK(may("made-b", "role:read")); /* until it is read again */
	CHECK(roles_load(t) == OK);
	CHECK(!may("made-b", "role:read") && may("made-b", "role:update"));
	CHECK(run(t, "update auth.role set deleted_at = clock_timestamp() where slug = 'made-b'") ==
	      OK);
	CHECK(roles_load(t) == OK);
	CHECK(!may("made-b", "role:update"));
	return 0;
}

static void test_made(void **state)
{
	(void)state;
	assert_int_equal(in_task(made), OK);
}

/* What was known stays. */
static int failing(struct task *t)
{
	CHECK(roles_load(t) == OK);
	CHECK(run(t, "alter table auth.role rename to hidden") == OK);
	CHECK(roles_load(t) != OK);
	task_forgive(t);
	CHECK(run(t, "alter table auth.hidden rename to role") == OK);
	CHECK(may("member", "business:create"));
	roles_clear();
	CHECK(!may("member", "business:create"));
	return 0;
}

static void test_failing(void **state)
{
	(void)state;
	assert_int_equal(in_task(failing), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_those_of_the_program),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_failing),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
