/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Representations: which columns a SELECT names and how a row of them becomes JSON. PostgreSQL's text goes to JSON bytes
 * without a tree between. Called by crud.c, include.c and the services' own actions.
 */
#include "api/shape.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "model/values.h"
#include "api/route.h"
#include "base/str.h"
#include "base/banned.h"

enum { RESOURCES_MAX = 32 };

static struct shape *wholes[RESOURCES_MAX];
static int whole_count;

static void add_field(struct shape *shape, const struct field *field)
{
	assert(shape->count < SHAPE_FIELDS_MAX);
	shape->fields[shape->count++].field = field;
}

size_t field_object(const struct field *field)
{
	const char *dot = strchr(field->name, '.');

	return dot ? (size_t)(dot - field->name) : 0;
}

bool field_same_object(const struct field *a, const struct field *b)
{
	size_t len = field_object(a);

	return len && len == field_object(b) && strncmp(a->name, b->name, len) == 0;
}

const char *shape_columns(TALLOC_CTX *mem, const struct shape *shape, const char *alias)
{
	char *columns = talloc_strdup(mem, "");

	for (int i = 0; i < shape->count; i++)
		columns = talloc_asprintf_append_buffer(columns, "%s.%s, ", alias,
							field_column(mem, shape->fields[i].field));
	if (shape->resource->counts_version)
		return talloc_asprintf_append_buffer(columns, "%s.version || '-' || %s.%s", alias,
						     alias, shape->resource->counts_version);
	return talloc_asprintf_append_buffer(columns, "%s.version", alias);
}

/* Works out the keys, where objects open and close, the columns and the tag. */
static void finish(TALLOC_CTX *mem, struct shape *shape)
{
	unsigned char digest[crypto_shorthash_BYTES];
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "representation";

	for (int i = 0; i < shape->count; i++) {
		struct shape_field *f = &shape->fields[i];
		size_t len = field_object(f->field);

		f->key = len ? f->field->name + len + 1 : f->field->name;
		if (len && (i == 0 || !field_same_object(f->field, shape->fields[i - 1].field)))
			f->opens = talloc_strndup(mem, f->field->name, len);
		f->closes = len && (i + 1 == shape->count ||
				    !field_same_object(f->field, shape->fields[i + 1].field));
	}
	shape->columns = shape_columns(mem, shape, "t");
	crypto_shorthash(digest, (const unsigned char *)shape->columns, strlen(shape->columns),
			 key);
	sodium_bin2hex(shape->tag, sizeof(shape->tag), digest, 4);
}

static void add_whole(const struct resource *resource)
{
	struct shape *shape = talloc_zero(NULL, struct shape);

	assert(whole_count < RESOURCES_MAX);
	shape->resource = resource;
	for (const struct field *f = resource->fields; f->name; f++) {
		/* a cursor goes on after a value, and after null there is nothing: the rows without would be lost */
		assert(!(f->flags & SORT) || f->sort_sql || (f->flags & (REQUIRED | NOT_NULL)));
		add_field(shape, f);
	}
	finish(shape, shape);
	wholes[whole_count++] = shape;
}

void shape_setup(void)
{
	if (whole_count > 0)
		return;
	for (const struct service *const *s = services; *s; s++)
		for (const struct resource *const *p = (*s)->resources; p && *p; p++)
			add_whole(*p);
}

const struct shape *shape_whole(const struct resource *resource)
{
	for (int i = 0; i < whole_count; i++)
		if (wholes[i]->resource == resource)
			return wholes[i];
	assert(0 && "a resource that stands in no service");
	return NULL;
}

/* Does a name of ?fields= mean this field: itself, or the object that it stands in? */
static bool names_field(const char *name, const struct field *field)
{
	size_t len = field_object(field);

	return strcmp(name, field->name) == 0 ||
	       (len && strlen(name) == len && strncmp(name, field->name, len) == 0);
}

static bool is_asked(char **names, int n, const struct field *field)
{
	for (int i = 0; i < n; i++)
		if (names_field(names[i], field))
			return true;
	return (field->flags & KEY) != 0;
}

/* What only hits have is written whenever there is any: naming it is no mistake. */
static bool is_known(const struct resource *resource, const char *name)
{
	for (const struct field *f = resource->fields; f->name; f++)
		if (names_field(name, f))
			return true;
	for (const struct field *f = resource->hit_fields; f && f->name; f++)
		if (strcmp(f->name, name) == 0)
			return true;
	return resource->hit && strcmp(resource->hit->name, name) == 0;
}

int shape_from_query(struct request *r, const struct resource *resource, const struct shape **shape)
{
	const char *text = query_text(r, "fields");
	struct shape *made;
	char **names;
	int n;

	*shape = shape_whole(resource);
	if (!text)
		return OK;
	n = str_split(MEM(r), text, ',', SHAPE_FIELDS_MAX, &names);
	if (n < 0)
		return task_problem(&r->task, "fields", "names too many fields");
	made = talloc_zero(MEM(r), struct shape);
	made->resource = resource;
	for (int i = 0; i < n; i++)
		if (!is_known(resource, names[i]))
			task_problem(&r->task, "fields", "\"%.60s\" is not a field of %s", names[i],
				     resource->name);
	if (r->task.failure.code)
		return r->task.failure.code;
	for (const struct field *f = resource->fields; f->name; f++)
		if (is_asked(names, n, f))
			add_field(made, f);
	finish(made, made);
	*shape = made;
	return OK;
}

void shape_write_time_of(struct writer *j, const char *key, const struct pg_rows *rows, int row,
			 int column)
{
	writer_key(j, key);
	if (pg_value(rows, row, column))
		shape_write_time(j, pg_value(rows, row, column), pg_length(rows, row, column));
	else
		writer_null(j);
}

/* An object all of whose members are null is null itself: no location rather than one without coordinates. */
static bool object_is_empty(const struct shape *shape, const struct pg_rows *rows, int row,
			    int first, int i)
{
	for (;; i++) {
		if (pg_value(rows, row, first + i))
			return false;
		if (shape->fields[i].closes)
			return true;
	}
}

static int past_object(const struct shape *shape, int i)
{
	while (!shape->fields[i].closes)
		i++;
	return i;
}

void shape_write(const struct shape *shape, struct writer *j, const struct pg_rows *rows, int row)
{
	shape_write_from(shape, j, rows, row, 0);
}

void shape_write_from(const struct shape *shape, struct writer *j, const struct pg_rows *rows,
		      int row, int first)
{
	for (int i = 0; i < shape->count; i++) {
		const struct shape_field *f = &shape->fields[i];
		const char *text = pg_value(rows, row, first + i);

		if (f->opens) {
			writer_key(j, f->opens);
			if (object_is_empty(shape, rows, row, first, i)) {
				writer_null(j);
				i = past_object(shape, i);
				continue;
			}
			writer_object(j);
		}
		writer_key(j, f->key);
		if (text)
			shape_write_value(j, f->field, text, pg_length(rows, row, first + i));
		else
			writer_null(j);
		if (f->closes)
			writer_object_end(j);
	}
}

json_t *shape_to_json(TALLOC_CTX *mem, const struct shape *shape, const struct pg_rows *rows,
		      int row)
{
	struct buf text;
	struct writer j;
	json_t *value;

	buf_init(&text, mem, 1 << 20);
	writer_init(&j, &text);
	writer_object(&j);
	shape_write(shape, &j, rows, row);
	writer_object_end(&j);
	value = json_loadb(text.data, text.len, 0, NULL);
	assert(value);
	talloc_free(text.data);
	return json_keep(mem, value);
}
