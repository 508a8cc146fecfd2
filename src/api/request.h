/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request on its way through the pipeline: what came in, what was found out about it, what goes out. Every handler
 * takes one. It lives in the exchange's memory and is gone when the reply is written.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "model/permission.h"
#include "model/resource.h"
#include "base/uuid.h"
#include "base/writer.h"
#include "io/http.h"
#include "io/task.h"
#include "store/pg.h"

struct route;
struct limits;

enum {
	PATH_PARAMS_MAX = 3,
	QUERY_PARAMS_MAX = 40,
	STEPS_MAX = 12,
	REQUEST_ID_MAX = 64,
	VIOLATED_MAX = 2
};

struct param {
	const char *name;
	const char *value;
};

enum caller { CALLER_NOBODY, CALLER_PERSON, CALLER_KEY };

/* Who is calling: nobody we know, a person by an access token, or a program by a person's API key. Ids are "" where there
 * are none. */
struct principal {
	enum caller is;
	char person_id[UUID_TEXT_SIZE];
	char session_id[UUID_TEXT_SIZE]; /* of a person */
	char key_id[UUID_TEXT_SIZE];	 /* of a key */
	struct permissions granted;	 /* by the person's roles */
	struct permissions scopes;	 /* what a key may use of it; of a person: all */
	int quota;			 /* requests a minute of a key; 0: the setting's */
	long long shown_at; /* Unix seconds: when the person last showed who they are */
};

struct request {
	struct task task; /* memory, deadline, failure; first, for it is what waits */
	struct http_exchange *http;
	const struct route *route; /* NULL until step_route has found one */
	const char *path;	   /* decoded, without query and /v1; "" before step_route */
	bool versioned;		   /* /v1 stood before it */
	struct param path_params[PATH_PARAMS_MAX];
	int path_param_count;
	struct param query[QUERY_PARAMS_MAX];
	int query_count;
	struct principal caller;
	char id[REQUEST_ID_MAX + 1]; /* X-Request-Id */
	json_t *body;		     /* parsed input of a write, NULL otherwise */
	struct values *values;	     /* of an action that takes a body: checked */
	const char *cache_control;   /* of a success; NULL: reply_headers() decides */
	bool problem_json;	     /* errors as application/problem+json (RFC 9457) */
	bool json_ld; /* a thing as JSON-LD, where its resource has that; see resource.json_ld */
	struct writer json;	     /* writes http->body_out */
	uint64_t step_us[STEPS_MAX]; /* time per pipeline step */
	const char *client; /* whose request it is: the peer, or who stands before our proxies */
	const char *client_block;    /* the same as limits count it: of an IPv6 address its /64 */
	const struct limits *limits; /* gateway/limit.c: what was counted, NULL: nothing */
	const char *violated[VIOLATED_MAX]; /* policies that have no room for it */
	int violated_count;
};

#define MEM(r) ((r)->task.mem)

/* Records the request's first failure and returns its code; see task_fail(). */
#define fail(r, ...) task_fail(&(r)->task, __VA_ARGS__)

/* A path parameter by name; NULL when the route has none of that name. */
const char *path_text(const struct request *r, const char *name);
/* A checked value of an action's body, NULL when it is null or absent. */
const char *input_text(const struct request *r, const char *name);
/* A query parameter by name, NULL when absent. */
const char *query_text(const struct request *r, const char *name);

#endif
