/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: names for sets of permissions, which an admin makes. Those that the program brings can be changed and not
 * removed. A change is known to every worker within a second. */
#include <string.h>
#include "model/permission.h"
#include "api/request.h"
#include "api/steps.h"
#include "auth/auth.h"
#include "model/values.h"
#include "base/banned.h"

static const struct field fields[] = {
	{ .name = "id",
	  .type = UUID,
	  .flags = KEY | READ_ONLY,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1b02\"",
	  .doc = "UUID" },
	{ .name = "slug",
	  .type = SLUG,
	  .flags = REQUIRED | SORT,
	  .max = 40,
	  .example = "\"librarian\"",
	  .doc = "Its name." },
	{ .name = "description",
	  .type = TEXT,
	  .max = 500,
	  .example = "\"Keeps the categories.\"",
	  .doc = "What it is for." },
	{ .name = "permissions",
	  .type = TEXT,
	  .flags = MANY | NOT_NULL,
	  .min = 1,
	  .max = 80,
	  .max_items = 100,
	  .example = "[\"category:*\", \"business:update\"]",
	  .doc = "What it may do: \"business:update\", \"business:*\" or \"*\"." },
	{ .name = "built_in",
	  .type = BOOL,
	  .flags = READ_ONLY | NOT_NULL,
	  .example = "false",
	  .doc = "Is it one that the program brings?" },
	{ .name = "created_at",
	  .type = TIME,
	  .flags = READ_ONLY | NOT_NULL,
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
	  .doc = "When it was deleted; null while it lives." },
	{ 0 },
};

/* The first permission that a pattern stands for and the caller does not hold, NULL when there is none. */
static const char *not_held(struct request *r, const char *pattern, bool *any)
{
	struct permissions set = { 0 };

	*any = permissions_add(&set, pattern);
	for (int n = 0; permission_name(n); n++)
		if (permissions_have(&set, n) && !permissions_have(&r->caller.granted, n))
			return permission_name(n);
	return NULL;
}

/* A role that may do more than the caller is not theirs to change, nor to bring back: they may have held it. */
static int check_old(struct request *r, const json_t *old)
{
	const json_t *list = json_object_get(old, "permissions"), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		bool any;
		const char *lacking = not_held(r, json_string_value(item), &any);

		if (lacking)
			return fail(
				r, E_FORBIDDEN,
				"You cannot change a role with the permission %s, which you do not have",
				lacking);
	}
	return OK;
}

/* Each pattern must mean something, and nothing that the caller does not hold. */
static int check_patterns(struct request *r)
{
	json_t *list = json_object_get(r->body, "permissions"), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		char *field = talloc_asprintf(MEM(r), "permissions.%zu", i);
		bool any;
		const char *lacking = not_held(r, json_string_value(item), &any);

		if (!any)
			task_problem(&r->task, field,
				     "is not a permission; `guildford routes` lists them");
		if (lacking)
			return fail(r, E_FORBIDDEN,
				    "You cannot give the permission %s, which you do not have",
				    lacking);
	}
	return r->task.failure.code;
}

static bool gives_all(struct request *r)
{
	json_t *list = json_object_get(r->body, "permissions"), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (strcmp(json_string_value(item), "*") == 0)
			return true;
	}
	return false;
}

/* Who has found a session open could else give everybody, and so an account of theirs, what its owner may do. */
static int before_write(struct request *r, struct values *v, json_t *old)
{
	const struct value *slug = values_get(v, "slug");
	const char *name = old ? json_string_value(json_object_get(old, "slug")) : NULL;
	int rc = allow_recent(r);

	if (!rc && old)
		rc = check_old(r, old);
	if (rc)
		return rc;
	if (old && json_is_true(json_object_get(old, "built_in")) && slug->set &&
	    strcmp(slug->text, name) != 0)
		return task_problem(&r->task, "slug", "of a role that the program brings stays");
	if (name && strcmp(name, "admin") == 0 && values_get(v, "permissions")->set &&
	    !gives_all(r))
		return task_problem(&r->task, "permissions",
				    "of admin hold *: somebody must be able to do everything");
	return r->body ? check_patterns(r) : OK;
}

static int before_remove(struct request *r, json_t *old)
{
	int rc = allow_recent(r);

	return rc ? rc : check_old(r, old);
}

static int on_conflict(struct request *r, struct values *v, const char *constraint)
{
	(void)v;
	if (strcmp(constraint, "role_slug") == 0)
		return fail(r, E_DUPLICATE, "There is a role with this slug already");
	if (strcmp(constraint, "role_built_in") == 0)
		return fail(r, E_CONFLICT, "A role that the program brings cannot be deleted");
	return fail(r, E_CONFLICT, NULL);
}

const struct resource role_resource = {
	.name = "role",
	.plural = "roles",
	.service = "auth",
	.doc = "Sets of permissions that people can hold.",
	.allow = { .list = PERMITTED,
		   .get = PERMITTED,
		   .create = PERMITTED,
		   .update = PERMITTED,
		   .remove = PERMITTED },
	.fields = fields,
	.default_sort = "slug",
	.before_write = before_write,
	.before_remove = before_remove,
	.on_conflict = on_conflict,
};
