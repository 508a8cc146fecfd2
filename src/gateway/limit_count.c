/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting in Redis, else in memory; see limit_count.h. A rejected request counts nowhere.
 *
 * What Redis grants is noted in the node's memory as well, so that the node knows its callers when Redis goes away. When
 * it comes back, both must grant for as long as a window holds what was counted without it: Redis has not seen that.
 *
 * The script keeps a log of each key as one string: 4 bytes with the number ever counted (modulo 2^32), then 8 bytes
 * for each time slice of a thousandth of the window in which something was: when it was last (ms modulo 2^32), and the
 * number before it. So what counts is a difference of two numbers, whatever the quota, and a key takes 8 KB at most. A
 * slot comes free never early, and late only behind another of the same slice, a thousandth of the window at most. TIME,
 * GET and SET are all that it calls, TIME and GET alone for a rejection. Measured (Redis 7.0, INFO commandstats, 4
 * connections, 16 commands in a pipeline): 5.0 to 5.6 us a call for one busy key, 6.5 for 10,000 keys; an empty script is
 * 1.2. A list with an element for each request took 4.9 and 6.4, a sorted set 6.8 and 6.1, but both grow with the quota: 3
 * million elements for 50,000 requests a second. In a server that answers those, 64 callers of one subject are asked for
 * some 11 at a time.
 */
#include "gateway/limit_count.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "gateway/limit_memory.h"
#include "io/loop.h"
#include "store/redis.h"
#include "base/banned.h"

/* KEYS; how many are asked for, then of each key its quota and its window (ms). Returns how many are granted, then of
 * each key how many count now and how long (ms) until the oldest of them no longer does. */
static const char script[] =
	"local call, pack, unpack, floor = redis.call, struct.pack, struct.unpack, math.floor\n"
	"local t = call('TIME')\n"
	"local now = (t[1] * 1000 + floor(t[2] / 1000)) % 4294967296\n"
	"local granted, logs, used, out = tonumber(ARGV[1]), {}, {}, {}\n"
	"for i = 1, #KEYS do\n"
	"  local held, log, at = ARGV[2 * i + 1] + 1, call('GET', KEYS[i]), 5\n"
	"  if log then\n"
	"    local total, size = unpack('>I4', log), #log\n"
	"    local before = total\n"
	"    while at < size do\n"
	"      local last, sum = unpack('>I4I4', log, at)\n"
	"      if (last + held - now - 1) % 4294967296 < 2147483648 then before = sum break end\n"
	"      at = at + 8\n"
	"    end\n"
	"    logs[i], used[i] = at == 5 and log or string.sub(log, 1, 4) .. string.sub(log, at), (total - before) % 4294967296\n"
	"  else\n"
	"    logs[i], used[i] = '\\0\\0\\0\\0', 0\n"
	"  end\n"
	"  local room = ARGV[2 * i] - used[i]\n"
	"  if room < granted then granted = room end\n"
	"end\n"
	"if granted < 0 then granted = 0 end\n"
	"out[1] = granted\n"
	"for i = 1, #KEYS do\n"
	"  local window, log = tonumber(ARGV[2 * i + 1]), logs[i]\n"
	"  if granted > 0 then\n"
	"    local sum, slice, size = unpack('>I4', log), math.ceil(window / 1000), #log\n"
	"    local total, cut = (sum + granted) % 4294967296, size\n"
	"    if size > 4 then\n"
	"      local last, before = unpack('>I4I4', log, size - 7)\n"
	"      if floor(last / slice) == floor(now / slice) then cut, sum = size - 8, before end\n"
	"    end\n"
	"    log = pack('>I4', total) .. string.sub(log, 5, cut) .. pack('>I4I4', now, sum)\n"
	"    call('SET', KEYS[i], log, 'PX', window + 1)\n"
	"  end\n"
	"  out[2 * i] = used[i] + granted\n"
	"  out[2 * i + 1] = #log > 4 and (unpack('>I4', log, 5) + window + 1 - now) % 4294967296 or 0\n"
	"end\n"
	"return out\n";

enum { SHA1_BYTES = 20, FIXED_ARGS = 4, NUMBER_MAX = 24 };

enum verdict { GRANTED, REJECTED, AWAY };

/* A request that waits for the verdict; on its stack. */
struct asker {
	struct waiter waiter;
	enum verdict verdict;
	struct limit_state states[LIMIT_KEYS_MAX];
	struct asker *next;
};

/* All who ask for the same keys in one turn of the loop. */
struct batch {
	struct batch *next; /* of those that are not sent yet */
	struct limit_key keys[LIMIT_KEYS_MAX];
	int count;
	struct asker *first, **end;
	int asked;
	bool whole; /* the script itself was sent, not its digest */
};

