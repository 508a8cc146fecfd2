/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the request's target apart and checks the names in its query. Called by the route and input steps. */
#include "api/query.h"

#include <string.h>
#include "api/route.h"
#include "base/str.h"
#include "base/banned.h"

const char *path_text(const struct request *r, const char *name)
{
	for (int i = 0; i < r->path_param_count; i++)
		if (strcmp(r->path_params[i].name, name) == 0)
			return r->path_params[i].value;
	return NULL;
}

const char *query_text(const struct request *r, const char *name)
{
	for (int i = 0; i < r->query_count; i++)
		if (strcmp(r->query[i].name, name) == 0)
			return r->query[i].value;
	return NULL;
}

static int add_param(struct request *r, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	char *name, *value;

	if (len == 0)
		return OK;
	if (r->query_count == QUERY_PARAMS_MAX)
		return fail(r, E_BAD_REQUEST, "A query has at most %d parameters",
			    QUERY_PARAMS_MAX);
	if (!str_percent_decode(MEM(r), text, name_len, true, &name))
		return fail(r, E_BAD_REQUEST,
			    "A parameter's name in the query is not percent-encoded UTF-8");
	value = talloc_strdup(MEM(r), "");
	if (equals && !str_percent_decode(MEM(r), equals + 1, len - name_len - 1, true, &value))
		return fail(r, E_BAD_REQUEST,
			    "The value of \"%s\" is not percent-encoded UTF-8 without NUL", name);
	if (query_text(r, name))
		return task_problem(&r->task, name,
				    "is given twice; separate several values by commas");
	r->query[r->query_count++] = (struct param) { .name = name, .value = value };
	return OK;
}

static int count_slashes(const char *text, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '/';
	return n;
}

int query_parse(struct request *r)
{
	const char *target = r->http->target;
	const char *query = strchr(target, '?');
	size_t path_len = query ? (size_t)(query - target) : strlen(target);
	char *path;

	if (!str_percent_decode(MEM(r), target, path_len, false, &path))
		return fail(r, E_BAD_REQUEST, "The path is not percent-encoded UTF-8 without NUL");
	/* an encoded slash is no slash (RFC 3986 section 2.2), and nothing of ours has one in its name */
	if (count_slashes(path, strlen(path)) != count_slashes(target, path_len))
		return fail(r, E_NOT_FOUND, NULL);
	r->versioned = strncmp(path, "/v1/", 4) == 0;
	r->path = r->versioned ? path + 3 : path;
	while (query) {
		const char *start = query + 1;
		const char *end = strchr(start, '&');
		int rc = add_param(r, start, end ? (size_t)(end - start) : strlen(start));

		if (rc)
			return rc;
		query = end;
	}
	return OK;
}

int query_int(struct request *r, const char *name, long long min, long long max, long long def,
	      long long *value)
{
	const char *text = query_text(r, name);

	*value = def;
	if (!text || str_to_int(text, min, max, value))
		return OK;
	return task_problem(&r->task, name, "must be a whole number from %lld to %lld", min, max);
}

static bool in_filters(const struct filter *filters, const char *name)
{
	for (; filters && filters->name; filters++)
		if (strcmp(filters->name, name) == 0)
			return true;
	return false;
}

static bool in_fields(const struct field *field, const char *name)
{
	for (; field && field->name; field++)
		if ((field->flags & FILTER) && strcmp(field->name, name) == 0)
			return true;
	return false;
}

static bool one_of(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool is_known(const struct route *route, const char *name)
{
	static const char *const of_item[] = { "fields", "include", "deleted", NULL };
	static const char *const of_list[] = { "sort", "page", "limit", "cursor", NULL };

	switch (route->operation) {
	case OP_ACTION:
		return in_filters(route->action->parameters, name);
	case OP_LIST:
		return one_of(of_item, name) || one_of(of_list, name) ||
		       in_filters(route->resource->filters, name) ||
		       in_fields(route->resource->fields, name);
	case OP_GET:
		return one_of(of_item, name);
	default:
		return false;
	}
}

void query_check_known(struct request *r)
{
	if (r->route->action && r->route->action->any_parameters)
		return;
	for (int i = 0; i < r->query_count; i++)
		if (!is_known(r->route, r->query[i].name))
			task_problem(&r->task, r->query[i].name, "is not a parameter of %s %s",
				     method_text(r->route->method), r->route->path);
}
