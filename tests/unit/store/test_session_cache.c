/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the sessions' cache on a real Redis: what goes round, what is not believed, what is there without Redis. */
#include "test.h"
#include "store/session_cache.c"
#include "with_redis.h"

/* cmocka's jumps must not cross coroutine stacks: a check that fails ends its task with the line. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static const char *const ids[] = { "019363f1-0000-7000-8000-000000000001",
				   "019363f1-0000-7000-8000-000000000002",
				   "019363f1-0000-7000-8000-000000000003" };

static bool call(struct task *t, struct redis_reply **reply, const char *a, const char *b,
		 const char *c)
{
	const char *argv[] = { a, b, c };

	return redis_call(t, c ? 3 : 2, argv, NULL, reply);
}

static int check_round(struct task *t)
{
	struct session_seen seen[3];
	struct redis_reply *reply;
	uint64_t before = time_unix_ms();

	CHECK(wait_redis(t, true));
	CHECK(session_cache_note(ids[0], "192.0.2.1") &&
	      session_cache_note(ids[2], "2001:DB8::0:1"));
	session_cache_read(t, ids, 3, seen);
	CHECK(seen[0].at_ms >= before && seen[0].at_ms <= time_unix_ms());
	CHECK(strcmp(seen[0].address, "192.0.2.1") == 0);
	CHECK(seen[1].at_ms == 0 && seen[1].address[0] == '\0');
	CHECK(strcmp(seen[2].address, "2001:db8::1") == 0);
	CHECK(call(t, &reply, "TTL", "guildford:session:019363f1-0000-7000-8000-000000000001",
		   NULL));
	CHECK(reply->number > SESSION_CACHE_LIFE - 60 && reply->number <= SESSION_CACHE_LIFE);
	session_cache_forget(t, ids, 2);
	session_cache_read(t, ids, 3, seen);
	CHECK(seen[0].at_ms == 0 && seen[2].at_ms >= before);
	session_cache_forget(t, ids, 0);
	session_cache_read(t, ids, 0, seen);
	CHECK(t->failure.code == OK);
	return OK;
}

static void test_noted_read_and_forgotten(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_round), OK);
}

static int check_values(struct task *t)
{
	static const char *const bad[] = {
		"",
		"x",
		"{}",
		"[1]",
		"{\"at\":1}",
		"{\"address\":\"192.0.2.1\"}",
		"{\"at\":\"1\",\"address\":\"192.0.2.1\"}",
		"{\"at\":0,\"address\":\"192.0.2.1\"}",
		"{\"at\":-1,\"address\":\"192.0.2.1\"}",
		"{\"at\":1.5,\"address\":\"192.0.2.1\"}",
		"{\"at\":9223372036854775807,\"address\":\"192.0.2.1\"}",
		"{\"at\":1,\"address\":\"<script>\"}",
		"{\"at\":1,\"address\":\"192.0.2.1\\u0000\"}",
		("{\"at\":1,\"address\":\"192.0.2.1\",\"more\":\"and more and more and more and more and "
		 "more and more and more and more and more and more and more and more\"}"),
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};
	char key[] = "guildford:session:019363f1-0000-7000-8000-000000000001";
	struct session_seen seen;
	struct redis_reply *reply;

	CHECK(wait_redis(t, true));
	CHECK(call(t, &reply, "SET", key, "{\"at\":1,\"address\":\"192.0.2.1\"}"));
	session_cache_read(t, ids, 1, &seen);
	CHECK(seen.at_ms == 1);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(call(t, &reply, "SET", key, bad[i]) && reply->type == REDIS_TEXT);
		session_cache_read(t, ids, 1, &seen);
		CHECK(seen.at_ms == 0);
	}
	CHECK(call(t, &reply, "DEL", key, NULL) && call(t, &reply, "LPUSH", key, "x"));
	session_cache_read(t, ids, 1, &seen);
	CHECK(seen.at_ms == 0 && t->failure.code == OK);
	CHECK(call(t, &reply, "DEL", key, NULL));
	return OK;
}

static void test_what_is_no_value_of_ours_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_values), OK);
}

static int check_many(struct task *t)
{
	enum { MANY = SESSION_CACHE_MAX * 2 + 3 };
	const char **many = talloc_array(t->mem, const char *, MANY);
	struct session_seen *seen = talloc_array(t->mem, struct session_seen, SESSION_CACHE_MAX);
	struct redis_reply *reply;

	CHECK(wait_redis(t, true));
	for (int i = 0; i < MANY; i++) {
		many[i] = talloc_asprintf(many, "019363f1-0000-7000-8000-%012d", i);
		CHECK(session_cache_note(many[i], "192.0.2.1"));
	}
	session_cache_read(t, many, SESSION_CACHE_MAX, seen);
	for (int i = 0; i < SESSION_CACHE_MAX; i++)
		CHECK(seen[i].at_ms > 0);
	session_cache_forget(t, many, MANY);
	CHECK(call(t, &reply, "KEYS", "guildford:session:*", NULL) && reply->count == 0);
	return OK;
}

static void test_many_at_once(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_many), OK);
}

static int check_away(struct task *t)
{
	struct session_seen seen[3] = { { .at_ms = 1 } };

	CHECK(wait_redis(t, true));
	redis_signal(SIGSTOP);
	session_cache_read(t, ids, 3, seen);
	CHECK(seen[0].at_ms == 0 && !redis_is_up());
	CHECK(!session_cache_note(ids[0], "192.0.2.1"));
	session_cache_forget(t, ids, 3);
	CHECK(t->failure.code == OK);
	redis_signal(SIGCONT);
	return OK;
}

static void test_redis_is_away(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_away), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noted_read_and_forgotten),
		cmocka_unit_test(test_what_is_no_value_of_ours_is_nothing),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_redis_is_away),
	};

	return cmocka_run_group_tests(tests, start_redis, stop_redis);
}
