/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The step that counts every request, and the headers that say how the caller stands (draft-ietf-httpapi-ratelimit-headers-10;
 * X-RateLimit-* for older clients). Counting itself is in limit_count.c.
 */
#include "gateway/limit.h"

#include <assert.h>
#include <string.h>
#include "api/pipeline.h"
#include "api/route.h"
#include "base/config.h"
#include "base/metrics.h"
#include "gateway/limit_count.h"
#include "gateway/limit_memory.h"
#include "base/banned.h"

const struct limit_policy limit_policies[LIMIT_POLICIES] = {
	[LIMIT_AUTHENTICATED] = { .name = "authenticated",
				  .quota = 100,
				  .setting = &config.limit_authenticated,
				  .window_s = 60,
				  .by = BY_CALLER,
				  .doc = "All requests of a caller who has signed in." },
	[LIMIT_ANONYMOUS] = { .name = "anonymous",
			      .quota = 20,
			      .setting = &config.limit_anonymous,
			      .window_s = 60,
			      .by = BY_ADDRESS,
			      .doc = "All requests of an address that has not." },
	[LIMIT_LOG_IN] = { .name = "log-in",
			   .quota = 30,
			   .window_s = 900,
			   .by = BY_ADDRESS,
			   .doc = "Attempts to log in." },
	[LIMIT_REGISTRATION] = { .name = "registration",
				 .quota = 10,
				 .window_s = 3600,
				 .by = BY_ADDRESS,
				 .doc = "New accounts." },
	[LIMIT_MAIL] = { .name = "mail",
			 .quota = 5,
			 .window_s = 3600,
			 .by = BY_ADDRESS,
			 .doc = "What sends a mail to an address that the caller names." },
	[LIMIT_TOKEN_REFRESH] = { .name = "token-refresh",
				  .quota = 60,
				  .window_s = 60,
				  .by = BY_ADDRESS,
				  .doc = "New access tokens." },
	[LIMIT_PASSWORD_CHECK] = { .name = "password-check",
				   .quota = 10,
				   .window_s = 900,
				   .by = BY_CALLER,
				   .doc = "What asks for the password once more." },
	[LIMIT_GRANT] = { .name = "grant",
			  .quota = 20,
			  .window_s = 3600,
			  .by = BY_CALLER,
			  .doc = "Relations given to an address that the caller names." },
};

_Static_assert((int)LIMIT_POLICIES <= (int)METRIC_POLICIES_MAX,
	       "each policy counts its rejections");

/* What was counted of a request. */
struct limits {
	struct limit_key keys[LIMIT_KEYS_MAX];
	struct limit_state states[LIMIT_KEYS_MAX];
	int count;
};

int limit_setup(void)
{
	return limit_memory_setup();
}

void limit_open(void)
{
	limit_count_open();
}

const char *limit_name(int policy)
{
	return policy < LIMIT_POLICIES ? limit_policies[policy].name : NULL;
}

static int find_policy(const char *name)
{
	for (int i = 0; i < LIMIT_POLICIES; i++)
		if (strcmp(limit_policies[i].name, name) == 0)
			return i;
	return -1;
}

bool limit_exists(const char *name)
{
	return find_policy(name) >= 0;
}

/* Who is counted, and by which of the two policies for all requests: the one place that knows what a caller is. */
struct subject {
	int policy, quota;
	const char *caller; /* NULL: nobody who is known */
};

static struct subject subject_of(const struct request *r)
{
	const struct principal *caller = &r->caller;

	if (caller->is == CALLER_NOBODY)
		return (struct subject) { LIMIT_ANONYMOUS, config.limit_anonymous, NULL };
	if (caller->is == CALLER_KEY)
		return (struct subject) { LIMIT_AUTHENTICATED,
					  caller->quota ? caller->quota
							: config.limit_authenticated,
					  caller->key_id };
	return (struct subject) { LIMIT_AUTHENTICATED, config.limit_authenticated,
				  caller->person_id };
}

static void add_key(struct limits *limits, int policy, int quota, const char *subject)
{
	struct limit_key *key = &limits->keys[limits->count++];

	key->policy = policy;
	key->quota = quota;
	snprintf(key->text, sizeof(key->text), "guildford:limit:%s:%s", limit_policies[policy].name,
		 subject);
	key->hash = limit_memory_hash(key->text, strlen(key->text));
}

