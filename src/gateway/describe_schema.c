/* SPDX-License-Identifier: Apache-2.0 */
/* Fields as JSON Schema; describe.c puts the document together. Dotted names become objects: fields of one object
 * stand side by side in their table. */
#include "gateway/describe_schema.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "api/shape.h"
#include "model/types.h"
#include "base/banned.h"

static const char *const suffixes[] = {
	[SCHEMA_REPLY] = "", [SCHEMA_INPUT] = "Input", [SCHEMA_PATCH] = "Patch"
};

void schema_name(const struct resource *resource, enum schema_kind kind, char *out, size_t size)
{
	size_t n = 0;
	bool upper = true;

	for (const char *c = resource->name; *c && n + 1 < size; c++) {
		if (*c != '_')
			out[n++] = upper ? (char)toupper((unsigned char)*c) : *c;
		upper = *c == '_';
	}
	snprintf(out + n, size - n, "%s", suffixes[kind]);
}

static void raw(struct writer *j, const char *key, const char *json)
{
	writer_key(j, key);
	writer_raw(j, json, strlen(json));
}

static void string(struct writer *j, const char *key, const char *text)
{
	writer_key(j, key);
	writer_string(j, text);
}

static void write_type(struct writer *j, const char *type, bool nullable)
{
	writer_key(j, "type");
	if (!nullable) {
		writer_string(j, type);
		return;
	}
	writer_array(j);
	writer_string(j, type);
	writer_string(j, "null");
	writer_array_end(j);
}

static void write_choices(struct writer *j, const char *choices, bool nullable)
{
	writer_key(j, "enum");
	writer_array(j);
	for (const char *c = choices; *c;) {
		size_t len = strcspn(c, "|");

		writer_text(j, c, len);
		c += len + (c[len] == '|');
	}
	if (nullable)
		writer_null(j);
	writer_array_end(j);
}

static void write_limit(struct writer *j, const char *key, double value)
{
	writer_key(j, key);
	writer_number(j, value);
}

static void write_limits(struct writer *j, const struct field *field)
{
	bool number = field->type == INT || field->type == DECIMAL;

	if (field->min == 0 && field->max == 0)
		return;
	if (number || field->min > 0)
		write_limit(j, number ? "minimum" : "minLength", field->min);
	if (field->max > 0)
		write_limit(j, number ? "maximum" : "maxLength", field->max);
}

static void write_field(struct writer *j, const struct field *field, bool nullable);

/* The value itself, or one of a list. */
static void write_scalar(struct writer *j, const struct field *field, bool nullable)
{
	write_type(j, types[field->type].json, nullable);
	if (types[field->type].format)
		string(j, "format", types[field->type].format);
	if (field->choices)
		write_choices(j, field->choices, nullable);
	write_limits(j, field);
	if (field->type != OBJECT || !field->members)
		return;
	writer_key(j, "properties");
	writer_object(j);
	for (const struct field *m = field->members; m->name; m++) {
		writer_key(j, m->name);
		write_field(j, m, true);
	}
	writer_object_end(j);
	raw(j, "additionalProperties", "false");
}

/* As one value; `nullable` allows null. */
static void write_field(struct writer *j, const struct field *field, bool nullable)
{
	writer_object(j);
	if (field->flags & MANY) {
		write_type(j, "array", nullable);
		writer_key(j, "maxItems");
		writer_int(j, field->max_items);
		writer_key(j, "items");
		writer_object(j);
		write_scalar(j, field, false);
		writer_object_end(j);
	} else {
		write_scalar(j, field, nullable);
	}
	if (field->doc)
		string(j, "description", field->doc);
	if (field->example) {
		writer_key(j, "examples");
		writer_array(j);
		writer_raw(j, field->example, strlen(field->example));
		writer_array_end(j);
	}
	writer_object_end(j);
}

static bool is_in(const struct field *field, enum schema_kind kind)
{
	return kind == SCHEMA_REPLY || !(field->flags & READ_ONLY);
}

/* By another field of its object? */
static bool is_followed(const struct field *field)
{
	return field[1].name && field_same_object(field, field + 1);
}

static bool is_nullable(const struct field *field, enum schema_kind kind)
{
	bool never = field->flags & (KEY | REQUIRED | NOT_NULL);

	return !never || (kind != SCHEMA_REPLY && (field->flags & NOT_NULL));
}

