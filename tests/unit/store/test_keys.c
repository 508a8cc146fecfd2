/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the signing keys on a private cluster: made once, rotated without a refused token, read again when they must be,
 * and never taken when they are not what they should be. Two nodes are two sets, of which one is in use at a time.
 */
#include "test.h"
#include "with_cluster.h"
#include "base/config.h"
#include "io/coro.h"
#include "store/jwt.h"
#include "store/migrate.h"
#include "store/keys.c"

static const char secret[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const char other_secret[] =
	"ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static struct key_set asleep; /* the other node's set */

static void change_node(void)
{
	struct key_set awake = set;

	set = asleep;
	asleep = awake;
}

static void forget(struct key_set *s)
{
	for (int i = 0; i < s->count; i++)
		free_key(&s->keys[i]);
	*s = (struct key_set) { 0 };
}

static void take_secret(const char *hex)
{
	char why[200];

	if (secret_setup(hex, "", why, sizeof(why)) != 0)
		abort();
}

static int run(struct task *t, const char *sql)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_NONE);
}

static int make_tables(struct task *t, void *arg)
{
	int rc = OK;

	(void)arg;
	for (size_t i = 0; i < migrations_count && !rc; i++)
		if (strcmp(migrations[i].service, "platform") == 0)
			rc = pg_script(t, migrations[i].sql);
	return rc;
}

static int make_schema(struct task *t)
{
	return pg_transaction(t, make_tables, NULL);
}

static int start(void **state)
{
	config.public_url = "http://127.0.0.1:8080";
	take_secret(secret);
	return start_cluster(state) || in_task(make_schema);
}

static int empty(struct task *t)
{
	return run(t, "delete from platform.signing_key");
}

static int begin(void **state)
{
	(void)state;
	forget(&set);
	forget(&asleep);
	take_secret(secret);
	return in_task(empty);
}

static int end(void **state)
{
	forget(&set);
	forget(&asleep);
	return stop_cluster(state);
}

/* A time of the last reading after which it is never time for the next. */
static const uint64_t FAR = UINT64_MAX / 2;

/* As if the last reading were long ago. */
static void age(void)
{
	set.started_us = set.loaded_us = 1;
}

static int count_keys(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, "select 1 from platform.signing_key", PG_NONE);

	return rc ? -1 : pg_count(rows);
}

/* Moves the keys' times into the past. */
static int pass(struct task *t, const char *interval)
{
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"update platform.signing_key set created_at = created_at - $1::interval, "
		"signs_at = signs_at - $1::interval, retired_at = retired_at - $1::interval",
		PG_PARAMS(interval));
}

static int issue(struct task *t, char **token)
{
	struct jwt_claims c = { .auth_time = 1 };

	uuid_new(c.sub);
	uuid_new(c.sid);
	return jwt_issue(t, &c, token);
}

static int verify(struct task *t, const char *token)
{
	struct jwt_claims c;
	int rc = jwt_verify(t, token, strlen(token), &c);

	task_forgive(t);
	return rc;
}

static int keys_in_set(struct task *t)
{
	const char *json;
	json_t *value;
	int n;

	if (keys_jwks(t, &json) != OK)
		return -1;
	value = json_loads(json, 0, NULL);
	n = (int)json_array_size(json_object_get(value, "keys"));
	json_decref(value);
	return n;
}

/* Coroutines that start at once, as many processes would. */
enum { MANY = 8 };

static struct many {
	int (*fn)(struct task *t);
	int running, failed, statements;
} many;

static void one_of_many(void *arg)
{
	struct task t = { .mem = talloc_new(NULL) };

	(void)arg;
	many.failed += many.fn(&t) != OK;
	many.statements += t.statements;
	many.running--;
	talloc_free(t.mem);
}

static void start_many(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
	for (int i = 0; i < MANY; i++)
		if (coro_start(one_of_many, NULL) != 0)
			abort();
}

