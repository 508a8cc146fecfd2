/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who stands in which relation to what: owners, managers and staff of a business, and whatever other services name. Given
 * and taken by an owner of the thing, or with the permission relation:grant; who has a relation can always leave it.
 */
#include <string.h>
#include "api/audit.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/shape.h"
#include "api/steps.h"
#include "auth/auth.h"
#include "auth/people.h"
#include "base/str.h"
#include "base/banned.h"

const struct filter relation_parameters[] = {
	{ .name = "resource",
	  .required = true,
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"business\"",
	  .doc = "What kind of thing." },
	{ .name = "resource_id",
	  .required = true,
	  .schema = "{\"type\":\"string\",\"format\":\"uuid\"}",
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03\"",
	  .doc = "Which." },
	{ 0 },
};

/* Any service's resource whose rows have owners. */
static const struct resource *owned_resource(const char *name)
{
	for (const struct service *const *s = services; *s; s++)
		for (const struct resource *const *x = (*s)->resources; x && *x; x++)
			if ((*x)->owned && strcmp((*x)->name, name) == 0)
				return *x;
	return NULL;
}

/* Is it there, and may the caller say who stands how to it? What is not there, or deleted, is E_NOT_FOUND. waits */
static int check_thing(struct request *r, const char *name, const char *id)
{
	const struct resource *resource = owned_resource(name);
	struct pg_rows *rows;
	int rc;

	if (!resource)
		return task_problem(&r->task, "resource", "is not a thing that people own");
	rc = pg_query(
		&r->task, &rows,
		talloc_asprintf(
			MEM(r),
			"select exists (select from platform.relation x where x.resource = $2 "
			"and x.resource_id = t.id and x.person_id = $3 and x.relation = 'owner') "
			"from %s.%s t where t.id = $1 and t.deleted_at is null",
			resource->service, resource->name),
		PG_PARAMS(id, resource->name, r->caller.person_id));
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_NOT_FOUND, "There is no such %s", name);
	if (pg_value(rows, 0, 0)[0] == 't' || allow_has(r, permission_find("relation:grant")))
		return OK;
	return fail(r, E_FORBIDDEN,
		    "You need the permission relation:grant, or to be owner of this %s", name);
}

int auth_relations(struct request *r)
{
	const char *resource = query_text(r, "resource"), *id = query_text(r, "resource_id");
	struct pg_rows *rows;
	int rc;

	if (!resource || !owned_resource(resource))
		task_problem(&r->task, "resource", "must be a thing that people own: business");
	if (!id || !uuid_is(id))
		task_problem(&r->task, "resource_id", "must be a UUID");
	if (r->task.failure.code)
		return r->task.failure.code;
	rc = check_thing(r, resource, id);
	if (!rc)
		rc = pg_query(
			&r->task, &rows,
			"select x.id, x.relation, x.person_id, p.name, x.created_at from platform.relation x "
			"left join auth.person p on p.id = x.person_id where x.resource = $1 and x.resource_id = $2 "
			"order by x.created_at, x.id limit 500",
			PG_PARAMS(resource, id));
	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_array(&r->json);
	for (int i = 0; i < pg_count(rows); i++) {
		writer_object(&r->json);
		writer_member(&r->json, "id", pg_value(rows, i, 0));
		writer_member(&r->json, "relation", pg_value(rows, i, 1));
		writer_member(&r->json, "person_id", pg_value(rows, i, 2));
		writer_member(&r->json, "name", pg_value(rows, i, 3));
		shape_write_time_of(&r->json, "created_at", rows, i, 4);
		writer_object_end(&r->json);
	}
	writer_array_end(&r->json);
	return reply_end(r);
}

static int note(struct request *r, const char *action, const char *resource, const char *id,
		const char *person_id, const char *relation)
{
	struct audit_event event = audit_begin(r);

	event.action = action;
	event.resource = resource;
	event.resource_id = id;
	event.detail = talloc_asprintf(MEM(r), "{\"person_id\":\"%s\",\"relation\":\"%s\"}",
				       person_id, relation);
	return audit_add(&r->task, &event);
}

int auth_relation_grant(struct request *r)
{
	const char *resource = input_text(r, "resource"), *id = input_text(r, "resource_id");
	const char *relation = input_text(r, "relation"), *person_id;
	struct pg_rows *rows;
	int rc = check_thing(r, resource, id);

	if (!rc)
		rc = people_find(&r->task, input_text(r, "email"), &person_id);
	if (!rc)
		rc = pg_query(
			&r->task, &rows,
			"insert into platform.relation as x (person_id, relation, resource, resource_id, granted_by) "
			"values ($1, $2, $3, $4, $5) on conflict (resource, resource_id, person_id, relation) "
			"do update set granted_by = x.granted_by returning id",
			PG_PARAMS(person_id, relation, resource, id, r->caller.person_id));
	if (!rc)
		rc = note(r, "relation:grant", resource, id, person_id, relation);
	if (rc)
		return rc;
	reply_begin(r, 201);
	writer_object(&r->json);
	writer_member(&r->json, "id", pg_value(rows, 0, 0));
	writer_member(&r->json, "person_id", person_id);
	writer_member(&r->json, "relation", relation);
	writer_object_end(&r->json);
	return reply_end(r);
}

/* Of a relation that is not theirs to know of, people are told that it is not there. */
int auth_relation_revoke(struct request *r)
{
	const char *id = path_text(r, "id");
	struct pg_rows *rows, *gone;
	int rc;

	if (!uuid_is(id))
		return fail(r, E_NOT_FOUND, "There is no such relation");
	rc = pg_query(
		&r->task, &rows,
		"select x.resource, x.resource_id, x.person_id, x.relation, x.person_id = $2 or exists "
		"(select from platform.relation o where o.resource = x.resource and o.resource_id = x.resource_id "
		"and o.person_id = $2 and o.relation = 'owner') from platform.relation x where x.id = $1",
		PG_PARAMS(id, r->caller.person_id));
	if (rc)
		return rc;
	if (pg_count(rows) == 0 ||
	    (pg_value(rows, 0, 4)[0] != 't' && !allow_has(r, permission_find("relation:grant"))))
		return fail(r, E_NOT_FOUND, "There is no such relation");
	rc = pg_query(&r->task, &gone, "delete from platform.relation where id = $1",
		      PG_PARAMS(id));
	if (!rc)
		rc = note(r, "relation:revoke", pg_value(rows, 0, 0), pg_value(rows, 0, 1),
			  pg_value(rows, 0, 2), pg_value(rows, 0, 3));
	return rc ? rc : reply_status(r, 200, "revoked");
}
