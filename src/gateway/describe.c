/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenAPI 3.1 document, made from the routes, resources, types and errors tables: what is not in a table is not in
 * the API, so the document cannot say something else than the program does. Called by gateway/openapi.c and
 * cli/openapi.c.
 */
#include "gateway/describe.h"

#include <stdio.h>
#include <string.h>
#include "gateway/describe_schema.h"
#include "api/route.h"
#include "base/error.h"
#include "base/writer.h"
#include "base/banned.h"

enum { NAME_MAX_BYTES = 100 };

static void text(struct writer *j, const char *key, const char *value)
{
	writer_key(j, key);
	writer_string(j, value);
}

static void raw(struct writer *j, const char *key, const char *json)
{
	writer_key(j, key);
	writer_raw(j, json, strlen(json));
}

static void open(struct writer *j, const char *key)
{
	writer_key(j, key);
	writer_object(j);
}

static void reference(struct writer *j, const char *kind, const char *name)
{
	char path[NAME_MAX_BYTES + 40];

	snprintf(path, sizeof(path), "#/components/%s/%s", kind, name);
	text(j, "$ref", path);
}

static void schema_reference(struct writer *j, const char *key, const struct resource *resource,
			     enum schema_kind kind)
{
	char name[NAME_MAX_BYTES];

	schema_name(resource, kind, name, sizeof(name));
	open(j, key);
	reference(j, "schemas", name);
	writer_object_end(j);
}

/* The routes' tag: the resource's, or the service's for actions of none. */
static const char *tag_of(const struct route *route)
{
	return route->resource ? route->resource->plural : route->service->name;
}

static bool has_path_parameter(const struct route *route)
{
	return strchr(route->path, '{') != NULL;
}

/* Which errors may a route answer? One rule per status; what every route may answer is always. */
static bool may_answer(const struct route *route, int status)
{
	switch (status) {
	case 403:
		return route->allow != ANYONE || route->operation == OP_LIST ||
		       route->operation == OP_GET;
	case 404:
		return has_path_parameter(route) || (route->action && route->allow == SIGNED_IN);
	case 409:
		return route->writes || route_takes_body(route);
	case 412:
		return route->operation == OP_REPLACE || route->operation == OP_UPDATE ||
		       route->operation == OP_REMOVE ||
		       (route->action && route->action->tagged && route->writes);
	case 413:
	case 415:
		return route_takes_body(route);
	case 429:
		return !route->action || !route->action->free;
	case 405:
	case 417:
	case 501:
	case 505:
		return false; /* of what is not in this document; the schema ErrorCode has them */
	default:
		return true;
	}
}

static void write_error_references(struct writer *j, const struct route *route)
{
	for (int i = 1, last = 0; i < ERROR_CODES; i++) {
		char name[20];

		if (errors[i].status == last || !may_answer(route, errors[i].status))
			continue;
		last = errors[i].status;
		snprintf(name, sizeof(name), "%d", last);
		open(j, name);
		snprintf(name, sizeof(name), "Error%d", last);
		reference(j, "responses", name);
		writer_object_end(j);
	}
}

static void write_filters(struct writer *j, const struct filter *filters)
{
	for (const struct filter *f = filters; f && f->name; f++) {
		writer_object(j);
		text(j, "name", f->name);
		text(j, "in", "query");
		if (f->required)
			raw(j, "required", "true");
		raw(j, "schema", f->schema);
		text(j, "description", f->doc);
		raw(j, "example", f->example);
		writer_object_end(j);
	}
}

/* A query parameter that is any text. */
static void write_text_parameter(struct writer *j, const char *name, const char *doc)
{
	writer_object(j);
	text(j, "name", name);
	text(j, "in", "query");
	raw(j, "schema", "{\"type\":\"string\"}");
	text(j, "description", doc);
	writer_object_end(j);
}

static void write_field_filters(struct writer *j, const struct resource *resource)
{
	for (const struct field *f = resource->fields; f->name; f++) {
		char doc[300];

		if (!(f->flags & FILTER))
			continue;
		snprintf(doc, sizeof(doc), "%s Of a comma list, any value.", f->doc);
		write_text_parameter(j, f->name, doc);
	}
}

