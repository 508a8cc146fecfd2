/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `types` table: one row per type with its name in each language we speak and its check. A check turns a JSON
 * scalar into the text of an SQL parameter, normalising it on the way.
 */
#ifndef MODEL_TYPES_H
#define MODEL_TYPES_H

#include <jansson.h>
#include <talloc.h>
#include "model/resource.h"
#include "base/attr.h"

struct type_row {
	const char *json;   /* JSON Schema's type */
	const char *format; /* its format, NULL */
	const char *sql;    /* what information_schema calls it: "timestamp with time zone" */
	const char *cast;   /* for array parameters and filters: "timestamptz" */
	/* Gives the parameter's text (a child of mem), or NULL and a message "must be ...". An OBJECT has none:
	 * input_check() goes into its members. */
	const char *(*check)(TALLOC_CTX *mem, const struct field *field, json_t *value,
			     const char **problem);
	char *(*normalise)(TALLOC_CTX *mem, const char *text); /* of a format: base/formats.h */
	const char *problem;
};

extern const struct type_row types[TYPES];

/* The JSON value that a text means: a number or a flag where the type is one and the text spells one, else a string. */
json_t *type_value(enum type type, const char *text);
/* Checks one scalar of a query parameter, given as text. */
const char *type_check_text(TALLOC_CTX *mem, const struct field *field, const char *text,
			    const char **problem);

#endif