static void run_many(struct task *t, int (*fn)(struct task *t))
{
	static uv_timer_t timer;

	many = (struct many) { .fn = fn, .running = MANY };
	uv_timer_init(loop_get(), &timer);
	uv_timer_start(&timer, start_many, 0, 0);
	while (many.running > 0)
		sleep_for(t, 5);
}

static int first_key(struct task *t)
{
	run_many(t, load); /* below what joins: each does all of it */
	if (many.failed || count_keys(t) != 1 || set.count != 1)
		return 1;
	return 0;
}

static void test_parallel_starts_make_one_key(void **state)
{
	(void)state;
	assert_int_equal(in_task(first_key), 0);
}

static int one_reading(struct task *t)
{
	if (keys_load(t))
		return 1;
	run_many(t, keys_load);
	return many.failed || many.statements != 1 || set.joiners ? 2 : 0;
}

static void test_who_comes_meanwhile_joins(void **state)
{
	(void)state;
	assert_int_equal(in_task(one_reading), 0);
}

static int unknown_name(struct task *t)
{
	json_t *key;
	int before;

	if (keys_load(t))
		return 1;
	before = t->statements;
	set.started_us = set.loaded_us = FAR;
	for (int i = 0; i < 50; i++)
		if (keys_find(t, "unknown", &key) != OK || key)
			return 2;
	if (t->statements != before)
		return 3;
	set.started_us = set.loaded_us = time_monotonic_us() - AGAIN_US;
	if (keys_find(t, "unknown", &key) != OK || key || t->statements != before + 1)
		return 4;
	if (keys_find(t, set.keys[0].kid, &key) != OK || key != set.keys[0].public_key)
		return 5;
	return t->statements == before + 1 ? 0 : 6;
}

static void test_an_unknown_name_is_looked_for_once_a_second(void **state)
{
	(void)state;
	assert_int_equal(in_task(unknown_name), 0);
}

static int rotation(struct task *t)
{
	char *old, *also_old, *fresh;

	if (keys_load(t) || issue(t, &old))
		return 1;
	change_node();
	if (verify(t, old) != OK)
		return 2;
	change_node();
	if (keys_rotate(t, false))
		return 3;
	/* it is shown at once, and does not sign yet */
	if (keys_in_set(t) != 2 || issue(t, &also_old) || verify(t, old) || verify(t, also_old))
		return 4;
	if (strncmp(old, also_old, 40) != 0)
		return 5;
	if (pass(t, "306 seconds"))
		return 6;
	age();
	if (issue(t, &fresh) || strncmp(old, fresh, strcspn(old, ".")) == 0 || verify(t, fresh) ||
	    verify(t, old))
		return 7;
	/* the other node has heard of nothing, and takes all three */
	change_node();
	if (set.count != 1)
		return 8;
	set.started_us = set.loaded_us = time_monotonic_us() - AGAIN_US;
	if (verify(t, old) || verify(t, fresh) || set.count != 2 || verify(t, also_old))
		return 9;
	if (pass(t, "15 minutes 30 seconds"))
		return 10;
	age();
	if (verify(t, old) || keys_in_set(t) != 2)
		return 11;
	/* the last token of the old key has died */
	if (pass(t, "31 seconds"))
		return 12;
	age();
	if (verify(t, old) != E_UNAUTHORIZED || verify(t, fresh) || keys_in_set(t) != 1)
		return 13;
	if (keys_rotate(t, false) || count_keys(t) != 3 || pass(t, "2 days") ||
	    keys_rotate(t, false) || count_keys(t) != 2)
		return 14;
	return 0;
}

static void test_rotation_refuses_no_token(void **state)
{
	(void)state;
	assert_int_equal(in_task(rotation), 0);
}

