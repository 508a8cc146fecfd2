/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting in Redis, else in memory; see limit_count.h. A rejected request counts nowhere.
 *
 * What Redis grants is noted in the node's memory as well, so that the node knows its callers when Redis goes away. When
 * it comes back, both must grant for as long as a window holds what was counted without it: Redis has not seen that.
 *
 * The script keeps a log of each key as one string. Its first 16 bytes are the number ever counted (modulo 2^32), when the
 * last was (ms modulo 2^32), the number before the time slice of that one, and where in the string the first entry is that
 * may still count. Then come 8 bytes for each earlier time slice in which something was: when it was last, and the number
 * before it. A slice is a thousandth of the window. So what counts is a difference of two numbers, whatever the quota, and
 * a key takes 12 KB at most. A slot comes free never early, and late only behind another of the same slice.
 *
 * Lua in Redis reads every byte of a string that it is given: 8 KB cost 10 us each time. So the script reads and writes in
 * place, some 16 to 48 bytes a count, and the log is moved only when its first 4 KB are over. Measured (Redis 7.0, CPU time of
 * redis-server for a count, 1,000 keys, 12 of them in a turn): 5 to 7 us with 50 to 1,000 entries in each log, 10 for one
 * key by itself. GET and SET of the whole took 7 us with 50 entries, 13 with 250 and 40 with 1,000.
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

/* KEYS, and of each key how many are asked for, its quota and its window (ms). A key that asks for "+" is asked together
 * with the one before: all of such keys are granted the same, as much as each has room for. Returns of each key how many
 * are granted, how many count now, and how long (ms) until the oldest of them no longer does. */
static const char script[] =
	"local call, pack, unpack, floor = redis.call, struct.pack, struct.unpack, math.floor\n"
	"local t = call('TIME')\n"
	"local now = (t[1] * 1000 + floor(t[2] / 1000)) % 4294967296\n"
	"local total, last, sum, at, oldest, used, out, first = {}, {}, {}, {}, {}, {}, {}, 1\n"
	"local function counts(when, window) return (when + window - now) % 4294967296 < 2147483648 end\n"
	"local function read(i, key, window)\n"
	"  local head = call('GETRANGE', key, 0, 15)\n"
	"  total[i], used[i] = 0, 0\n"
	"  if head == '' then return end\n"
	"  total[i], last[i], sum[i], at[i] = unpack('>I4I4I4I4', head)\n"
	"  if not counts(last[i], window) then return end\n"
	"  while true do\n"
	"    local log = call('GETRANGE', key, at[i], at[i] + 31)\n"
	"    for k = 1, #log, 8 do\n"
	"      local when, before = unpack('>I4I4', log, k)\n"
	"      if counts(when, window) then\n"
	"        oldest[i], used[i] = when, (total[i] - before) % 4294967296\n"
	"        return\n"
	"      end\n"
	"      at[i] = at[i] + 8\n"
	"    end\n"
	"    if #log < 32 then break end\n"
	"  end\n"
	"  oldest[i], used[i] = last[i], (total[i] - sum[i]) % 4294967296\n"
	"end\n"
	"local function write(i, key, window, granted)\n"
	"  local slice, before = math.ceil(window / 1000), total[i]\n"
	"  local life, after = window + slice + 1, (before + granted) % 4294967296\n"
	"  if not oldest[i] then\n"
	"    oldest[i] = now\n"
	"    call('SET', key, pack('>I4I4I4I4', after, now, before, 16), 'PX', life)\n"
	"  elseif floor(last[i] / slice) == floor(now / slice) then\n"
	"    if used[i] == (before - sum[i]) % 4294967296 then oldest[i] = now end\n"
	"    call('SETRANGE', key, 0, pack('>I4I4I4I4', after, now, sum[i], at[i]))\n"
	"  else\n"
	"    call('APPEND', key, pack('>I4I4', last[i], sum[i]))\n"
	"    if at[i] > 4096 then\n"
	"      local log = call('GETRANGE', key, at[i], -1)\n"
	"      call('SET', key, pack('>I4I4I4I4', after, now, before, 16) .. log, 'PX', life)\n"
	"    else\n"
	"      call('SETRANGE', key, 0, pack('>I4I4I4I4', after, now, before, at[i]))\n"
	"      call('PEXPIRE', key, life)\n"
	"    end\n"
	"  end\n"
	"end\n"
	"while KEYS[first] do\n"
	"  local granted, final = tonumber(ARGV[3 * first - 2]), first\n"
	"  while ARGV[3 * final + 1] == '+' do final = final + 1 end\n"
	"  for i = first, final do\n"
	"    read(i, KEYS[i], tonumber(ARGV[3 * i]))\n"
	"    local room = ARGV[3 * i - 1] - used[i]\n"
	"    if room < granted then granted = room end\n"
	"  end\n"
	"  if granted < 0 then granted = 0 end\n"
	"  for i = first, final do\n"
	"    local window = tonumber(ARGV[3 * i])\n"
	"    if granted > 0 then write(i, KEYS[i], window, granted) end\n"
	"    out[3 * i - 2], out[3 * i - 1] = granted, used[i] + granted\n"
	"    out[3 * i] = oldest[i] and (oldest[i] + window + 1 - now) % 4294967296 or 0\n"
	"  end\n"
	"  first = final + 1\n"
	"end\n"
	"return out\n";

enum { SHA1_BYTES = 20, FIXED_ARGS = 3, KEY_ARGS = 4, KEY_ANSWERS = 3, NUMBER_MAX = 24 };
enum { PARCEL_KEYS_MAX = (REDIS_ARGS_MAX - FIXED_ARGS) / KEY_ARGS };

