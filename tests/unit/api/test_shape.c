/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of representations: which columns ?fields= asks for, and rows as PostgreSQL gives them. */
#include "test.h"
#include "with_cluster.h"
#include "with_request.h"
#include "business/business.h"
#include "api/shape.c"

static void test_fields_that_are_asked_for(void **state)
{
	static const struct {
		const char *fields;
		const char *columns; /* NULL: a problem */
	} rows[] = {
		{ "name", "t.id, t.name, t.version" },
		{ "slug,name", "t.id, t.name, t.slug, t.version" }, /* in the table's order */
		{ "id,id", "t.id, t.version" },
		{ "location", "t.id, t.location_lat, t.location_lng, t.version" },
		{ "location.lat", "t.id, t.location_lat, t.version" },
		{ "", NULL },
		{ "name,", NULL },
		{ "Name", NULL },
		{ "loc", NULL },
		{ "location.", NULL },
		{ "location_lat", NULL },
		{ "name;drop", NULL },
		{ "version", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = get_request(
			*state,
			talloc_asprintf(*state, "/v1/businesses?fields=%s", rows[i].fields));
		const struct shape *shape;
		int rc = shape_from_query(r, &business_resource, &shape);

		expect_bool(rc == OK, rows[i].columns != NULL, rows[i].fields);
		if (rows[i].columns)
			expect_text(shape->columns, rows[i].columns, rows[i].fields);
		else
			assert_non_null(problem_of(r, "fields"));
	}
}

static void test_other_fields_have_other_tags(void **state)
{
	const struct shape *whole = shape_whole(&business_resource), *name, *again;

	assert_int_equal(
		shape_from_query(get_request(*state, "/a?fields=name"), &business_resource, &name),
		OK);
	assert_int_equal(shape_from_query(get_request(*state, "/a?fields=name,id"),
					  &business_resource, &again),
			 OK);
	assert_string_not_equal(name->tag, whole->tag);
	assert_string_equal(name->tag, again->tag);
}

static void test_arrays_become_json(void **state)
{
	static const struct {
		const char *array, *json; /* NULL: anything */
	} rows[] = {
		{ "{}", "[]" },
		{ "{a}", "[\"a\"]" },
		{ "{a,\"b c\",d}", "[\"a\",\"b c\",\"d\"]" },
		{ "{\"\"}", "[\"\"]" },
		{ "{\"a\\\"b\",\"c\\\\d\",\"e,f\",\"{}\"}",
		  "[\"a\\\"b\",\"c\\\\d\",\"e,f\",\"{}\"]" },
		{ "{\xc3\xa9,\"<\"}", "[\"\xc3\xa9\",\"\\u003c\"]" },
		/* nothing that PostgreSQL writes: it must only not be read beyond its end */
		{ "{\"a", NULL },
		{ "{\"a\\", NULL },
		{ "{a,", NULL },
		{ "{", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t len = strlen(rows[i].array);
		char *exact = talloc_memdup(*state, rows[i].array, len ? len : 1);
		struct buf out;
		struct writer j;

		buf_init(&out, *state, 1000);
		writer_init(&j, &out);
		shape_write_array(&j, exact, len);
		if (rows[i].json)
			expect_text(buf_text(&out), rows[i].json, rows[i].array);
	}
}

static const struct field thing_fields[] = {
	{ .name = "id", .type = INT, .flags = KEY },
	{ .name = "name", .type = TEXT },
	{ .name = "place.lat", .type = DECIMAL },
	{ .name = "place.lng", .type = DECIMAL },
	{ .name = "open", .type = BOOL },
	{ .name = "at", .type = TIME },
	{ .name = "day", .type = DATE },
	{ .name = "tags", .type = TEXT, .flags = MANY },
	{ .name = "more", .type = OBJECT },
	{ 0 },
};
static const struct resource thing = { .name = "thing", .fields = thing_fields };

static int rows_become_json(struct task *t)
{
	static const char *const wanted[] = {
		"{\"id\":-5,\"name\":\"\\u003ca\\u003e\",\"place\":{\"lat\":51.2362,\"lng\":null},\"open\":true,"
		"\"at\":\"2024-02-29T23:59:59.999999Z\",\"day\":\"2024-02-29\",\"tags\":[\"a b\",\"null\"],"
		"\"more\":{\"a\": [1, null]}}",
		"{\"id\":1,\"name\":\"\",\"place\":null,\"open\":false,\"at\":null,\"day\":null,\"tags\":[],\"more\":{}}",
	};
	struct shape *shape = talloc_zero(t->mem, struct shape);
	struct pg_rows *rows;
	int rc;

	for (const struct field *f = thing_fields; f->name; f++)
		add_field(shape, f);
	shape->resource = &thing;
	finish(shape, shape);
	rc = pg_query(
		t, &rows,
		"values (-5, '<a>', 51.2362::float8, null::float8, true, '2024-02-29 23:59:59.999999Z'::timestamptz, "
		"'2024-02-29'::date, array['a b', 'null'], '{\"a\":[1,null]}'::jsonb, 1), "
		"(1, '', null, null, false, null, null, '{}', '{}', 1)",
		PG_NONE);
	for (int i = 0; !rc && i < 2; i++) {
		json_t *tree;
		struct buf out;
		struct writer j;

		buf_init(&out, t->mem, 10000);
		writer_init(&j, &out);
		writer_object(&j);
		shape_write(shape, &j, rows, i);
		writer_object_end(&j);
		if (strcmp(buf_text(&out), wanted[i]) != 0) {
			print_error("%s\n", buf_text(&out));
			return 100 + i;
		}
		tree = shape_to_json(t->mem, shape, rows, i);
		if (json_object_size(tree) != 8)
			return 200 + i;
	}
	return rc;
}

static void test_rows_become_json(void **state)
{
	(void)state;
	assert_int_equal(in_task(rows_become_json), OK);
}

static int set_up(void **state)
{
	shape_setup();
	return start_cluster(state) || new_memory(state);
}

static int tear_down(void **state)
{
	while (whole_count > 0)
		talloc_free(wholes[--whole_count]);
	return free_memory(state) || stop_cluster(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_that_are_asked_for),
		cmocka_unit_test(test_other_fields_have_other_tags),
		cmocka_unit_test(test_arrays_become_json),
		cmocka_unit_test(test_rows_become_json),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