static struct {
	char sha1[2 * SHA1_BYTES + 1];
	struct batch *batches;
	uv_check_t sender; /* runs at the end of a turn in which somebody asked */
	uv_idle_t hurry;   /* and the loop does not wait for sockets before */
	bool degraded;
	bool open;
} counting;

/* ---- memory ---- */

static void give_all(const struct limit_key *keys, int count, const struct limit_state *states)
{
	for (int i = 0; i < count; i++)
		limit_memory_give(&keys[i], &states[i]);
}

static bool take_all(const struct limit_key *keys, int count, struct limit_state *states)
{
	bool granted = true;

	for (int i = 0; i < count; i++) {
		if (limit_memory_take(&keys[i], &states[i]))
			continue;
		granted = false;
		give_all(keys, i, states);
		for (int k = 0; k < i; k++)
			states[k].left++;
		/* how the others stand is told, too; nothing stays counted */
		for (int k = i + 1; k < count; k++)
			if (limit_memory_take(&keys[k], &states[k])) {
				limit_memory_give(&keys[k], &states[k]);
				states[k].left++;
			}
		break;
	}
	return granted;
}

static bool take_alone(const struct limit_key *keys, int count, struct limit_state *states)
{
	if (!take_all(keys, count, states))
		return false;
	for (int i = 0; i < count; i++)
		limit_memory_alone(keys[i].policy);
	return true;
}

static bool was_alone(const struct limit_key *keys, int count)
{
	for (int i = 0; i < count; i++)
		if (limit_memory_was_alone(keys[i].policy))
			return true;
	return false;
}

/* ---- Redis ---- */

static void set_degraded(bool degraded)
{
	if (counting.degraded == degraded)
		return;
	counting.degraded = degraded;
	metric_add(METRIC_LIMITS_DEGRADED, degraded ? 1 : -1);
}

static void tell(struct batch *batch, const struct redis_reply *reply)
{
	long long granted = reply ? reply->items[0].number : 0, n = 0;

	for (struct asker *asker = batch->first, *next; asker; asker = next, n++) {
		next = asker->next; /* it may end as soon as it is woken */
		asker->verdict = !reply ? AWAY : n < granted ? GRANTED : REJECTED;
		for (int i = 0; reply && i < batch->count; i++) {
			long long used = reply->items[2 * i + 1].number;

			/* as if they had come one after the other */
			asker->states[i] = (struct limit_state) {
				.left = batch->keys[i].quota - used +
					(n < granted ? granted - 1 - n : 0),
				.wait_ms = (uint64_t)reply->items[2 * i + 2].number,
			};
		}
		waiter_wake(&asker->waiter, OK);
	}
	free(batch);
}

static void on_counted(void *arg, struct redis_reply *reply);

static bool send_batch(struct batch *batch)
{
	const char *argv[FIXED_ARGS + 3 * LIMIT_KEYS_MAX];
	char numbers[2 + 2 * LIMIT_KEYS_MAX][NUMBER_MAX];
	int argc = 0, n = 0;

	snprintf(numbers[n++], NUMBER_MAX, "%d", batch->count);
	snprintf(numbers[n++], NUMBER_MAX, "%d", batch->asked);
	argv[argc++] = batch->whole ? "EVAL" : "EVALSHA";
	argv[argc++] = batch->whole ? script : counting.sha1;
	argv[argc++] = numbers[0];
	for (int i = 0; i < batch->count; i++)
		argv[argc++] = batch->keys[i].text;
	argv[argc++] = numbers[1];
	for (int i = 0; i < batch->count; i++) {
		const struct limit_key *key = &batch->keys[i];

		snprintf(numbers[n], NUMBER_MAX, "%d", key->quota);
		argv[argc++] = numbers[n++];
		snprintf(numbers[n], NUMBER_MAX, "%d", limit_policies[key->policy].window_s * 1000);
		argv[argc++] = numbers[n++];
	}
	return redis_send(on_counted, batch, argc, argv, NULL);
}

static bool is_count(const struct batch *batch, const struct redis_reply *reply)
{
	if (reply->type != REDIS_LIST || reply->count != 1 + 2 * batch->count)
		return false;
	for (int i = 0; i < reply->count; i++)
		if (reply->items[i].type != REDIS_NUMBER)
			return false;
	return true;
}

