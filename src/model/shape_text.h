/* SPDX-License-Identifier: Apache-2.0 */
/* One value of a representation: PostgreSQL's text to JSON bytes, without a tree between. Nothing waits. */
#ifndef MODEL_SHAPE_TEXT_H
#define MODEL_SHAPE_TEXT_H

#include "model/resource.h"
#include "base/writer.h"

/* Appends a value of a field's type, which is not null. */
void shape_write_value(struct writer *j, const struct field *field, const char *text, size_t len);
/* Appends a PostgreSQL timestamptz as RFC 3339 in UTC. */
void shape_write_time(struct writer *j, const char *text, size_t len);
/* Appends a PostgreSQL text[] ('{a,"b c"}') as a JSON array. */
void shape_write_array(struct writer *j, const char *text, size_t len);

#endif
