/* SPDX-License-Identifier: Apache-2.0 */
/* A body held against its resource's fields; see values.h. */
#include "model/values.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/formats.h"
#include "base/str.h"
#include "model/types.h"
#include "store/pg.h"
#include "base/banned.h"

static int forget_json(json_t **kept)
{
	json_decref(*kept);
	return 0;
}

json_t *json_keep(TALLOC_CTX *mem, json_t *value)
{
	json_t **kept = talloc(mem, json_t *);

	*kept = value;
	talloc_set_destructor(kept, forget_json);
	return value;
}

const char *field_column(TALLOC_CTX *mem, const struct field *field)
{
	char *column = talloc_strdup(mem, field->name);

	for (char *c = column; *c; c++)
		if (*c == '.')
			*c = '_';
	return column;
}

struct value *values_get(struct values *v, const char *name)
{
	for (int i = 0; i < v->count; i++)
		if (strcmp(v->items[i].field->name, name) == 0)
			return &v->items[i];
	return NULL;
}

/* The value at a field's place: body[name], or body[object][member] of "object.member". An object that is null as a
 * whole makes each of its members null. */
static json_t *lookup(json_t *body, const char *name)
{
	const char *dot = strchr(name, '.');
	char object[64];
	json_t *value;

	if (!body)
		return NULL;
	if (!dot)
		return json_object_get(body, name);
	assert((size_t)(dot - name) < sizeof(object));
	memcpy(object, name, (size_t)(dot - name));
	object[dot - name] = '\0';
	value = json_object_get(body, object);
	return json_is_null(value) ? value : json_object_get(value, dot + 1);
}

static const char *check_given(struct task *t, const char *name, const struct field *field,
			       json_t *input);

static const char *check_list(struct task *t, const char *name, const struct field *field,
			      json_t *list)
{
	const char **items;
	bool good = true;
	size_t i;
	json_t *item;
	int n = 0;

	if (!json_is_array(list)) {
		task_problem(t, name, "must be a list");
		return NULL;
	}
	if (json_array_size(list) > (size_t)field->max_items) {
		task_problem(t, name, "must have at most %d entries", field->max_items);
		return NULL;
	}
	items = talloc_array(t->mem, const char *, (unsigned)json_array_size(list) + 1);
	json_array_foreach(list, i, item)
	{
		const char *problem = "is not valid";

		items[n] = types[field->type].check(t->mem, field, item, &problem);
		if (!items[n++]) {
			task_problem(t, talloc_asprintf(t->mem, "%s.%zu", name, i), "%s", problem);
			good = false;
		}
	}
	return good ? pg_array(t->mem, items, n) : NULL;
}

static const struct field *find_member(const struct field *object, const char *key)
{
	for (const struct field *m = object->members; m->name; m++)
		if (strcmp(m->name, key) == 0)
			return m;
	return NULL;
}

/* A member that is null is one that is not there: RFC 7396 takes it out, and a whole write has nothing to take out. The
 * others' values are kept as they came. */
static const char *check_object(struct task *t, const char *name, const struct field *field,
				json_t *object)
{
	json_t *kept = json_keep(t->mem, json_object());
	const char *key;
	bool good = true;
	json_t *item;
	char *text, *copy;

	if (!json_is_object(object)) {
		task_problem(t, name, "must be an object");
		return NULL;
	}
	json_object_foreach(object, key, item)
	{
		const struct field *member = find_member(field, key);
		const char *member_name = talloc_asprintf(t->mem, "%s.%s", name, key);

		if (!member) {
			task_problem(t, member_name, "is not a member of %s", name);
			good = false;
		} else if (!json_is_null(item)) {
			good = check_given(t, member_name, member, item) && good;
			json_object_set(kept, key, item);
		}
	}
	if (!good)
		return NULL;
	text = json_dumps(kept, JSON_COMPACT | JSON_SORT_KEYS);
	copy = talloc_strdup(t->mem, text);
	free(text);
	return copy;
}

/* The parameter's text for a value that is not null, or NULL when there was a problem, which is recorded under `name`.
 * An object's members may be objects: as deep as the table goes. */
static const char *check_given(struct task *t, const char *name, const struct field *field,
			       json_t *input)
{
	const char *problem = "is not valid";
	const char *text;

	if (field->flags & MANY)
		return check_list(t, name, field, input);
	if (field->type == OBJECT)
		return check_object(t, name, field, input);
	text = types[field->type].check(t->mem, field, input, &problem);
	if (!text)
		task_problem(t, name, "%s", problem);
	return text;
}

/* An absent or null value: what it means depends on whether the whole resource is written. */
static void check_absent(struct task *t, struct value *v, bool whole)
{
	const struct field *field = v->field;

	if (field->flags & READ_ONLY)
		return;
	if ((field->flags & REQUIRED) && (whole || v->given)) {
		task_problem(t, field->name, v->given ? "must not be null" : "is required");
		return;
	}
	/* of a NOT_NULL column, null means its default: the SQL says so */
	v->set = whole || v->given;
}

static void check_value(struct task *t, struct value *v, json_t *input, bool whole, json_t *old)
{
	const struct field *field = v->field;

	v->given = input != NULL;
	if (!input || json_is_null(input)) {
		check_absent(t, v, whole);
		return;
	}
	if (field->flags & READ_ONLY) {
		if (!json_equal(input, lookup(old, field->name)))
			task_problem(t, field->name,
				     "is given by the server and cannot be written");
		return;
	}
	if ((field->flags & GUARDED) && json_equal(input, lookup(old, field->name)))
		return; /* sent back as it is: nothing that a moderator must have allowed */
	v->set = true;
	v->text = check_given(t, field->name, field, input);
}