enum verdict { GRANTED, REJECTED, AWAY };

/* A request that waits for the verdict; on its stack. */
struct asker {
	struct waiter waiter;
	enum verdict verdict;
	struct limit_state states[LIMIT_KEYS_MAX];
	struct asker *next;
};

/* All who ask for the same keys in one turn of the loop. Batches travel in parcels, as many as one command has room for; a
 * parcel is known by its first. */
struct batch {
	struct batch *next; /* of those that are not sent yet, then of its parcel */
	struct limit_key keys[LIMIT_KEYS_MAX];
	int count;
	struct asker *first, **end;
	int asked;
	bool whole; /* of a parcel: the script itself was sent, not its digest */
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

/* `answers` are those of the batch's keys; NULL: Redis is away. */
static void tell(struct batch *batch, const struct redis_reply *answers)
{
	long long granted = answers ? answers[0].number : 0, n = 0;

	for (struct asker *asker = batch->first, *next; asker; asker = next, n++) {
		next = asker->next; /* it may end as soon as it is woken */
		asker->verdict = !answers ? AWAY : n < granted ? GRANTED : REJECTED;
		for (int i = 0; answers && i < batch->count; i++) {
			const struct redis_reply *key = &answers[i * KEY_ANSWERS];

			/* as if they had come one after the other */
			asker->states[i] = (struct limit_state) {
				.left = batch->keys[i].quota - key[1].number +
					(n < granted ? granted - 1 - n : 0),
				.wait_ms = (uint64_t)key[2].number,
			};
		}
		waiter_wake(&asker->waiter, OK);
	}
	free(batch);
}

static void tell_all(struct batch *parcel, const struct redis_reply *answers)
{
	for (struct batch *batch = parcel, *next; batch; batch = next) {
		int keys = batch->count;

		next = batch->next;
		tell(batch, answers);
		if (answers)
			answers += keys * KEY_ANSWERS;
	}
}

static int count_keys(const struct batch *parcel)
{
	int keys = 0;

	for (; parcel; parcel = parcel->next)
		keys += parcel->count;
	return keys;
}

static void on_counted(void *arg, struct redis_reply *reply);

/* A command being put together, which redis_send() copies: 8 KB that no stack need hold. */
static struct {
	const char *argv[REDIS_ARGS_MAX];
	char numbers[1 + KEY_ARGS * PARCEL_KEYS_MAX][NUMBER_MAX];
} command;

static bool send_parcel(struct batch *parcel)
{
	const char **argv = command.argv;
	char(*numbers)[NUMBER_MAX] = command.numbers;
	int keys = count_keys(parcel), argc = 0, key = FIXED_ARGS, n = 0;
	int value = key + keys;

	argv[argc++] = parcel->whole ? "EVAL" : "EVALSHA";
	argv[argc++] = parcel->whole ? script : counting.sha1;
	snprintf(numbers[n], NUMBER_MAX, "%d", keys);
	argv[argc++] = numbers[n++];
	for (const struct batch *batch = parcel; batch; batch = batch->next)
		for (int i = 0; i < batch->count; i++) {
			int window_s = limit_policies[batch->keys[i].policy].window_s;

			argv[key++] = batch->keys[i].text;
			snprintf(numbers[n], NUMBER_MAX, "%d", batch->asked);
			argv[value++] = i ? "+" : numbers[n++];
			snprintf(numbers[n], NUMBER_MAX, "%d", batch->keys[i].quota);
			argv[value++] = numbers[n++];
			snprintf(numbers[n], NUMBER_MAX, "%d", window_s * 1000);
			argv[value++] = numbers[n++];
		}
	return redis_send(on_counted, parcel, value, argv, NULL);
}

static bool is_count(const struct batch *parcel, const struct redis_reply *reply)
{
	if (reply->type != REDIS_LIST || reply->count != count_keys(parcel) * KEY_ANSWERS)
		return false;
	for (int i = 0; i < reply->count; i++)
		if (reply->items[i].type != REDIS_NUMBER)
			return false;
	return true;
}

static void on_counted(void *arg, struct redis_reply *reply)
{
	struct batch *parcel = arg;

	if (reply && is_count(parcel, reply)) {
		set_degraded(false);
		tell_all(parcel, reply->items);
		return;
	}
	/* it does not know the script, or no longer: then it is told, and knows it from then on */
	if (reply && reply->type == REDIS_FAULT && strncmp(reply->text, "NOSCRIPT", 8) == 0 &&
	    !parcel->whole) {
		parcel->whole = true;
		if (send_parcel(parcel))
			return;
	}
	if (reply && !counting.degraded)
		log_warn("Redis does not count: %s",
			 reply->type == REDIS_FAULT ? reply->text : "it answers something else");
	set_degraded(true);
	tell_all(parcel, NULL);
}

/* Takes the first parcel off the list. */
static struct batch *cut_parcel(struct batch **list)
{
	struct batch *parcel = *list, **end = list;

	for (int keys = 0; *end && keys + (*end)->count <= PARCEL_KEYS_MAX; end = &(*end)->next)
		keys += (*end)->count;
	*list = *end;
	*end = NULL;
	return parcel;
}

static void send_batches(uv_check_t *handle)
{
	struct batch *waiting = counting.batches;

	uv_check_stop(handle);
	uv_idle_stop(&counting.hurry);
	counting.batches = NULL;
	while (waiting) {
		struct batch *parcel = cut_parcel(&waiting);

		if (!send_parcel(parcel))
			on_counted(parcel, NULL);
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
