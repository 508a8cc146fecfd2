/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of sessions in Redis; see session_cache.h. What is read is checked as if somebody else had written it. */
#include "store/session_cache.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "base/time.h"
#include "base/uuid.h"
#include "base/banned.h"

/* A value is shorter than that: so what jansson meets here cannot be deep. */
enum { VALUE_MAX = 128, AHEAD_MS = 60000 /* that another node's clock may be */ };

#define PREFIX "guildford:session:"

/* `command` and the keys of all, as a command's arguments; children of the task's memory. */
static const char **keys_command(struct task *t, const char *command,
				 const char *const *session_ids, int count)
{
	const char **argv = talloc_array(t->mem, const char *, (unsigned)count + 1);

	argv[0] = command;
	for (int i = 0; i < count; i++)
		argv[i + 1] = talloc_asprintf(argv, PREFIX "%s", session_ids[i]);
	return argv;
}

bool session_cache_note(const char *session_id, const char *address)
{
	char key[sizeof(PREFIX) + UUID_TEXT_SIZE], life[16], value[VALUE_MAX];
	const char *argv[] = { "SETEX", key, life, value };

	snprintf(key, sizeof(key), PREFIX "%s", session_id);
	snprintf(life, sizeof(life), "%d", SESSION_CACHE_LIFE);
	snprintf(value, sizeof(value), "{\"at\":%" PRIu64 ",\"address\":\"%s\"}", time_unix_ms(),
		 address);
	return redis_send(NULL, NULL, (int)COUNT_OF(argv), argv, NULL);
}

static void read_value(const struct redis_reply *reply, struct session_seen *seen)
{
	json_t *value = reply->type == REDIS_TEXT && reply->len < VALUE_MAX
				? json_loadb(reply->text, reply->len, 0, NULL)
				: NULL;
	json_int_t at = json_integer_value(json_object_get(value, "at"));
	const char *text = json_string_value(json_object_get(value, "address"));
	struct address address;

	if (text && address_read(text, strlen(text), &address) && at > 0 &&
	    (uint64_t)at <= time_unix_ms() + AHEAD_MS) {
		seen->at_ms = (uint64_t)at;
		address_write(&address, seen->address);
	}
	json_decref(value);
}

void session_cache_read(struct task *t, const char *const *session_ids, int count,
			struct session_seen *seen)
{
	struct redis_reply *reply;

	assert(count <= SESSION_CACHE_MAX);
	memset(seen, 0, (size_t)count * sizeof(*seen));
	if (count == 0 ||
	    !redis_call(t, count + 1, keys_command(t, "MGET", session_ids, count), NULL, &reply))
		return;
	for (int i = 0; i < count && i < reply->count; i++)
		read_value(&reply->items[i], &seen[i]);
}

void session_cache_forget(struct task *t, const char *const *session_ids, int count)
{
	for (int first = 0; first < count; first += SESSION_CACHE_MAX) {
		int n = count - first < SESSION_CACHE_MAX ? count - first : SESSION_CACHE_MAX;
		bool sent = redis_send(NULL, NULL, n + 1,
				       keys_command(t, "DEL", session_ids + first, n), NULL);

		(void)sent; /* else they go with their 24 hours */
	}
}
