/* SPDX-License-Identifier: Apache-2.0 */
/* People and their roles, as staff and the command line give them. */
#ifndef AUTH_PEOPLE_H
#define AUTH_PEOPLE_H

#include "base/attr.h"
#include "io/task.h"

/* Gives a person a role, or takes it: by ids or slugs that are checked here. E_NOT_FOUND, and of a role that is not given
 * E_NOT_FOUND as well. Giving it twice is giving it once; E_CONFLICT for a ninth, which no access token has room for. In the
 * transaction at hand. waits */
int people_grant(struct task *t, const char *person_id, const char *role, const char *by) MUST_USE;
int people_revoke(struct task *t, const char *person_id, const char *role) MUST_USE;
/* The id of who has this address. E_NOT_FOUND. waits */
int people_find(struct task *t, const char *email, const char **person_id) MUST_USE;

#endif
