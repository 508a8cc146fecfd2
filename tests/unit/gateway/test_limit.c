/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the rate limits: the script with a window of its own on a real Redis, counts in memory shared by processes, and
 * the step with its headers.
 */
#include "test.h"
#include "with_request.h"
#include "base/config.h"
#include "io/coro.h"
#include "gateway/limit.c"
#include "gateway/limit_count.c"
#include "gateway/limit_memory.c"
#include "with_redis.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

enum { WINDOW_MS = 1500, QUOTA = 7, MOVES_MS = 400 };

/* ---- the script ---- */

/* Asks for n of a key's quota; the script's three answers, or {-1}. */
static void run_script(struct task *t, const char *key, int n, int quota, int window_ms,
		       long long answer[3])
{
	char asked[20], quota_text[20], window[20];
	const char *argv[] = { "EVAL", script, "1", key, asked, quota_text, window };
	struct redis_reply *reply;

	snprintf(asked, sizeof(asked), "%d", n);
	snprintf(quota_text, sizeof(quota_text), "%d", quota);
	snprintf(window, sizeof(window), "%d", window_ms);
	answer[0] = -1;
	if (!redis_call(t, 7, argv, NULL, &reply) || reply->type != REDIS_LIST)
		return;
	for (int i = 0; i < 3; i++)
		answer[i] = reply->items[i].number;
}

static int check_script(struct task *t)
{
	long long a[3];

	CHECK(wait_redis(t, true));
	run_script(t, "a", 1, 3, 60000, a);
	CHECK(a[0] == 1 && a[1] == 1 && a[2] > 59000 && a[2] <= 60001);
	run_script(t, "a", 5, 3, 60000, a); /* asked for five: granted two */
	CHECK(a[0] == 2 && a[1] == 3);
	for (int i = 0; i < 3; i++) { /* what is refused counts nowhere */
		run_script(t, "a", 1, 3, 60000, a);
		CHECK(a[0] == 0 && a[1] == 3 && a[2] > 50000 && a[2] <= 60001);
	}
	run_script(t, "a", 1, 2, 60000, a); /* a quota that was lowered */
	CHECK(a[0] == 0 && a[1] == 3);
	run_script(t, "b", 1, 1, 60000, a);
	CHECK(a[0] == 1);
	run_script(t, "empty", 0, 1, 60000, a);
	CHECK(a[0] == 0 && a[1] == 0 && a[2] == 0);
	return OK;
}

static void test_the_script_counts(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_script), OK);
}

/* A grant happened in Redis between these two moments. */
struct grant {
	uint64_t before, after;
};

/* In no window are more granted than the quota, and whoever waits as long as was said is granted one. */
static int check_window(struct task *t)
{
	static struct grant grants[1000];
	uint64_t end = time_monotonic_us() + 4 * WINDOW_MS * 1000;
	int count = 0;

	CHECK(wait_redis(t, true));
	for (int ask = 3; time_monotonic_us() < end && count < 900;) {
		struct grant grant = { .before = time_monotonic_us() };
		long long a[3];

		run_script(t, "window", ask, QUOTA, WINDOW_MS, a);
		grant.after = time_monotonic_us();
		CHECK(a[0] >= (ask == 1) && a[1] <= QUOTA);
		for (int i = 0; i < a[0]; i++)
			grants[count++] = grant;
		ask = a[0] ? 3 : 1;
		if (!a[0])
			CHECK(a[2] > 0 && a[2] <= WINDOW_MS + 1);
		sleep_for(t, a[0] ? 37 : (uint64_t)a[2]);
	}
	CHECK(count > 3 * QUOTA);
	for (int i = 0; i + QUOTA < count; i++)
		CHECK(grants[i + QUOTA].after - grants[i].before >= WINDOW_MS * 1000);
	return OK;
}

static void test_the_window_slides(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_window), OK);
}

static long long log_size(struct task *t)
{
	struct redis_reply *reply;

	if (!redis_call(t, 2, (const char *const[]) { "STRLEN", "moves" }, NULL, &reply))
		return -1;
	return reply->number;
}

