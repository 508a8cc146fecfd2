/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to checked values: every field of a body is looked up in its resource's table, checked by its type's row and
 * turned into the text that PostgreSQL takes as a parameter. All problems are reported at once. Nothing waits. Used by
 * requests and by imports alike.
 */
#ifndef MODEL_VALUES_H
#define MODEL_VALUES_H

#include <stdbool.h>
#include <jansson.h>
#include "model/resource.h"
#include "base/attr.h"
#include "io/task.h"

struct value {
	const struct field *field;
	bool given; /* stands in the input, be it null */
	bool set;   /* is to be written: given, or a default of a whole write */
	const char
		*text; /* SQL parameter text, NULL for null; arrays as '{...}', objects as JSON */
};

/* One entry per field of the resource, in the table's order. Children of the task's memory. */
struct values {
	const struct resource *resource;
	int count;
	struct value *items;
};

/* Checks a JSON object against a resource's fields. With `whole` (create, replace) required fields must stand in it and
 * absent ones are set to null (which is the column's default when the field is NOT_NULL). Unknown and read-only fields
 * are problems; fields that equal what `old` (the current representation, may be NULL) holds are let pass even when
 * read-only, so that a client can send back what it got. Returns OK or E_VALIDATION with every problem in t->failure. */
int input_check(struct task *t, const struct resource *resource, json_t *body, bool whole,
		json_t *old, struct values **values) MUST_USE;
/* The value of a field by name, NULL when the resource has no such field (our bug). */
struct value *values_get(struct values *v, const char *name) MUST_USE;
/* Sets what is to be written; the text lives as long as the values do, NULL for null. */
void values_set(struct values *v, const char *name, const char *text);
/* The field's value after the write: the new text when it is set, else the one of `old` (a representation, may be NULL);
 * NULL for null. Arrays of text as '{...}'; not of objects. */
const char *values_after(TALLOC_CTX *mem, struct values *v, json_t *old, const char *name);
/* Does the write change a field? The same kinds. */
bool values_change(struct values *v, json_t *old, const char *name);
/* The slug of a write that gives none: made from the text of the field `name`, of `max` characters at most; a replace without
 * it keeps that of `old`. Notes a problem when none can be made. */
int values_make_slug(struct task *t, struct values *v, json_t *old, const char *name, size_t max);
/* Notes a problem when one of two fields has a value after the write and the other has none. */
void values_check_pair(struct task *t, struct values *v, json_t *old, const char *one,
		       const char *other);
/* Keeps a jansson value until `mem` is freed; returns it. */
json_t *json_keep(TALLOC_CTX *mem, json_t *value);
/* The column of a field: dots become underscores. */
const char *field_column(TALLOC_CTX *mem, const struct field *field);

#endif
