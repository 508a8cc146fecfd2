/* SPDX-License-Identifier: Apache-2.0 */
/* The people of the town, as staff see them: a resource, and the actions that give and take. Nobody can give what they do
 * not hold themselves. */
#include "auth/people.h"

#include <string.h>
#include "api/audit.h"
#include "model/permission.h"
#include "api/reply.h"
#include "auth/auth.h"
#include "auth/session.h"
#include "base/str.h"
#include "model/values.h"
#include "store/jwt.h"
#include "base/banned.h"

static const struct field fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1b01\"",
	  .doc = "UUIDv7" },
	{ .name = "name",
	  .type = TEXT,
	  .flags = REQUIRED | PERSONAL,
	  .min = 1,
	  .max = 100,
	  .example = "\"Alex Marsh\"",
	  .doc = "As they want to be called." },
	{ .name = "email",
	  .type = EMAIL,
	  .flags = READ_ONLY | FILTER | PERSONAL,
	  .max = 254,
	  .example = "\"alex@example.org\"",
	  .doc = "Confirmed; null once erased." },
	{ .name = "status",
	  .type = ENUM,
	  .flags = FILTER | NOT_NULL,
	  .choices = "active|suspended",
	  .example = "\"active\"",
	  .doc = "Who is suspended cannot sign in; their sessions end." },
	{ .name = "erase_at",
	  .type = TIME,
	  .flags = READ_ONLY,
	  .example = "null",
	  .doc = "When the account will be erased; null when it stays." },
	{ .name = "created_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL | SORT,
	  .example = "\"2026-11-25T09:00:00.000000Z\"",
	  .doc = "When it was created." },
	{ .name = "updated_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL,
	  .example = "\"2026-11-25T09:00:00.000000Z\"",
	  .doc = "When it last changed." },
	{ .name = "deleted_at",
	  .type = TIME,
	  .flags = READ_ONLY,
	  .example = "null",
	  .doc = "When it was erased; null while it lives." },
	{ 0 },
};

static const struct field role_name_fields[] = {
	{ .name = "role",
	  .type = SLUG,
	  .flags = REQUIRED,
	  .max = 40,
	  .example = "\"moderator\"",
	  .doc = "Slug of the role." },
	{ 0 },
};
static const struct resource takes_role = { .name = "grant",
					    .doc = "A role to give.",
					    .fields = role_name_fields };

#define REPLY_STATUS_SCHEMA                                                                        \
	"{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"string\"}}}"

static const struct action actions[] = {
	{ .method = METHOD_POST,
	  .path = "/people/{id}/roles",
	  .allow = PERMITTED,
	  .permission = "person:grant",
	  .recent = true,
	  .writes = true,
	  .takes = &takes_role,
	  .name = "person_grant",
	  .act = auth_role_grant,
	  .reply_schema = REPLY_STATUS_SCHEMA,
	  .doc = "Give somebody a role, whose permissions one holds oneself." },
	{ .method = METHOD_DELETE,
	  .path = "/people/{id}/roles/{role}",
	  .allow = PERMITTED,
	  .permission = "person:grant",
	  .recent = true,
	  .writes = true,
	  .name = "person_revoke",
	  .act = auth_role_revoke,
	  .reply_schema = REPLY_STATUS_SCHEMA,
	  .doc = "Take a role from somebody; their access tokens end within a second." },
	{ .method = METHOD_DELETE,
	  .path = "/people/{id}/sessions",
	  .allow = PERMITTED,
	  .permission = "person:sign_out",
	  .writes = true,
	  .name = "person_sign_out",
	  .act = auth_person_sign_out,
	  .reply_schema = REPLY_STATUS_SCHEMA,
	  .doc = "End all sessions of somebody." },
	{ 0 },
};

static int no_person(struct task *t)
{
	return task_fail(t, E_NOT_FOUND, "There is no such person");
}

int people_find(struct task *t, const char *email, const char **person_id)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select id from auth.person where lower(email) = lower($1) and status <> 'erased'",
		PG_PARAMS(email));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return no_person(t);
	*person_id = pg_value(rows, 0, 0);
	return OK;
}

int people_grant(struct task *t, const char *person_id, const char *role, const char *by)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"with one as (select id from auth.role where slug = $2 and deleted_at is null), "
		"others as (select count(*) as n from auth.person_role x join auth.role o on o.id = x.role_id "
		"where x.person_id = $1 and o.deleted_at is null and o.slug <> $2), "
		"given as (insert into auth.person_role (person_id, role_id, granted_by) "
		"select p.id, one.id, $3::uuid from auth.person p, one, others "
		"where p.id = $1 and p.status <> 'erased' and others.n < $4::integer on conflict do nothing) "
		"select (select count(*) from one), (select count(*) from auth.person where id = $1 "
		"and status <> 'erased'), (select n < $4::integer from others)",
		PG_PARAMS(person_id, role, by, talloc_asprintf(t->mem, "%d", (int)JWT_ROLES_MAX)));

	if (rc)
		return rc;
	if (pg_value(rows, 0, 1)[0] == '0')
		return no_person(t);
	if (pg_value(rows, 0, 0)[0] == '0')
		return task_fail(t, E_NOT_FOUND, "There is no such role");
	return pg_value(rows, 0, 2)[0] == 't'
		       ? OK
		       : task_fail(t, E_CONFLICT, "Nobody has more than %d roles; take one first",
				   (int)JWT_ROLES_MAX);
}

