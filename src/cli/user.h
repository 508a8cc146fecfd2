/* SPDX-License-Identifier: Apache-2.0 */
/* The first account of a town, for serve. */
#ifndef CLI_USER_H
#define CLI_USER_H

#include "base/attr.h"
#include "io/task.h"

/* When there is no account yet: makes an admin with this address, and a password that is written to `path`, a file for its
 * owner's eyes. waits, and blocks for the file */
int user_first_admin(struct task *t, const char *email, const char *path) MUST_USE;

#endif
