/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows a request may mean: the one of its path, those of its parent, with or without the deleted ones. */
#ifndef API_SCOPE_H
#define API_SCOPE_H

#include "api/request.h"
#include "api/select.h"
#include "base/attr.h"

/* Ends a statement on what scope_item() names when deleted rows may be among it. */
#define SCOPE_FIRST " order by t.deleted_at desc nulls first limit 1"

/* Rows that are not deleted, or what ?deleted=with|only asks for (with the permission "<resource>:read_deleted"). */
int scope_deleted(struct request *r, struct select *s);
/* Keeps to what the caller may know of. `item`: one row is asked for, not a list. */
void scope_visible(struct request *r, struct select *s, bool item);
/* Of a nested resource: finds the parent of the path (E_NOT_FOUND) and keeps to its rows; s->parent_id
 * is its id. waits */
int scope_parent(struct request *r, struct select *s) MUST_USE;
/* Keeps to the row that the path names, by id or slug. Of rows with that slug the live one comes first, then the last
 * one deleted: see SCOPE_FIRST. */
int scope_item(struct request *r, struct select *s) MUST_USE;
/* The path parameter of its id, or slug. */
const char *scope_item_id(const struct request *r, const struct resource *resource);

#endif