int people_revoke(struct task *t, const char *person_id, const char *role)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows,
			  "delete from auth.person_role x using auth.role o where x.role_id = o.id "
			  "and x.person_id = $1 and o.slug = $2",
			  PG_PARAMS(person_id, role));

	if (rc)
		return rc;
	return pg_affected(rows) > 0
		       ? OK
		       : task_fail(t, E_NOT_FOUND, "That person does not have this role");
}

/* Fails unless the caller holds all that these patterns (rows of one) stand for. */
static int check_patterns(struct request *r, const struct pg_rows *rows, const char *what)
{
	struct permissions set = { 0 };

	for (int i = 0; i < pg_count(rows); i++)
		permissions_add(&set, pg_value(rows, i, 0));
	for (int i = 0; permission_name(i); i++)
		if (permissions_have(&set, i) && !permissions_have(&r->caller.granted, i))
			return fail(r, E_FORBIDDEN,
				    "You cannot %s with the permission %s, which you do not have",
				    what, permission_name(i));
	return OK;
}

/* OWASP API5:2023: who may give roles would else be able to give themselves all. */
static int check_held(struct request *r, const char *role)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select unnest(permissions) from auth.role where slug = $1 and deleted_at is null",
		PG_PARAMS(role));

	return rc ? rc : check_patterns(r, rows, "give or take a role");
}

/* Nor does anybody lock out who may do more than they. */
static int check_above(struct request *r, const char *person_id)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select unnest(o.permissions) from auth.person_role x join auth.role o on o.id = x.role_id "
		"where x.person_id = $1 and o.deleted_at is null",
		PG_PARAMS(person_id));

	return rc ? rc : check_patterns(r, rows, "do this to somebody");
}

/* The database ends access tokens when the status changes; refresh tokens end with their sessions. */
static int before_write(struct request *r, struct values *v, json_t *old)
{
	const struct value *status = values_get(v, "status");
	const char *id = json_string_value(json_object_get(old, "id"));
	int rc = check_above(r, id);

	if (!rc && status->set && status->text && strcmp(status->text, "suspended") == 0)
		rc = session_end_others(&r->task, id, NULL, "suspended");
	return rc;
}

static int person_in_path(struct request *r, const char **id)
{
	struct pg_rows *rows;
	int rc;

	*id = path_text(r, "id");
	if (!uuid_is(*id))
		return no_person(&r->task);
	rc = pg_query(&r->task, &rows,
		      "select 1 from auth.person where id = $1 and status <> 'erased'",
		      PG_PARAMS(*id));
	if (rc)
		return rc;
	return pg_count(rows) > 0 ? OK : no_person(&r->task);
}

static int note(struct request *r, const char *action, const char *id, const char *role)
{
	struct audit_event event = audit_begin(r);

	event.action = action;
	event.resource = "person";
	event.resource_id = id;
	event.detail = role ? talloc_asprintf(MEM(r), "{\"role\":\"%s\"}", role) : NULL;
	return audit_add(&r->task, &event);
}

int auth_role_grant(struct request *r)
{
	const char *id, *role = input_text(r, "role");
	int rc = person_in_path(r, &id);

	if (!rc)
		rc = check_held(r, role);
	if (!rc)
		rc = people_grant(&r->task, id, role, r->caller.person_id);
	if (!rc)
		rc = note(r, "person:grant", id, role);
	return rc ? rc : reply_status(r, 200, "granted");
}

int auth_role_revoke(struct request *r)
{
	const char *id, *role = path_text(r, "role");
	int rc = person_in_path(r, &id);

	if (!rc && !str_is_slug(role, 40))
		rc = fail(r, E_NOT_FOUND, "There is no such role");
	if (!rc)
		rc = check_held(r, role);
	if (!rc)
		rc = people_revoke(&r->task, id, role);
	if (!rc)
		rc = note(r, "person:revoke", id, role);
	return rc ? rc : reply_status(r, 200, "revoked");
}

int auth_person_sign_out(struct request *r)
{
	const char *id;
	int rc = person_in_path(r, &id);

	if (!rc)
		rc = check_above(r, id);
	if (!rc)
		rc = session_end_others(&r->task, id, NULL, "staff");
	if (!rc)
		rc = note(r, "person:sign_out", id, NULL);
	return rc ? rc : reply_status(r, 200, "ended");
}

const struct resource person_resource = {
	.name = "person",
	.plural = "people",
	.service = "auth",
	.doc = "People with an account.",
	.allow = { .list = PERMITTED, .get = PERMITTED, .update = PERMITTED },
	.fields = fields,
	.actions = actions,
	.default_sort = "-created_at",
	.before_write = before_write,
};
