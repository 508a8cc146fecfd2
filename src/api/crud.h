/* SPDX-License-Identifier: Apache-2.0 */
/* What every resource can do: list, get, create, replace, update, remove, restore. REST (and later GraphQL) end here. */
#ifndef API_CRUD_H
#define API_CRUD_H

#include "api/request.h"
#include "base/attr.h"

int crud_list(struct request *r) MUST_USE;
int crud_get(struct request *r) MUST_USE;
int crud_create(struct request *r) MUST_USE;
int crud_replace(struct request *r) MUST_USE;
int crud_update(struct request *r) MUST_USE;
int crud_remove(struct request *r) MUST_USE;
int crud_restore(struct request *r) MUST_USE;

#endif
