/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the rule of once a minute, on a real Redis whose writes are counted. */
#include "test.h"
#include "gateway/seen.c"
#include "with_redis.h"

/* cmocka's jumps must not cross coroutine stacks: a check that fails ends its task with the line. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static const char one[] = "019363f1-0000-7000-8000-000000000001";

/* Is the session in Redis? It is forgotten there, too. */
static bool was_written(struct task *t, const char *session_id)
{
	const char *argv[] = { "DEL", talloc_asprintf(t->mem, "guildford:session:%s", session_id) };
	struct redis_reply *reply;

	return redis_call(t, 2, argv, NULL, &reply) && reply->number == 1;
}

static int check_minute(struct task *t)
{
	CHECK(wait_redis(t, true));
	seen_note(one, "192.0.2.1");
	CHECK(was_written(t, one));
	seen_note(one, "192.0.2.1");
	CHECK(!was_written(t, one) && HASH_COUNT(noted) == 1);
	noted->at_us -= EVERY_US;
	seen_note(one, "192.0.2.1");
	CHECK(was_written(t, one) && HASH_COUNT(noted) == 1);
	seen_clear();
	CHECK(!noted);
	return OK;
}

static void test_once_a_minute(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_minute), OK);
}

static int check_bound(struct task *t)
{
	char id[UUID_TEXT_SIZE];

	CHECK(wait_redis(t, true));
	for (int i = 0; i < NOTED_MAX + 5; i++) {
		snprintf(id, sizeof(id), "019363f1-0000-7000-8000-%012d", i);
		seen_note(id, "192.0.2.1");
		if (i % 100 == 0)
			sleep_for(t, 1); /* so that Redis keeps up */
	}
	CHECK(HASH_COUNT(noted) == NOTED_MAX);
	CHECK(strcmp(noted->session_id, "019363f1-0000-7000-8000-000000000005") == 0);
	seen_clear();
	return OK;
}

static void test_the_oldest_goes(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_bound), OK);
}

static int check_back(struct task *t)
{
	CHECK(wait_redis(t, true));
	redis_kill();
	CHECK(wait_redis(t, false));
	seen_note(one, "192.0.2.1");
	CHECK(!noted);
	redis_start("--appendonly", "no");
	CHECK(wait_redis(t, true));
	seen_note(one, "192.0.2.1");
	CHECK(was_written(t, one));
	seen_clear();
	return OK;
}

static void test_what_redis_was_not_there_for_comes_later(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_back), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_a_minute),
		cmocka_unit_test(test_the_oldest_goes),
		cmocka_unit_test(test_what_redis_was_not_there_for_comes_later),
	};

	return cmocka_run_group_tests(tests, start_redis, stop_redis);
}
