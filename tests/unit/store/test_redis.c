/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of Redis on a real one: replies, pipelining, and what its absence is like. */
#include "test.h"
#include "store/redis.c"
#include "with_redis.h"
#undef sleep

/* cmocka's jumps must not cross coroutine stacks: a check that fails ends its task with the line. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static bool call(struct task *t, struct redis_reply **reply, const char *a, const char *b,
		 const char *c)
{
	const char *argv[] = { a, b, c };

	return redis_call(t, c ? 3 : b ? 2 : 1, argv, NULL, reply);
}

static void test_urls(void **state)
{
	static const struct {
		const char *url;
		bool is;
		const char *host, *path;
		int port, database;
		const char *user, *password;
	} rows[] = {
		{ "redis://127.0.0.1", true, "127.0.0.1", NULL, 6379, 0, NULL, NULL },
		{ "redis://127.0.0.1/", true, "127.0.0.1", NULL, 6379, 0, NULL, NULL },
		{ "redis://127.0.0.1:6380/3", true, "127.0.0.1", NULL, 6380, 3, NULL, NULL },
		{ "redis://[::1]:6380", true, "::1", NULL, 6380, 0, NULL, NULL },
		{ "redis://[::1]", true, "::1", NULL, 6379, 0, NULL, NULL },
		{ "redis://:se%40cret@h", true, "h", NULL, 6379, 0, NULL, "se@cret" },
		{ "redis://me:a:b@h:1", true, "h", NULL, 1, 0, "me", "a:b" },
		{ "unix:///run/redis.sock", true, NULL, "/run/redis.sock", 0, 0, NULL, NULL },
		{ "unix:///r?db=2", true, NULL, "/r", 0, 2, NULL, NULL },
		{ "unix://:p@/r", true, NULL, "/r", 0, 0, NULL, "p" },
		{ "redis://", false },
		{ "redis://h:0", false },
		{ "redis://h:65536", false },
		{ "redis://h:x", false },
		{ "redis://h/x", false },
		{ "redis://me@h", false },
		{ "redis://[::1", false },
		{ "redis://[::1]6379", false },
		{ "redis://h?db=1", false },
		{ "redis://:%ff@h", false },
		{ "unix://run", false },
		{ "unix:///r?x=2", false },
		{ "unix:///", false },
		{ "rediss://h", false },
		{ "http://h", false },
		{ "h", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct target target;

		expect_bool(read_url(*state, rows[i].url, &target), rows[i].is, rows[i].url);
		expect_bool(redis_is_url(rows[i].url), rows[i].is, rows[i].url);
		if (!rows[i].is)
			continue;
		expect_text(target.host, rows[i].host, rows[i].url);
		expect_text(target.path, rows[i].path, rows[i].url);
		expect_text(target.user, rows[i].user, rows[i].url);
		expect_text(target.password, rows[i].password, rows[i].url);
		assert_int_equal(target.port, rows[i].port);
		assert_int_equal(target.database, rows[i].database);
	}
	assert_true(redis_is_url(""));
}

static int check_replies(struct task *t)
{
	const char *binary[] = { "SET", "k", "a\0b" };
	const size_t lens[] = { 3, 1, 3 };
	struct redis_reply *reply;

	CHECK(wait_redis(t, true));
	CHECK(redis_call(t, 3, binary, lens, &reply));
	CHECK(reply->type == REDIS_TEXT && strcmp(reply->text, "OK") == 0);
	CHECK(call(t, &reply, "GET", "k", NULL));
	CHECK(reply->type == REDIS_TEXT && reply->len == 3 && memcmp(reply->text, "a\0b", 4) == 0);
	CHECK(call(t, &reply, "GET", "absent", NULL));
	CHECK(reply->type == REDIS_NIL);
	CHECK(call(t, &reply, "INCR", "n", NULL));
	CHECK(reply->type == REDIS_NUMBER && reply->number == 1);
	CHECK(call(t, &reply, "MGET", "n", "absent"));
	CHECK(reply->type == REDIS_LIST && reply->count == 2);
	CHECK(strcmp(reply->items[0].text, "1") == 0 && reply->items[1].type == REDIS_NIL);
	CHECK(call(t, &reply, "INCR", "k", NULL));
	CHECK(reply->type == REDIS_FAULT && strncmp(reply->text, "ERR", 3) == 0);
	CHECK(call(t, &reply, "EVAL", "return {1,{2,{3,{4,{5}}}}}", "0"));
	CHECK(reply->items[1].items[1].items[1].items[0].number == 4);
	CHECK(reply->items[1].items[1].items[1].items[1].count == 0); /* deeper than we look */
	CHECK(talloc_parent(reply) == t->mem);
	return OK;
}

