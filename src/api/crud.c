/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row of any resource: get, create, replace, update, remove, restore. All SQL is put together from the resource's
 * table; rules that a row cannot say are its before_write. Lists are in list.c. Called as the routes' functions, the
 * writing ones inside a transaction.
 */
#include "api/crud.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "api/audit.h"
#include "api/include.h"
#include "model/values.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/scope.h"
#include "api/select.h"
#include "api/shape.h"
#include "api/steps.h"
#include "base/uuid.h"
#include "base/banned.h"

static int find_row(struct request *r, struct select *s, const char *columns, const char *ending,
		    struct pg_rows **rows)
{
	const char *sql = talloc_asprintf(MEM(r), "select %s from %s.%s t%s%s", columns,
					  s->resource->service, s->resource->name,
					  buf_text(&s->where), ending);
	struct pg_rows *found;
	int rc = pg_query(&r->task, &found, sql, s->param_count, s->params);

	if (rc)
		return rc;
	if (pg_count(found) == 0)
		return fail(r, E_NOT_FOUND, "There is no such %s", s->resource->name);
	*rows = found;
	return OK;
}

/* An included row changes without its owner's version: such a body is tagged by its bytes. */
static int reply_item(struct request *r, const struct shape *shape, struct included *inc,
		      const struct pg_rows *rows)
{
	reply_begin(r, 200);
	writer_object(&r->json);
	shape_write(shape, &r->json, rows, 0);
	include_write(inc, &r->json, 0);
	writer_object_end(&r->json);
	reply_end(r);
	reply_tag(r, inc->count ? NULL : pg_value(rows, 0, shape->count), shape);
	return OK;
}

/* By its bytes: what a row's version says nothing of may stand in it. */
static int reply_linked(struct request *r, const struct resource *resource,
			const struct pg_rows *rows)
{
	json_t *row = shape_to_json(MEM(r), shape_whole(resource), rows, 0), *linked = NULL;
	char *text;
	int rc = resource->json_ld(r, row, &linked);

	if (rc)
		return rc;
	text = json_dumps(linked, JSON_COMPACT);
	reply_plain(r, 200, "application/ld+json", text, strlen(text));
	free(text);
	reply_tag(r, NULL, NULL);
	return OK;
}

int crud_get(struct request *r)
{
	const struct resource *resource = r->route->resource;
	const struct shape *shape;
	struct included inc;
	struct pg_rows *rows;
	struct select s;
	int rc;

	select_init(&s, MEM(r), resource);
	shape_from_query(r, resource, &shape);
	include_from_query(r, resource, &inc);
	if (r->json_ld && resource->json_ld)
		shape = shape_whole(resource);
	scope_deleted(r, &s);
	scope_visible(r, &s, true);
	if (r->task.failure.code)
		return r->task.failure.code;
	rc = scope_parent(r, &s);
	if (!rc)
		rc = scope_item(r, &s);
	if (!rc)
		rc = find_row(r, &s, shape->columns, query_text(r, "deleted") ? SCOPE_FIRST : "",
			      &rows);
	if (!rc)
		rc = audit_read(r, "get", scope_item_id(r, resource));
	if (rc)
		return rc;
	if (r->json_ld && resource->json_ld)
		return reply_linked(r, resource, rows);
	if (inc.count == 0 && reply_not_modified(r, pg_value(rows, 0, shape->count), shape))
		return OK;
	if (inc.count) {
		rc = include_fetch(r, &inc, rows, 1, 0);
		if (rc)
			return rc;
	}
	return reply_item(r, shape, &inc, rows);
}

/* "$n", or "default" for a column that has one and is given none. */
static const char *operand(struct select *s, const struct value *v)
{
	if (!v->text && (v->field->flags & NOT_NULL))
		return "default";
	return talloc_asprintf(s->mem, "$%d", select_param(s, v->text));
}

/* A constraint spoke: the resource may know what it means to the caller. */
static int explain_conflict(struct request *r, const struct resource *resource, struct values *v,
			    int rc)
{
	const char *constraint = r->task.failure.constraint;

	if (rc != E_CONFLICT || !constraint || !resource->on_conflict)
		return rc;
	task_forgive(&r->task);
	return resource->on_conflict(r, v, constraint);
}