static int at_once(struct task *t)
{
	char first[KEYS_KID_MAX + 1];
	json_t *key;
	const char *kid;
	char *token;

	if (keys_load(t) || issue(t, &token))
		return 1;
	memcpy(first, set.keys[0].kid, sizeof(first));
	/* one that waits for its time is overtaken, for good */
	if (keys_rotate(t, false) || keys_rotate(t, true))
		return 2;
	for (int i = 0; i < 3000; i++) {
		if (keys_signer(t, &key, &kid))
			return 3;
		if (strcmp(kid, first) != 0)
			break;
		sleep_for(t, 10);
	}
	if (strcmp(kid, set.keys[0].kid) != 0 || verify(t, token))
		return 4;
	if (pass(t, "6 minutes"))
		return 5;
	age();
	if (keys_signer(t, &key, &kid) || strcmp(kid, set.keys[0].kid) != 0)
		return 6;
	return set.count == 3 ? 0 : 7;
}

static void test_at_once(void **state)
{
	(void)state;
	assert_int_equal(in_task(at_once), 0);
}

static int public_members(struct task *t)
{
	static const char *const members[] = { "kty", "crv", "x", "y", "kid", "use", "alg" };
	const char *json;
	json_t *value, *key;
	int bad = 0;

	if (keys_jwks(t, &json))
		return 1;
	value = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	key = json_array_get(json_object_get(value, "keys"), 0);
	for (size_t i = 0; i < COUNT_OF(members); i++)
		bad += !json_string_value(json_object_get(key, members[i]));
	bad += json_object_size(key) != COUNT_OF(members) || json_object_size(value) != 1;
	json_decref(value);
	return bad;
}

static void test_the_public_sees_public_members_only(void **state)
{
	(void)state;
	assert_int_equal(in_task(public_members), 0);
}

/* A row beside the good one: a key of our own with something wrong. */
static int insert(struct task *t, json_t *private_key, json_t *public_key, const char *kid)
{
	char *private_text = json_dumps(private_key, 0), *public_text = json_dumps(public_key, 0);
	int rc = insert_key(t, kid, private_text, public_text, "0 seconds");

	free(private_text);
	free(public_text);
	return rc;
}