/* Of n grants in order: how many are surely, and how many may be, within the window of a count made between two moments. */
static void count_within(const struct grant *grants, int n, struct grant count, int *least,
			 int *most)
{
	*least = *most = 0;
	for (int i = 0; i < n; i++) {
		*least += grants[i].before + MOVES_MS * 1000 > count.after;
		*most += grants[i].after + (MOVES_MS + 2 * MOVES_MS / 1000 + 1) * 1000 >
			 count.before;
	}
}

/* A log with an entry each few milliseconds is counted right until and after it is moved. */
static int check_moves(struct task *t)
{
	static struct grant grants[20000];
	long long size = 0, a[3];
	int n = 0, moved_at = 0;

	CHECK(wait_redis(t, true));
	while (n < 20000 && (!moved_at || n < moved_at + 100)) {
		long long before = size;
		int least, most;

		grants[n].before = time_monotonic_us();
		run_script(t, "moves", 1, 1000000, MOVES_MS, a);
		grants[n].after = time_monotonic_us();
		CHECK(a[0] == 1 && a[2] > 0 && a[2] <= MOVES_MS + 1);
		n++;
		count_within(grants, n, grants[n - 1], &least, &most);
		CHECK(a[1] >= least && a[1] <= most);
		size = log_size(t);
		CHECK(size > 0 && size <= 12 << 10);
		if (size < before && before > 4096)
			moved_at = n;
		sleep_for(t, 1);
	}
	CHECK(moved_at);
	return OK;
}

static void test_the_log_moves(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_moves), OK);
}

/* ---- memory ---- */

static struct limit_key key_of(int policy, int quota, const char *text)
{
	struct limit_key key = { .policy = policy, .quota = quota };

	snprintf(key.text, sizeof(key.text), "%s", text);
	key.hash = limit_memory_hash(text, strlen(text));
	return key;
}

static void test_memory_counts_for_all_processes(void **state)
{
	const struct limit_key key = key_of(LIMIT_ANONYMOUS, 100, "all");
	_Atomic int *granted = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t children[4];

	(void)state;
	for (size_t c = 0; c < COUNT_OF(children); c++) {
		children[c] = fork();
		for (int i = 0; children[c] == 0 && i < 2000; i++) {
			struct limit_state taken;

			*granted += limit_memory_take(&key, &taken);
		}
		if (children[c] == 0)
			_exit(0);
	}
	for (size_t c = 0; c < COUNT_OF(children); c++)
		waitpid(children[c], NULL, 0);
	assert_int_equal(*granted, 100);
	munmap((void *)granted, sizeof(int));
}

static void test_memory_says_how_it_stands(void **state)
{
	const struct limit_key key = key_of(LIMIT_ANONYMOUS, 3, "stands");
	struct limit_state taken, again;

	(void)state;
	for (int left = 2; left >= 0; left--) {
		assert_true(limit_memory_take(&key, &taken));
		assert_int_equal(taken.left, left);
		assert_true(taken.wait_ms > 58000 && taken.wait_ms <= 61000);
	}
	assert_false(limit_memory_take(&key, &again));
	assert_int_equal(again.left, 0);
	limit_memory_give(&key, &taken);
	assert_true(limit_memory_take(&key, &taken));
	assert_false(limit_memory_take(&key, &again));
}

static void test_memory_forgets_what_is_older_than_the_window(void **state)
{
	const struct limit_key key = key_of(LIMIT_LOG_IN, 3, "forgets");
	struct moment m = now_for(LIMIT_LOG_IN);
	struct entry *entry = find(&key, &m);
	struct limit_state look_at;

	(void)state;
	/* a machine that has just started has no such past */
	m.ms += 4000000;
	m.slice = (uint32_t)(m.ms / m.slice_ms);
	m.first = (uint32_t)((m.ms - m.window_ms) / m.slice_ms);
	assert_true(add(entry, m.first - 1)); /* no longer */
	assert_true(add(entry, m.first));
	assert_true(add(entry, m.slice));
	look(entry, &key, &m, &look_at);
	assert_int_equal(look_at.left, 1);
	assert_true(look_at.wait_ms > 0 && look_at.wait_ms <= m.slice_ms);
	assert_true(add(entry, m.slice + 2)); /* the ring goes round */
	assert_false(add(entry, m.slice + 2 - RING));
}

