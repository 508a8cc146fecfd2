/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of who may do what: callers of every kind, their permissions, scopes and relations to things that are there, deleted
 * or not there, on a private cluster. */
#include "test.h"
#include "api/allow.c"
#include "with_people.h"
#include "auth/auth.h"

/* Who calls. A key's scopes are a pattern of their own. */
static const struct {
	const char *name, *role, *scopes; /* scopes: it is a key */
	const char *relation;		  /* to the thing */
} callers[] = {
	{ "nobody", NULL, NULL, NULL },
	{ "member", NULL, NULL, NULL },
	{ "moderator", "moderator", NULL, NULL },
	{ "owner", NULL, NULL, "owner" },
	{ "manager", NULL, NULL, "manager" },
	{ "staff", NULL, NULL, "staff" },
	{ "moderator's key", "moderator", "business:update", NULL },
	{ "moderator's narrow key", "moderator", "business:create", NULL },
	{ "owner's key", NULL, "business:update", "owner" },
	{ "owner's narrow key", NULL, "business:create", "owner" },
};

enum { CALLERS = COUNT_OF(callers) };

static struct principal who[CALLERS];
static const char *live, *gone; /* ids of the two things, to which all relations are */

static const char *new_business(struct task *t, const char *slug)
{
	return value_of(
		t,
		"insert into business.business (id, slug, name) values (gen_random_uuid(), $1, $1) returning id",
		PG_PARAMS(slug));
}

static int relate(struct task *t, const struct principal *p, const char *relation, const char *id)
{
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"insert into platform.relation (person_id, relation, resource, resource_id) "
		"values ($1, $2, 'business', $3)",
		PG_PARAMS(p->person_id, relation, id));
}

static int prepare(struct task *t)
{
	struct pg_rows *rows;

	live = new_business(t, "live");
	gone = new_business(t, "gone");
	CHECK(live && gone);
	live = talloc_strdup(NULL, live);
	gone = talloc_strdup(NULL, gone);
	CHECK(pg_query(t, &rows,
		       "update business.business set deleted_at = clock_timestamp() where id = $1",
		       PG_PARAMS(gone)) == OK);
	for (int i = 1; i < CALLERS; i++) {
		struct principal *p = &who[i];

		*p = new_person(t, talloc_asprintf(t->mem, "caller-%d@example.org", i),
				callers[i].role);
		if (callers[i].relation)
			CHECK(relate(t, p, callers[i].relation, live) == OK &&
			      relate(t, p, callers[i].relation, gone) == OK);
		if (!callers[i].scopes)
			continue;
		p->is = CALLER_KEY;
		p->session_id[0] = '\0';
		p->shown_at = 0;
		permissions_add(&p->scopes, callers[i].scopes);
	}
	return 0;
}

static int judge(struct task *t, int caller, enum http_method method, const char *path)
{
	struct request *r = new_request(t->mem, method, path);

	r->task.deadline = time_monotonic_us() + 30000000;
	r->caller = who[caller];
	if (step_route(r) != OK)
		abort();
	return step_allow(r);
}

/* A digit for each caller. */
enum { Y = OK, U = E_UNAUTHORIZED, F = E_FORBIDDEN, N = E_NOT_FOUND, S = E_STEP_UP };

