/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of the Auth service that time brings. */
#ifndef AUTH_ERASE_H
#define AUTH_ERASE_H

#include "base/attr.h"
#include "io/task.h"

/* Erases the people whose 30 days are over, a hundred at most. waits */
int erase_due(struct task *t) MUST_USE;
/* Removes what has expired: tokens, sessions, requests, revocations that nobody needs to know of any more. waits */
int erase_expired(struct task *t) MUST_USE;

#endif
