/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what staff do with other people's accounts, on a private cluster: nobody gives, takes or locks out what is above
 * them. */
#include "test.h"
#include "auth/people.c"
#include "with_people.h"

static const char *path_of(struct task *t, const struct principal *p, const char *rest)
{
	return talloc_asprintf(t->mem, "/v1/people/%s%s", p->person_id, rest);
}

/* Somebody with a role of these permissions, which is named like them. */
static struct principal staff(struct task *t, const char *name, const char *permissions)
{
	if (!value_of(t, "insert into auth.role (slug, permissions) values ($1, $2) returning id",
		      PG_PARAMS(name, permissions)))
		abort();
	return new_person(t, talloc_asprintf(t->mem, "%s@example.org", name), name);
}

static int grants(struct task *t)
{
	struct principal granter = staff(t, "granter", "{person:grant,category:*}");
	struct principal editor = staff(t, "editor", "{category:update}");
	struct principal someone = new_person(t, "someone@example.org", NULL);
	const char *roles = path_of(t, &someone, "/roles");
	static const char generation[] = "select generation from auth.person where id = $1";

	CHECK(code_of(t, &editor, METHOD_POST, roles, "{\"role\":\"editor\"}") == E_FORBIDDEN);
	CHECK(code_of(t, &granter, METHOD_POST, roles, "{\"role\":\"admin\"}") == E_FORBIDDEN);
	CHECK(code_of(t, &granter, METHOD_POST, roles, "{\"role\":\"no-role\"}") == E_NOT_FOUND);
	CHECK(code_of(t, &granter, METHOD_POST, roles, "{\"role\":\"editor\"}") == OK);
	CHECK(is_value(t, "2", generation, PG_PARAMS(someone.person_id)));
	CHECK(code_of(t, &granter, METHOD_POST, roles, "{\"role\":\"editor\"}") == OK);
	CHECK(is_value(t, "2", generation, PG_PARAMS(someone.person_id)));
	CHECK(code_of(t, &granter, METHOD_DELETE, path_of(t, &someone, "/roles/editor"), NULL) ==
	      OK);
	CHECK(is_value(t, "3", generation, PG_PARAMS(someone.person_id)));
	CHECK(code_of(t, &granter, METHOD_DELETE, path_of(t, &someone, "/roles/editor"), NULL) ==
	      E_NOT_FOUND);
	granter.shown_at -= 601;
	CHECK(code_of(t, &granter, METHOD_POST, roles, "{\"role\":\"editor\"}") == E_STEP_UP);
	return 0;
}

static void test_grants(void **state)
{
	(void)state;
	assert_int_equal(in_task(grants), OK);
}

/* As many as an access token has room for: with more a key would be wider than its owner. */
static int eight(struct task *t)
{
	struct principal someone = new_person(t, "eight@example.org", NULL);
	const char *id = someone.person_id;
	int rc;

	CHECK(is_value(t, "9",
		       "with made as (insert into auth.role (slug) select 'eight-' || n "
		       "from generate_series(1, 9) n returning 1) select count(*) from made",
		       PG_NONE));
	for (int i = 1; i <= JWT_ROLES_MAX; i++)
		CHECK(people_grant(t, id, talloc_asprintf(t->mem, "eight-%d", i), NULL) == OK);
	CHECK(people_grant(t, id, "eight-8", NULL) == OK);
	rc = people_grant(t, id, "eight-9", NULL);
	task_forgive(t);
	CHECK(rc == E_CONFLICT);
	CHECK(people_revoke(t, id, "eight-1") == OK);
	CHECK(people_grant(t, id, "eight-9", NULL) == OK);
	return 0;
}

static void test_eight(void **state)
{
	(void)state;
	assert_int_equal(in_task(eight), OK);
}

static int nobody(struct task *t)
{
	struct principal admin = new_person(t, "admin@example.org", "admin");
	struct principal gone = new_person(t, "gone@example.org", NULL);
	const char *id;

	CHECK(value_of(t,
		       "update auth.person set status = 'erased', email = null, "
		       "deleted_at = clock_timestamp() where id = $1 returning id",
		       PG_PARAMS(gone.person_id)));
	CHECK(code_of(t, &admin, METHOD_POST, path_of(t, &gone, "/roles"),
		      "{\"role\":\"member\"}") == E_NOT_FOUND);
	CHECK(code_of(t, &admin, METHOD_POST, "/v1/people/x/roles", "{\"role\":\"member\"}") ==
	      E_NOT_FOUND);
	CHECK(code_of(t, &admin, METHOD_PATCH, path_of(t, &gone, ""), "{\"name\":\"x\"}") ==
	      E_NOT_FOUND);
	CHECK(people_find(t, "gone@example.org", &id) == E_NOT_FOUND);
	task_forgive(t);
	CHECK(people_find(t, "ADMIN@example.org", &id) == OK);
	CHECK(strcmp(id, admin.person_id) == 0);
	return 0;
}

static void test_nobody(void **state)
{
	(void)state;
	assert_int_equal(in_task(nobody), OK);
}

/* Who comes back has to sign in again. */
static int suspension(struct task *t)
{
	struct principal keeper = staff(t, "people-keeper", "{person:*}");
	struct principal someone = new_person(t, "suspended@example.org", NULL);
	const char *path = path_of(t, &someone, "");

	CHECK(code_of(t, &keeper, METHOD_PATCH, path, "{\"name\":\"Sam Marsh\"}") == OK);
	CHECK(!value_of(t, "select revoked_at from auth.session where id = $1",
			PG_PARAMS(someone.session_id)));
	CHECK(code_of(t, &keeper, METHOD_PATCH, path, "{\"status\":\"suspended\"}") == OK);
	CHECK(is_value(t, "suspended", "select revoked_why from auth.session where id = $1",
		       PG_PARAMS(someone.session_id)));
	CHECK(code_of(t, &keeper, METHOD_PATCH, path, "{\"status\":\"active\"}") == OK);
	CHECK(code_of(t, &keeper, METHOD_PATCH, path, "{\"status\":\"erased\"}") == E_VALIDATION);
	CHECK(code_of(t, &keeper, METHOD_PATCH, path, "{\"email\":\"x@example.org\"}") ==
	      E_VALIDATION);
	return 0;
}

static void test_suspension(void **state)
{
	(void)state;
	assert_int_equal(in_task(suspension), OK);
}

static int above(struct task *t)
{
	struct principal keeper = staff(t, "second-keeper", "{person:*}");
	struct principal admin = new_person(t, "second-admin@example.org", "admin");

	CHECK(code_of(t, &keeper, METHOD_PATCH, path_of(t, &admin, ""),
		      "{\"status\":\"suspended\"}") == E_FORBIDDEN);
	CHECK(code_of(t, &keeper, METHOD_DELETE, path_of(t, &admin, "/sessions"), NULL) ==
	      E_FORBIDDEN);
	CHECK(!value_of(t, "select revoked_at from auth.session where id = $1",
			PG_PARAMS(admin.session_id)));
	CHECK(code_of(t, &admin, METHOD_DELETE, path_of(t, &keeper, "/sessions"), NULL) == OK);
	return 0;
}

static void test_above(void **state)
{
	(void)state;
	assert_int_equal(in_task(above), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grants), cmocka_unit_test(test_eight),
		cmocka_unit_test(test_nobody), cmocka_unit_test(test_suspension),
		cmocka_unit_test(test_above),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