static int bad_rows(struct task *t)
{
	static const struct {
		bool secret; /* in the private half */
		const char *member, *value;
	} rows[] = {
		{ false, NULL, NULL }, /* the good one, to begin with */
		{ false, "y", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }, /* off the curve */
		{ false, "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
		{ false, "x", "__________________________________________8" }, /* above the field */
		{ false, "x", "AAAA" },
		{ false, "x", "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!" },
		{ false, "y", "" },
		{ false, "crv", "P-384" },
		{ false, "kty", "RSA" },
		{ false, "kty", "oct" },
		/* another number: the halves are no pair */
		{ true, "d", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAU" },
		{ true, "d", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
		{ true, "d", "" },
		{ true, "kty", "oct" },
	};

	if (keys_load(t))
		return 100;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *private_key = NULL, *public_key;
		const char *kid;
		int rc;

		while (!private_key)
			private_key = try_pair(t->mem, &public_key, &kid);
		if (rows[i].member)
			json_object_set_new(rows[i].secret ? private_key : public_key,
					    rows[i].member, json_string(rows[i].value));
		rc = insert(t, private_key, public_key, kid);
		json_decref(private_key);
		json_decref(public_key);
		if (rc || keys_load(t))
			return 200 + (int)i;
		if (set.count != 2) /* the first, and the good one */
			return (int)i + 1;
	}
	return 0;
}

static void test_bad_keys_are_not_taken(void **state)
{
	(void)state;
	assert_int_equal(in_task(bad_rows), 0);
}

static int only_bad(struct task *t)
{
	if (keys_load(t) ||
	    run(t, "update platform.signing_key set public_key = "
		   "public_key || '{\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}'"))
		return 1;
	forget(&set);
	return keys_load(t) == E_CONFLICT && set.count == 0 ? 0 : 2;
}

static void test_a_point_off_the_curve_is_not_loaded(void **state)
{
	(void)state;
	assert_int_equal(in_task(only_bad), 0);
}

static int lost_secret(struct task *t)
{
	char *token, *fresh;

	if (keys_load(t) || issue(t, &token))
		return 1;
	take_secret(other_secret);
	forget(&set);
	if (keys_load(t) != E_CONFLICT || !strstr(t->failure.message, "GUILDFORD_SECRET_KEY"))
		return 2;
	task_forgive(t);
	/* no key was made behind the operator's back */
	if (count_keys(t) != 1)
		return 3;
	if (keys_rotate(t, true) || pass(t, "2 seconds") || issue(t, &fresh) || verify(t, fresh))
		return 4;
	return verify(t, token) == E_UNAUTHORIZED ? 0 : 5;
}

static void test_another_secret_key_is_told(void **state)
{
	(void)state;
	assert_int_equal(in_task(lost_secret), 0);
}

static int database_away(struct task *t)
{
	json_t *key;
	const char *kid;
	char *token;

	if (keys_load(t) || issue(t, &token) ||
	    run(t, "alter table platform.signing_key rename to gone"))
		return 1;
	age();
	/* what is known is used on, though not to sign; what is not may be a key that we cannot see */
	if (verify(t, token) != OK || set.loaded_us == set.started_us)
		return 2;
	set.started_us = FAR;
	if (keys_find(t, "unknown", &key) != E_UNAVAILABLE)
		return 2;
	task_forgive(t);
	age();
	if (keys_find(t, "unknown", &key) == OK)
		return 3;
	task_forgive(t);
	if (keys_signer(t, &key, &kid) == OK)
		return 4;
	task_forgive(t);
	return run(t, "alter table platform.gone rename to signing_key");
}

static void test_without_a_database(void **state)
{
	(void)state;
	assert_int_equal(in_task(database_away), 0);
}

static int within_a_transaction(struct task *t)
{
	char *token;

	if (keys_load(t) || run(t, "alter table platform.signing_key rename to gone") ||
	    pg_begin(t))
		return 1;
	age();
	if (issue(t, &token) == OK)
		return 2;
	task_forgive(t);
	/* it was not the caller's statement that failed */
	if (run(t, "alter table platform.gone rename to signing_key"))
		return 3;
	return pg_commit(t) || issue(t, &token) ? 4 : 0;
}

static void test_the_callers_transaction_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(in_task(within_a_transaction), 0);
}

static int taken_out(struct task *t)
{
	char *token;
	struct jwt_claims c;

	if (keys_load(t) || issue(t, &token) || jwt_verify(t, token, strlen(token), &c))
		return 1;
	jwt_remember(token, strlen(token), &c);
	if (keys_rotate(t, true) || keys_load(t) || !jwt_cached(token, strlen(token)))
		return 2;
	if (run(t,
		"update platform.signing_key set retired_at = now() where retired_at is not null") ||
	    keys_load(t))
		return 3;
	return jwt_cached(token, strlen(token)) ? 4 : 0;
}

static void test_a_key_taken_out_takes_its_tokens_along(void **state)
{
	(void)state;
	assert_int_equal(in_task(taken_out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_parallel_starts_make_one_key, begin),
		cmocka_unit_test_setup(test_who_comes_meanwhile_joins, begin),
		cmocka_unit_test_setup(test_an_unknown_name_is_looked_for_once_a_second, begin),
		cmocka_unit_test_setup(test_rotation_refuses_no_token, begin),
		cmocka_unit_test_setup(test_at_once, begin),
		cmocka_unit_test_setup(test_the_public_sees_public_members_only, begin),
		cmocka_unit_test_setup(test_bad_keys_are_not_taken, begin),
		cmocka_unit_test_setup(test_a_point_off_the_curve_is_not_loaded, begin),
		cmocka_unit_test_setup(test_another_secret_key_is_told, begin),
		cmocka_unit_test_setup(test_without_a_database, begin),
		cmocka_unit_test_setup(test_the_callers_transaction_is_left_alone, begin),
		cmocka_unit_test_setup(test_a_key_taken_out_takes_its_tokens_along, begin),
	};

	return cmocka_run_group_tests(tests, start, end);
}
