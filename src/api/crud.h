/* SPDX-License-Identifier: Apache-2.0 */
/* What every resource can do: list, get, create, replace, update, remove, restore. REST (and later GraphQL) end here. */
#ifndef API_CRUD_H
#define API_CRUD_H

#include "api/request.h"
#include "base/attr.h"

int crud_list(struct request *r) MUST_USE;
/* Adds the conditions that the query's parameters mean for a list of s->resource, and how its rows are found; for actions
 * that take a list's filters as their parameters. Which rows the caller may know of is scope_visible()'s. waits */
int list_conditions(struct request *r, struct select *s);
int crud_get(struct request *r) MUST_USE;
int crud_create(struct request *r) MUST_USE;
int crud_replace(struct request *r) MUST_USE;
int crud_update(struct request *r) MUST_USE;
int crud_remove(struct request *r) MUST_USE;
int crud_restore(struct request *r) MUST_USE;

#endif
