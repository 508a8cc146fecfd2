/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of API keys as callers, on a private cluster: what they may do, and that nothing is remembered that is over. */
#include "test.h"
#include "gateway/api_key.c"
#include "with_people.h"
#include "gateway/revoked.h"
#include "io/coro.h"

static int run(struct task *t, const char *sql, const char *id)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_PARAMS(id));
}

/* A key with the scopes (an array's text); its text. */
static const char *new_key(struct task *t, const struct principal *owner, const char *scopes)
{
	const char *text = api_key_text_make(t->mem);
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;

	uuid_new(id);
	if (pg_query(t, &rows,
		     "insert into auth.api_key (id, person_id, name, prefix, digest, scopes) "
		     "values ($1, $2, 'key', 'gf_', $3, $4)",
		     PG_PARAMS(id, owner->person_id, api_key_text_digest(t->mem, text), scopes)))
		abort();
	return text;
}

static struct request *come_with(struct task *t, const char *text)
{
	struct request *r = new_request(t->mem, METHOD_GET, "/");

	r->client = "192.0.2.1";
	r->task.deadline = time_monotonic_us() + 30000000;
	if (api_key_identify(r, text) != (int)r->task.failure.code)
		abort();
	return r;
}

static bool may(const struct request *r, const char *permission)
{
	return allow_has(r, permission_find(permission));
}

static int scopes(struct task *t)
{
	struct principal owner = new_person(t, "scopes@example.org", "moderator");
	const char *text = new_key(t, &owner, "{business:*,role:update}");
	struct request *r = come_with(t, text);

	CHECK(r->caller.is == CALLER_KEY);
	CHECK(strcmp(r->caller.person_id, owner.person_id) == 0 && !r->caller.session_id[0]);
	CHECK(may(r, "business:update"));
	CHECK(!may(r, "category:update")); /* the owner's, but not in its scopes */
	CHECK(!may(r, "role:update"));	   /* in its scopes, but not the owner's */
	CHECK(come_with(t, api_key_text_make(t->mem))->task.failure.code == E_UNAUTHORIZED);
	return 0;
}

static void test_scopes(void **state)
{
	(void)state;
	assert_int_equal(in_task(scopes), OK);
}

/* Each is known at the next reading of what was revoked. */
static int over(struct task *t)
{
	static const struct {
		const char *sql, *name;
		int code;
	} rows[] = {
		{ "update auth.person set status = 'suspended' where id = $1", "suspended",
		  E_UNAUTHORIZED },
		{ "update auth.api_key set deleted_at = clock_timestamp() where person_id = $1",
		  "deleted", E_UNAUTHORIZED },
		{ "update auth.api_key set expires_at = clock_timestamp() where person_id = $1",
		  "expired", E_UNAUTHORIZED },
		{ "delete from auth.person_role where person_id = $1", "role", OK },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *email = talloc_asprintf(t->mem, "%s@example.org", rows[i].name);
		struct principal owner = new_person(t, email, "moderator");
		const char *text = new_key(t, &owner, "{*}");
		struct request *r;

		CHECK(revoked_read(t) == OK);
		CHECK(may(come_with(t, text), "category:update"));
		CHECK(run(t, rows[i].sql, owner.person_id) == OK);
		CHECK(may(come_with(t, text), "category:update")); /* remembered */
		CHECK(revoked_read(t) == OK);
		r = come_with(t, text);
		CHECK((int)r->task.failure.code == rows[i].code);
		CHECK(!may(r, "category:update"));
	}
	return 0;
}

static void test_over(void **state)
{
	(void)state;
	assert_int_equal(in_task(over), OK);
}

/* Another role of the name of one that was deleted is none of who held that. */
static int namesake(struct task *t)
{
	struct principal owner;
	const char *text;

	CHECK(run(t,
		  "insert into auth.role (slug, permissions) select 'helper', '{role:read}' "
		  "where $1::text is null",
		  NULL) == OK);
	owner = new_person(t, "namesake@example.org", "helper");
	text = new_key(t, &owner, "{*}");
	CHECK(may(come_with(t, text), "role:read"));
	CHECK(run(t, "update auth.role set deleted_at = clock_timestamp() where slug = $1",
		  "helper") == OK);
	CHECK(run(t, "insert into auth.role (slug, permissions) values ($1, '{*}')", "helper") ==
	      OK);
	CHECK(roles_load(t) == OK);
	api_key_forget();
	CHECK(!may(come_with(t, text), "role:read"));
	CHECK(!may(come_with(t, text), "person:grant"));
	return 0;
}

static void test_namesake(void **state)
{
	(void)state;
	assert_int_equal(in_task(namesake), OK);
}

static struct {
	const char *text;
	bool ended;
} slow;

static void come_slowly(void *arg)
{
	struct task t = { .mem = talloc_new(NULL), .deadline = time_monotonic_us() + 30000000 };

	(void)arg;
	come_with(&t, slow.text);
	slow.ended = true;
	talloc_free(t.mem);
}

static void start_slowly(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
	if (coro_start(come_slowly, NULL) != 0)
		abort();
}

static bool waits_for_lock(struct task *t)
{
	return value_of(t, "select 1 from pg_stat_activity where wait_event_type = 'Lock'",
			PG_NONE) != NULL;
}

/* A request is looking the key up, and waits behind a lock, while the key's end becomes known: what it finds, the key as it
 * was, is not remembered. */
static int straddling(struct task *t)
{
	struct principal owner = new_person(t, "straddling@example.org", NULL);
	struct task ending = { .mem = t->mem, .deadline = time_monotonic_us() + 30000000 };
	uv_timer_t timer;

	slow.text = new_key(t, &owner, "{*}");
	slow.ended = false;
	CHECK(pg_begin(&ending) == OK);
	CHECK(run(&ending,
		  "update auth.api_key set deleted_at = clock_timestamp() where person_id = $1",
		  owner.person_id) == OK);
	uv_timer_init(loop_get(), &timer);
	uv_timer_start(&timer, start_slowly, 0, 0);
	for (int i = 0; !waits_for_lock(t) && i < 1000; i++)
		sleep_for(t, 10);
	CHECK(waits_for_lock(t));
	CHECK(pg_commit(&ending) == OK);
	api_key_forget(); /* as another worker's answer might be the first to come */
	for (int i = 0; !slow.ended && i < 1000; i++)
		sleep_for(t, 10);
	CHECK(slow.ended);
	CHECK(come_with(t, slow.text)->task.failure.code == E_UNAUTHORIZED);
	return 0;
}

static void test_straddling(void **state)
{
	(void)state;
	assert_int_equal(in_task(straddling), OK);
}

static int end(void **state)
{
	revoked_stop();
	return stop_people(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_namesake),
		cmocka_unit_test(test_straddling),
	};

	return cmocka_run_group_tests(tests, start_people, end);
}
