/* SPDX-License-Identifier: Apache-2.0 */
/* What each role may do, as this worker knows it; revoked.c says when it must be read again. */
#ifndef GATEWAY_ROLES_H
#define GATEWAY_ROLES_H

#include "model/permission.h"
#include "base/attr.h"
#include "io/task.h"

/* Reads all roles. On failure what was known stays. waits */
int roles_load(struct task *t) MUST_USE;
/* Adds what a role may do; an unknown or deleted role may do nothing. */
void roles_add(struct permissions *set, const char *slug);
/* Forgets all, for leak checks. */
void roles_clear(void);

#endif
