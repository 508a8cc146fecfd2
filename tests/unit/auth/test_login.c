/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of showing who one is, on a private cluster: nothing tells whether somebody has the address, and nothing that
 * changes while a password is checked is overlooked. */
#include "test.h"
#include "auth/login.c"
#include "with_people.h"

static char *hash; /* of PASSWORD, made once */
static const char PASSWORD[] = "seven green herons";

static struct principal with_password(struct task *t, const char *email)
{
	struct principal p = new_person(t, email, NULL);
	struct pg_rows *rows;

	if (!hash && password_hash(t, PASSWORD, &hash))
		abort();
	talloc_reparent(t->mem, NULL, hash); /* it outlives the task that made it */
	if (pg_query(t, &rows, "update auth.person set password_hash = $2 where id = $1",
		     PG_PARAMS(p.person_id, hash)))
		abort();
	return p;
}

static int run(struct task *t, const char *sql, const char *id)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_PARAMS(id));
}

static const char *sign_in(struct task *t, const char *email, const char *password)
{
	return talloc_asprintf(t->mem, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
}

/* Whatever is wrong, body, status and number of statements are the same. */
static int wrong(struct task *t)
{
	static const struct {
		const char *email, *password, *sql;
	} rows[] = {
		{ "known@example.org", "another password", NULL },
		{ "nobody@example.org", PASSWORD, NULL },
		{ "suspended@example.org", PASSWORD,
		  "update auth.person set status = 'suspended' where id = $1" },
		{ "social@example.org", PASSWORD,
		  "update auth.person set password_hash = null where id = $1" },
	};
	const char *message = NULL;
	int statements = 0;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct principal p = { 0 };
		struct request *r;

		if (i != 1)
			p = with_password(t, rows[i].email);
		if (rows[i].sql)
			CHECK(run(t, rows[i].sql, p.person_id) == OK);
		r = send_request(t, NULL, METHOD_POST, "/v1/auth/login",
				 sign_in(t, rows[i].email, rows[i].password));
		CHECK(r->task.failure.code == E_UNAUTHORIZED);
		CHECK(!message || strcmp(message, r->task.failure.message) == 0);
		CHECK(!statements || r->task.statements == statements);
		message = r->task.failure.message;
		statements = r->task.statements;
	}
	return 0;
}

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(in_task(wrong), OK);
}

/* A right password of a locked address is like a wrong one. */
static int locked(struct task *t)
{
	struct principal p = with_password(t, "locked@example.org");
	const char *body = sign_in(t, "locked@example.org", PASSWORD);
	struct request *r;
	bool now_locked = false;

	CHECK(code_of(t, NULL, METHOD_POST, "/v1/auth/login", body) == OK);
	for (int i = 0; i < 10; i++)
		CHECK(guard_failed(t, "LOCKED@example.org", &now_locked) == OK);
	CHECK(now_locked);
	r = send_request(t, NULL, METHOD_POST, "/v1/auth/login", body);
	CHECK(r->task.failure.code == E_UNAUTHORIZED);
	CHECK(is_value(
		t, "1",
		"select count(*) from auth.session where person_id = $1 and device is null and address is not null",
		PG_PARAMS(p.person_id)));
	return 0;
}

static void test_locked(void **state)
{
	(void)state;
	assert_int_equal(in_task(locked), OK);
}

/* A hash of yesterday's parameters gives way to one of today's; one that was changed meanwhile stays. */
static int stronger(struct task *t)
{
	struct principal p = with_password(t, "stronger@example.org");
	struct request *r = new_request(t->mem, METHOD_POST, "/v1/auth/login");
	struct account account = { 0 };

	CHECK(login_account(r, p.person_id, NULL, &account) == OK);
	CHECK(strengthen(r, &account, PASSWORD) == OK);
	CHECK(strcmp(account.password_hash, hash) != 0);
	CHECK(is_value(t, account.password_hash,
		       "select password_hash from auth.person where id = $1",
		       PG_PARAMS(p.person_id)));
	CHECK(login_check(r, &account, "stronger@example.org", PASSWORD, NULL) == OK);
	account.password_hash = hash;
	CHECK(strengthen(r, &account, PASSWORD) == OK && account.password_hash == hash);
	return 0;
}

static void test_stronger(void **state)
{
	(void)state;
	assert_int_equal(in_task(stronger), OK);
}

/* What happens to an account while its password is being checked. */
static int meanwhile(struct task *t)
{
	static const struct {
		const char *sql;
		int code;
	} rows[] = {
		{ "select $1::uuid", OK },
		{ "update auth.person set name = 'Another' where id = $1", OK },
		{ "update auth.person set password_hash = '1another' where id = $1",
		  E_UNAUTHORIZED },
		{ "update auth.person set status = 'suspended' where id = $1", E_UNAUTHORIZED },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *email = talloc_asprintf(t->mem, "meanwhile-%zu@example.org", i);
		struct principal p = with_password(t, email);
		struct request *r = new_request(t->mem, METHOD_POST, "/v1/auth/login");
		struct account account;
		struct sign_in in = { .account = &account };

		CHECK(login_account(r, NULL, email, &account) == OK);
		CHECK(run(t, rows[i].sql, p.person_id) == OK);
		CHECK(act_in_transaction(r, begin, &in) == rows[i].code);
		CHECK(is_value(t, rows[i].code ? "1" : "2",
			       "select count(*) from auth.session where person_id = $1",
			       PG_PARAMS(p.person_id)));
	}
	return 0;
}

static void test_meanwhile(void **state)
{
	(void)state;
	assert_int_equal(in_task(meanwhile), OK);
}

static int step_up(struct task *t)
{
	struct principal p = with_password(t, "step-up@example.org");
	struct request *r;

	p.shown_at -= 3600;
	CHECK(code_of(t, &p, METHOD_DELETE, "/v1/auth/totp", NULL) == E_STEP_UP);
	CHECK(code_of(t, &p, METHOD_POST, "/v1/auth/reauthenticate",
		      "{\"password\":\"another password\"}") == E_UNAUTHORIZED);
	r = send_request(t, &p, METHOD_POST, "/v1/auth/reauthenticate",
			 talloc_asprintf(t->mem, "{\"password\":\"%s\"}", PASSWORD));
	CHECK(r->task.failure.code == OK);
	CHECK(strcmp(answer_text(r, "session_id"), p.session_id) == 0);
	CHECK(!answer_text(r, "refresh_token")); /* the session has one */
	return 0;
}

static void test_step_up(void **state)
{
	(void)state;
	assert_int_equal(in_task(step_up), OK);
}

static int end(void **state)
{
	talloc_free(hash);
	return stop_people(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong),	 cmocka_unit_test(test_locked),
		cmocka_unit_test(test_stronger), cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_step_up),
	};

	return cmocka_run_group_tests(tests, start_people, end);
}
