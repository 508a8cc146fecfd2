/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what time does to accounts, on a private cluster: who is erased leaves nothing but an id. */
#include "test.h"
#include "auth/erase.c"
#include "with_people.h"

/* One row of everything that hangs on a person ($1), with their address ($2). */
static const char *const belongings[] = {
	"insert into auth.identity (id, person_id, provider, subject, email) values (gen_random_uuid(), $1, 'google', 'subject', $2)",
	"insert into auth.recovery_code (person_id, digest) values ($1, $2)",
	"insert into auth.one_time_token (digest, purpose, person_id, expires_at) values ($2, 'reset_password', $1, clock_timestamp())",
	"insert into auth.email_change (id, person_id, email, expires_at) values (gen_random_uuid(), $1, $2, clock_timestamp())",
	"insert into auth.api_key (id, person_id, name, prefix, digest, scopes) values (gen_random_uuid(), $1, 'key', 'gf_', $2, '{}')",
	"insert into platform.relation (person_id, relation, resource, resource_id) select $1, 'owner', 'business', gen_random_uuid() where $2 <> ''",
	"insert into auth.request (id, purpose, email) select gen_random_uuid(), 'forgotten', upper($2) where $1::uuid is not null",
};

/* Everywhere in the database but in the queue of mails: does any row name the id ($1) or the address ($2)? */
static const char *const traces[] = {
	"select 1 from auth.identity where person_id = $1 or email = $2",
	"select 1 from auth.recovery_code where person_id = $1 and $2 <> ''",
	"select 1 from auth.one_time_token where person_id = $1 and $2 <> ''",
	"select 1 from auth.email_change where person_id = $1 or email = $2",
	"select 1 from auth.api_key where person_id = $1 and $2 <> ''",
	"select 1 from auth.session where person_id = $1 and $2 <> ''",
	"select 1 from auth.person_role where person_id = $1 and $2 <> ''",
	"select 1 from platform.relation where person_id = $1 and $2 <> ''",
	"select 1 from auth.request where lower(email) = lower($2) and $1::uuid is not null",
	("select 1 from auth.person where lower(email) = lower($2) or (id = $1 and (name <> 'Erased' or "
	 "password_hash is not null or totp_secret is not null or status <> 'erased' or deleted_at is null))"),
	"select 1 from platform.audit_event e where e.resource_id = $1 and to_jsonb(e)::text like '%' || $2 || '%'",
};

static int plan(struct task *t, const struct principal *p, const char *in)
{
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"update auth.person set erase_at = clock_timestamp() + $2::interval where id = $1",
		PG_PARAMS(p->person_id, in));
}

static int erased(struct task *t)
{
	static const char email[] = "erased@example.org";
	struct principal p = new_person(t, email, "moderator");
	struct principal later = new_person(t, "later@example.org", NULL);
	struct pg_rows *rows;

	for (size_t i = 0; i < COUNT_OF(belongings); i++)
		CHECK(pg_query(t, &rows, belongings[i], PG_PARAMS(p.person_id, email)) == OK);
	CHECK(plan(t, &p, "-1 second") == OK && plan(t, &later, "1 day") == OK);
	CHECK(erase_due(t) == OK);
	for (size_t i = 0; i < COUNT_OF(traces); i++) {
		if (value_of(t, traces[i], PG_PARAMS(p.person_id, email)))
			print_error("%s finds something\n", traces[i]);
		CHECK(!value_of(t, traces[i], PG_PARAMS(p.person_id, email)));
	}
	CHECK(is_value(
		t, "1",
		"select count(*) from platform.mail where template = 'erased' and recipient = $1",
		PG_PARAMS(email)));
	/* tokens and keys end */
	CHECK(value_of(t, "select 1 from auth.revocation where kind = 'person' and subject_id = $1",
		       PG_PARAMS(p.person_id)));
	CHECK(is_value(t, "active", "select status from auth.person where id = $1",
		       PG_PARAMS(later.person_id)));
	CHECK(erase_due(t) == OK); /* nothing is left to do */
	return 0;
}

static void test_erased(void **state)
{
	(void)state;
	assert_int_equal(in_task(erased), OK);
}

/* Who has a name again, by another account of the address, is somebody else. */
static int again(struct task *t)
{
	static const char email[] = "again@example.org";
	struct principal p = new_person(t, email, NULL), second;

	CHECK(plan(t, &p, "-1 second") == OK);
	CHECK(erase_due(t) == OK);
	second = new_person(t, email, NULL);
	CHECK(strcmp(second.person_id, p.person_id) != 0);
	return 0;
}

static void test_again(void **state)
{
	(void)state;
	assert_int_equal(in_task(again), OK);
}

static int expired(struct task *t)
{
	struct principal p = new_person(t, "expired@example.org", NULL);
	struct pg_rows *rows;
	static const char *const old[] = {
		"insert into auth.refresh_token (digest, session_id, expires_at) select 'old', id, clock_timestamp() from auth.session where person_id = $1",
		"insert into auth.refresh_token (digest, session_id, expires_at) select 'new', id, clock_timestamp() + interval '1 day' from auth.session where person_id = $1",
		"insert into auth.session (id, person_id, expires_at) values (gen_random_uuid(), $1, clock_timestamp() - interval '31 days')",
		"insert into auth.login_failure (address_digest, failures, failing_since) select 'x', 1, clock_timestamp() - interval '61 minutes' where $1::uuid is not null",
		"insert into auth.revocation (kind, subject_id, created_at) values ('person', $1, clock_timestamp() - interval '21 minutes')",
	};

	for (size_t i = 0; i < COUNT_OF(old); i++)
		CHECK(pg_query(t, &rows, old[i], PG_PARAMS(p.person_id)) == OK);
	CHECK(erase_expired(t) == OK);
	CHECK(is_value(t, "new", "select string_agg(digest, ',') from auth.refresh_token",
		       PG_NONE));
	CHECK(is_value(t, "1", "select count(*) from auth.session where person_id = $1",
		       PG_PARAMS(p.person_id)));
	CHECK(!value_of(t, "select 1 from auth.login_failure", PG_NONE));
	CHECK(!value_of(
		t,
		"select 1 from auth.revocation where created_at < clock_timestamp() - interval '20 minutes'",
		PG_NONE));
	return 0;
}

static void test_expired(void **state)
{
	(void)state;
	assert_int_equal(in_task(expired), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_erased),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_expired),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