static int table(struct task *t)
{
	const struct {
		enum http_method method;
		const char *path;
		int want[CALLERS];
	} rows[] = {
		/* anyone */
		{ METHOD_GET, "/v1/businesses", { Y, Y, Y, Y, Y, Y, Y, Y, Y, Y } },
		/* by permission only */
		{ METHOD_POST, "/v1/businesses", { U, Y, Y, Y, Y, Y, F, Y, F, Y } },
		{ METHOD_GET, "/v1/roles", { U, F, F, F, F, F, F, F, F, F } },
		{ METHOD_GET, "/v1/people", { U, F, Y, F, F, F, F, F, F, F } },
		/* by permission or relation, to what is there ... */
		{ METHOD_PATCH,
		  talloc_asprintf(t->mem, "/v1/businesses/%s", live),
		  { U, F, Y, Y, Y, F, Y, F, Y, F } },
		{ METHOD_PATCH, "/v1/businesses/live", { U, F, Y, Y, Y, F, Y, F, Y, F } },
		{ METHOD_DELETE, "/v1/businesses/live", { U, F, Y, Y, F, F, F, F, F, F } },
		/* ... deleted, of which only who is tied to it knows ... */
		{ METHOD_POST, "/v1/businesses/gone/restore", { U, N, Y, Y, N, N, F, F, F, F } },
		{ METHOD_PATCH,
		  talloc_asprintf(t->mem, "/v1/businesses/%s", gone),
		  { U, N, Y, Y, Y, N, Y, F, Y, F } },
		/* ... or not there */
		{ METHOD_PATCH, "/v1/businesses/none", { U, N, Y, N, N, N, Y, F, N, F } },
		{ METHOD_PATCH,
		  "/v1/businesses/019363f1-27a5-7c1b-8a5e-5f0c2c9e1b01",
		  { U, N, Y, N, N, N, Y, F, N, F } },
		/* who has signed in: no key */
		{ METHOD_GET, "/v1/me", { U, Y, Y, Y, Y, Y, F, F, F, F } },
		{ METHOD_DELETE, "/v1/me", { U, Y, Y, Y, Y, Y, F, F, F, F } },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (int k = 0; k < CALLERS; k++) {
			int got = judge(t, k, rows[i].method, rows[i].path);

			if (got == rows[i].want[k])
				continue;
			print_error("%s %s by %s gives %d, not %d\n", method_text(rows[i].method),
				    rows[i].path, callers[k].name, got, rows[i].want[k]);
			return __LINE__;
		}
	return 0;
}

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(in_task(table), OK);
}

/* Ten minutes, and a key never. */
static int recent(struct task *t)
{
	struct principal admin = new_person(t, "admin@example.org", "admin"), key;
	static const char path[] =
		"/v1/people/019363f1-27a5-7c1b-8a5e-5f0c2c9e1b01/roles/moderator";

	key = admin;
	key.is = CALLER_KEY;
	permissions_add(&key.scopes, "*");
	who[0] = admin;
	CHECK(judge(t, 0, METHOD_DELETE, path) == Y);
	who[0].shown_at = admin.shown_at - 590;
	CHECK(judge(t, 0, METHOD_DELETE, path) == Y);
	who[0].shown_at = admin.shown_at - 601;
	CHECK(judge(t, 0, METHOD_DELETE, path) == S);
	who[0] = key;
	CHECK(judge(t, 0, METHOD_DELETE, path) == S);
	who[0] = (struct principal) { 0 };
	CHECK(judge(t, 0, METHOD_DELETE, path) == U); /* what they lack is said first */
	return 0;
}

static void test_recent(void **state)
{
	(void)state;
	assert_int_equal(in_task(recent), OK);
}

/* A relation to one thing is none to another, nor to another kind of thing with the same id. */
static int another(struct task *t)
{
	const char *id = new_business(t, "another");
	struct pg_rows *rows;

	CHECK(id);
	CHECK(judge(t, 3, METHOD_PATCH, "/v1/businesses/another") == F);
	CHECK(pg_query(t, &rows,
		       "insert into platform.relation (person_id, relation, resource, resource_id) "
		       "values ($1, 'owner', 'event', $2)",
		       PG_PARAMS(who[3].person_id, id)) == OK);
	CHECK(judge(t, 3, METHOD_PATCH, "/v1/businesses/another") == F);
	CHECK(relate(t, &who[3], "owner", id) == OK);
	CHECK(judge(t, 3, METHOD_PATCH, "/v1/businesses/another") == Y);
	return 0;
}

static void test_another(void **state)
{
	(void)state;
	assert_int_equal(in_task(another), OK);
}

/* No row of the tables has NOBODY; if one did, it would be nobody's. */
static void test_deny_by_default(void **state)
{
	static const struct route route = { .allow = NOBODY };
	struct request *r = new_request(*state, METHOD_GET, "/");

	r->caller.is = CALLER_PERSON;
	permissions_add(&r->caller.granted, "*");
	r->route = &route;
	assert_int_equal(step_allow(r), E_FORBIDDEN);
}

static int start(void **state)
{
	return start_people(state) || in_task(prepare);
}

static int end(void **state)
{
	talloc_free((void *)live);
	talloc_free((void *)gone);
	return stop_people(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_another),
		cmocka_unit_test(test_recent),
		cmocka_unit_test_setup_teardown(test_deny_by_default, new_memory, free_memory),
	};

	return cmocka_run_group_tests(tests, start, end);
}