/* The names of the fields that a person gives, for edited_fields. */
static const char *names_given(struct request *r, const struct values *v)
{
	const char **names = talloc_array(MEM(r), const char *, v->count + 1);
	int n = 0;

	for (int i = 0; i < v->count; i++)
		if (v->items[i].set && v->items[i].text)
			names[n++] = v->items[i].field->name;
	return pg_array(MEM(r), names, n);
}

static int insert(struct request *r, struct select *s, struct values *v, const char *id,
		  struct pg_rows **rows)
{
	const struct resource *resource = s->resource;
	char *columns = talloc_strdup(MEM(r), "id");
	char *values = talloc_asprintf(MEM(r), "$%d", select_param(s, id));
	const char *sql;

	if (resource->parent) {
		columns = talloc_asprintf_append_buffer(columns, ", %s", resource->parent_column);
		values = talloc_asprintf_append_buffer(values, ", $%d",
						       select_param(s, s->parent_id));
	}
	for (int i = 0; i < v->count; i++) {
		if (!v->items[i].set)
			continue;
		columns = talloc_asprintf_append_buffer(columns, ", %s",
							field_column(MEM(r), v->items[i].field));
		values = talloc_asprintf_append_buffer(values, ", %s", operand(s, &v->items[i]));
	}
	if (resource->track_edits) {
		columns = talloc_asprintf_append_buffer(columns, ", edited_fields");
		values = talloc_asprintf_append_buffer(values, ", $%d",
						       select_param(s, names_given(r, v)));
	}
	sql = talloc_asprintf(MEM(r), "insert into %s.%s as t (%s) values (%s) returning %s",
			      resource->service, resource->name, columns, values,
			      shape_whole(resource)->columns);
	return pg_query(&r->task, rows, sql, s->param_count, s->params);
}

/* Fields that only moderators write: others may send back what is there, and what they leave out stays. */
static int check_guarded(struct request *r, struct values *v, bool exists)
{
	const char *permission = talloc_asprintf(MEM(r), "%s:moderate", v->resource->name);

	if (allow_has(r, permission_find(permission)))
		return OK;
	for (int i = 0; i < v->count; i++) {
		struct value *value = &v->items[i];

		if (!(value->field->flags & GUARDED) || !value->set)
			continue;
		if (value->given && (exists || value->text))
			return fail(r, E_FORBIDDEN, "%s is written only with the permission %s",
				    value->field->name, permission);
		value->set = !exists;
	}
	return OK;
}

/* Who adds a thing of their own is its owner; who adds it on the town's behalf is not. waits */
static int own(struct request *r, const char *id)
{
	const struct resource *resource = r->route->resource;
	struct pg_rows *rows;

	if (!resource->owned || !r->caller.person_id[0] ||
	    allow_has(r, permission_find(talloc_asprintf(MEM(r), "%s:moderate", resource->name))))
		return OK;
	return pg_query(
		&r->task, &rows,
		"insert into platform.relation (person_id, relation, resource, resource_id, "
		"granted_by) values ($1, 'owner', $2, $3, $1)",
		PG_PARAMS(r->caller.person_id, resource->name, id));
}

/* What a write has in its train: a line in the audit trail, and what the resource says. `old` is NULL for a new row. waits */
static int follow_up(struct request *r, const char *verb, json_t *old, const struct pg_rows *rows)
{
	const struct resource *resource = r->route->resource;
	json_t *row = shape_to_json(MEM(r), shape_whole(resource), rows, 0);
	int rc = audit_change(r, verb, old, row);

	return !rc && resource->after_write ? resource->after_write(r, old, row) : rc;
}

