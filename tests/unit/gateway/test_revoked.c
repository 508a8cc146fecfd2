/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the memory of what was revoked, on a private cluster: what is new is found, late commits included, and nothing is
 * forgotten while a token may live. */
#include "test.h"
#include "gateway/revoked.c"
#include "with_people.h"

static const uint64_t MINUTE = 60000000;

/* As if everything that is remembered had been learnt that much earlier. */
static void age(uint64_t us)
{
	for (struct entry *e = memory.entries; e; e = e->hh.next)
		e->known_us -= us;
}

static int check(struct task *t, const struct principal *p, int generation)
{
	int rc = revoked_check(t, p->session_id, p->person_id, generation);

	task_forgive(t);
	return rc;
}

static int run(struct task *t, const char *sql, const char *id)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_PARAMS(id));
}

static const char end_session[] =
	"update auth.session set revoked_at = clock_timestamp() where id = $1";
static const char next_generation[] =
	"update auth.person set generation = generation + 1 where id = $1";

static int begin(void **state)
{
	(void)state;
	revoked_stop();
	return 0;
}

static int sessions(struct task *t)
{
	struct principal p = new_person(t, "sessions@example.org", NULL);

	CHECK(revoked_read(t) == OK);
	CHECK(check(t, &p, 1) == OK);
	CHECK(run(t, end_session, p.session_id) == OK);
	CHECK(check(t, &p, 1) == OK); /* not read yet */
	CHECK(revoked_read(t) == OK);
	CHECK(check(t, &p, 1) == E_UNAUTHORIZED);
	return 0;
}

static void test_sessions(void **state)
{
	(void)state;
	assert_int_equal(in_task(sessions), OK);
}

/* What is known is too old: the database is asked for each. */
static int stale(struct task *t)
{
	struct principal p = new_person(t, "stale@example.org", NULL);

	CHECK(check(t, &p, 1) == OK); /* nothing was read ever */
	CHECK(run(t, next_generation, p.person_id) == OK);
	CHECK(check(t, &p, 1) == E_UNAUTHORIZED);
	CHECK(check(t, &p, 2) == OK);
	CHECK(revoked_read(t) == OK);
	CHECK(run(t, end_session, p.session_id) == OK);
	memory.asked_us -= FRESH_US + 1;
	CHECK(check(t, &p, 2) == E_UNAUTHORIZED);
	return 0;
}

static void test_stale(void **state)
{
	(void)state;
	assert_int_equal(in_task(stale), OK);
}

static int generations(struct task *t)
{
	struct principal p = new_person(t, "generations@example.org", NULL);

	CHECK(revoked_read(t) == OK);
	CHECK(run(t, next_generation, p.person_id) == OK);
	CHECK(revoked_read(t) == OK);
	CHECK(check(t, &p, 1) == E_UNAUTHORIZED);
	CHECK(check(t, &p, 2) == OK);
	return 0;
}

static void test_generations(void **state)
{
	(void)state;
	assert_int_equal(in_task(generations), OK);
}

/* The second time counts for as long as the first did: tokens were issued between. */
static int once_more(struct task *t)
{
	struct principal p = new_person(t, "twice@example.org", NULL);
	struct principal other = new_person(t, "once@example.org", NULL);

	CHECK(revoked_read(t) == OK);
	CHECK(run(t, next_generation, p.person_id) == OK);
	CHECK(run(t, next_generation, other.person_id) == OK);
	CHECK(revoked_read(t) == OK);
	age(10 * MINUTE);
	CHECK(run(t, next_generation, p.person_id) == OK);
	CHECK(revoked_read(t) == OK);
	age(7 * MINUTE);
	CHECK(revoked_read(t) == OK);
	CHECK(check(t, &p, 2) == E_UNAUTHORIZED);
	CHECK(check(t, &other, 1) == OK); /* such a token has expired */
	return 0;
}

static void test_once_more(void **state)
{
	(void)state;
	assert_int_equal(in_task(once_more), OK);
}

/* Two transactions: the one that began first is committed last, after the other was read. */
static int late(struct task *t)
{
	struct principal first = new_person(t, "first@example.org", NULL);
	struct principal second = new_person(t, "second@example.org", NULL);
	struct task slow = { .mem = t->mem, .deadline = time_monotonic_us() + MINUTE };

	CHECK(revoked_read(t) == OK);
	CHECK(pg_begin(&slow) == OK);
	CHECK(run(&slow, end_session, first.session_id) == OK);
	CHECK(run(t, end_session, second.session_id) == OK);
	CHECK(revoked_read(t) == OK);
	CHECK(check(t, &second, 1) == E_UNAUTHORIZED);
	CHECK(check(t, &first, 1) == OK);
	CHECK(revoked_read(t) == OK);
	CHECK(pg_commit(&slow) == OK);
	CHECK(revoked_read(t) == OK);
	CHECK(check(t, &first, 1) == E_UNAUTHORIZED);
	return 0;
}

static void test_late(void **state)
{
	(void)state;
	assert_int_equal(in_task(late), OK);
}

static bool may_list_roles(const char *role)
{
	struct permissions set = { 0 };

	roles_add(&set, role);
	return permissions_have(&set, permission_find("role:read"));
}

/* However many roles have changed, they are read once. */
static int roles(struct task *t)
{
	int before;

	CHECK(revoked_read(t) == OK);
	CHECK(run(t,
		  "insert into auth.role (slug, permissions) select 'role-' || n, '{role:read}' "
		  "from generate_series(1, 20) n where $1::text is null",
		  NULL) == OK);
	CHECK(!may_list_roles("role-7"));
	before = t->statements;
	CHECK(revoked_read(t) == OK);
	CHECK(may_list_roles("role-7"));
	CHECK(t->statements - before == 2);
	CHECK(run(t,
		  "update auth.role set deleted_at = clock_timestamp() where slug = 'role-7' "
		  "and $1::text is null",
		  NULL) == OK);
	CHECK(revoked_read(t) == OK);
	CHECK(!may_list_roles("role-7"));
	CHECK(may_list_roles("role-8"));
	return 0;
}

static void test_roles(void **state)
{
	(void)state;
	assert_int_equal(in_task(roles), OK);
}

static int many(struct task *t)
{
	CHECK(revoked_read(t) == OK);
	CHECK(run(t,
		  "insert into auth.revocation (kind, subject_id) select 'session', gen_random_uuid() "
		  "from generate_series(1, 20000) where $1::text is null",
		  NULL) == OK);
	CHECK(revoked_read(t) == OK);
	CHECK(HASH_COUNT(memory.entries) >= 20000);
	age(17 * MINUTE);
	CHECK(revoked_read(t) == OK);
	CHECK(HASH_COUNT(memory.entries) == 0);
	return 0;
}

static void test_many(void **state)
{
	(void)state;
	assert_int_equal(in_task(many), OK);
}

static int end(void **state)
{
	revoked_stop();
	return stop_people(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sessions, begin),
		cmocka_unit_test_setup(test_stale, begin),
		cmocka_unit_test_setup(test_generations, begin),
		cmocka_unit_test_setup(test_once_more, begin),
		cmocka_unit_test_setup(test_late, begin),
		cmocka_unit_test_setup(test_roles, begin),
		cmocka_unit_test_setup(test_many, begin),
	};

	return cmocka_run_group_tests(tests, start_people, end);
}