static void write_sort(struct writer *j, const struct resource *resource)
{
	writer_object(j);
	text(j, "name", "sort");
	text(j, "in", "query");
	text(j, "description",
	     "Order; \"-\" in front turns it round. Equal ones are ordered by id.");
	open(j, "schema");
	text(j, "type", "string");
	writer_key(j, "enum");
	writer_array(j);
	for (int minus = 0; minus < 2; minus++) {
		char name[NAME_MAX_BYTES];

		for (const struct sort *s = resource->sorts; s && s->name; s++) {
			snprintf(name, sizeof(name), "%s%s", minus ? "-" : "", s->name);
			writer_string(j, name);
		}
		for (const struct field *f = resource->fields; f->name; f++) {
			if (!(f->flags & SORT))
				continue;
			snprintf(name, sizeof(name), "%s%s", minus ? "-" : "", f->name);
			writer_string(j, name);
		}
	}
	writer_array_end(j);
	writer_object_end(j);
	writer_object_end(j);
}

static void write_include(struct writer *j, const struct resource *resource)
{
	char doc[500] = "Relations to bring along, a comma list of: ";

	if (!resource->relations)
		return;
	for (const struct relation *x = resource->relations; x->name; x++) {
		size_t len = strlen(doc);

		snprintf(doc + len, sizeof(doc) - len, "%s%s", x == resource->relations ? "" : ", ",
			 x->name);
	}
	write_text_parameter(j, "include", doc);
}

static void write_common(struct writer *j, const char *const *names)
{
	for (; *names; names++) {
		writer_object(j);
		reference(j, "parameters", *names);
		writer_object_end(j);
	}
}

static void write_query_parameters(struct writer *j, const struct route *route)
{
	static const char *const of_list[] = { "limit",	  "page",	 "cursor", "fields",
					       "deleted", "ifNoneMatch", NULL };
	static const char *const of_item[] = { "fields", "deleted", "ifNoneMatch", NULL };
	static const char *const of_write[] = { "ifMatch", "ifNoneMatch", NULL };

	static const char *const of_tagged[] = { "ifNoneMatch", NULL };

	if (route->operation == OP_ACTION)
		write_filters(j, route->action->parameters);
	if (route->operation == OP_ACTION && route->action->tagged && !route->writes)
		write_common(j, of_tagged);
	if (route->operation == OP_LIST) {
		write_filters(j, route->resource->filters);
		write_field_filters(j, route->resource);
		write_sort(j, route->resource);
		write_common(j, of_list);
	}
	if (route->operation == OP_GET)
		write_common(j, of_item);
	if (route->operation == OP_LIST || route->operation == OP_GET)
		write_include(j, route->resource);
	if (may_answer(route, 412))
		write_common(j, of_write);
}

static void write_path_parameters(struct writer *j, const struct route *route)
{
	for (const char *open_brace = strchr(route->path, '{'); open_brace;
	     open_brace = strchr(open_brace + 1, '{')) {
		char name[40];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(open_brace + 1, "}"),
			 open_brace + 1);
		writer_object(j);
		text(j, "name", name);
		text(j, "in", "path");
		raw(j, "required", "true");
		raw(j, "schema", "{\"type\":\"string\"}");
		text(j, "description", "Its id, or its slug where the resource has one.");
		writer_object_end(j);
	}
}

static void write_request(struct writer *j, const struct route *route)
{
	enum schema_kind kind = route->operation == OP_UPDATE ? SCHEMA_PATCH : SCHEMA_INPUT;
	const struct resource *takes = route->action ? route->action->takes : route->resource;

	if (!route_takes_body(route))
		return;
	open(j, "requestBody");
	raw(j, "required", "true");
	open(j, "content");
	for (int merge = 0; merge < (kind == SCHEMA_PATCH ? 2 : 1); merge++) {
		open(j, merge ? "application/merge-patch+json" : "application/json");
		if (route->action) {
			writer_key(j, "schema");
			schema_resource(j, takes, kind);
		} else {
			schema_reference(j, "schema", takes, kind);
		}
		writer_key(j, "example");
		schema_example(j, takes, kind);
		writer_object_end(j);
	}
	writer_object_end(j);
	writer_object_end(j);
}

/* Has it a schema of its own in the document? */
static bool is_listed(const struct resource *resource)
{
	for (const struct service *const *s = services; *s; s++)
		for (const struct resource *const *x = (*s)->resources; x && *x; x++)
			if (*x == resource)
				return true;
	return false;
}

