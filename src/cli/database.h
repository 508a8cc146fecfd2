/* SPDX-License-Identifier: Apache-2.0 */
/* The database of a command: DATABASE_URL, or the private cluster of --data for as long as the command needs it. */
#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include "base/attr.h"
#include "io/task.h"

/* Opens the database and runs fn(task, arg) on it, then closes and stops what it started. Prints what went wrong on
 * standard error. Returns an exit code. Blocks until all is done. */
int database_run(int (*fn)(struct task *t, void *arg), void *arg) MUST_USE;
/* The same on a database that is up already, at libpq URL `url`. */
int database_run_at(const char *url, int (*fn)(struct task *t, void *arg), void *arg) MUST_USE;

#endif
