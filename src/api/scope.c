/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that every statement on a resource's rows carries. Called by list.c and crud.c. */
#include "api/scope.h"

#include <string.h>
#include "api/route.h"
#include "api/steps.h"
#include "base/uuid.h"
#include "base/banned.h"

int scope_deleted(struct request *r, struct select *s)
{
	const char *deleted = query_text(r, "deleted");
	const char *column = s->way_in ? s->way_in->deleted_at : "t.deleted_at";

	if (!deleted) {
		select_where(s, "%s is null", column);
		return OK;
	}
	if (allow_check(r, talloc_asprintf(MEM(r), "%s:read_deleted", s->resource->name)))
		return r->task.failure.code;
	if (strcmp(deleted, "only") == 0)
		select_where(s, "%s is not null", column);
	else if (strcmp(deleted, "with") != 0)
		return task_problem(&r->task, "deleted", "must be \"with\" or \"only\"");
	return OK;
}

void scope_visible(struct request *r, struct select *s, bool item)
{
	if (s->resource->visible)
		s->resource->visible(r, s, item);
}

static int not_found(struct request *r, const struct resource *resource)
{
	return fail(r, E_NOT_FOUND, "There is no such %s", resource->name);
}

int scope_parent(struct request *r, struct select *s)
{
	const struct resource *parent = s->resource->parent_resource;
	const char *id = path_text(r, "id");
	bool by_id = uuid_is(id ? id : "");
	struct pg_rows *rows;
	struct select p;
	int rc;

	if (!parent)
		return OK;
	if (!by_id && !parent->has_slug)
		return not_found(r, parent);
	select_init(&p, MEM(r), parent);
	select_where(&p, "t.%s = $%d", by_id ? "id" : "slug", select_param(&p, id));
	select_where(&p, "t.deleted_at is null");
	scope_visible(r, &p, true);
	rc = pg_query(&r->task, &rows,
		      talloc_asprintf(MEM(r), "select t.id from %s.%s t%s", parent->service,
				      parent->name, buf_text(&p.where)),
		      p.param_count, p.params);
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return not_found(r, parent);
	s->parent_id = pg_value(rows, 0, 0);
	select_where(s, "t.%s = $%d::uuid", s->resource->parent_column,
		     select_param(s, s->parent_id));
	return OK;
}

const char *scope_item_id(const struct request *r, const struct resource *resource)
{
	return resource->parent ? path_text(r, talloc_asprintf(MEM(r), "%s_id", resource->name))
				: path_text(r, "id");
}

int scope_item(struct request *r, struct select *s)
{
	const struct resource *resource = s->resource;
	const char *id = scope_item_id(r, resource);

	if (uuid_is(id))
		select_where(s, "t.id = $%d::uuid", select_param(s, id));
	else if (resource->has_slug)
		select_where(s, "t.slug = $%d", select_param(s, id));
	else
		return not_found(r, resource);
	return OK;
}
