/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of who may say who stands how to a thing, on a private cluster. */
#include "test.h"
#include "auth/relation.c"
#include "with_people.h"

static const char *new_business(struct task *t, const char *slug, const struct principal *owner)
{
	const char *id = value_of(
		t,
		"insert into business.business (id, slug, name) values (gen_random_uuid(), $1, $1) returning id",
		PG_PARAMS(slug));

	if (!id ||
	    !value_of(t,
		      "insert into platform.relation (person_id, relation, resource, resource_id) "
		      "values ($1, 'owner', 'business', $2) returning 1",
		      PG_PARAMS(owner->person_id, id)))
		abort();
	return id;
}

static const char *body_of(struct task *t, const char *id, const char *relation, const char *email)
{
	return talloc_asprintf(
		t->mem,
		"{\"resource\":\"business\",\"resource_id\":\"%s\",\"relation\":\"%s\",\"email\":\"%s\"}",
		id, relation, email);
}

static int grants(struct task *t)
{
	struct principal owner = new_person(t, "owner@example.org", NULL);
	struct principal manager = new_person(t, "manager@example.org", NULL);
	struct principal admin = new_person(t, "admin@example.org", "admin");
	const char *id = new_business(t, "grants", &owner);
	const char *own = body_of(t, id, "owner", "manager@example.org");
	const char *manage = body_of(t, id, "manager", "Manager@Example.org");
	struct request *first, *second;

	CHECK(code_of(t, &manager, METHOD_POST, "/v1/relations", own) == E_FORBIDDEN);
	first = send_request(t, &owner, METHOD_POST, "/v1/relations", manage);
	CHECK(first->task.failure.code == OK);
	CHECK(strcmp(answer_text(first, "person_id"), manager.person_id) == 0);
	second = send_request(t, &owner, METHOD_POST, "/v1/relations", manage);
	CHECK(strcmp(answer_text(second, "id"), answer_text(first, "id")) == 0);
	CHECK(code_of(t, &manager, METHOD_POST, "/v1/relations", own) == E_FORBIDDEN);
	CHECK(code_of(t, &admin, METHOD_POST, "/v1/relations", own) == OK);
	CHECK(code_of(t, &owner, METHOD_POST, "/v1/relations",
		      body_of(t, id, "manager", "nobody@example.org")) == E_NOT_FOUND);
	CHECK(code_of(t, &owner, METHOD_POST, "/v1/relations",
		      body_of(t, owner.person_id, "manager", "manager@example.org")) ==
	      E_NOT_FOUND);
	return 0;
}

static void test_grants(void **state)
{
	(void)state;
	assert_int_equal(in_task(grants), OK);
}

/* Only resources whose rows have owners; the name goes into the statement's text. */
static int things(struct task *t)
{
	static const char *const names[] = { "person", "role", "category", "x", "business b" };
	struct principal admin = new_person(t, "second-admin@example.org", "admin");

	for (size_t i = 0; i < COUNT_OF(names); i++)
		CHECK(code_of(t, &admin, METHOD_POST, "/v1/relations",
			      talloc_asprintf(
				      t->mem,
				      "{\"resource\":\"%s\",\"resource_id\":\"%s\",\"relation\":\"owner\","
				      "\"email\":\"second-admin@example.org\"}",
				      names[i], admin.person_id)) == E_VALIDATION);
	CHECK(code_of(t, &admin, METHOD_GET, "/v1/relations", NULL) == E_VALIDATION);
	CHECK(code_of(t, &admin, METHOD_GET, "/v1/relations?resource=business&resource_id=x",
		      NULL) == E_VALIDATION);
	return 0;
}

static void test_things(void **state)
{
	(void)state;
	assert_int_equal(in_task(things), OK);
}

static const char *relation_path(struct task *t, const char *business, const struct principal *p)
{
	return talloc_asprintf(
		t->mem, "/v1/relations/%s",
		value_of(
			t,
			"select id from platform.relation where resource_id = $1 and person_id = $2",
			PG_PARAMS(business, p->person_id)));
}

/* One takes what is of one's own thing, or leaves; of other people's one learns nothing. */
static int revokes(struct task *t)
{
	struct principal owner = new_person(t, "second@example.org", NULL);
	struct principal staff = new_person(t, "staff@example.org", NULL);
	struct principal stranger = new_person(t, "stranger@example.org", NULL);
	const char *id = new_business(t, "revokes", &owner), *path, *own;
	const char *body = body_of(t, id, "staff", "staff@example.org");

	new_business(t, "strangers", &stranger);
	own = relation_path(t, id, &owner);
	CHECK(code_of(t, &owner, METHOD_POST, "/v1/relations", body) == OK);
	path = relation_path(t, id, &staff);
	CHECK(code_of(t, &stranger, METHOD_DELETE, path, NULL) == E_NOT_FOUND);
	CHECK(code_of(t, &staff, METHOD_DELETE, own, NULL) == E_NOT_FOUND);
	CHECK(code_of(t, &staff, METHOD_DELETE, path, NULL) == OK);
	CHECK(code_of(t, &owner, METHOD_POST, "/v1/relations", body) == OK);
	CHECK(code_of(t, &owner, METHOD_DELETE, relation_path(t, id, &staff), NULL) == OK);
	CHECK(code_of(t, &owner, METHOD_DELETE, own, NULL) == OK);
	CHECK(code_of(t, &owner, METHOD_POST, "/v1/relations", body) == E_FORBIDDEN);
	return 0;
}

static void test_revokes(void **state)
{
	(void)state;
	assert_int_equal(in_task(revokes), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_things),
		cmocka_unit_test(test_revokes),
	};

	return cmocka_run_group_tests(tests, start_people, stop_people);
}
