/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of failed sign-ins, counted and locked, on a private cluster. */
#include "test.h"
#include "auth/guard.c"
#include "with_people.h"

static const char alex[] = "alex@example.org";

static int fail_times(struct task *t, int n, const char *email, bool *now_locked)
{
	int rc = OK;

	for (int i = 0; i < n && !rc; i++)
		rc = guard_failed(t, email, now_locked);
	return rc;
}

static bool is_locked(struct task *t, const char *email)
{
	bool locked = false;

	if (guard_look(t, email, &locked))
		abort();
	return locked;
}

/* As if all had happened that much earlier. */
static int pass(struct task *t, const char *interval)
{
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"update auth.login_failure set failing_since = failing_since - $1::interval, "
		"locked_until = locked_until - $1::interval",
		PG_PARAMS(interval));
}

static int locks(struct task *t)
{
	bool now_locked = false;

	CHECK(!is_locked(t, alex));
	CHECK(fail_times(t, 9, alex, &now_locked) == OK);
	CHECK(!now_locked && !is_locked(t, alex));
	CHECK(fail_times(t, 1, "Alex@Example.ORG", &now_locked) == OK);
	CHECK(now_locked && is_locked(t, alex) && is_locked(t, "ALEX@example.org"));
	CHECK(!is_locked(t, "blake@example.org"));
	CHECK(fail_times(t, 1, alex, &now_locked) == OK);
	CHECK(!now_locked); /* one mail for all of it */
	CHECK(pass(t, "16 minutes") == OK);
	CHECK(!is_locked(t, alex));
	return 0;
}

static void test_locks(void **state)
{
	(void)state;
	assert_int_equal(in_task(locks), OK);
}

/* Nine, and nine more when the first are long past. */
static int slowly(struct task *t)
{
	static const char email[] = "slowly@example.org";
	bool now_locked = false;

	CHECK(fail_times(t, 9, email, &now_locked) == OK);
	CHECK(pass(t, "16 minutes") == OK);
	CHECK(fail_times(t, 9, email, &now_locked) == OK);
	CHECK(!now_locked && !is_locked(t, email));
	CHECK(fail_times(t, 1, email, &now_locked) == OK);
	CHECK(now_locked);
	return 0;
}

static void test_slowly(void **state)
{
	(void)state;
	assert_int_equal(in_task(slowly), OK);
}

static int forgotten(struct task *t)
{
	static const char email[] = "forgotten@example.org";
	bool now_locked = false;

	CHECK(fail_times(t, 9, email, &now_locked) == OK);
	CHECK(guard_forget(t, "FORGOTTEN@example.org") == OK);
	CHECK(fail_times(t, 9, email, &now_locked) == OK);
	CHECK(!now_locked);
	return 0;
}

static void test_forgotten(void **state)
{
	(void)state;
	assert_int_equal(in_task(forgotten), OK);
}

/* The table names nobody. */
static int nameless(struct task *t)
{
	bool now_locked;

	CHECK(fail_times(t, 1, alex, &now_locked) == OK);
	CHECK(!value_of(t,
			"select 1 from auth.login_failure where address_digest !~ '^[0-9a-f]{64}$'",
			PG_NONE));
	return 0;
}

static void test_nameless(void **state)
{
	(void)state;
	assert_int_equal(in_task(nameless), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_slowly),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_nameless),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