static bool is_field(const struct resource *resource, const char *object, const char *key)
{
	size_t len = object ? strlen(object) : 0;

	for (const struct field *f = resource->fields; f->name; f++) {
		if (!object && strcmp(f->name, key) == 0)
			return true;
		if (object && strncmp(f->name, object, len) == 0 && f->name[len] == '.' &&
		    strcmp(f->name + len + 1, key) == 0)
			return true;
	}
	return false;
}

static bool is_object(const struct resource *resource, const char *key)
{
	size_t len = strlen(key);

	for (const struct field *f = resource->fields; f->name; f++)
		if (strncmp(f->name, key, len) == 0 && f->name[len] == '.')
			return true;
	return false;
}

/* Names each key that no field has. An object may be null as a whole: see lookup(). */
static void check_unknown(struct task *t, const struct resource *resource, json_t *body)
{
	const char *key, *member;
	json_t *item, *value;

	json_object_foreach(body, key, item)
	{
		if (is_field(resource, NULL, key) && !strchr(key, '.'))
			continue;
		if (!is_object(resource, key)) {
			task_problem(t, key, "is not a field of %s", resource->name);
			continue;
		}
		if (!json_is_object(item) && !json_is_null(item))
			task_problem(t, key, "must be an object");
		json_object_foreach(item, member, value)
		{
			if (!is_field(resource, key, member))
				task_problem(t, talloc_asprintf(t->mem, "%s.%s", key, member),
					     "is not a field of %s", resource->name);
		}
	}
}

/* Postcodes are checked when the country, as it will be after the write, is the United Kingdom. */
static void check_postcodes(struct task *t, struct values *v, json_t *old)
{
	const struct value *country = values_get(v, "address.country");
	const char *code = country && country->set
				   ? country->text
				   : json_string_value(lookup(old, "address.country"));

	if (code && strcmp(code, "GB") != 0)
		return;
	for (int i = 0; i < v->count; i++) {
		struct value *value = &v->items[i];

		if (value->field->type != POSTCODE || !value->text)
			continue;
		value->text = format_postcode(t->mem, value->text);
		if (!value->text)
			task_problem(t, value->field->name,
				     "must be a UK postcode such as GU1 3AJ");
	}
}

int input_check(struct task *t, const struct resource *resource, json_t *body, bool whole,
		json_t *old, struct values **values)
{
	struct values *v = talloc_zero(t->mem, struct values);

	v->resource = resource;
	for (const struct field *f = resource->fields; f->name; f++)
		v->count++;
	v->items = talloc_zero_array(v, struct value, v->count);
	check_unknown(t, resource, body);
	for (int i = 0; i < v->count; i++) {
		v->items[i].field = &resource->fields[i];
		check_value(t, &v->items[i], lookup(body, resource->fields[i].name), whole, old);
	}
	check_postcodes(t, v, old);
	*values = v;
	return t->failure.code;
}

void values_set(struct values *v, const char *name, const char *text)
{
	struct value *value = values_get(v, name);

	value->set = true;
	value->text = text;
}

static json_t *old_value(json_t *old, const char *name)
{
	const char *dot = strchr(name, '.');
	char object[64];

	if (!dot)
		return json_object_get(old, name);
	snprintf(object, sizeof(object), "%.*s", (int)(dot - name), name);
	return json_object_get(json_object_get(old, object), dot + 1);
}

/* A value of a representation as the text that a parameter would have; NULL for null and for objects. */
static const char *text_before(TALLOC_CTX *mem, json_t *old, const char *name)
{
	json_t *before = old ? old_value(old, name) : NULL;
	const char **items;
	size_t i;
	json_t *item;

	if (json_is_string(before))
		return json_string_value(before);
	if (json_is_number(before))
		return talloc_asprintf(mem, "%.17g", json_number_value(before));
	if (json_is_boolean(before))
		return json_is_true(before) ? "true" : "false";
	if (!json_is_array(before))
		return NULL;
	items = talloc_array(mem, const char *, (unsigned)json_array_size(before) + 1);
	json_array_foreach(before, i, item)
		items[i] = json_is_string(item) ? json_string_value(item) : "";
	return pg_array(mem, items, (int)json_array_size(before));
}

const char *values_after(TALLOC_CTX *mem, struct values *v, json_t *old, const char *name)
{
	const struct value *value = values_get(v, name);

	return value->set ? value->text : text_before(mem, old, name);
}

bool values_change(struct values *v, json_t *old, const char *name)
{
	const struct value *value = values_get(v, name);
	const char *before = value->set ? text_before(v, old, name) : NULL;

	if (!value->set)
		return false;
	return !before || !value->text ? before != value->text : strcmp(before, value->text) != 0;
}

int values_make_slug(struct task *t, struct values *v, json_t *old, const char *name, size_t max)
{
	struct value *slug = values_get(v, "slug");
	const char *before = text_before(t->mem, old, "slug");

	if (slug->text || (old && !slug->set))
		return OK;
	slug->set = true;
	slug->text = before ? before : str_slug(t->mem, values_get(v, name)->text, max);
	if (slug->text[0])
		return OK;
	return task_problem(t, "slug", "is needed, for none can be made from this name");
}

void values_check_pair(struct task *t, struct values *v, json_t *old, const char *one,
		       const char *other)
{
	bool first = values_after(t->mem, v, old, one),
	     second = values_after(t->mem, v, old, other);

	if (first && !second)
		task_problem(t, other, "is needed together with %s", one);
	if (second && !first)
		task_problem(t, one, "is needed together with %s", other);
}