static void test_a_full_set_shares(void **state)
{
	struct limit_key key = { .policy = LIMIT_MAIL, .quota = 2 };
	struct limit_state taken;
	int granted = 0;

	(void)state;
	/* subjects of one set: seven of their own, all others together */
	for (uint64_t i = 1; i <= OWN + 5; i++) {
		key.hash = i << 40 | 77;
		for (int k = 0; k < 3; k++)
			granted += limit_memory_take(&key, &taken);
	}
	assert_int_equal(granted, 2 * OWN + 2);
}

/* ---- both ---- */

static int check_change(struct task *t)
{
	const struct limit_key key = key_of(LIMIT_TOKEN_REFRESH, 4, "change");
	struct limit_state taken;
	int64_t before = metric_sum(METRIC_LIMITS_DEGRADED);

	CHECK(!limit_memory_was_alone(LIMIT_TOKEN_REFRESH));
	limit_count_open();
	CHECK(wait_redis(t, true));
	CHECK(limit_count(t, &key, 1, &taken) && taken.left == 3);
	CHECK(limit_count(t, &key, 1, &taken) && taken.left == 2 && taken.wait_ms > 50000);
	CHECK(metric_sum(METRIC_LIMITS_DEGRADED) == before);
	redis_kill();
	/* what Redis knew is known here */
	CHECK(limit_count(t, &key, 1, &taken) && taken.left == 1);
	CHECK(limit_memory_was_alone(LIMIT_TOKEN_REFRESH));
	CHECK(metric_sum(METRIC_LIMITS_DEGRADED) == before + 1);
	redis_start("--appendonly", "no");
	CHECK(wait_redis(t, true));
	/* and what was counted here still counts, though this Redis knows of nothing */
	CHECK(limit_count(t, &key, 1, &taken) && metric_sum(METRIC_LIMITS_DEGRADED) == before);
	for (int i = 0; i < 3; i++)
		CHECK(!limit_count(t, &key, 1, &taken) && taken.left <= 0);
	return OK;
}

static void test_from_redis_to_memory_and_back(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_change), OK);
}

static int check_two_keys(struct task *t)
{
	const struct limit_key keys[] = { key_of(LIMIT_AUTHENTICATED, 5, "two"),
					  key_of(LIMIT_PASSWORD_CHECK, 2, "two-checks") };
	struct limit_state taken[2];
	struct redis_reply *reply;

	limit_count_open();
	CHECK(wait_redis(t, true));
	CHECK(limit_count(t, keys, 2, taken) && taken[0].left == 4 && taken[1].left == 1);
	/* it has forgotten the script */
	CHECK(redis_call(t, 2, (const char *const[]) { "SCRIPT", "FLUSH" }, NULL, &reply));
	CHECK(limit_count(t, keys, 2, taken) && taken[0].left == 3 && taken[1].left == 0);
	/* one refuses: neither counts */
	CHECK(!limit_count(t, keys, 2, taken) && taken[0].left == 3 && taken[1].left == 0);
	CHECK(limit_count(t, keys, 1, taken) && taken[0].left == 2);
	/* what is no count of ours: then the memory counts */
	CHECK(redis_call(t, 2, (const char *const[]) { "DEL", "two" }, NULL, &reply));
	CHECK(redis_call(t, 3, (const char *const[]) { "LPUSH", "two", "x" }, NULL, &reply));
	CHECK(limit_count(t, keys, 1, taken) && taken[0].left == 1);
	CHECK(!limit_count(t, keys, 2, taken) && taken[0].left == 1 && taken[1].left == 0);
	return OK;
}

static void test_two_policies_at_once(void **state)
{
	(void)state;
	assert_int_equal(in_redis_task(check_two_keys), OK);
}

/* Callers of one turn: more than one command has room for, some with a policy of their own, some the same. */
enum { ASKING = 60, SUBJECTS = 40 };

struct asking {
	struct limit_key keys[2];
	int count;
	bool granted, done;
	struct limit_state states[2];
};

static void call(void *arg)
{
	struct asking *one = arg;
	struct task t = { .mem = talloc_new(NULL) };

	one->granted = limit_count(&t, one->keys, one->count, one->states);
	one->done = true;
	talloc_free(t.mem);
}

static struct asking all[ASKING];

