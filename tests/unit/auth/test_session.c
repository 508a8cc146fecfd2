/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of sessions and their refresh tokens, on a private cluster. */
#include "test.h"
#include "auth/session.c"
#include "with_people.h"

/* A session with its first refresh token. */
static const char *begin_session(struct task *t, const struct principal *p, const char **token)
{
	struct request *r = new_request(t->mem, METHOD_POST, "/");
	const char *id;

	set_header(r, "user-agent", "Firefox");
	r->client = "192.0.2.1";
	if (session_begin(r, p->person_id, &id, token))
		abort();
	return id;
}

static struct request *use(struct task *t, const char *token)
{
	return send_request(t, NULL, METHOD_POST, "/v1/auth/refresh",
			    talloc_asprintf(t->mem, "{\"refresh_token\":\"%s\"}", token));
}

/* The next token, NULL when this one is refused. */
static const char *refresh(struct task *t, const char *token)
{
	return answer_text(use(t, token), "refresh_token");
}

/* As if the token had been used eleven seconds earlier. */
static void pass(struct task *t, const char *token)
{
	if (!value_of(t,
		      "update auth.refresh_token set used_at = used_at - interval '11 seconds' "
		      "where digest = $1 returning 1",
		      PG_PARAMS(secret_digest(t->mem, "refresh token", token))))
		abort();
}

static const char why_sql[] = "select revoked_why from auth.session where id = $1";

/* A token gives the same next one for ten seconds, to whoever asks. */
static int rotation(struct task *t)
{
	struct principal p = new_person(t, "rotation@example.org", NULL);
	const char *first, *second, *third;
	const char *id = begin_session(t, &p, &first);

	second = refresh(t, first);
	CHECK(second && strcmp(first, second) != 0);
	CHECK(strcmp(refresh(t, first), second) == 0);
	CHECK(is_value(t, "2", "select count(*) from auth.refresh_token where session_id = $1",
		       PG_PARAMS(id)));
	third = refresh(t, second);
	CHECK(third && strcmp(third, second) != 0 && strcmp(third, first) != 0);
	CHECK(strcmp(refresh(t, first), second) == 0); /* late, but within ten seconds */
	CHECK(!value_of(t, why_sql, PG_PARAMS(id)));
	CHECK(!refresh(t, secret_token(t->mem)));
	CHECK(!value_of(t, why_sql, PG_PARAMS(id)));
	return 0;
}

static void test_rotation(void **state)
{
	(void)state;
	assert_int_equal(in_task(rotation), OK);
}

static int theft(struct task *t)
{
	struct principal p = new_person(t, "theft@example.org", NULL);
	const char *first, *second, *other;
	const char *id = begin_session(t, &p, &first);

	begin_session(t, &p, &other);
	second = refresh(t, first);
	pass(t, first);
	CHECK(use(t, first)->task.failure.code == E_UNAUTHORIZED);
	CHECK(is_value(t, "theft", why_sql, PG_PARAMS(id)));
	CHECK(!refresh(t, second)); /* whoever has it */
	CHECK(!refresh(t, first));
	CHECK(refresh(t, other)); /* another session goes on */
	CHECK(is_value(
		t, "1",
		"select count(*) from platform.mail where template = 'session_theft' and recipient = $1",
		PG_PARAMS("theft@example.org")));
	CHECK(is_value(
		t, "1",
		"select count(*) from platform.audit_event where action = 'session:theft' and resource_id = $1",
		PG_PARAMS(id)));
	return 0;
}

static void test_theft(void **state)
{
	(void)state;
	assert_int_equal(in_task(theft), OK);
}

/* What ends a session, or forbids it. */
static int over(struct task *t)
{
	static const char *const sql[] = {
		"update auth.session set expires_at = clock_timestamp() where id = $1 returning 1",
		"update auth.session set revoked_at = clock_timestamp() where id = $1 returning 1",
		"update auth.refresh_token set expires_at = clock_timestamp() where session_id = $1 returning 1",
		"update auth.person set status = 'suspended' where id = (select person_id from auth.session where id = $1) returning 1",
	};

	for (size_t i = 0; i < COUNT_OF(sql); i++) {
		struct principal p = new_person(
			t, talloc_asprintf(t->mem, "over-%zu@example.org", i), NULL);
		const char *token, *id = begin_session(t, &p, &token);

		CHECK(value_of(t, sql[i], PG_PARAMS(id)));
		CHECK(use(t, token)->task.failure.code == E_UNAUTHORIZED);
		CHECK(!value_of(t, "select used_at from auth.refresh_token where session_id = $1",
				PG_PARAMS(id)));
	}
	return 0;
}

static void test_over(void **state)
{
	(void)state;
	assert_int_equal(in_task(over), OK);
}

