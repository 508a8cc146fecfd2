/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of passwords and addresses that change, on a private cluster: what was asked for before is void, and of two at once
 * one wins. */
#include "test.h"
#include "auth/recover.c"
#include "with_people.h"

/* A link of a mail; its token. */
static const char *new_link(struct task *t, const struct principal *p, const char *purpose,
			    const char *change_id)
{
	const char *token = secret_token(t->mem);
	const char *key = change_id ? "change_email" : purpose;
	struct pg_rows *rows;

	if (pg_query(
		    t, &rows,
		    "insert into auth.one_time_token (digest, purpose, person_id, change_id, expires_at) "
		    "values ($1, $2, $3, $4, clock_timestamp() + interval '1 hour')",
		    PG_PARAMS(secret_digest(t->mem, key, token), purpose, p->person_id, change_id)))
		abort();
	return token;
}

static const char *reset_body(struct task *t, const char *token)
{
	return talloc_asprintf(
		t->mem, "{\"token\":\"%s\",\"password\":\"nine purple kingfishers\"}", token);
}

static int reset(struct task *t)
{
	struct principal p = new_person(t, "reset@example.org", NULL);
	const char *first = new_link(t, &p, "reset_password", NULL);
	const char *second = new_link(t, &p, "reset_password", NULL);
	static const char path[] = "/v1/auth/password/reset";

	CHECK(code_of(t, NULL, METHOD_POST, path,
		      "{\"token\":\"x\",\"password\":\"nine purple kingfishers\"}") ==
	      E_VALIDATION);
	CHECK(code_of(t, NULL, METHOD_POST, path, reset_body(t, second)) == OK);
	CHECK(code_of(t, NULL, METHOD_POST, path, reset_body(t, second)) == E_VALIDATION);
	CHECK(code_of(t, NULL, METHOD_POST, path, reset_body(t, first)) == E_VALIDATION);
	CHECK(is_value(t, "password", "select revoked_why from auth.session where id = $1",
		       PG_PARAMS(p.session_id)));
	CHECK(is_value(t, "1",
		       "select count(*) from platform.mail where template = 'password_changed' "
		       "and recipient = $1",
		       PG_PARAMS("reset@example.org")));
	return 0;
}

static void test_reset(void **state)
{
	(void)state;
	assert_int_equal(in_task(reset), OK);
}

/* The link was good when the request came. */
static int reset_of_who_is_gone(struct task *t)
{
	struct principal p = new_person(t, "gone@example.org", NULL);
	struct request *r = new_request(t->mem, METHOD_POST, "/");
	struct new_password new = { .person_id = p.person_id,
				    .email = "gone@example.org",
				    .hash = "1new" };

	new.token_digest = secret_digest(t->mem, "reset_password",
					 new_link(t, &p, "reset_password", NULL));
	CHECK(value_of(
		t,
		"update auth.person set status = 'erased', email = null where id = $1 returning id",
		PG_PARAMS(p.person_id)));
	CHECK(act_in_transaction(r, set_password, &new) == E_CONFLICT);
	CHECK(!value_of(t, "select password_hash from auth.person where id = $1",
			PG_PARAMS(p.person_id)));
	return 0;
}

static void test_reset_of_who_is_gone(void **state)
{
	(void)state;
	assert_int_equal(in_task(reset_of_who_is_gone), OK);
}

/* Of two who change it at once, from the same old one, the second is refused. */
static int changed_meanwhile(struct task *t)
{
	struct principal p = new_person(t, "changed@example.org", NULL);
	struct new_password new = { .person_id = p.person_id,
				    .email = "changed@example.org",
				    .old_hash = "1old",
				    .keep_session_id = p.session_id };
	const char
		*sql = "update auth.person set password_hash = '1old' where id = $1 returning id";

	CHECK(value_of(t, sql, PG_PARAMS(p.person_id)));
	new.hash = "1first";
	CHECK(act_in_transaction(new_request(t->mem, METHOD_POST, "/"), set_password, &new) == OK);
	new.hash = "1second";
	CHECK(act_in_transaction(new_request(t->mem, METHOD_POST, "/"), set_password, &new) ==
	      E_CONFLICT);
	CHECK(is_value(t, "1first", "select password_hash from auth.person where id = $1",
		       PG_PARAMS(p.person_id)));
	CHECK(!value_of(t, "select revoked_at from auth.session where id = $1",
			PG_PARAMS(p.session_id)));
	return 0;
}

static void test_changed_meanwhile(void **state)
{
	(void)state;
	assert_int_equal(in_task(changed_meanwhile), OK);
}

static int confirm(struct task *t, const char *token)
{
	return code_of(t, NULL, METHOD_POST, "/v1/auth/email/confirm",
		       talloc_asprintf(t->mem, "{\"token\":\"%s\"}", token));
}

static const char *new_change(struct task *t, const struct principal *p, const char *email)
{
	return value_of(
		t,
		"insert into auth.email_change (id, person_id, email, expires_at) values "
		"(gen_random_uuid(), $1, $2, clock_timestamp() + interval '1 hour') returning id",
		PG_PARAMS(p->person_id, email));
}

/* Both must say yes, in whatever order; then a link that went to the old address sets no password. */
static int address(struct task *t)
{
	struct principal p = new_person(t, "old@example.org", NULL);
	const char *change = new_change(t, &p, "New@example.org");
	const char *by_old = new_link(t, &p, "change_email_old", change);
	const char *by_new = new_link(t, &p, "change_email_new", change);
	const char *reset_token = new_link(t, &p, "reset_password", NULL);
	static const char sql[] = "select email from auth.person where id = $1";

	CHECK(confirm(t, by_new) == OK);
	CHECK(is_value(t, "old@example.org", sql, PG_PARAMS(p.person_id)));
	CHECK(confirm(t, by_new) == E_VALIDATION);
	CHECK(confirm(t, by_old) == OK);
	CHECK(is_value(t, "New@example.org", sql, PG_PARAMS(p.person_id)));
	CHECK(code_of(t, NULL, METHOD_POST, "/v1/auth/password/reset",
		      reset_body(t, reset_token)) == E_VALIDATION);
	return 0;
}

static void test_address(void **state)
{
	(void)state;
	assert_int_equal(in_task(address), OK);
}

static int address_of_another(struct task *t)
{
	struct principal p = new_person(t, "mine@example.org", NULL);
	const char *change = new_change(t, &p, "THEIRS@example.org");

	new_person(t, "theirs@example.org", NULL);
	CHECK(confirm(t, new_link(t, &p, "change_email_old", change)) == OK);
	CHECK(confirm(t, new_link(t, &p, "change_email_new", change)) == E_CONFLICT);
	CHECK(is_value(t, "mine@example.org", "select email from auth.person where id = $1",
		       PG_PARAMS(p.person_id)));
	return 0;
}

static void test_address_of_another(void **state)
{
	(void)state;
	assert_int_equal(in_task(address_of_another), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_reset_of_who_is_gone),
		cmocka_unit_test(test_changed_meanwhile),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_address_of_another),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