static void call_all(uv_timer_t *timer)
{
	(void)timer;
	for (int i = 0; i < ASKING; i++)
		if (coro_start(call, &all[i]) != 0)
			abort();
}

/* The first 40 are the first of their subject, the other 20 the second: who has a quota of 1 is refused then. */
static int check_turn(struct task *t)
{
	static uv_timer_t timer;
	char text[40];

	if (!counting.open)
		limit_count_open();
	CHECK(wait_redis(t, true));
	for (int i = 0; i < ASKING; i++) {
		int subject = i % SUBJECTS;

		snprintf(text, sizeof(text), "turn-%d", subject);
		all[i].keys[0] = key_of(LIMIT_AUTHENTICATED, 100, text);
		snprintf(text, sizeof(text), "turn-check-%d", subject);
		all[i].keys[1] = key_of(LIMIT_PASSWORD_CHECK, 1 + subject % 2, text);
		all[i].count = subject % 3 == 0 ? 2 : 1;
	}
	uv_timer_init(loop_get(), &timer);
	uv_timer_start(&timer, call_all, 0, 0);
	for (int i = 0; i < ASKING; i++) {
		const struct asking *c = &all[i];
		bool second = i >= SUBJECTS;
		bool refused = second && c->count == 2 && c->keys[1].quota == 1;

		for (int poll = 0; poll < 1000 && !c->done; poll++)
			sleep_for(t, 10);
		CHECK(c->done && c->granted == !refused);
		CHECK(refused || c->states[0].left == (second ? 98 : 99));
		CHECK(refused || c->count == 1 ||
		      c->states[1].left == c->keys[1].quota - (second ? 2 : 1));
	}
	return OK;
}

static void test_all_of_a_turn_at_once(void **state)
{
	int64_t calls = metric_sum(METRIC_REDIS_CALLS);

	(void)state;
	assert_int_equal(in_redis_task(check_turn), OK);
	assert_in_range(metric_sum(METRIC_REDIS_CALLS) - calls, 1, SUBJECTS / 2);
}

/* ---- the step; without Redis it does not wait ---- */

static struct request *step(void **state, const char *client, enum caller is,
			    const struct action *action, int wanted)
{
	struct request *r = new_request(*state, METHOD_GET, "/v1/x");
	static struct route route;

	route.action = action;
	r->route = &route;
	r->caller.is = is;
	snprintf(r->caller.person_id, sizeof(r->caller.person_id), "a person");
	r->client = r->client_block = client;
	assert_int_equal(step_limit(r), wanted);
	limit_reply(r);
	return r;
}

static void test_headers(void **state)
{
	static const struct action action = { .path = "/x", .limit = "log-in" };
	struct request *r = step(state, "192.0.2.9", CALLER_NOBODY, NULL, OK);

	expect_text(reply_header(r, "RateLimit-Policy"), "\"anonymous\";q=20;w=60", "policy");
	expect_text(reply_header(r, "RateLimit"), "\"anonymous\";r=19;t=60", "limit");
	expect_text(reply_header(r, "X-RateLimit-Limit"), "20", "limit");
	expect_text(reply_header(r, "X-RateLimit-Remaining"), "19", "remaining");
	expect_text(reply_header(r, "X-RateLimit-Reset"), "60", "reset");
	r = step(state, "192.0.2.9", CALLER_PERSON, &action, OK);
	expect_text(reply_header(r, "RateLimit-Policy"),
		    "\"authenticated\";q=100;w=60, \"log-in\";q=30;w=900", "policy");
	expect_text(reply_header(r, "RateLimit"),
		    "\"authenticated\";r=99;t=60, \"log-in\";r=29;t=900", "limit");
	expect_text(reply_header(r, "X-RateLimit-Limit"), "30", "limit");
}

/* A key that has a quota of its own is not counted with its owner. */
static void test_a_keys_own_quota(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/v1/x");

	r->caller.is = CALLER_KEY;
	r->caller.quota = 7;
	snprintf(r->caller.person_id, sizeof(r->caller.person_id), "a person");
	snprintf(r->caller.key_id, sizeof(r->caller.key_id), "a key");
	r->client = r->client_block = "192.0.2.13";
	assert_int_equal(step_limit(r), OK);
	limit_reply(r);
	expect_text(reply_header(r, "RateLimit-Policy"), "\"authenticated\";q=7;w=60", "policy");
	expect_text(reply_header(r, "RateLimit"), "\"authenticated\";r=6;t=60", "limit");
	for (int i = 0; i < 6; i++)
		assert_int_equal(step_limit(r), OK);
	assert_int_equal(step_limit(r), E_RATE_LIMITED);
}