static void on_counted(void *arg, struct redis_reply *reply)
{
	struct batch *batch = arg;

	if (reply && is_count(batch, reply)) {
		set_degraded(false);
		tell(batch, reply);
		return;
	}
	/* it does not know the script, or no longer: then it is told, and knows it from then on */
	if (reply && reply->type == REDIS_FAULT && strncmp(reply->text, "NOSCRIPT", 8) == 0 &&
	    !batch->whole) {
		batch->whole = true;
		if (send_batch(batch))
			return;
	}
	if (reply && !counting.degraded)
		log_warn("Redis does not count: %s",
			 reply->type == REDIS_FAULT ? reply->text : "it answers something else");
	set_degraded(true);
	tell(batch, NULL);
}

static void send_batches(uv_check_t *handle)
{
	struct batch *batch = counting.batches;

	uv_check_stop(handle);
	uv_idle_stop(&counting.hurry);
	counting.batches = NULL;
	while (batch) {
		struct batch *next = batch->next;

		if (!send_batch(batch))
			on_counted(batch, NULL);
		batch = next;
	}
}

static void do_nothing(uv_idle_t *handle)
{
	(void)handle;
}

static bool same_key(const struct limit_key *a, const struct limit_key *b)
{
	return a->hash == b->hash && a->quota == b->quota && strcmp(a->text, b->text) == 0;
}

/* The batch of this turn for these keys. */
static struct batch *find_batch(const struct limit_key *keys, int count)
{
	struct batch *batch = counting.batches;

	for (; batch; batch = batch->next) {
		int same = 0;

		while (same < count && same_key(&batch->keys[same], &keys[same]))
			same++;
		if (same == count && batch->count == count)
			return batch;
	}
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		abort();
	memcpy(batch->keys, keys, (size_t)count * sizeof(*keys));
	batch->count = count;
	batch->end = &batch->first;
	if (!counting.batches) {
		uv_check_start(&counting.sender, send_batches);
		uv_idle_start(&counting.hurry, do_nothing);
	}
	batch->next = counting.batches;
	counting.batches = batch;
	return batch;
}

/* A batch outlives an asker that gave up. */
static void leave(struct batch *batch, struct asker *asker)
{
	struct asker **at = &batch->first;

	while (*at != asker)
		at = &(*at)->next;
	*at = asker->next;
	if (batch->end == &asker->next)
		batch->end = at;
}

static enum verdict ask_redis(struct task *t, const struct limit_key *keys, int count,
			      struct limit_state *states)
{
	uint64_t limit = time_monotonic_us() + (uint64_t)config.redis_timeout * 1000;
	struct asker asker = { 0 };
	struct batch *batch;

	if (!counting.open || !redis_is_up())
		return AWAY;
	batch = find_batch(keys, count);
	*batch->end = &asker;
	batch->end = &asker.next;
	batch->asked++;
	if (t->deadline && t->deadline < limit)
		limit = t->deadline;
	if (waiter_wait(&asker.waiter, limit) == E_TIMEOUT) {
		leave(batch, &asker);
		set_degraded(true);
		return AWAY;
	}
	if (asker.verdict != AWAY)
		memcpy(states, asker.states, (size_t)count * sizeof(*states));
	return asker.verdict;
}

bool limit_count(struct task *t, const struct limit_key *keys, int count,
		 struct limit_state *states)
{
	struct limit_state taken[LIMIT_KEYS_MAX];
	bool both = was_alone(keys, count);

	if (both && !take_all(keys, count, taken)) {
		memcpy(states, taken, (size_t)count * sizeof(*states));
		return false;
	}
	switch (ask_redis(t, keys, count, states)) {
	case GRANTED:
		for (int i = 0; !both && i < count; i++)
			limit_memory_note(&keys[i]);
		return true;
	case REJECTED:
		if (both)
			give_all(keys, count, taken);
		return false;
	default:
		break;
	}
	if (!both)
		return take_alone(keys, count, states);
	memcpy(states, taken, (size_t)count * sizeof(*states));
	for (int i = 0; i < count; i++)
		limit_memory_alone(keys[i].policy);
	return true;
}

static void on_change(bool up)
{
	set_degraded(!up);
}

void limit_count_open(void)
{
	unsigned char digest[SHA1_BYTES];

	counting.open = true;
	counting.batches = NULL;
	counting.degraded = false;
	EVP_Digest(script, sizeof(script) - 1, digest, NULL, EVP_sha1(), NULL);
	sodium_bin2hex(counting.sha1, sizeof(counting.sha1), digest, sizeof(digest));
	uv_check_init(loop_get(), &counting.sender);
	uv_idle_init(loop_get(), &counting.hurry);
	if (!config.redis_url[0])
		return;
	redis_watch(on_change);
	set_degraded(!redis_is_up());
}
