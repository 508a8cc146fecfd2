/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of roles, on a private cluster: nobody makes, changes or brings back one that may do more than they. */
#include "test.h"
#include "auth/role.c"
#include "with_people.h"

/* A role of this name; its path. */
static const char *new_role(struct task *t, const char *slug, const char *permissions)
{
	const char *id = value_of(
		t, "insert into auth.role (slug, permissions) values ($1, $2) returning id",
		PG_PARAMS(slug, permissions));

	return talloc_asprintf(t->mem, "/v1/roles/%s", id);
}

static const char *role_body(struct task *t, const char *slug, const char *permissions)
{
	return talloc_asprintf(t->mem, "{\"slug\":\"%s\",\"permissions\":%s}", slug, permissions);
}

static int patterns(struct task *t)
{
	static const struct {
		const char *permissions;
		int code;
	} rows[] = {
		{ "[\"role:read\"]", OK },
		{ "[]", OK },
		{ "[\"role:*\"]", OK },
		{ "[\"person:grant\"]", E_FORBIDDEN },
		{ "[\"*\"]", E_FORBIDDEN },
		{ "[\"role:read\",\"business:*\"]", E_FORBIDDEN },
		{ "[\"role:nothing\"]", E_VALIDATION },
		{ "[\"role:\"]", E_VALIDATION },
		{ "[\":*\"]", E_VALIDATION },
		{ "[\"role:read\\u0000\"]", E_VALIDATION },
		{ "[1]", E_VALIDATION },
	};
	struct principal p;

	new_role(t, "role-keeper", "{role:*}");
	p = new_person(t, "keeper@example.org", "role-keeper");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *body = role_body(t, talloc_asprintf(t->mem, "made-%zu", i),
					     rows[i].permissions);
		int code = code_of(t, &p, METHOD_POST, "/v1/roles", body);

		if (code != rows[i].code)
			print_error("%s gives %d\n", rows[i].permissions, code);
		CHECK(code == rows[i].code);
	}
	return 0;
}

static void test_patterns(void **state)
{
	(void)state;
	assert_int_equal(in_task(patterns), OK);
}

/* Taking permissions away, and bringing a role back that one may have held oneself. */
static int above(struct task *t)
{
	struct principal keeper, admin = new_person(t, "admin@example.org", "admin");
	const char *strong = new_role(t, "strong", "{person:*}");
	const char *weak = new_role(t, "weak", "{role:read}");
	const char *restore = talloc_asprintf(t->mem, "%s/restore", strong);
	static const char take[] = "{\"permissions\":[]}", describe[] = "{\"description\":\"x\"}";

	new_role(t, "second-keeper", "{role:*}");
	keeper = new_person(t, "second@example.org", "second-keeper");
	CHECK(code_of(t, &keeper, METHOD_PATCH, strong, take) == E_FORBIDDEN);
	CHECK(code_of(t, &keeper, METHOD_PATCH, strong, describe) == E_FORBIDDEN);
	CHECK(code_of(t, &keeper, METHOD_PATCH, weak, take) == OK);
	CHECK(code_of(t, &admin, METHOD_PATCH, strong, describe) == OK);
	CHECK(code_of(t, &admin, METHOD_DELETE, strong, NULL) == OK);
	CHECK(code_of(t, &keeper, METHOD_POST, restore, NULL) == E_FORBIDDEN);
	CHECK(code_of(t, &admin, METHOD_POST, restore, NULL) == OK);
	return 0;
}

static void test_above(void **state)
{
	(void)state;
	assert_int_equal(in_task(above), OK);
}

static int built_in(struct task *t)
{
	struct principal admin = new_person(t, "built-in@example.org", "admin");
	const char *member = talloc_asprintf(
		t->mem, "/v1/roles/%s",
		value_of(t, "select id from auth.role where slug = 'member'", PG_NONE));

	CHECK(code_of(t, &admin, METHOD_PATCH, member, "{\"slug\":\"another\"}") == E_VALIDATION);
	CHECK(code_of(t, &admin, METHOD_DELETE, member, NULL) == E_CONFLICT);
	CHECK(code_of(t, &admin, METHOD_PATCH, member, "{\"description\":\"x\"}") == OK);
	CHECK(code_of(t, &admin, METHOD_POST, "/v1/roles",
		      "{\"slug\":\"member\",\"permissions\":[]}") == E_DUPLICATE);
	return 0;
}

static void test_built_in(void **state)
{
	(void)state;
	assert_int_equal(in_task(built_in), OK);
}

/* With a session that was left open nobody gives all people, their own account among them, what an admin may do. */
static int step_up(struct task *t)
{
	struct principal admin = new_person(t, "step-up@example.org", "admin");
	const char *role = new_role(t, "left-open", "{}");

	admin.shown_at -= 601;
	CHECK(code_of(t, &admin, METHOD_PATCH, role, "{\"permissions\":[\"*\"]}") == E_STEP_UP);
	CHECK(code_of(t, &admin, METHOD_POST, "/v1/roles",
		      "{\"slug\":\"all\",\"permissions\":[\"*\"]}") == E_STEP_UP);
	return 0;
}

static void test_step_up(void **state)
{
	(void)state;
	assert_int_equal(in_task(step_up), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_above),
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_step_up),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