static void test_rejection(void **state)
{
	static const struct action action = { .path = "/x", .limit = "mail" };
	struct request *r;

	for (int i = 0; i < 5; i++)
		step(state, "192.0.2.10", CALLER_NOBODY, &action, OK);
	r = step(state, "192.0.2.10", CALLER_NOBODY, &action, E_RATE_LIMITED);
	assert_int_equal(r->violated_count, 1);
	expect_text(r->violated[0], "mail", "violated");
	assert_in_range(r->task.failure.retry_after, 3500, 3661);
	expect_text(reply_header(r, "RateLimit"), "\"anonymous\";r=15;t=60, \"mail\";r=0;t=3600",
		    "limit");
	for (int i = 0; i < 15; i++)
		step(state, "192.0.2.10", CALLER_NOBODY, NULL, OK);
	r = step(state, "192.0.2.10", CALLER_NOBODY, NULL, E_RATE_LIMITED);
	assert_in_range(r->task.failure.retry_after, 1, 61);
	step(state, "192.0.2.11", CALLER_NOBODY, NULL, OK);
}

static void test_it_comes_before_any_other_failure(void **state)
{
	struct request *r = new_request(*state, METHOD_GET, "/v1/absent");
	int n = 0;

	r->client_block = "192.0.2.12";
	do {
		r->task.failure.code = OK;
		task_fail(&r->task, E_UNAUTHORIZED, NULL);
		n++;
	} while (step_limit(r) == OK);
	assert_int_equal(n, 21);
	assert_int_equal(r->task.failure.code, E_RATE_LIMITED);
}

static void test_what_is_free(void **state)
{
	static const struct action action = { .path = "/x", .free = true };
	struct request *r = step(state, "192.0.2.13", CALLER_NOBODY, &action, OK);

	assert_null(reply_header(r, "RateLimit"));
	r = new_request(*state, METHOD_OPTIONS, "/v1/x");
	set_header(r, "access-control-request-method", "POST");
	r->client_block = "192.0.2.13";
	assert_int_equal(step_limit(r), OK);
	assert_null(r->limits);
	config.limits = false;
	r = step(state, "192.0.2.13", CALLER_NOBODY, NULL, OK);
	assert_null(r->limits);
	config.limits = true;
}

static void test_names(void **state)
{
	(void)state;
	assert_true(limit_exists("log-in") && limit_exists("password-check"));
	assert_false(limit_exists("login"));
	assert_null(limit_name(LIMIT_POLICIES));
	for (int i = 0; i < LIMIT_POLICIES; i++)
		assert_true(limit_policies[i].window_s >= SLICES && limit_policies[i].doc);
}

static int set_up(void **state)
{
	config.limits = true;
	config.limit_authenticated = 100;
	config.limit_anonymous = 20;
	config.redis_timeout = 1000;
	config.redis_url = "unix:///it/is/given";
	return limit_setup() || start_redis(state) || new_memory(state) ? -1 : 0;
}

static int tear_down(void **state)
{
	return free_memory(state) || stop_redis(NULL) ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_script_counts),
		cmocka_unit_test(test_the_window_slides),
		cmocka_unit_test(test_the_log_moves),
		cmocka_unit_test(test_memory_counts_for_all_processes),
		cmocka_unit_test(test_memory_says_how_it_stands),
		cmocka_unit_test(test_memory_forgets_what_is_older_than_the_window),
		cmocka_unit_test(test_a_full_set_shares),
		cmocka_unit_test(test_from_redis_to_memory_and_back),
		cmocka_unit_test(test_two_policies_at_once),
		cmocka_unit_test(test_all_of_a_turn_at_once),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_a_keys_own_quota),
		cmocka_unit_test(test_rejection),
		cmocka_unit_test(test_it_comes_before_any_other_failure),
		cmocka_unit_test(test_what_is_free),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
