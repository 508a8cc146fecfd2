/* SPDX-License-Identifier: Apache-2.0 */
/* Representations as linked data in the words of schema.org (JSON-LD 1.1), for search engines and other programs that know no API
 * of ours. Properties that are not known are left out. Nothing waits. */
#ifndef BASE_LINKED_H
#define BASE_LINKED_H

#include <jansson.h>

/* A property, and the field of the row that it takes. */
struct linked_row {
	const char *property, *field; /* "addressLocality", "address.locality" */
};

/* A new object of a type: "Event". */
json_t *linked_new(const char *type);
/* The value of a field, "address.locality", in a representation; NULL when it is null or absent. Borrowed. */
json_t *linked_value(json_t *row, const char *field);
/* Its text; NULL when it is none. */
const char *linked_text(json_t *row, const char *field);
/* Copies fields; `rows` ends with one without a property. */
void linked_copy(json_t *object, json_t *row, const struct linked_row *rows);
/* Sets a property to a new reference; nothing when the value is NULL, or an object that has nothing but a type. */
void linked_set(json_t *object, const char *property, json_t *value);
void linked_set_text(json_t *object, const char *property, const char *text);
/* What an object of attributes says of a place: {"wheelchair": "yes"} as amenityFeature; NULL when it says nothing. New. */
json_t *linked_features(json_t *attributes);

#endif
