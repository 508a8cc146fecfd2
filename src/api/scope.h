/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows a request may mean: the one of its path, those of its parent, with or without the deleted ones. */
#ifndef API_SCOPE_H
#define API_SCOPE_H

#include "api/request.h"
#include "api/select.h"
#include "base/attr.h"

/* Rows that are not deleted, or what ?deleted=with|only asks for (admins only: E_FORBIDDEN). */
int scope_deleted(struct request *r, struct select *s);
/* Of a nested resource: finds the parent of the path (E_NOT_FOUND) and keeps to its rows; s->parent_id
 * is its id. waits */
int scope_parent(struct request *r, struct select *s) MUST_USE;
/* Keeps to the row that the path names, by id or slug. */
int scope_item(struct request *r, struct select *s) MUST_USE;

#endif