int crud_create(struct request *r)
{
	const struct resource *resource = r->route->resource;
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;
	struct values *v;
	struct select scope, s;
	int rc;

	select_init(&scope, MEM(r), resource);
	select_init(&s, MEM(r), resource);
	rc = scope_parent(r, &scope);
	if (!rc)
		rc = input_check(&r->task, resource, r->body, true, NULL, &v);
	if (!rc)
		rc = check_guarded(r, v, false);
	if (!rc && resource->before_write)
		rc = resource->before_write(r, v, NULL);
	if (rc)
		return rc;
	uuid_new(id);
	s.parent_id = scope.parent_id;
	rc = insert(r, &s, v, id, &rows);
	if (rc)
		return explain_conflict(r, resource, v, rc);
	rc = own(r, id);
	if (!rc)
		rc = follow_up(r, "create", NULL, rows);
	if (rc)
		return rc;
	http_header_addf(r->http, "Location", "/v1%s/%s", r->path, id);
	return reply_row(r, 201, shape_whole(resource), rows, 0);
}

/* The row that the path names, locked as an update locks it, with If-Match held against its version. No key of it changes: who only
 * refers to the row (a foreign key is checked) need not wait, for it may be whom this write will wait for. */
static int find_for_write(struct request *r, struct select *s, struct pg_rows **rows)
{
	const struct shape *shape = shape_whole(s->resource);
	int rc = scope_parent(r, s);

	if (!rc)
		rc = scope_item(r, s);
	if (rc)
		return rc;
	select_where(s, "t.deleted_at is null");
	rc = find_row(r, s, shape->columns, " for no key update of t", rows);
	return rc ? rc : reply_check_match(r, pg_value(*rows, 0, shape->count));
}

/* For edited_fields: adds to the list of what this UPDATE changes. A default that was asked for by null counts as a
 * change, for what it is only the database knows. Old values stand on the right of a SET. */
static char *add_changed(char *changed, const struct value *v, const char *column,
			 const char *operand)
{
	const char *comma = changed[0] ? ", " : "";

	if (operand[0] == '$')
		return talloc_asprintf_append_buffer(
			changed, "%scase when t.%s is distinct from %s then '%s' end", comma,
			column, operand, v->field->name);
	return v->given ? talloc_asprintf_append_buffer(changed, "%s'%s'", comma, v->field->name)
			: changed;
}

static int write_values(struct request *r, const char *id, struct values *v, struct pg_rows **rows)
{
	const struct resource *resource = v->resource;
	char *set = talloc_strdup(MEM(r), "");
	char *changed = talloc_strdup(MEM(r), "");
	struct select s;

	select_init(&s, MEM(r), resource);
	select_where(&s, "t.id = $%d", select_param(&s, id));
	for (int i = 0; i < v->count; i++) {
		const struct value *value = &v->items[i];
		const char *column = field_column(MEM(r), value->field);
		const char *given;

		if (!value->set)
			continue;
		given = operand(&s, value);
		set = talloc_asprintf_append_buffer(set, "%s%s = %s", set[0] ? ", " : "", column,
						    given);
		changed = add_changed(changed, value, column, given);
	}
	if (changed[0] && resource->track_edits)
		set = talloc_asprintf_append_buffer(
			set,
			", edited_fields = array(select distinct e from unnest(t.edited_fields || "
			"array_remove(array[%s], null)) e order by e)",
			changed);
	return pg_query(&r->task, rows,
			talloc_asprintf(MEM(r), "update %s.%s t set %s%s returning %s",
					resource->service, resource->name,
					set[0] ? set : "id = t.id", buf_text(&s.where),
					shape_whole(resource)->columns),
			s.param_count, s.params);
}

/* RFC 7396 section 2, but for two things: of the target only what the patch goes into is in the result, and null stays
 * in it, for input_check() must see what is to be taken out. */
static json_t *merge_patch(json_t *target, json_t *patch, int depth)
{
	json_t *result = depth > 0 && json_is_object(target) ? json_copy(target) : json_object();
	const char *key;
	json_t *value;

	assert(depth < 10); /* step_input has refused deeper bodies */
	json_object_foreach(patch, key, value)
	{
		if (json_is_object(value))
			json_object_set_new(
				result, key,
				merge_patch(json_object_get(target, key), value, depth + 1));
		else
			json_object_set(result, key, value);
	}
	return result;
}

