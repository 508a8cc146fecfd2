/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permissions: what may be given to a role or to an API key, "business:update". The list comes from the tables: one per
 * operation of a resource that is PERMITTED, one per action that names its own, "<resource>:read_deleted", and
 * "<resource>:moderate" where a resource has GUARDED fields.
 */
#ifndef MODEL_PERMISSION_H
#define MODEL_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "base/attr.h"

enum { PERMISSIONS_MAX = 192 };

/* A set of permissions. */
struct permissions {
	uint64_t bits[PERMISSIONS_MAX / 64];
};

/* The number of a permission, which is added to the list when it is not in it. Called at start, for each route. `name` lives
 * as long as the process. */
int permission_add(const char *name);
/* Its number, -1 when there is no such permission. */
int permission_find(const char *name);
/* The name of a number, NULL past the last. */
const char *permission_name(int number);

/* Adds to the set what a pattern stands for: "*" all, "business:*" all of a resource, or one by name. Is it a pattern of any? */
bool permissions_add(struct permissions *set, const char *pattern);
bool permissions_have(const struct permissions *set, int number);

#endif