static void test_replies(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_replies), OK);
}

struct counted {
	int answered, away, order;
	bool in_order;
};

static void count_answer(void *arg, struct redis_reply *reply)
{
	struct counted *counted = arg;

	if (!reply) {
		counted->away++;
		return;
	}
	counted->answered++;
	counted->in_order = counted->in_order && reply->number == ++counted->order;
}

static int send_many(struct counted *counted, int n)
{
	static const char *const argv[] = { "INCR", "many" };

	for (int i = 0; i < n; i++)
		CHECK(redis_send(count_answer, counted, 2, argv, NULL));
	return OK;
}

static int check_pipeline(struct task *t)
{
	struct counted counted = { .in_order = true };

	CHECK(wait_redis(t, true));
	CHECK(send_many(&counted, 5000) == OK);
	for (int i = 0; i < 1000 && counted.answered < 5000; i++)
		sleep_for(t, 10);
	CHECK(counted.answered == 5000 && counted.in_order && counted.away == 0);
	return OK;
}

static void test_many_commands_at_once(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_pipeline), OK);
}

static int ups, downs;

static void on_changed(bool up)
{
	ups += up;
	downs += !up;
}

static int check_kill(struct task *t)
{
	struct counted counted = { .in_order = true };
	struct redis_reply *reply;

	ups = downs = 0;
	redis_watch(on_changed);
	CHECK(wait_redis(t, true));
	redis_kill();
	CHECK(!call(t, &reply, "PING", NULL, NULL)); /* it notices by itself, or by asking */
	CHECK(!redis_is_up() && !call(t, &reply, "PING", NULL, NULL));
	CHECK(!redis_send(count_answer, &counted, 1, (const char *const[]) { "PING" }, NULL));
	CHECK(t->failure.code == OK);
	redis_start("--appendonly", "no");
	CHECK(wait_redis(t, true));
	CHECK(call(t, &reply, "PING", NULL, NULL) && strcmp(reply->text, "PONG") == 0);
	CHECK(ups == 2 && downs == 1);
	return OK;
}

static void test_killed_and_started_again(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_kill), OK);
}

static int check_pause(struct task *t)
{
	struct counted counted = { .in_order = true };
	struct redis_reply *reply;

	CHECK(wait_redis(t, true));
	CHECK(call(t, &reply, "DEL", "many", NULL));
	redis_signal(SIGSTOP);
	CHECK(send_many(&counted, 100) == OK);
	CHECK(!call(t, &reply, "PING", NULL, NULL));
	CHECK(!redis_is_up() && counted.away == 100); /* one has waited for all */
	CHECK(!call(t, &reply, "PING", NULL, NULL));
	for (int i = 0; i < 50; i++) {
		sleep_for(t, 20); /* it takes connections, and is away all the same */
		CHECK(!redis_is_up());
	}
	redis_signal(SIGCONT);
	CHECK(wait_redis(t, true));
	CHECK(call(t, &reply, "PING", NULL, NULL) && strcmp(reply->text, "PONG") == 0);
	return OK;
}

static void test_paused(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_pause), OK);
}