static void write_one(struct writer *j, const char *key, const struct resource *resource)
{
	if (is_listed(resource)) {
		schema_reference(j, key, resource, SCHEMA_REPLY);
		return;
	}
	writer_key(j, key);
	schema_resource(j, resource, SCHEMA_REPLY);
}

static void write_data_schema(struct writer *j, const struct route *route)
{
	const struct resource *resource = route->operation == OP_ACTION ? route->action->resource
									: route->resource;

	if (route->operation == OP_REMOVE) {
		raw(j, "data",
		    "{\"type\":\"object\",\"required\":[\"id\",\"deleted_at\"],\"properties\":{"
		    "\"id\":{\"type\":\"string\",\"format\":\"uuid\"},"
		    "\"deleted_at\":{\"type\":\"string\",\"format\":\"date-time\"}}}");
	} else if (route->operation == OP_LIST || (route->action && route->action->many)) {
		open(j, "data");
		text(j, "type", "array");
		write_one(j, "items", resource);
		writer_object_end(j);
	} else if (resource) {
		write_one(j, "data", resource);
	} else {
		raw(j, "data", route->action->reply_schema ? route->action->reply_schema : "{}");
	}
}

static void write_envelope(struct writer *j, const struct route *route)
{
	open(j, "application/json");
	open(j, "schema");
	text(j, "type", "object");
	raw(j, "required", "[\"success\",\"data\"]");
	open(j, "properties");
	raw(j, "success", "{\"const\":true}");
	write_data_schema(j, route);
	if (route->operation == OP_LIST)
		raw(j, "meta", "{\"$ref\":\"#/components/schemas/Meta\"}");
	writer_object_end(j);
	writer_object_end(j);
	if (route->resource && route->operation != OP_ACTION && route->operation != OP_REMOVE) {
		open(j, "example");
		raw(j, "success", "true");
		writer_key(j, "data");
		if (route->operation == OP_LIST)
			writer_array(j);
		schema_example(j, route->resource, SCHEMA_REPLY);
		if (route->operation == OP_LIST)
			writer_array_end(j);
		writer_object_end(j);
	}
	writer_object_end(j);
}

static void write_header(struct writer *j, const char *name, const char *component)
{
	open(j, name);
	reference(j, "headers", component);
	writer_object_end(j);
}

static bool is_tagged(const struct route *route)
{
	return route->action ? route->action->tagged : route->operation != OP_REMOVE;
}

/* Of a success, and of the 304 that stands for it. */
static void write_headers(struct writer *j, const struct route *route)
{
	open(j, "headers");
	if (route->operation == OP_CREATE)
		write_header(j, "Location", "Location");
	if (route->operation == OP_LIST)
		write_header(j, "Link", "Link");
	if (is_tagged(route))
		write_header(j, "ETag", "ETag");
	write_header(j, "X-Request-Id", "RequestId");
	writer_object_end(j);
}

static int success_of(const struct route *route)
{
	if (route->action)
		return route->action->status ? route->action->status : 200;
	return route->operation == OP_CREATE ? 201 : 200;
}

/* A success that is an address to go to. */
static void write_redirect(struct writer *j)
{
	open(j, "302");
	text(j, "description", "Go to Location.");
	open(j, "headers");
	write_header(j, "Location", "Location");
	write_header(j, "X-Request-Id", "RequestId");
	writer_object_end(j);
	writer_object_end(j);
}

static void write_success(struct writer *j, const struct route *route)
{
	char status[12];

	if (success_of(route) == 302) {
		write_redirect(j);
		return;
	}
	snprintf(status, sizeof(status), "%d", success_of(route));
	open(j, status);
	text(j, "description",
	     route->operation == OP_CREATE ? "Created; Location has its path." : "Done.");
	write_headers(j, route);
	open(j, "content");
	if (route->operation == OP_ACTION && route->action->media_type) {
		open(j, route->action->media_type);
		open(j, "schema");
		text(j, "type", strstr(route->action->media_type, "json") ? "object" : "string");
		writer_object_end(j);
		writer_object_end(j);
	} else {
		write_envelope(j, route);
	}
	if (route->operation == OP_GET && route->resource->json_ld)
		raw(j, "application/ld+json", "{\"schema\":{\"type\":\"object\"}}");
	writer_object_end(j);
	writer_object_end(j);
	if (route->method != METHOD_GET || !is_tagged(route))
		return;
	open(j, "304");
	text(j, "description", "If-None-Match has its ETag: nothing has changed.");
	write_headers(j, route);
	writer_object_end(j);
}

