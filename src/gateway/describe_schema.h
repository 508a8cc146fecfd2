/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schemas (2020-12, as OpenAPI 3.1 uses them) of fields and resources. */
#ifndef GATEWAY_DESCRIBE_SCHEMA_H
#define GATEWAY_DESCRIBE_SCHEMA_H

#include "model/resource.h"
#include "base/writer.h"

/* What a schema describes: what is given, what a create or replace takes, what a patch takes. */
enum schema_kind { SCHEMA_REPLY, SCHEMA_INPUT, SCHEMA_PATCH };

/* "Business", "BusinessInput", "BusinessPatch" into `out`. */
void schema_name(const struct resource *resource, enum schema_kind kind, char *out, size_t size);
/* Writes the schema of a resource as one value. */
void schema_resource(struct writer *j, const struct resource *resource, enum schema_kind kind);
/* Writes an example of a resource, made of its fields' examples. */
void schema_example(struct writer *j, const struct resource *resource, enum schema_kind kind);

#endif