static int check_late(struct task *t)
{
	struct counted counted = { .in_order = true };
	struct redis_reply *reply;

	CHECK(wait_redis(t, true));
	CHECK(call(t, &reply, "DEL", "many", NULL));
	redis_signal(SIGSTOP);
	t->deadline = 1; /* long past: it gives up long before Redis would be taken as away */
	CHECK(!call(t, &reply, "ECHO", "late", NULL));
	t->deadline = 0;
	redis_signal(SIGCONT);
	CHECK(redis_is_up()); /* it is not Redis' fault */
	CHECK(send_many(&counted, 10) == OK);
	CHECK(call(t, &reply, "ECHO", "next", NULL) && strcmp(reply->text, "next") == 0);
	CHECK(counted.answered == 10 && counted.in_order);
	return OK;
}

static void test_a_caller_that_gives_up(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_late), OK);
}

static int check_closing(struct task *t)
{
	static struct counted counted;

	CHECK(wait_redis(t, true));
	CHECK(send_many(&counted, 10) == OK);
	redis_close();
	CHECK(counted.away == 10 && !redis_is_up());
	redis_close();
	return OK;
}

static void test_closing_tells_who_waits(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_closing), OK);
}

static bool ended_well;

/* Its memory goes before whoever woke it goes on. */
static void ask_and_end(void *arg)
{
	struct task t = { .mem = talloc_new(NULL) };
	struct redis_reply *reply;

	(void)arg;
	ended_well = call(&t, &reply, "ECHO", "last words", NULL) &&
		     strcmp(reply->text, "last words") == 0;
	talloc_free(t.mem);
}

static void start_on_the_loop(void *arg, struct redis_reply *reply)
{
	(void)reply;
	*(int *)arg = coro_start(ask_and_end, NULL);
}

static int check_last_words(struct task *t)
{
	static const char *const argv[] = { "PING" };
	int rc = 0;

	CHECK(wait_redis(t, true));
	ended_well = false;
	CHECK(redis_send(start_on_the_loop, &rc, 1, argv, NULL));
	for (int i = 0; i < 1000 && !ended_well; i++)
		sleep_for(t, 10);
	CHECK(ended_well && rc == 0);
	return OK;
}

static void test_a_task_that_ends_with_the_answer(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_last_words), OK);
}

static int check_nowhere(struct task *t)
{
	struct redis_reply *reply;

	redis_close();
	sleep_for(t, 10);
	redis_open("", 300);
	CHECK(!redis_is_up() && !call(t, &reply, "PING", NULL, NULL));
	redis_open("redis://127.0.0.1:1", 300);
	sleep_for(t, 300);
	CHECK(!redis_is_up() && !call(t, &reply, "PING", NULL, NULL));
	redis_close();
	sleep_for(t, 10);
	redis_open("unix:///nowhere/at/all", 300);
	CHECK(!redis_is_up());
	return OK;
}

static void test_nobody_there(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_nowhere), OK);
}

static int check_login(struct task *t)
{
	char url[160];
	struct redis_reply *reply;

	redis_close();
	sleep_for(t, 10);
	redis_kill();
	redis_start("--requirepass", "se@cret");
	redis_open(redis_url, 300);
	sleep_for(t, 1000);
	CHECK(!redis_is_up()); /* without the password it is away */
	redis_close();
	sleep_for(t, 10);
	snprintf(url, sizeof(url), "unix://:se%%40cret@%s?db=3", redis_url + 7);
	redis_open(url, 300);
	CHECK(wait_redis(t, true));
	CHECK(call(t, &reply, "SET", "here", "1"));
	CHECK(call(t, &reply, "SELECT", "0", NULL) && call(t, &reply, "EXISTS", "here", NULL));
	CHECK(reply->number == 0);
	return OK;
}

static void test_password_and_database(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_login), OK);
}

static int set_up(void **state)
{
	return start_redis(state) || new_memory(state) ? -1 : 0;
}

static int tear_down(void **state)
{
	return free_memory(state) || stop_redis(NULL) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_many_commands_at_once),
		cmocka_unit_test(test_killed_and_started_again),
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_a_caller_that_gives_up),
		cmocka_unit_test(test_closing_tells_who_waits),
		cmocka_unit_test(test_a_task_that_ends_with_the_answer),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_password_and_database),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
