/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `limit_policies` table: how often somebody may ask. A policy gives each subject (a caller, or an address) a quota of
 * requests in a window that slides: never more in any interval of its length, over all workers and nodes. The step itself
 * is declared in api/pipeline.h.
 */
#ifndef GATEWAY_LIMIT_H
#define GATEWAY_LIMIT_H

#include <stdint.h>
#include "api/request.h"
#include "base/attr.h"

enum limit_by { BY_CALLER, BY_ADDRESS };

enum {
	LIMIT_AUTHENTICATED,
	LIMIT_ANONYMOUS,
	LIMIT_LOG_IN,
	LIMIT_REGISTRATION,
	LIMIT_MAIL,
	LIMIT_TOKEN_REFRESH,
	LIMIT_PASSWORD_CHECK,
	LIMIT_GRANT,
	LIMIT_POLICIES
};

struct limit_policy {
	const char *name;   /* "log-in": what an action's row names and callers see */
	int quota;	    /* requests */
	const int *setting; /* instead of the quota, NULL: none */
	int window_s;	    /* seconds, 60 or more */
	enum limit_by by;   /* BY_CALLER: whoever has not signed in is counted by address */
	const char *doc;
};

extern const struct limit_policy limit_policies[LIMIT_POLICIES];

/* One policy held against one subject. */
enum { LIMIT_KEY_MAX = 128, LIMIT_KEYS_MAX = 2 };
struct limit_key {
	int policy;
	int quota;
	uint64_t hash;		  /* of the text */
	char text[LIMIT_KEY_MAX]; /* "guildford:limit:anonymous:192.0.2.1" */
};

/* How a key stands after a request was counted or refused. */
struct limit_state {
	long long left;	  /* requests that it has room for */
	uint64_t wait_ms; /* until the oldest that counts no longer does; 0: none counts */
	uint32_t slice;	  /* of limit_memory.c */
};

/* Maps the memory that workers share. Call once in the supervisor before it forks. Returns 0, or -1 with errno. */
int limit_setup(void) MUST_USE;
/* Begins to count in Redis; call it in a worker, after redis_open(). */
void limit_open(void);
/* The name of policy number `policy`, NULL past the last: for metrics. */
const char *limit_name(int policy);

#endif