/* The run of fields of one object, as one property; returns the last of them. */
static const struct field *write_object(struct writer *j, const struct field *field,
					enum schema_kind kind)
{
	char name[64];
	bool nullable = true; /* null as a whole when each member may be */
	const struct field *f = field;

	snprintf(name, sizeof(name), "%.*s", (int)field_object(field), field->name);
	writer_key(j, name);
	writer_object(j);
	writer_key(j, "properties");
	writer_object(j);
	for (;; f++) {
		nullable = nullable && is_nullable(f, kind);
		writer_key(j, f->name + field_object(f) + 1);
		write_field(j, f, is_nullable(f, kind));
		if (!is_followed(f))
			break;
	}
	writer_object_end(j);
	write_type(j, "object", nullable);
	if (kind != SCHEMA_REPLY)
		raw(j, "additionalProperties", "false");
	writer_object_end(j);
	return f;
}

/* A reply has all fields, an object under its own name; a whole input the required ones, which stand in no object. */
static void write_required(struct writer *j, const struct resource *resource, enum schema_kind kind)
{
	if (kind == SCHEMA_PATCH)
		return;
	writer_key(j, "required");
	writer_array(j);
	for (const struct field *f = resource->fields; f->name; f++) {
		bool inside = f != resource->fields && field_same_object(f, f - 1);
		size_t len = field_object(f) ? field_object(f) : strlen(f->name);

		if (kind == SCHEMA_REPLY ? !inside : is_in(f, kind) && (f->flags & REQUIRED))
			writer_text(j, f->name, len);
	}
	writer_array_end(j);
}

static void write_reference(struct writer *j, const struct resource *resource)
{
	char name[80], path[120];

	schema_name(resource, SCHEMA_REPLY, name, sizeof(name));
	snprintf(path, sizeof(path), "#/components/schemas/%s", name);
	writer_object(j);
	string(j, "$ref", path);
	writer_object_end(j);
}

/* What only some replies have: a hit's fields, and what ?include= brings along. */
static void write_extras(struct writer *j, const struct resource *resource)
{
	if (resource->hit) {
		writer_key(j, resource->hit->name);
		write_reference(j, resource->hit);
	}
	for (const struct field *f = resource->hit_fields; f && f->name; f++) {
		writer_key(j, f->name);
		write_field(j, f, false);
	}
	for (const struct relation *x = resource->relations; x && x->name; x++) {
		writer_key(j, x->name);
		writer_object(j);
		string(j, "type", "array");
		string(j, "description", x->doc);
		writer_key(j, "items");
		write_reference(j, x->resource);
		writer_object_end(j);
	}
}

void schema_resource(struct writer *j, const struct resource *resource, enum schema_kind kind)
{
	writer_object(j);
	string(j, "type", "object");
	string(j, "description", resource->doc);
	write_required(j, resource, kind);
	writer_key(j, "properties");
	writer_object(j);
	for (const struct field *f = resource->fields; f->name; f++) {
		if (!is_in(f, kind))
			continue;
		if (field_object(f)) {
			f = write_object(j, f, kind);
			continue;
		}
		writer_key(j, f->name);
		write_field(j, f, is_nullable(f, kind));
	}
	if (kind == SCHEMA_REPLY)
		write_extras(j, resource);
	writer_object_end(j);
	if (kind != SCHEMA_REPLY)
		raw(j, "additionalProperties", "false");
	writer_object_end(j);
}

void schema_example(struct writer *j, const struct resource *resource, enum schema_kind kind)
{
	char name[64];

	writer_object(j);
	for (const struct field *f = resource->fields; f->name; f++) {
		bool opens = field_object(f) &&
			     (f == resource->fields || !field_same_object(f, f - 1));

		if (!is_in(f, kind))
			continue;
		if (opens) {
			snprintf(name, sizeof(name), "%.*s", (int)field_object(f), f->name);
			writer_key(j, name);
			writer_object(j);
		}
		raw(j, field_object(f) ? f->name + field_object(f) + 1 : f->name, f->example);
		if (field_object(f) && !is_followed(f))
			writer_object_end(j);
	}
	writer_object_end(j);
}
