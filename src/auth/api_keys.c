/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API keys: what a person gives to a program. A key acts for its owner within its scopes, for as long as it is good, and
 * its text is shown once; the database has a digest (base/api_key_text.h). Rotation gives a new one while the old one goes
 * on for a while.
 */
#include <string.h>
#include "api/audit.h"
#include "model/permission.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/shape.h"
#include "auth/auth.h"
#include "base/api_key_text.h"
#include "base/str.h"
#include "model/values.h"
#include "base/banned.h"

/* May it be had through a relation to a thing? Then it may stand in a scope although no role gives it. */
static bool is_relatable(int permission)
{
	for (int i = 0; i < route_count(); i++)
		if (route_first()[i].permission == permission && route_first()[i].related)
			return true;
	return false;
}

/* A scope is a pattern of permissions that the owner has or can have. */
static int check_scopes(struct request *r)
{
	json_t *list = json_object_get(r->body, "scopes"), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		struct permissions set = { 0 };
		char *field = talloc_asprintf(MEM(r), "scopes.%zu", i);

		if (!permissions_add(&set, json_string_value(item)))
			task_problem(&r->task, field, "is not a permission");
		for (int n = 0; permission_name(n); n++)
			if (permissions_have(&set, n) && !permissions_have(&r->caller.granted, n) &&
			    !is_relatable(n)) {
				task_problem(&r->task, field, "holds %s, which you do not have",
					     permission_name(n));
				break;
			}
	}
	return r->task.failure.code;
}

/* A rotated key counts as well, until its owner deletes it. */
static int check_room(struct request *r)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select count(*) < 100 from auth.api_key where person_id = $1 and deleted_at is null",
		PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	return pg_value(rows, 0, 0)[0] == 't'
		       ? OK
		       : fail(r, E_CONFLICT, "You have 100 keys already; delete one first");
}

/* The new row, and the reply that shows the key's text. */
static int reply_new(struct request *r, const struct pg_rows *rows, const char *text)
{
	reply_begin(r, 201);
	writer_object(&r->json);
	writer_member(&r->json, "id", pg_value(rows, 0, 0));
	writer_member(&r->json, "key", text);
	writer_member(&r->json, "name", pg_value(rows, 0, 1));
	writer_key(&r->json, "scopes");
	shape_write_array(&r->json, pg_value(rows, 0, 2), pg_length(rows, 0, 2));
	shape_write_time_of(&r->json, "expires_at", rows, 0, 3);
	writer_object_end(&r->json);
	return reply_end(r);
}

static const char *prefix_of(struct request *r, const char *text)
{
	return talloc_strndup(MEM(r), text, 3 + API_KEY_ID_LENGTH);
}

int auth_key_create(struct request *r)
{
	const char *text = api_key_text_make(MEM(r));
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;
	int rc = check_scopes(r);

	if (!rc)
		rc = check_room(r);
	if (rc)
		return rc;
	uuid_new(id);
	rc = pg_query(
		&r->task, &rows,
		"insert into auth.api_key (id, person_id, name, prefix, digest, scopes, quota, expires_at) "
		"values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(days => coalesce($8::integer, 90))) "
		"returning id, name, scopes, expires_at",
		PG_PARAMS(id, r->caller.person_id, input_text(r, "name"), prefix_of(r, text),
			  api_key_text_digest(MEM(r), text), input_text(r, "scopes"),
			  input_text(r, "quota"), input_text(r, "days")));
	if (!rc)
		rc = audit_request(r, "api_key:create", "api_key", id, NULL, NULL);
	return rc ? rc : reply_new(r, rows, text);
}

int auth_key_rotate(struct request *r)
{
	const char *text = api_key_text_make(MEM(r)), *old = path_text(r, "id");
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;
	int rc;

	if (!uuid_is(old))
		return fail(r, E_NOT_FOUND, "There is no such key");
	rc = check_room(r);
	if (rc)
		return rc;
	uuid_new(id);
	rc = pg_query(
		&r->task, &rows,
		"with old as (update auth.api_key set expires_at = least(expires_at, "
		"clock_timestamp() + make_interval(hours => coalesce($6::integer, 24))) where id = $2 and person_id = $3 "
		"and deleted_at is null and (expires_at is null or expires_at > clock_timestamp()) returning *) "
		"insert into auth.api_key (id, person_id, name, prefix, digest, scopes, quota, expires_at) "
		"select $1, person_id, name, $4, $5, scopes, quota, clock_timestamp() + interval '90 days' from old "
		"returning id, name, scopes, expires_at",
		PG_PARAMS(id, old, r->caller.person_id, prefix_of(r, text),
			  api_key_text_digest(MEM(r), text), input_text(r, "overlap_hours")));
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_NOT_FOUND, "There is no such key");
	rc = audit_request(r, "api_key:rotate", "api_key", old, NULL, NULL);
	return rc ? rc : reply_new(r, rows, text);
}

int auth_key_revoke(struct request *r)
{
	const char *id = path_text(r, "id");
	struct pg_rows *rows;
	int rc;

	if (!uuid_is(id))
		return fail(r, E_NOT_FOUND, "There is no such key");
	rc = pg_query(
		&r->task, &rows,
		"update auth.api_key set deleted_at = clock_timestamp() where id = $1 and person_id = $2 "
		"and deleted_at is null",
		PG_PARAMS(id, r->caller.person_id));
	if (rc)
		return rc;
	if (pg_affected(rows) == 0)
		return fail(r, E_NOT_FOUND, "There is no such key");
	rc = audit_request(r, "api_key:revoke", "api_key", id, NULL, NULL);
	return rc ? rc : reply_status(r, 200, "revoked");
}

int auth_keys(struct request *r)
{
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select id, name, prefix, scopes, coalesce(quota::text, 'null'), expires_at, last_used_at, "
		"host(last_used_address), created_at from auth.api_key where person_id = $1 and deleted_at is null "
		"order by created_at desc, id desc limit 200",
		PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_array(&r->json);
	for (int i = 0; i < pg_count(rows); i++) {
		writer_object(&r->json);
		writer_member(&r->json, "id", pg_value(rows, i, 0));
		writer_member(&r->json, "name", pg_value(rows, i, 1));
		writer_member(&r->json, "prefix", pg_value(rows, i, 2));
		writer_key(&r->json, "scopes");
		shape_write_array(&r->json, pg_value(rows, i, 3), pg_length(rows, i, 3));
		writer_key(&r->json, "quota");
		writer_raw(&r->json, pg_value(rows, i, 4), pg_length(rows, i, 4));
		shape_write_time_of(&r->json, "expires_at", rows, i, 5);
		shape_write_time_of(&r->json, "last_used_at", rows, i, 6);
		writer_member(&r->json, "last_used_address", pg_value(rows, i, 7));
		shape_write_time_of(&r->json, "created_at", rows, i, 8);
		writer_object_end(&r->json);
	}
	writer_array_end(&r->json);
	return reply_end(r);
}
