/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shape: which fields of a resource stand in a representation, in which order; from it come the SELECT's columns and
 * the JSON of a row. Each resource has one whole shape, made at start; ?fields= makes others.
 */
#ifndef API_SHAPE_H
#define API_SHAPE_H

#include <jansson.h>
#include "api/request.h"
#include "model/resource.h"
#include "model/shape_text.h"
#include "base/writer.h"
#include "store/pg.h"

enum { SHAPE_FIELDS_MAX = 64 };

struct shape_field {
	const struct field *field;
	const char *key;   /* within its object */
	const char *opens; /* name of the object that begins here, NULL */
	bool closes;	   /* the object ends after this one */
};

struct shape {
	const struct resource *resource;
	int count;
	struct shape_field fields[SHAPE_FIELDS_MAX];
	const char *columns; /* "t.id, t.name, ..., t.version": version is column number `count` */
	char tag[9];	     /* digest of the columns: part of the entity tags */
};

/* Length of "address" in "address.postcode", 0 without a dot. */
size_t field_object(const struct field *field);
/* Do both stand in the same object? */
bool field_same_object(const struct field *a, const struct field *b);
void shape_setup(void);
/* The whole shape of a resource. */
const struct shape *shape_whole(const struct resource *resource);
/* The shape that ?fields= asks for (the whole one without it); E_VALIDATION names an unknown field. */
int shape_from_query(struct request *r, const struct resource *resource,
		     const struct shape **shape);
/* The columns of a whole shape, of rows with another alias than t. */
const char *shape_columns(TALLOC_CTX *mem, const struct shape *shape, const char *alias);
/* Writes a row's fields, without the braces around them. */
void shape_write(const struct shape *shape, struct writer *j, const struct pg_rows *rows, int row);
/* The same where its columns begin with number `first`. */
void shape_write_from(const struct shape *shape, struct writer *j, const struct pg_rows *rows,
		      int row, int first);
/* A row as jansson's object, a child of `mem`. */
json_t *shape_to_json(TALLOC_CTX *mem, const struct shape *shape, const struct pg_rows *rows,
		      int row);
/* A key and the timestamptz of a column, or null. */
void shape_write_time_of(struct writer *j, const char *key, const struct pg_rows *rows, int row,
			 int column);

#endif
