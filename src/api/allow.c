/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this caller do this? What no row allows is denied. A permission comes from the caller's roles or, for one thing, from
 * a relation to it; of an API key's owner's permissions only those of its scopes count. Who is refused is told what was
 * missing, unless even the thing's existence is not theirs to know.
 */
#include <string.h>
#include "api/route.h"
#include "api/scope.h"
#include "api/select.h"
#include "api/steps.h"
#include "base/str.h"
#include "base/time.h"
#include "base/banned.h"

enum { RECENT_S = 600, RELATIONS_MAX = 8 };

static bool has_scope(const struct request *r, int permission)
{
	return r->caller.is != CALLER_KEY || permissions_have(&r->caller.scopes, permission);
}

bool allow_has(const struct request *r, int permission)
{
	return r->caller.is != CALLER_NOBODY && has_scope(r, permission) &&
	       permissions_have(&r->caller.granted, permission);
}

static int refuse_unknown(struct request *r)
{
	return fail(r, E_UNAUTHORIZED,
		    "Sign in, and send Authorization: Bearer with the access token");
}

int allow_check(struct request *r, const char *permission)
{
	if (allow_has(r, permission_find(permission)))
		return OK;
	if (r->caller.is == CALLER_NOBODY)
		return refuse_unknown(r);
	return fail(r, E_FORBIDDEN, "You need the permission %s", permission);
}

/* "owner|manager" as "owner or manager". */
static const char *in_words(TALLOC_CTX *mem, char **names, int n)
{
	char *text = talloc_strdup(mem, names[0]);

	for (int i = 1; i < n; i++)
		text = talloc_asprintf_append_buffer(text, "%s%s", i == n - 1 ? " or " : ", ",
						     names[i]);
	return text;
}

/* SQL: does anything tie the person $3 to the row t, of resource $2, by one of the relations $4? */
static const char *related_sql(TALLOC_CTX *mem, const struct related_rules *rules)
{
	const char *via = "";

	if (rules->via_column)
		via = talloc_asprintf(
			mem,
			" or exists (select from platform.relation x where x.resource = '%s' and "
			"x.resource_id = t.%s and x.person_id = $3 and x.relation = any (string_to_array('%s', '|')))",
			rules->via_resource, rules->via_column, rules->via);
	return talloc_asprintf(
		mem,
		"exists (select from platform.relation x where x.resource = $2 and x.resource_id = t.id "
		"and x.person_id = $3 and x.relation = any (string_to_array($4, '|')))%s",
		via);
}

int allow_related(struct request *r, const struct resource *resource, const char *id,
		  const char *relations, bool *related)
{
	struct pg_rows *rows;
	int rc;

	*related = false;
	if (r->caller.is == CALLER_NOBODY)
		return OK;
	rc = pg_query(&r->task, &rows,
		      talloc_asprintf(MEM(r),
				      "select %s from %s.%s t where t.%s = $1 "
				      "order by t.deleted_at desc nulls first limit 1",
				      related_sql(MEM(r), &resource->related), resource->service,
				      resource->name, uuid_is(id) ? "id" : "slug"),
		      PG_PARAMS(id, resource->name, r->caller.person_id, relations));
	if (!rc && pg_count(rows) > 0)
		*related = pg_value(rows, 0, 0)[0] == 't';
	return rc;
}

/* The resource of the row {id}: of what is nested it is the parent's. */
static const struct resource *resource_of_id(const struct request *r)
{
	const struct resource *resource = r->route->resource;

	return resource->parent ? resource->parent_resource : resource;
}

/* Is the row there for this caller? One whom nothing ties to it is not told of a deleted or hidden one. waits */
static int check_known(struct request *r, const char *id)
{
	const struct resource *resource = resource_of_id(r);
	struct pg_rows *rows;
	struct select s;
	int rc;

	select_init(&s, MEM(r), resource);
	select_where(&s, "t.%s = $%d", uuid_is(id) ? "id" : "slug", select_param(&s, id));
	select_where(&s, "t.deleted_at is null");
	scope_visible(r, &s, true);
	rc = pg_query(&r->task, &rows,
		      talloc_asprintf(MEM(r), "select from %s.%s t%s", resource->service,
				      resource->name, buf_text(&s.where)),
		      s.param_count, s.params);
	if (!rc && pg_count(rows) == 0)
		rc = fail(r, E_NOT_FOUND, "There is no such %s", resource->name);
	return rc;
}

static int check_related(struct request *r, const char *permission)
{
	const struct resource *resource = resource_of_id(r);
	const char *id = path_text(r, "id");
	bool related;
	char **names;
	int n, rc;

	if (!uuid_is(id) && !resource->has_slug)
		return fail(r, E_NOT_FOUND, "There is no such %s", resource->name);
	rc = allow_related(r, resource, id, r->route->related, &related);
	if (rc || related)
		return rc;
	rc = check_known(r, id);
	if (rc)
		return rc;
	n = str_split(MEM(r), r->route->related, '|', RELATIONS_MAX, &names);
	return fail(r, E_FORBIDDEN, "You need the permission %s, or to be %s of this %s",
		    permission, in_words(MEM(r), names, n), resource->name);
}

static int check_permitted(struct request *r)
{
	const struct route *route = r->route;
	const char *permission = permission_name(route->permission);

	if (allow_has(r, route->permission))
		return OK;
	if (r->caller.is == CALLER_NOBODY)
		return refuse_unknown(r);
	if (!has_scope(r, route->permission))
		return fail(r, E_FORBIDDEN, "The API key lacks the scope %s", permission);
	if (route->related)
		return check_related(r, permission);
	return fail(r, E_FORBIDDEN, "You need the permission %s", permission);
}

static int check_signed_in(struct request *r)
{
	if (r->caller.is == CALLER_PERSON)
		return OK;
	if (r->caller.is == CALLER_NOBODY)
		return refuse_unknown(r);
	return fail(r, E_FORBIDDEN, "An API key cannot do this: a person must sign in for it");
}

int allow_recent(struct request *r)
{
	if (r->caller.is == CALLER_PERSON &&
	    (long long)(time_unix_ms() / 1000) - r->caller.shown_at <= RECENT_S)
		return OK;
	return fail(r, E_STEP_UP, "Show who you are again: POST /v1/auth/reauthenticate");
}

int step_allow(struct request *r)
{
	int rc = OK;

	if (!r->route || r->route->allow == ANYONE)
		return OK; /* no route: OPTIONS */
	if (r->route->allow == SIGNED_IN)
		rc = check_signed_in(r);
	else if (r->route->allow == PERMITTED)
		rc = check_permitted(r);
	else
		rc = fail(r, E_FORBIDDEN, NULL);
	return !rc && r->route->recent ? allow_recent(r) : rc;
}