/* Whoever was let in a moment ago. */
static int of_who_is_gone(struct task *t)
{
	static const char *const statuses[] = { "suspended", "erased" };

	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		struct principal p = new_person(
			t, talloc_asprintf(t->mem, "gone-%zu@example.org", i), NULL);
		struct request *r = new_request(t->mem, METHOD_POST, "/");
		const char *id, *token;

		CHECK(value_of(t, "update auth.person set status = $2 where id = $1 returning 1",
			       PG_PARAMS(p.person_id, statuses[i])));
		CHECK(session_begin(r, p.person_id, &id, &token) == E_UNAUTHORIZED);
	}
	return 0;
}

static void test_of_who_is_gone(void **state)
{
	(void)state;
	assert_int_equal(in_task(of_who_is_gone), OK);
}

/* No refresh makes a session last for more than 90 days. */
static int absolute_life(struct task *t)
{
	struct principal p = new_person(t, "life@example.org", NULL);
	const char *token, *id = begin_session(t, &p, &token);
	static const char early[] =
		"select bool_and(t.expires_at <= s.expires_at and t.expires_at <= t.issued_at + interval '30 days 1 second') "
		"from auth.refresh_token t join auth.session s on s.id = t.session_id where s.id = $1";

	CHECK(is_value(t, "t",
		       "select expires_at between clock_timestamp() + interval '89 days 23 hours' "
		       "and clock_timestamp() + interval '90 days' from auth.session where id = $1",
		       PG_PARAMS(id)));
	CHECK(value_of(t,
		       "update auth.session set expires_at = clock_timestamp() + interval '1 day' "
		       "where id = $1 returning 1",
		       PG_PARAMS(id)));
	CHECK(value_of(
		t,
		"update auth.refresh_token set expires_at = clock_timestamp() + interval '1 hour' "
		"where session_id = $1 returning 1",
		PG_PARAMS(id)));
	CHECK(refresh(t, token));
	CHECK(is_value(t, "t", early, PG_PARAMS(id)));
	return 0;
}

static void test_absolute_life(void **state)
{
	(void)state;
	assert_int_equal(in_task(absolute_life), OK);
}

/* The child is of the parent under the key: another parent gives another, and no other key the same. */
static void test_child(void **state)
{
	struct request *r = new_request(*state, METHOD_POST, "/");
	const char *child = child_of(r, "parent");

	assert_int_equal(strlen(child), 43);
	assert_string_equal(child_of(r, "parent"), child);
	assert_string_not_equal(child_of(r, "parent2"), child);
}

/* One ends one's own, and nobody else's. */
static int ending(struct task *t)
{
	struct principal p = new_person(t, "ending@example.org", NULL);
	struct principal other = new_person(t, "other@example.org", NULL);
	const char *token, *id = begin_session(t, &p, &token);
	const char *path = talloc_asprintf(t->mem, "/v1/auth/sessions/%s", id);

	CHECK(code_of(t, &other, METHOD_DELETE, path, NULL) == E_NOT_FOUND);
	CHECK(code_of(t, &p, METHOD_DELETE, "/v1/auth/sessions/x", NULL) == E_NOT_FOUND);
	CHECK(code_of(t, &p, METHOD_DELETE, path, NULL) == OK);
	CHECK(code_of(t, &p, METHOD_DELETE, path, NULL) == E_NOT_FOUND);
	CHECK(!refresh(t, token));
	begin_session(t, &p, &token);
	CHECK(code_of(t, &p, METHOD_DELETE, "/v1/auth/sessions", NULL) == OK);
	CHECK(!refresh(t, token));
	CHECK(is_value(
		t, "1",
		"select count(*) from auth.session where person_id = $1 and revoked_at is null",
		PG_PARAMS(p.person_id)));
	CHECK(is_value(
		t, "1",
		"select count(*) from auth.session where person_id = $1 and revoked_at is null",
		PG_PARAMS(other.person_id)));
	CHECK(code_of(t, &p, METHOD_POST, "/v1/auth/logout", NULL) == OK);
	return 0;
}

static void test_ending(void **state)
{
	(void)state;
	assert_int_equal(in_task(ending), OK);
}

static void test_devices(void **state)
{
	static const struct {
		const char *agent, *device;
	} rows[] = {
		{ NULL, NULL },	     { "Firefox/130", "Firefox/130" },
		{ "a\tb", NULL },    { "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "caf\xe9", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_GET, "/");

		if (rows[i].agent)
			set_header(r, "user-agent", rows[i].agent);
		expect_text(device_of(r), rows[i].device, rows[i].agent ? rows[i].agent : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_theft),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_of_who_is_gone),
		cmocka_unit_test(test_absolute_life),
		cmocka_unit_test_setup_teardown(test_child, new_memory, free_memory),
		cmocka_unit_test(test_ending),
		cmocka_unit_test_setup_teardown(test_devices, new_memory, free_memory),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