static const char *summary_of(const struct route *route, char *out, size_t size)
{
	static const char *const verbs[] = { [OP_LIST] = "List or search %s",
					     [OP_GET] = "One %s",
					     [OP_CREATE] = "Create a %s",
					     [OP_REPLACE] = "Replace a %s",
					     [OP_UPDATE] = "Change some fields of a %s (RFC 7396)",
					     [OP_REMOVE] = "Delete a %s",
					     [OP_RESTORE] = "Bring a deleted %s back" };
	const char *verb, *mark;

	if (route->operation == OP_ACTION)
		return route->action->doc;
	verb = verbs[route->operation];
	mark = strstr(verb, "%s");
	snprintf(out, size, "%.*s%s%s", (int)(mark - verb), verb,
		 route->operation == OP_LIST ? route->resource->plural : route->resource->name,
		 mark + 2);
	return out;
}

static void write_operation(struct writer *j, const struct route *route)
{
	static const char *const security[] = {
		[NOBODY] = "[]",
		[ANYONE] = "[]",
		[SIGNED_IN] = "[{\"accessToken\":[]}]",
		[PERMITTED] = "[{\"accessToken\":[]},{\"apiKey\":[]}]"
	};
	char method[16], summary[200];

	snprintf(method, sizeof(method), "%s", method_text(route->method));
	for (char *c = method; *c; c++)
		*c = (char)(*c | 0x20);
	open(j, method);
	text(j, "operationId", route->id);
	text(j, "summary", summary_of(route, summary, sizeof(summary)));
	writer_key(j, "tags");
	writer_array(j);
	writer_string(j, tag_of(route));
	writer_array_end(j);
	raw(j, "security", security[route->allow]);
	writer_key(j, "parameters");
	writer_array(j);
	write_query_parameters(j, route);
	writer_array_end(j);
	write_request(j, route);
	open(j, "responses");
	write_success(j, route);
	write_error_references(j, route);
	writer_object_end(j);
	writer_object_end(j);
}

/* Routes of one path are not side by side: each path is written at its first route. */
static void write_paths(struct writer *j)
{
	const struct route *routes = route_first();
	int count = route_count();

	open(j, "paths");
	for (int i = 0; i < count; i++) {
		bool seen = false;

		for (int k = 0; k < i; k++)
			seen = seen || strcmp(routes[k].path, routes[i].path) == 0;
		if (seen)
			continue;
		open(j, routes[i].path);
		writer_key(j, "parameters");
		writer_array(j);
		write_path_parameters(j, &routes[i]);
		writer_array_end(j);
		for (int k = i; k < count; k++)
			if (strcmp(routes[k].path, routes[i].path) == 0)
				write_operation(j, &routes[k]);
		writer_object_end(j);
	}
	writer_object_end(j);
}

/* Every code, with its status and when it is answered: those too that no operation of this document gives. */
static void write_error_codes(struct writer *j)
{
	struct buf doc;

	buf_init(&doc, j->out->mem, 16384);
	open(j, "ErrorCode");
	text(j, "type", "string");
	writer_key(j, "enum");
	writer_array(j);
	for (int i = 1; i < ERROR_CODES; i++) {
		writer_string(j, errors[i].code);
		buf_addf(&doc, "- `%s` (%d): %s\n", errors[i].code, errors[i].status,
			 errors[i].doc);
	}
	writer_array_end(j);
	text(j, "description", buf_text(&doc));
	writer_object_end(j);
	talloc_free(doc.data);
}

