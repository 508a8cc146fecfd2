/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of second factors, on a private cluster: a code is good once, and of two at once one. */
#include "test.h"
#include "auth/totp.c"
#include "auth/second_factor.c"
#include "with_people.h"

/* The code of now, or of so many steps later. */
static const char *code_now(struct task *t, const char *secret, int steps)
{
	char *code = talloc_zero_size(t->mem, TOTP_DIGITS + 1);
	unsigned char key[TOTP_SECRET_BYTES];

	if (from_base32(secret, key, sizeof(key)) != TOTP_SECRET_BYTES)
		abort();
	make_code(key, sizeof(key), time_unix_ms() / 1000 / TOTP_STEP + (uint64_t)steps,
		  TOTP_DIGITS, code);
	return code;
}

static const char *code_body(struct task *t, const char *code)
{
	return talloc_asprintf(t->mem, "{\"code\":\"%s\"}", code);
}

/* Somebody whose second factor is on; its secret. */
static const char *enable(struct task *t, const struct principal *p)
{
	const char *secret = answer_text(send_request(t, p, METHOD_POST, "/v1/auth/totp", NULL),
					 "secret");

	if (!secret || code_of(t, p, METHOD_POST, "/v1/auth/totp/confirm",
			       code_body(t, code_now(t, secret, 0))))
		abort();
	return secret;
}

static int setting_up(struct task *t)
{
	struct principal p = new_person(t, "setting-up@example.org", NULL);
	static const char confirm[] = "/v1/auth/totp/confirm", begin[] = "/v1/auth/totp";
	static const char sealed[] =
		"select totp_secret is not null and totp_secret not like '%' || $2 || '%' and totp_confirmed_at is null "
		"from auth.person where id = $1";
	const char *secret;

	CHECK(code_of(t, &p, METHOD_POST, confirm, code_body(t, "123456")) == E_CONFLICT);
	secret = answer_text(send_request(t, &p, METHOD_POST, begin, NULL), "secret");
	CHECK(secret);
	CHECK(is_value(t, "t", sealed, PG_PARAMS(p.person_id, secret)));
	CHECK(code_of(t, &p, METHOD_POST, confirm, code_body(t, "abc")) == E_VALIDATION);
	CHECK(code_of(t, &p, METHOD_POST, confirm, code_body(t, code_now(t, secret, 0))) == OK);
	CHECK(is_value(t, "10", "select count(*) from auth.recovery_code where person_id = $1",
		       PG_PARAMS(p.person_id)));
	CHECK(code_of(t, &p, METHOD_POST, begin, NULL) == E_CONFLICT);
	CHECK(code_of(t, &p, METHOD_POST, confirm, code_body(t, code_now(t, secret, 1))) ==
	      E_CONFLICT);
	CHECK(code_of(t, &p, METHOD_DELETE, begin, NULL) == OK);
	CHECK(!value_of(t, "select totp_secret from auth.person where id = $1",
			PG_PARAMS(p.person_id)));
	CHECK(!value_of(t, "select 1 from auth.recovery_code where person_id = $1",
			PG_PARAMS(p.person_id)));
	CHECK(code_of(t, &p, METHOD_POST, "/v1/auth/totp/recovery-codes", NULL) == E_CONFLICT);
	return 0;
}

static void test_setting_up(void **state)
{
	(void)state;
	assert_int_equal(in_task(setting_up), OK);
}

static struct account account_of(struct task *t, const struct principal *p)
{
	struct account account;

	if (login_account(new_request(t->mem, METHOD_POST, "/"), p->person_id, NULL, &account))
		abort();
	return account;
}

static bool is_right(struct task *t, const struct account *account, const char *code)
{
	bool right = true;

	if (second_factor_check(new_request(t->mem, METHOD_POST, "/"), account, code, &right))
		abort();
	return right;
}

/* Two who have read the account before either has used the code. */
static int at_once(struct task *t)
{
	struct principal p = new_person(t, "at-once@example.org", NULL);
	const char *secret = enable(t, &p), *code = code_now(t, secret, 1);
	struct account first = account_of(t, &p), second = account_of(t, &p);

	CHECK(first.totp_secret && first.totp_last_step > 0);
	CHECK(is_right(t, &first, code));
	CHECK(!is_right(t, &second, code));
	second = account_of(t, &p);
	CHECK(!is_right(t, &second, code));
	CHECK(!is_right(t, &second, code_now(t, secret, 0))); /* of an earlier step */
	CHECK(!is_right(t, &second, "000000000"));
	return 0;
}

static void test_at_once(void **state)
{
	(void)state;
	assert_int_equal(in_task(at_once), OK);
}

static int recovery(struct task *t)
{
	struct principal p = new_person(t, "recovery@example.org", NULL);
	struct principal other = new_person(t, "other@example.org", NULL);
	struct account account, others;
	const char *code;
	struct pg_rows *rows;

	enable(t, &p);
	enable(t, &other);
	code = recovery_code(t->mem);
	CHECK(pg_query(t, &rows,
		       "insert into auth.recovery_code (person_id, digest) values ($1, $2)",
		       PG_PARAMS(p.person_id, recovery_digest(t->mem, code))) == OK);
	account = account_of(t, &p);
	others = account_of(t, &other);
	CHECK(!is_right(t, &others, code));
	CHECK(is_right(t, &account, code));
	CHECK(!is_right(t, &account, code));
	CHECK(is_value(
		t, "1",
		"select count(*) from platform.mail where template = 'recovery_code_used' and recipient = $1",
		PG_PARAMS("recovery@example.org")));
	return 0;
}

static void test_recovery(void **state)
{
	(void)state;
	assert_int_equal(in_task(recovery), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setting_up),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_recovery),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
