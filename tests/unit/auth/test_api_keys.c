/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of how API keys are made, rotated and revoked, on a private cluster. */
#include "test.h"
#include "auth/api_keys.c"
#include "with_people.h"

static const char *key_body(struct task *t, const char *scopes)
{
	return talloc_asprintf(t->mem, "{\"name\":\"till\",\"scopes\":%s}", scopes);
}

static const char *path_of(struct task *t, const char *id, const char *rest)
{
	return talloc_asprintf(t->mem, "/v1/api-keys/%s%s", id, rest);
}

/* No wider than its owner, but for what a relation to a thing may give. */
static int widths(struct task *t)
{
	static const struct {
		const char *scopes;
		int code;
	} rows[] = {
		{ "[\"business:create\"]", OK },	   { "[\"business:update\"]", OK },
		{ "[\"business:remove\"]", OK },	   { "[\"business:*\"]", E_VALIDATION },
		{ "[\"category:update\"]", E_VALIDATION }, { "[\"*\"]", E_VALIDATION },
		{ "[\"nothing\"]", E_VALIDATION },	   { "[\"\"]", E_VALIDATION },
	};
	struct principal p = new_person(t, "widths@example.org", NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int code = code_of(t, &p, METHOD_POST, "/v1/api-keys", key_body(t, rows[i].scopes));

		if (code != rows[i].code)
			print_error("%s gives %d\n", rows[i].scopes, code);
		CHECK(code == rows[i].code);
	}
	return 0;
}

static void test_widths(void **state)
{
	(void)state;
	assert_int_equal(in_task(widths), OK);
}

/* A key makes no keys, and an open session does not either. */
static int who(struct task *t)
{
	struct principal p = new_person(t, "who@example.org", "admin");
	const char *body = key_body(t, "[\"*\"]");

	CHECK(code_of(t, NULL, METHOD_POST, "/v1/api-keys", body) == E_UNAUTHORIZED);
	p.shown_at -= 601;
	CHECK(code_of(t, &p, METHOD_POST, "/v1/api-keys", body) == E_STEP_UP);
	p.is = CALLER_KEY;
	p.scopes = p.granted;
	CHECK(code_of(t, &p, METHOD_POST, "/v1/api-keys", body) == E_FORBIDDEN);
	CHECK(code_of(t, &p, METHOD_GET, "/v1/me", NULL) == E_FORBIDDEN);
	return 0;
}

static void test_who(void **state)
{
	(void)state;
	assert_int_equal(in_task(who), OK);
}

static int life(struct task *t)
{
	struct principal p = new_person(t, "life@example.org", NULL);
	struct principal other = new_person(t, "other@example.org", NULL);
	struct request *made = send_request(t, &p, METHOD_POST, "/v1/api-keys",
					    key_body(t, "[\"business:update\"]"));
	const char *id = answer_text(made, "id"), *text = answer_text(made, "key");
	static const char digest[] = "select digest from auth.api_key where id = $1";
	static const char soon[] =
		"select expires_at < clock_timestamp() + interval '25 hours' from auth.api_key where id = $1";

	CHECK(id && text);
	CHECK(is_value(t, api_key_text_digest(t->mem, text), digest, PG_PARAMS(id)));
	CHECK(is_value(t, "f", soon, PG_PARAMS(id)));
	CHECK(code_of(t, &other, METHOD_POST, path_of(t, id, "/rotate"), "{}") == E_NOT_FOUND);
	CHECK(code_of(t, &other, METHOD_DELETE, path_of(t, id, ""), NULL) == E_NOT_FOUND);
	CHECK(code_of(t, &p, METHOD_POST, path_of(t, id, "/rotate"), "{}") == OK);
	CHECK(is_value(t, "t", soon, PG_PARAMS(id)));
	CHECK(code_of(t, &p, METHOD_DELETE, path_of(t, id, ""), NULL) == OK);
	CHECK(code_of(t, &p, METHOD_DELETE, path_of(t, id, ""), NULL) == E_NOT_FOUND);
	CHECK(code_of(t, &p, METHOD_POST, path_of(t, id, "/rotate"), "{}") == E_NOT_FOUND);
	return 0;
}

static void test_life(void **state)
{
	(void)state;
	assert_int_equal(in_task(life), OK);
}

/* A hundred, however they came to be. */
static int many(struct task *t)
{
	struct principal p = new_person(t, "many@example.org", NULL);
	const char *id = value_of(
		t,
		"insert into auth.api_key (id, person_id, name, prefix, digest, scopes) "
		"select gen_random_uuid(), $1, 'key', 'gf_', 'digest-' || n, '{business:update}' "
		"from generate_series(1, 99) n returning id",
		PG_PARAMS(p.person_id));

	CHECK(code_of(t, &p, METHOD_POST, path_of(t, id, "/rotate"), "{}") == OK);
	CHECK(code_of(t, &p, METHOD_POST, path_of(t, id, "/rotate"), "{}") == E_CONFLICT);
	CHECK(code_of(t, &p, METHOD_POST, "/v1/api-keys", key_body(t, "[\"business:update\"]")) ==
	      E_CONFLICT);
	CHECK(code_of(t, &p, METHOD_DELETE, path_of(t, id, ""), NULL) == OK);
	CHECK(code_of(t, &p, METHOD_POST, "/v1/api-keys", key_body(t, "[\"business:update\"]")) ==
	      OK);
	return 0;
}

static void test_many(void **state)
{
	(void)state;
	assert_int_equal(in_task(many), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