static void write_schemas(struct writer *j)
{
	open(j, "schemas");
	for (const struct service *const *s = services; *s; s++) {
		for (const struct resource *const *x = (*s)->resources; x && *x; x++) {
			for (enum schema_kind kind = SCHEMA_REPLY; kind <= SCHEMA_PATCH; kind++) {
				char name[NAME_MAX_BYTES];

				schema_name(*x, kind, name, sizeof(name));
				writer_key(j, name);
				schema_resource(j, *x, kind);
			}
		}
	}
	write_error_codes(j);
	raw(j, "Meta",
	    "{\"type\":\"object\",\"required\":[\"pagination\"],\"properties\":{\"pagination\":{"
	    "\"type\":\"object\",\"required\":[\"limit\",\"total\",\"next_cursor\"],\"properties\":{"
	    "\"page\":{\"type\":\"integer\",\"description\":\"Absent when a cursor was given.\"},"
	    "\"limit\":{\"type\":\"integer\"},\"total\":{\"type\":\"integer\",\"description\":\"Exact up to 10000.\"},"
	    "\"total_estimated\":{\"type\":\"boolean\",\"description\":\"There, and true, when total is an estimate.\"},"
	    "\"next_cursor\":{\"type\":[\"string\",\"null\"],\"description\":\"For ?cursor=; null at the end.\"}}}}}");
	raw(j, "Error",
	    "{\"type\":\"object\",\"required\":[\"success\",\"error\"],\"properties\":{\"success\":{\"const\":false},"
	    "\"error\":{\"type\":\"object\",\"required\":[\"code\",\"message\",\"details\",\"request_id\"],\"properties\":{"
	    "\"code\":{\"$ref\":\"#/components/schemas/ErrorCode\"},\"message\":{\"type\":\"string\"},"
	    "\"details\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"field\",\"message\"],\"properties\":{"
	    "\"field\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"}}}},"
	    "\"request_id\":{\"type\":\"string\"}}}}}");
	raw(j, "Problem",
	    "{\"type\":\"object\",\"description\":\"RFC 9457, when Accept asks for application/problem+json.\","
	    "\"required\":[\"type\",\"title\",\"status\",\"detail\",\"code\",\"errors\",\"request_id\"],\"properties\":{"
	    "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},"
	    "\"detail\":{\"type\":\"string\"},\"code\":{\"$ref\":\"#/components/schemas/ErrorCode\"},"
	    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"field\",\"message\"],\"properties\":{"
	    "\"field\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},"
	    "\"pointer\":{\"type\":\"string\",\"description\":\"RFC 6901, into the body.\"}}}},"
	    "\"request_id\":{\"type\":\"string\"}}}");
	writer_object_end(j);
}

static void write_error_example(struct writer *j, const struct error_row *row)
{
	open(j, row->code);
	text(j, "summary", row->doc);
	open(j, "value");
	raw(j, "success", "false");
	open(j, "error");
	text(j, "code", row->code);
	text(j, "message", row->title);
	raw(j, "details",
	    strcmp(row->code, "VALIDATION_ERROR") == 0
		    ? "[{\"field\":\"address.postcode\",\"message\":\"must be a UK postcode such as GU1 3AJ\"}]"
		    : "[]");
	text(j, "request_id", "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a09");
	writer_object_end(j);
	writer_object_end(j);
	writer_object_end(j);
}

static bool any_may_answer(int status)
{
	for (int i = 0; i < route_count(); i++)
		if (may_answer(&route_first()[i], status))
			return true;
	return false;
}

static void write_error_response(struct writer *j, int first)
{
	char name[20];

	snprintf(name, sizeof(name), "Error%d", errors[first].status);
	open(j, name);
	text(j, "description", errors[first].title);
	open(j, "headers");
	if (errors[first].status == 401)
		write_header(j, "WWW-Authenticate", "Challenge");
	if (errors[first].status == 503 || errors[first].status == 429)
		write_header(j, "Retry-After", "RetryAfter");
	if (errors[first].status == 429) {
		write_header(j, "RateLimit-Policy", "RateLimitPolicy");
		write_header(j, "RateLimit", "RateLimit");
	}
	write_header(j, "X-Request-Id", "RequestId");
	writer_object_end(j);
	open(j, "content");
	open(j, "application/json");
	raw(j, "schema", "{\"$ref\":\"#/components/schemas/Error\"}");
	open(j, "examples");
	for (int i = first; i < ERROR_CODES && errors[i].status == errors[first].status; i++)
		write_error_example(j, &errors[i]);
	writer_object_end(j);
	writer_object_end(j);
	raw(j, "application/problem+json",
	    "{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}");
	writer_object_end(j);
	writer_object_end(j);
}

static void write_common_headers(struct writer *j)
{
	static const char *const headers[][2] = {
		{ "ETag", "Strong entity tag, for If-None-Match and If-Match." },
		{ "Location", "Path of what was created." },
		{ "Link", "RFC 8288: first, prev, next and last page." },
		{ "RequestId",
		  "The caller's, when it is of 1 to 64 safe characters, or a new one." },
		{ "RetryAfter", "Seconds to wait." },
		{ "Challenge", "RFC 6750: Bearer." },
		{ "RateLimitPolicy",
		  "Of each policy that counted the request its quota (q) in a window of w seconds." },
		{ "RateLimit",
		  "Of each policy how many requests it has room for (r), and in how many seconds for more (t)." },
	};

	open(j, "headers");
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		open(j, headers[i][0]);
		text(j, "description", headers[i][1]);
		raw(j, "schema", "{\"type\":\"string\"}");
		writer_object_end(j);
	}
	writer_object_end(j);
}

