/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Against guessing: ten failed sign-ins to an address within 15 minutes lock it for 15 minutes (OWASP ASVS 5.0 6.3.1).
 * Silently: the answer and the work are those of a wrong password, and addresses that nobody has are counted like the
 * others; only the owner gets a mail.
 */
#ifndef AUTH_GUARD_H
#define AUTH_GUARD_H

#include <stdbool.h>
#include "base/attr.h"
#include "io/task.h"

/* Is the address locked at the moment? waits */
int guard_look(struct task *t, const char *email, bool *locked) MUST_USE;
/* Notes a failure; `now_locked` when it is the one that locks. waits */
int guard_failed(struct task *t, const char *email, bool *now_locked) MUST_USE;
/* Forgets the failures: somebody has shown who they are. waits */
int guard_forget(struct task *t, const char *email) MUST_USE;

#endif