/* A replace brings the whole row, an update what is to be other in it. */
static int change(struct request *r, bool whole)
{
	const struct resource *resource = r->route->resource;
	struct pg_rows *rows, *written;
	json_t *old, *body = r->body;
	struct values *v;
	struct select s;
	int rc;

	select_init(&s, MEM(r), resource);
	rc = find_for_write(r, &s, &rows);
	if (rc)
		return rc;
	old = shape_to_json(MEM(r), shape_whole(resource), rows, 0);
	if (!whole)
		body = json_keep(MEM(r), merge_patch(old, body, 0));
	rc = input_check(&r->task, resource, body, whole, old, &v);
	if (!rc)
		rc = check_guarded(r, v, true);
	if (!rc && resource->before_write)
		rc = resource->before_write(r, v, old);
	if (rc)
		return rc;
	rc = write_values(r, pg_value(rows, 0, 0), v, &written);
	if (rc)
		return explain_conflict(r, resource, v, rc);
	rc = follow_up(r, whole ? "replace" : "update", old, written);
	return rc ? rc : reply_row(r, 200, shape_whole(resource), written, 0);
}

int crud_replace(struct request *r)
{
	return change(r, true);
}

int crud_update(struct request *r)
{
	return change(r, false);
}

int crud_remove(struct request *r)
{
	const struct resource *resource = r->route->resource;
	const struct shape *shape = shape_whole(resource);
	int when = shape->count + 1; /* behind its columns and the version */
	struct pg_rows *rows, *gone;
	struct select s;
	int rc;

	select_init(&s, MEM(r), resource);
	rc = find_for_write(r, &s, &rows);
	if (!rc && resource->before_remove)
		rc = resource->before_remove(r, shape_to_json(MEM(r), shape, rows, 0));
	if (rc)
		return rc;
	rc = pg_query(&r->task, &gone,
		      talloc_asprintf(MEM(r),
				      "update %s.%s t set deleted_at = clock_timestamp() "
				      "where id = $1 returning %s, t.deleted_at",
				      resource->service, resource->name, shape->columns),
		      PG_PARAMS(pg_value(rows, 0, 0)));
	if (rc)
		return explain_conflict(r, resource, NULL, rc);
	rc = follow_up(r, "remove", shape_to_json(MEM(r), shape, rows, 0), gone);
	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_object(&r->json);
	writer_key(&r->json, "id");
	writer_string(&r->json, pg_value(gone, 0, 0));
	writer_key(&r->json, "deleted_at");
	shape_write_time(&r->json, pg_value(gone, 0, when), pg_length(gone, 0, when));
	writer_object_end(&r->json);
	return reply_end(r);
}

/* A deleted row comes back, if nothing live has taken its place: a write without values, whose old row is deleted, tells
 * before_write so. Restoring a live one changes nothing. By id or, for the last one deleted, by slug. */
int crud_restore(struct request *r)
{
	const struct resource *resource = r->route->resource;
	const struct shape *shape = shape_whole(resource);
	struct pg_rows *rows, *back;
	struct values *nothing;
	struct select s;
	json_t *old;
	int rc;

	select_init(&s, MEM(r), resource);
	rc = scope_parent(r, &s);
	if (!rc)
		rc = scope_item(r, &s);
	if (!rc)
		rc = find_row(r, &s, shape->columns, SCOPE_FIRST " for no key update of t", &rows);
	if (!rc)
		rc = input_check(&r->task, resource, NULL, false, NULL, &nothing);
	if (rc)
		return rc;
	old = shape_to_json(MEM(r), shape, rows, 0);
	if (resource->before_write)
		rc = resource->before_write(r, nothing, old);
	if (rc)
		return rc;
	rc = pg_query(
		&r->task, &back,
		talloc_asprintf(MEM(r),
				"update %s.%s t set deleted_at = null where id = $1 returning %s",
				resource->service, resource->name, shape->columns),
		PG_PARAMS(pg_value(rows, 0, 0)));
	if (rc)
		return explain_conflict(r, resource, NULL, rc);
	rc = follow_up(r, "restore", old, back);
	return rc ? rc : reply_row(r, 200, shape, back, 0);
}