static void write_common_parameters(struct writer *j)
{
	open(j, "parameters");
	raw(j, "limit",
	    "{\"name\":\"limit\",\"in\":\"query\",\"description\":\"Rows per page.\","
	    "\"schema\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":20}}");
	raw(j, "page",
	    "{\"name\":\"page\",\"in\":\"query\",\"description\":\"Page number, up to 10000 rows deep; beyond, "
	    "follow next_cursor.\",\"schema\":{\"type\":\"integer\",\"minimum\":1,\"default\":1}}");
	raw(j, "cursor",
	    "{\"name\":\"cursor\",\"in\":\"query\",\"description\":\"next_cursor of the page before, of the same "
	    "search.\",\"schema\":{\"type\":\"string\"}}");
	raw(j, "fields",
	    "{\"name\":\"fields\",\"in\":\"query\",\"description\":\"Only these fields and the id, a comma list; the others are absent then.\","
	    "\"schema\":{\"type\":\"string\"},\"example\":\"id,created_at\"}");
	raw(j, "deleted",
	    "{\"name\":\"deleted\",\"in\":\"query\",\"description\":\"Deleted rows as well, or alone; with the permission `<resource>:read_deleted`.\","
	    "\"schema\":{\"type\":\"string\",\"enum\":[\"with\",\"only\"]}}");
	raw(j, "ifNoneMatch",
	    "{\"name\":\"If-None-Match\",\"in\":\"header\",\"description\":\"ETag that the caller has: a read answers 304, a write 412.\","
	    "\"schema\":{\"type\":\"string\"}}");
	raw(j, "ifMatch",
	    "{\"name\":\"If-Match\",\"in\":\"header\",\"description\":\"ETag that the row must still have.\","
	    "\"schema\":{\"type\":\"string\"}}");
	writer_object_end(j);
}

static void write_components(struct writer *j)
{
	open(j, "components");
	raw(j, "securitySchemes",
	    "{\"accessToken\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\","
	    "\"description\":\"Of POST /v1/auth/login: 15 minutes.\"},"
	    "\"apiKey\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"Of POST /v1/api-keys.\"}}");
	write_common_headers(j);
	write_common_parameters(j);
	open(j, "responses");
	for (int i = 1; i < ERROR_CODES; i++)
		if (errors[i].status != errors[i - 1].status && any_may_answer(errors[i].status))
			write_error_response(j, i);
	writer_object_end(j);
	write_schemas(j);
	writer_object_end(j);
}

static void write_tags(struct writer *j)
{
	writer_key(j, "tags");
	writer_array(j);
	for (const struct service *const *s = services; *s; s++) {
		if ((*s)->actions) {
			writer_object(j);
			text(j, "name", (*s)->name);
			text(j, "description", (*s)->doc);
			writer_object_end(j);
		}
		for (const struct resource *const *x = (*s)->resources; x && *x; x++) {
			writer_object(j);
			text(j, "name", (*x)->plural);
			text(j, "description", (*x)->doc);
			writer_object_end(j);
		}
	}
	writer_array_end(j);
}

void describe_openapi(struct buf *out)
{
	struct writer j;

	writer_init(&j, out);
	writer_object(&j);
	text(&j, "openapi", "3.1.0");
	open(&j, "info");
	text(&j, "title", "Guildford");
	text(&j, "version", GUILDFORD_VERSION);
	text(&j, "description",
	     "A town's directory. Every answer is {\"success\":true,\"data\":...} or "
	     "{\"success\":false,\"error\":...}; paths under /v1 are served without /v1 as well.");
	raw(&j, "license", "{\"name\":\"Apache 2.0\",\"identifier\":\"Apache-2.0\"}");
	writer_object_end(&j);
	raw(&j, "servers", "[{\"url\":\"/\",\"description\":\"This server\"}]");
	write_tags(&j);
	write_paths(&j);
	write_components(&j);
	writer_object_end(&j);
}
