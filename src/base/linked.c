/* SPDX-License-Identifier: Apache-2.0 */
/* Linked data; see linked.h. */
#include "base/linked.h"

#include <stdio.h>
#include <string.h>
#include "base/banned.h"

json_t *linked_new(const char *type)
{
	return json_pack("{s:s}", "@type", type);
}

json_t *linked_value(json_t *row, const char *field)
{
	const char *dot = strchr(field, '.');
	json_t *value;

	if (dot) { /* jansson of Debian 12 takes no lengths */
		char name[40];

		snprintf(name, sizeof(name), "%.*s", (int)(dot - field), field);
		return linked_value(json_object_get(row, name), dot + 1);
	}
	value = json_object_get(row, field);
	return json_is_null(value) ? NULL : value;
}

const char *linked_text(json_t *row, const char *field)
{
	return json_string_value(linked_value(row, field));
}

void linked_copy(json_t *object, json_t *row, const struct linked_row *rows)
{
	for (; rows->property; rows++)
		linked_set(object, rows->property, json_incref(linked_value(row, rows->field)));
}

void linked_set(json_t *object, const char *property, json_t *value)
{
	if (!value)
		return;
	if (json_is_object(value) && json_object_size(value) == 1 &&
	    json_object_get(value, "@type")) {
		json_decref(value);
		return;
	}
	json_object_set_new(object, property, value);
}

void linked_set_text(json_t *object, const char *property, const char *text)
{
	if (text)
		json_object_set_new(object, property, json_string(text));
}

json_t *linked_features(json_t *attributes)
{
	json_t *list = json_array(), *value;
	const char *name;

	json_object_foreach(attributes, name, value)
	{
		json_t *feature = linked_new("LocationFeatureSpecification");

		linked_set_text(feature, "name", name);
		json_object_set(feature, "value", value);
		json_array_append_new(list, feature);
	}
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}
