/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of which credentials are looked up at all, and of who their bearer is, on a private cluster. */
#include "test.h"
#include "gateway/identify.c"
#include "with_people.h"

static void test_headers(void **state)
{
	static const char *const bad[] = { "Bearer a-token-of-the-tests",
					   "Bearer ",
					   "Bearer",
					   "Bearera-token-of-the-tests",
					   "Basic YTpi",
					   "a-token-of-the-tests",
					   "" };
	struct request *r = new_request(*state, METHOD_GET, "/");

	assert_int_equal(step_identify(r), OK);
	assert_int_equal(r->caller.is, CALLER_NOBODY);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		r = new_request(*state, METHOD_GET, "/");
		set_header(r, "authorization", bad[i]);
		expect_bool(step_identify(r) == E_UNAUTHORIZED && r->caller.is == CALLER_NOBODY,
			    true, bad[i]);
		/* which of them it was is nobody's affair */
		assert_null(strstr(r->task.failure.message, "a-token"));
	}
}

static void test_two_credentials_are_none(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/");

	set_header(r, "authorization", "Bearer a-token-of-the-tests");
	set_header(r, "authorization", "Bearer a-token-of-the-tests");
	assert_int_equal(step_identify(r), E_BAD_REQUEST);
	assert_int_equal(r->caller.is, CALLER_NOBODY);
}

/* On the heap: a frame of that size is for no stack of ours. */
static void test_a_credential_of_any_length(void **state)
{
	char *token = talloc_zero_size(*state, JWT_MAX + 2);

	for (size_t n = JWT_MAX; n <= JWT_MAX + 1; n++) {
		struct request *r = new_request(*state, METHOD_GET, "/");

		memset(token, 'a', n);
		set_header(r, "authorization", talloc_asprintf(*state, "Bearer %s", token));
		assert_int_equal(step_identify(r), E_UNAUTHORIZED);
	}
}

/* A token for a session, as sign-in gives it. */
static const char *token_for(struct task *t, const struct principal *p, int generation)
{
	struct jwt_claims claims = { .generation = generation,
				     .auth_time = (int64_t)p->shown_at,
				     .role_count = 2,
				     .roles = { "moderator", "no-such-role" } };
	char *token;

	memcpy(claims.sub, p->person_id, sizeof(claims.sub));
	memcpy(claims.sid, p->session_id, sizeof(claims.sid));
	if (jwt_issue(t, &claims, &token))
		abort();
	return token;
}

static struct request *come_with(struct task *t, const char *token)
{
	struct request *r = new_request(t->mem, METHOD_GET, "/");

	r->client = "192.0.2.1";
	r->task.deadline = time_monotonic_us() + 30000000;
	set_header(r, "authorization", talloc_asprintf(t->mem, "bearer  %s", token));
	if (step_identify(r) != (int)r->task.failure.code)
		abort();
	return r;
}

/* Who they are and what their roles give, of a role that there is not nothing; once more from memory. */
static int person(struct task *t)
{
	struct principal p = new_person(t, "person@example.org", NULL);
	const char *token = token_for(t, &p, 1);

	for (int i = 0; i < 2; i++) {
		struct request *r = come_with(t, token);

		CHECK(r->task.failure.code == OK && r->caller.is == CALLER_PERSON);
		CHECK(strcmp(r->caller.person_id, p.person_id) == 0);
		CHECK(strcmp(r->caller.session_id, p.session_id) == 0);
		CHECK(r->caller.shown_at == p.shown_at && !r->caller.key_id[0]);
		CHECK(allow_has(r, permission_find("business:create")));
		CHECK(allow_has(r, permission_find("business:moderate")));
		CHECK(!allow_has(r, permission_find("role:read")));
	}
	return 0;
}

static void test_person(void **state)
{
	(void)state;
	assert_int_equal(in_task(person), OK);
}

/* That a token was good before does not help it. */
static int over(struct task *t)
{
	static const char *const sql[] = {
		"update auth.session set revoked_at = clock_timestamp() where person_id = $1 returning 1",
		"update auth.person set status = 'suspended' where id = $1 returning 1",
		"update auth.person set generation = 2 where id = $1 returning 1",
		("with gone as (delete from auth.session where person_id = $1) "
		 "update auth.person set status = 'erased' where id = $1 returning 1"),
	};

	for (size_t i = 0; i < COUNT_OF(sql); i++) {
		struct principal p = new_person(
			t, talloc_asprintf(t->mem, "over-%zu@example.org", i), NULL);
		const char *token = token_for(t, &p, 1);

		CHECK(revoked_read(t) == OK);
		CHECK(come_with(t, token)->caller.is == CALLER_PERSON);
		CHECK(value_of(t, sql[i], PG_PARAMS(p.person_id)));
		CHECK(revoked_read(t) == OK);
		CHECK(come_with(t, token)->task.failure.code == E_UNAUTHORIZED);
		CHECK(come_with(t, token)->caller.is == CALLER_NOBODY);
		revoked_stop(); /* and by the database's word */
		CHECK(come_with(t, token)->task.failure.code == E_UNAUTHORIZED);
		CHECK(roles_load(t) == OK);
	}
	return 0;
}

static void test_over(void **state)
{
	(void)state;
	assert_int_equal(in_task(over), OK);
}

/* A token of which anything is other is none, whether the real one is remembered or not. */
static int changed(struct task *t)
{
	struct principal p = new_person(t, "changed@example.org", NULL);
	char *token = talloc_strdup(t->mem, token_for(t, &p, 1));
	size_t len = strlen(token);

	CHECK(come_with(t, token)->task.failure.code == OK);
	for (size_t i = 0; i < len; i += len / 20) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		CHECK(come_with(t, token)->task.failure.code == E_UNAUTHORIZED);
		token[i] = was;
	}
	CHECK(come_with(t, talloc_asprintf(t->mem, "%sA", token))->task.failure.code ==
	      E_UNAUTHORIZED);
	return 0;
}

static void test_changed(void **state)
{
	(void)state;
	assert_int_equal(in_task(changed), OK);
}

static int end(void **state)
{
	jwt_cache_clear();
	revoked_stop();
	return stop_people(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_headers, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_a_credential_of_any_length, new_memory,
						free_memory),
		cmocka_unit_test(test_person),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_changed),
		cmocka_unit_test_setup_teardown(test_two_credentials_are_none, new_memory,
						free_memory),
	};

	return cmocka_run_group_tests(tests, start_people, end);
}
