/* SPDX-License-Identifier: Apache-2.0 */
/* The tables held against the database. */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "base/attr.h"
#include "io/task.h"

/* Compares each resource with information_schema: E_CONFLICT names the first column that is missing or of another type.
 * waits */
int schema_check(struct task *t) MUST_USE;

#endif
