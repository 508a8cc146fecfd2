/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the table of routes from the tables of services and finds a request's route in it. There are some dozens of
 * routes: matching walks them in order, segment by segment. Called by the pipeline and by `guildford routes`.
 */
#include "api/route.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "api/crud.h"
#include "api/query.h"
#include "base/metrics.h"
#include "base/str.h"
#include "base/banned.h"

enum { ROUTES_MAX = METRIC_ROUTES_MAX - 1 };

static struct route routes[ROUTES_MAX];
static const char *labels[ROUTES_MAX + 1];
static int count;
static TALLOC_CTX *memory; /* of all that is made at start; never freed */

/* What each resource's five (and restore) are, by operation. `item`: below the id. */
static const struct operation_row {
	enum operation operation;
	enum http_method method;
	bool item, writes;
	const char *suffix, *verb;
	size_t allow; /* in struct allow_rules */
	const char *permission;
	int (*act)(struct request *r);
} operations[] = {
	{ OP_LIST, METHOD_GET, false, false, "", "list", offsetof(struct allow_rules, list), "read",
	  crud_list },
	{ OP_CREATE, METHOD_POST, false, true, "", "create", offsetof(struct allow_rules, create),
	  "create", crud_create },
	{ OP_GET, METHOD_GET, true, false, "", "get", offsetof(struct allow_rules, get), "read",
	  crud_get },
	{ OP_REPLACE, METHOD_PUT, true, true, "", "replace", offsetof(struct allow_rules, update),
	  "update", crud_replace },
	{ OP_UPDATE, METHOD_PATCH, true, true, "", "update", offsetof(struct allow_rules, update),
	  "update", crud_update },
	{ OP_REMOVE, METHOD_DELETE, true, true, "", "remove", offsetof(struct allow_rules, remove),
	  "remove", crud_remove },
	{ OP_RESTORE, METHOD_POST, true, true, "/restore", "restore",
	  offsetof(struct allow_rules, remove), "remove", crud_restore },
};

static const struct {
	enum http_method method;
	const char *text;
} methods[] = {
	{ METHOD_GET, "GET" },	       { METHOD_HEAD, "HEAD" },	  { METHOD_POST, "POST" },
	{ METHOD_PUT, "PUT" },	       { METHOD_PATCH, "PATCH" }, { METHOD_DELETE, "DELETE" },
	{ METHOD_OPTIONS, "OPTIONS" },
};

const char *method_text(enum http_method method)
{
	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (methods[i].method == method)
			return methods[i].text;
	return "OTHER";
}

/* The routes live as long as the process: their memory has no parent. */
static struct route *add(const char *path, enum http_method method)
{
	struct route *route = &routes[count];
	char **parts;
	int n;

	assert(count < ROUTES_MAX);
	route->number = ++count;
	route->method = method;
	route->path = path;
	n = str_split(NULL, path[1] == 'v' && path[2] == '1' ? path + 4 : path + 1, '/',
		      ROUTE_SEGMENTS_MAX, &parts);
	assert(n > 0);
	for (int i = 0; i < n; i++)
		route->segments[i] = parts[i];
	route->segment_count = n;
	labels[route->number] = talloc_asprintf(memory, "%s %s", method_text(method), path);
	return route;
}

static void add_action(const struct service *service, const struct resource *resource,
		       const struct action *action)
{
	const char *path = action->unversioned ? action->path
					       : talloc_asprintf(memory, "/v1%s", action->path);
	struct route *route = add(path, action->method);

	route->operation = OP_ACTION;
	route->id = action->name;
	route->allow = action->allow;
	route->related = action->related;
	route->recent = action->recent;
	assert(action->permission || action->allow != PERMITTED);
	route->permission = action->permission ? permission_add(action->permission) : -1;
	route->writes = action->writes;
	route->service = service;
	route->resource = resource;
	route->action = action;
	route->act = action->act;
}

static int permission_of(const struct resource *resource, const char *verb)
{
	return permission_add(talloc_asprintf(memory, "%s:%s", resource->name, verb));
}

static const char *related_of(const struct resource *resource, enum operation operation)
{
	if (operation == OP_LIST || operation == OP_GET)
		return resource->related.read;
	if (operation == OP_REPLACE || operation == OP_UPDATE)
		return resource->related.update;
	return operation == OP_REMOVE || operation == OP_RESTORE ? resource->related.remove : NULL;
}

/* Those that no route needs as a whole: see scope.c and crud.c. */
static void add_permissions(const struct resource *resource)
{
	permission_of(resource, "read_deleted");
	for (const struct field *f = resource->fields; f->name; f++)
		if (f->flags & GUARDED)
			permission_of(resource, "moderate");
}

static void add_resource(const struct service *service, const struct resource *resource)
{
	const char *base = resource->parent ? talloc_asprintf(memory, "/v1/%s/{id}/%s",
							      resource->parent, resource->plural)
					    : talloc_asprintf(memory, "/v1/%s", resource->plural);
	const char *id = resource->parent ? talloc_asprintf(memory, "{%s_id}", resource->name)
					  : "{id}";

	/* actions first: /businesses/suggest is not a business called suggest */
	for (const struct action *a = resource->actions; a && a->path; a++)
		add_action(service, resource, a);
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		const struct operation_row *row = &operations[i];
		enum allow allow = *(const enum allow *)((const char *)&resource->allow +
							 row->allow);
		struct route *route;

		if (allow == NOBODY)
			continue;
		route = add(row->item ? talloc_asprintf(memory, "%s/%s%s", base, id, row->suffix)
				      : base,
			    row->method);
		route->operation = row->operation;
		route->id = talloc_asprintf(memory, "%s_%s", resource->name, row->verb);
		route->allow = allow;
		route->permission = allow == PERMITTED ? permission_of(resource, row->permission)
						       : -1;
		route->related = related_of(resource, row->operation);
		route->writes = row->writes;
		route->service = service;
		route->resource = resource;
		route->act = row->act;
	}
}