/* The policy for all requests, and that of the action. A caller and an address are never the same subject. */
static void choose_keys(const struct request *r, struct limits *limits)
{
	struct subject subject = subject_of(r);
	const char *address = r->client_block;
	const char *name = r->route && r->route->action ? r->route->action->limit : NULL;
	int policy;

	add_key(limits, subject.policy, subject.quota, subject.caller ? subject.caller : address);
	if (!name)
		return;
	policy = find_policy(name);
	add_key(limits, policy, limit_policies[policy].quota,
		limit_policies[policy].by == BY_CALLER && subject.caller ? subject.caller
									 : address);
}

/* A page's preflight is its browser's doing. A server that is full has nothing to say about quotas. */
static bool is_free(const struct request *r)
{
	return !config.limits || r->http->refused == E_UNAVAILABLE ||
	       (r->route && r->route->action && r->route->action->free) ||
	       (r->http->method == METHOD_OPTIONS &&
		http_header_get(r->http, "access-control-request-method"));
}

/* Whole seconds, rounded up; a second at least, so that nobody comes back at once. */
static int seconds(uint64_t ms)
{
	return ms > 1000 ? (int)((ms + 999) / 1000) : 1;
}

static int reject(struct request *r, const struct limits *limits)
{
	int worst = 0;

	for (int i = 0; i < limits->count; i++) {
		if (limits->states[i].left > 0)
			continue;
		r->violated[r->violated_count++] = limit_policies[limits->keys[i].policy].name;
		metric_rejected(limits->keys[i].policy);
		if (limits->states[worst].left > 0 ||
		    limits->states[i].wait_ms > limits->states[worst].wait_ms)
			worst = i;
	}
	/* whatever else is wrong with the request: that is said when there is room for it */
	task_forgive(&r->task);
	r->task.failure.retry_after = seconds(limits->states[worst].wait_ms);
	return fail(r, E_RATE_LIMITED, "%d requests in %d s are allowed here; ask again in %d s",
		    limits->keys[worst].quota, limit_policies[limits->keys[worst].policy].window_s,
		    r->task.failure.retry_after);
}

int step_limit(struct request *r)
{
	struct limits *limits;

	if (is_free(r))
		return OK;
	limits = talloc_zero(MEM(r), struct limits);
	choose_keys(r, limits);
	r->limits = limits;
	if (limit_count(&r->task, limits->keys, limits->count, limits->states))
		return OK;
	return reject(r, limits);
}

static long long left(const struct limit_state *state)
{
	return state->left > 0 ? state->left : 0;
}

/* Until there is room for one more than now; of a quota that is whole, the window. */
static int reset(const struct limits *limits, int i)
{
	int window = limit_policies[limits->keys[i].policy].window_s;
	uint64_t wait_ms = limits->states[i].wait_ms;

	return wait_ms && seconds(wait_ms) < window ? seconds(wait_ms) : window;
}

static void add_parameter(struct buf *head, const char *name, long long value)
{
	buf_adds(head, name);
	buf_addi(head, value);
}

/* The older headers have room for one policy: the one that will refuse first. */
static void add_old_headers(struct buf *head, const struct limits *limits)
{
	int tightest = 0;

	for (int i = 1; i < limits->count; i++)
		if (left(&limits->states[i]) < left(&limits->states[tightest]))
			tightest = i;
	add_parameter(head, "X-RateLimit-Limit: ", limits->keys[tightest].quota);
	add_parameter(head, "\r\nX-RateLimit-Remaining: ", left(&limits->states[tightest]));
	add_parameter(head, "\r\nX-RateLimit-Reset: ", reset(limits, tightest));
	buf_adds(head, "\r\n");
}

void limit_reply(struct request *r)
{
	const struct limits *limits = r->limits;
	struct buf *head = &r->http->head;

	if (!limits)
		return;
	buf_adds(head, "RateLimit-Policy: ");
	for (int i = 0; i < limits->count; i++) {
		const struct limit_policy *policy = &limit_policies[limits->keys[i].policy];

		buf_adds(head, i ? ", \"" : "\"");
		buf_adds(head, policy->name);
		add_parameter(head, "\";q=", limits->keys[i].quota);
		add_parameter(head, ";w=", policy->window_s);
	}
	buf_adds(head, "\r\nRateLimit: ");
	for (int i = 0; i < limits->count; i++) {
		buf_adds(head, i ? ", \"" : "\"");
		buf_adds(head, limit_policies[limits->keys[i].policy].name);
		add_parameter(head, "\";r=", left(&limits->states[i]));
		add_parameter(head, ";t=", reset(limits, i));
	}
	buf_adds(head, "\r\n");
	add_old_headers(head, limits);
}
