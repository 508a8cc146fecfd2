/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, failures and checked values for the targets; see fuzz.h. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include "api/pipeline.h"
#include "api/shape.h"
#include "base/config.h"
#include "base/str.h"

/* Undefined behaviour is a failure here, not a line among others. */
const char *__ubsan_default_options(void);

const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

char *fuzz_target_text(TALLOC_CTX *mem, const char *prefix, const uint8_t *data, size_t size)
{
	size_t len = 0;

	while (len < size && data[len] > 0x20 && data[len] < 0x7f && data[len] != '#')
		len++;
	return talloc_asprintf(mem, "%s%.*s", prefix, (int)len, (const char *)data);
}

struct request *fuzz_request(const char *target)
{
	static bool ready;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct http_exchange *x = talloc_zero(mem, struct http_exchange);
	struct request *r = talloc_zero(mem, struct request);

	if (!ready)
		api_setup();
	ready = true;
	x->mem = mem;
	x->method = METHOD_GET;
	x->method_name = "GET";
	x->target = talloc_strdup(mem, target);
	buf_init(&x->head, mem, 65536);
	buf_init(&x->body_out, mem, 1 << 20);
	r->task.mem = mem;
	r->http = x;
	r->path = "";
	r->caller.is = CALLER_PERSON;
	permissions_add(&r->caller.granted, "*");
	return r;
}

static void check_text(const char *text)
{
	assert(!text || str_is_utf8(text, strlen(text)));
}

void fuzz_check_failure(const struct task *t)
{
	const struct failure *f = &t->failure;

	assert(f->code > OK && f->code < ERROR_CODES);
	assert(f->code != E_INTERNAL);
	check_text(f->message);
	for (int i = 0; i < f->problem_count; i++) {
		check_text(f->problems[i].field);
		check_text(f->problems[i].message);
	}
}

/* A time zone is one that programs can load. */
static void check_zone(const char *zone)
{
	char path[128], magic[4] = "";
	FILE *f;

	assert(!strstr(zone, "//"));
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
	f = fopen(path, "r");
	assert(f && fread(magic, 1, sizeof(magic), f) == sizeof(magic));
	assert(memcmp(magic, "TZif", sizeof(magic)) == 0);
	fclose(f);
}

/* The JSON that a stored value is given out as. */
static json_t *to_json(TALLOC_CTX *mem, const struct value *v)
{
	struct buf text;
	struct writer j;
	json_t *value;

	buf_init(&text, mem, 1 << 24);
	writer_init(&j, &text);
	if (v->field->flags & MANY)
		shape_write_array(&j, v->text, strlen(v->text));
	else if (v->field->type == INT || v->field->type == BOOL || v->field->type == OBJECT)
		writer_raw(&j, v->text, strlen(v->text));
	else if (v->field->type == DECIMAL)
		return json_real(strtod(v->text, NULL));
	else
		writer_text(&j, v->text, strlen(v->text));
	value = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
	assert(value);
	return value;
}

static void put(json_t *body, const char *name, json_t *value)
{
	const char *dot = strchr(name, '.');
	char object[64];

	if (!dot) {
		json_object_set_new(body, name, value);
		return;
	}
	snprintf(object, sizeof(object), "%.*s", (int)(dot - name), name);
	if (!json_object_get(body, object))
		json_object_set_new(body, object, json_object());
	json_object_set_new(json_object_get(body, object), dot + 1, value);
}

void fuzz_check_again(const struct values *values)
{
	struct task t = { .mem = talloc_new(NULL) };
	json_t *body = json_object();
	struct values *again;
	int rc;

	for (int i = 0; i < values->count; i++)
		if (values->items[i].text)
			put(body, values->items[i].field->name, to_json(t.mem, &values->items[i]));
	rc = input_check(&t, values->resource, body, false, NULL, &again);
	for (int i = 0; i < t.failure.problem_count; i++)
		fprintf(stderr, "%s %s\n", t.failure.problems[i].field,
			t.failure.problems[i].message);
	assert(rc == OK);
	for (int i = 0; i < values->count; i++) {
		const char *text = values->items[i].text;

		assert(!text || str_is_utf8(text, strlen(text)));
		if (text && values->items[i].field->type == ZONE)
			check_zone(text);
		if (text && strcmp(text, again->items[i].text) != 0)
			fprintf(stderr, "%s: \"%s\" became \"%s\"\n", values->items[i].field->name,
				text, again->items[i].text);
		assert(!text || strcmp(text, again->items[i].text) == 0);
	}
	json_decref(body);
	talloc_free(t.mem);
}