void route_setup(void)
{
	if (count)
		return;
	memory = talloc_new(NULL);
	labels[0] = "none";
	for (const struct service *const *s = services; *s; s++) {
		for (const struct action *a = (*s)->actions; a && a->path; a++)
			add_action(*s, NULL, a);
		for (const struct resource *const *p = (*s)->resources; p && *p; p++) {
			add_resource(*s, *p);
			add_permissions(*p);
		}
	}
}

const struct route *route_first(void)
{
	return routes;
}

int route_count(void)
{
	return count;
}

const char *route_label(int number)
{
	return number <= count ? labels[number] : NULL;
}

bool route_takes_body(const struct route *route)
{
	return route->operation == OP_CREATE || route->operation == OP_REPLACE ||
	       route->operation == OP_UPDATE || (route->action && route->action->takes);
}

/* Do the path's segments fit the route's? "{id}" takes any one segment that is not empty. */
static bool fits(const struct route *route, char **parts, int n)
{
	if (route->segment_count != n)
		return false;
	for (int i = 0; i < n; i++) {
		if (route->segments[i][0] == '{' ? !parts[i][0]
						 : strcmp(route->segments[i], parts[i]) != 0)
			return false;
	}
	return true;
}

/* The path's segments: -1 when there are too many for any route. */
static int split_path(struct request *r, char ***parts)
{
	return r->path[0] == '/' ? str_split(MEM(r), r->path + 1, '/', ROUTE_SEGMENTS_MAX, parts)
				 : -1;
}

static bool stands_there(const struct route *route, bool versioned)
{
	return !(versioned && route->action && route->action->unversioned);
}

const char *route_allowed(struct request *r)
{
	unsigned allowed = 0;
	char **parts;
	char *text;
	int n = split_path(r, &parts);

	for (int i = 0; n > 0 && i < count; i++)
		if (stands_there(&routes[i], r->versioned) && fits(&routes[i], parts, n))
			allowed |= routes[i].method;
	if (!allowed)
		return NULL;
	if (allowed & METHOD_GET)
		allowed |= METHOD_HEAD;
	text = talloc_strdup(MEM(r), "");
	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (allowed & methods[i].method)
			text = talloc_asprintf_append_buffer(text, "%s, ", methods[i].text);
	return talloc_asprintf_append_buffer(text, "OPTIONS");
}

static void take_path_params(struct request *r, char **parts)
{
	for (int i = 0; i < r->route->segment_count; i++) {
		const char *segment = r->route->segments[i];

		if (segment[0] != '{')
			continue;
		assert(r->path_param_count < PATH_PARAMS_MAX);
		r->path_params[r->path_param_count++] = (struct param) {
			.name = talloc_strndup(MEM(r), segment + 1, strlen(segment) - 2),
			.value = parts[i]
		};
	}
}

static int refuse_method(struct request *r)
{
	const char *allowed = route_allowed(r);

	if (!allowed)
		return fail(r, E_NOT_FOUND,
			    "Nothing stands at this path; /v1/openapi.json lists what there is");
	http_header_add(r->http, "Allow", allowed);
	return fail(r, E_METHOD_NOT_ALLOWED, "This path takes %s", allowed);
}

int step_route(struct request *r)
{
	enum http_method method = r->http->method == METHOD_HEAD ? METHOD_GET : r->http->method;
	char **parts;
	int n, rc;

	if (r->http->refused) {
		r->task.failure.retry_after = r->http->refused == E_UNAVAILABLE;
		return fail(r, r->http->refused, r->http->refused_why ? "%s" : NULL,
			    r->http->refused_why);
	}
	rc = query_parse(r);
	if (rc)
		return rc;
	if (method == METHOD_OPTIONS && strcmp(r->http->target, "*") == 0)
		return OK;
	n = split_path(r, &parts);
	for (int i = 0; n > 0 && i < count; i++) {
		if (routes[i].method != method || !stands_there(&routes[i], r->versioned) ||
		    !fits(&routes[i], parts, n))
			continue;
		r->route = &routes[i];
		take_path_params(r, parts);
		return OK;
	}
	if (method == METHOD_OPTIONS && route_allowed(r))
		return OK;
	return refuse_method(r);
}

void routes_print(struct buf *out)
{
	static const char *const allow[] = {
		[NOBODY] = "nobody", [ANYONE] = "anyone", [SIGNED_IN] = "signed-in"
	};

	for (int i = 0; i < count; i++) {
		const struct route *x = &routes[i];
		char who[100];

		snprintf(who, sizeof(who), "%s%s%s",
			 x->allow == PERMITTED ? permission_name(x->permission) : allow[x->allow],
			 x->related ? "|" : "", x->related ? x->related : "");
		buf_addf(out, "%-7s %-44s %-30s %-9s %s\n", method_text(x->method), x->path, who,
			 x->service->name, x->id);
	}
}
