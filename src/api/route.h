/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: built once from the services, resources and actions tables, then only read. A path stands under /v1 and, for
 * the newest version, at the root as well.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/request.h"
#include "model/resource.h"
#include "base/buf.h"

enum operation {
	OP_LIST,
	OP_GET,
	OP_CREATE,
	OP_REPLACE,
	OP_UPDATE,
	OP_REMOVE,
	OP_RESTORE,
	OP_ACTION
};

enum { ROUTE_SEGMENTS_MAX = 6 };

struct route {
	int number; /* 1 and up: the metrics' number */
	enum http_method method;
	enum operation operation;
	const char *path;			  /* "/v1/businesses/{id}" */
	const char *segments[ROUTE_SEGMENTS_MAX]; /* without "v1" */
	int segment_count;
	const char *id; /* operationId */
	enum allow allow;
	int permission;	     /* number of it, of PERMITTED; see permission.h */
	const char *related; /* relations to the row {id} that are as good */
	bool recent;
	bool writes;
	const struct service *service;
	const struct resource *resource;
	const struct action *action; /* of OP_ACTION */
	int (*act)(struct request *r);
};

void route_setup(void);
/* The pipeline's step: takes the target apart and finds the route, or fails with what is wrong with the target, 404, 405 or
 * what the server refused. */
int step_route(struct request *r) MUST_USE;
const struct route *route_first(void);
int route_count(void);
/* "GET /v1/businesses/{id}" of a route number, NULL past the last; number 0 is "none". For metrics_print(). */
const char *route_label(int number);
/* The methods of the path that the request names, "GET, HEAD, OPTIONS"; NULL when nothing stands there. */
const char *route_allowed(struct request *r);
/* Must a request come with a body? */
bool route_takes_body(const struct route *route);
const char *method_text(enum http_method method);
/* A table of all routes for people. */
void routes_print(struct buf *out);

#endif
