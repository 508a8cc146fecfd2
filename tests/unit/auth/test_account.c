/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of how an account comes into being, on a private cluster: by mail only, and with nothing that tells whether somebody
 * has an address. */
#include "test.h"
#include "auth/account.c"
#include "with_people.h"

/* A request that waits; its id. */
static const char *leave(struct task *t, const char *purpose, const char *email)
{
	return value_of(t,
			"insert into auth.request (id, purpose, email, name, password_hash) "
			"values (gen_random_uuid(), $1, $2, 'Alex', '1hash') returning id",
			PG_PARAMS(purpose, email));
}

static bool mails(struct task *t, const char *count, const char *template, const char *to)
{
	return is_value(t, count,
			"select count(*) from platform.mail where template = $1 and recipient = $2",
			PG_PARAMS(template, to));
}

static int answers(struct task *t)
{
	new_person(t, "known@example.org", NULL);
	leave(t, "register", "KNOWN@example.org");
	leave(t, "register", "new@example.org");
	leave(t, "forgotten", "known@example.org");
	leave(t, "forgotten", "nobody@example.org");
	leave(t, "resend", "nobody@example.org");
	CHECK(account_answer(t) == OK);
	CHECK(mails(t, "1", "already_registered", "known@example.org"));
	CHECK(mails(t, "0", "verify_email", "known@example.org"));
	CHECK(mails(t, "1", "verify_email", "new@example.org"));
	CHECK(mails(t, "1", "reset_password", "known@example.org"));
	CHECK(is_value(t, "0", "select count(*) from platform.mail where recipient = $1",
		       PG_PARAMS("nobody@example.org")));
	CHECK(is_value(t, "0", "select count(*) from auth.request where done_at is null", PG_NONE));
	return 0;
}

static void test_answers(void **state)
{
	(void)state;
	assert_int_equal(in_task(answers), OK);
}

/* Three of a kind an hour; the newest registration of a day is sent again. */
static int enough(struct task *t)
{
	static const char email[] = "enough@example.org";

	for (int i = 0; i < 5; i++)
		leave(t, "register", email);
	CHECK(account_answer(t) == OK);
	CHECK(mails(t, "3", "verify_email", email));
	leave(t, "resend", email);
	CHECK(account_answer(t) == OK);
	CHECK(mails(t, "4", "verify_email", email));
	return 0;
}

static void test_enough(void **state)
{
	(void)state;
	assert_int_equal(in_task(enough), OK);
}

/* A link of a registration; its token. */
static const char *new_link(struct task *t, const char *email, const char *life)
{
	const char *token = secret_token(t->mem);

	if (!value_of(
		    t,
		    "insert into auth.one_time_token (digest, purpose, request_id, expires_at) "
		    "values ($1, 'verify_email', $2, clock_timestamp() + $3::interval) returning 1",
		    PG_PARAMS(secret_digest(t->mem, "verify_email", token),
			      leave(t, "register", email), life)))
		abort();
	return token;
}

static int verify(struct task *t, const char *token)
{
	return code_of(t, NULL, METHOD_POST, "/v1/auth/verify",
		       talloc_asprintf(t->mem, "{\"token\":\"%s\"}", token));
}

/* The account is made by the first link, once; another of the same address changes nothing, and says nothing else. */
static int confirmed(struct task *t)
{
	static const char email[] = "confirmed@example.org";
	const char *first = new_link(t, email, "1 hour"), *second = new_link(t, email, "1 hour");
	static const char count[] = "select count(*) from auth.person where lower(email) = $1";

	CHECK(is_value(t, "0", count, PG_PARAMS(email)));
	CHECK(verify(t, new_link(t, email, "-1 second")) == E_VALIDATION);
	CHECK(verify(t, secret_token(t->mem)) == E_VALIDATION);
	CHECK(verify(t, first) == OK);
	CHECK(verify(t, first) == E_VALIDATION);
	CHECK(verify(t, second) == OK);
	CHECK(is_value(t, "1", count, PG_PARAMS(email)));
	CHECK(is_value(
		t, "1",
		"select count(*) from platform.audit_event where action = 'person:create' and "
		"actor_id = (select id from auth.person where email = $1)",
		PG_PARAMS(email)));
	return 0;
}

static void test_confirmed(void **state)
{
	(void)state;
	assert_int_equal(in_task(confirmed), OK);
}

/* No link is good for another purpose. */
static int purposes(struct task *t)
{
	const char *token = new_link(t, "purposes@example.org", "1 hour");

	CHECK(code_of(t, NULL, METHOD_POST, "/v1/auth/email/confirm",
		      talloc_asprintf(t->mem, "{\"token\":\"%s\"}", token)) == E_VALIDATION);
	CHECK(code_of(t, NULL, METHOD_POST, "/v1/auth/password/reset",
		      talloc_asprintf(t->mem,
				      "{\"token\":\"%s\",\"password\":\"nine purple kingfishers\"}",
				      token)) == E_VALIDATION);
	CHECK(verify(t, token) == OK);
	return 0;
}

static void test_purposes(void **state)
{
	(void)state;
	assert_int_equal(in_task(purposes), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_enough),
		cmocka_unit_test(test_confirmed),
		cmocka_unit_test(test_purposes),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
