/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the GeoJSON reader: where the features are, one broken among good ones, the middle of an area. */
#include "test.h"
#include <assert.h>
#include "with_records.h"
#include "business/import_geojson.c"

static void test_files(void **state)
{
	static const struct {
		const char *json;
		int code;
		const char *names; /* of the records */
		const char *rejected;
	} rows[] = {
		{ "{\"type\":\"FeatureCollection\",\"features\":[]}", OK, "", "[]" },
		{ "{\"features\" : [ {\"properties\":{\"name\":\"A\"}} ,\n{\"properties\":{\"name\":\"B\"}} ] }",
		  OK, "A B ", "[]" },
		{ "{\"a\":{\"features\":[{}]},\"b\":\"features\",\"c\":[\"features\"],\"features\":[{\"properties\":{\"name\":\"A\"}}]}",
		  OK, "A ", "[]" },
		{ "{\"features\":[{\"properties\":{\"name\":\"}]\\\"{\"}}]}", OK, "}]\"{ ", "[]" },
		{ "{\"features\":[{\"properties\":null},\n{\"properties\":{}},\n{\"properties\":{\"brand\":\"C\"}}]}",
		  OK, "C ", "[[1,\"has no properties\"],[2,\"has no name\"]]" },
		{ "{\"features\":[{\"a\":1,\"a\":2},{\"properties\":{\"name\":\"B\"}}]}", OK, "B ",
		  "[[1,\"is not JSON: duplicate object key near '\\\"a\\\"'\"]]" },
		{ "{\"features\":[{\"properties\":{\"name\":\"A\"}},", E_BAD_REQUEST, "A ", "[]" },
		{ "{\"features\":[{\"properties\":{\"name\":\"A\"}}", E_BAD_REQUEST, "A ", "[]" },
		{ "{\"features\":[{\"properties\":{\"name\":\"A", E_BAD_REQUEST, "", "[]" },
		{ "{\"features\":[1]}", E_BAD_REQUEST, "", "[]" },
		{ "{\"features\":{}}", E_BAD_REQUEST, "", "[]" },
		{ "{\"properties\":{\"name\":\"A\"}}", E_BAD_REQUEST, "", "[]" },
		{ "[]", E_BAD_REQUEST, "", "[]" },
		{ "", E_BAD_REQUEST, "", "[]" },
		{ "{\"fea", E_BAD_REQUEST, "", "[]" },
		{ "{\"\\", E_BAD_REQUEST, "", "[]" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct import im;
		int rc = read_records(*state, &geojson_reader, NULL, rows[i].json,
				      strlen(rows[i].json), &im);
		char *names = talloc_strdup(*state, "");
		json_t *record;
		size_t k;

		json_array_foreach(im.records, k, record) names = talloc_asprintf_append(
			names, "%s ",
			json_string_value(
				json_object_get(json_object_get(record, "body"), "name")));
		expect_bool(rc == rows[i].code, true, rows[i].json);
		expect_text(names, rows[i].names, rows[i].json);
		expect_text(json_text(*state, im.rejected), rows[i].rejected, rows[i].json);
		forget_records(&im);
	}
}

/* A feature as the first record. */
static json_t *record_of(void **state, const char *feature, struct import *im)
{
	const char *json = talloc_asprintf(*state, "{\"features\":[%s]}", feature);

	assert_int_equal(read_records(*state, &geojson_reader, NULL, json, strlen(json), im), OK);
	assert_int_equal(json_array_size(im->records), 1);
	return json_array_get(im->records, 0);
}

static void test_ids(void **state)
{
	static const struct {
		const char *members, *id;
	} rows[] = {
		{ "\"id\":\"node/5\",\"properties\":{\"name\":\"A\",\"@id\":\"x\"}", "\"node/5\"" },
		{ "\"id\":9007199254740993,\"properties\":{\"name\":\"A\"}",
		  "\"9007199254740993\"" },
		{ "\"properties\":{\"name\":\"A\",\"@id\":\"way/1\"}", "\"way/1\"" },
		{ "\"properties\":{\"name\":\"A\",\"id\":7}", "\"7\"" },
		{ "\"id\":1.5,\"properties\":{\"name\":\"A\"}", "null" },
		{ "\"properties\":{\"name\":\"A\"}", "null" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct import im;
		json_t *record = record_of(state, talloc_asprintf(*state, "{%s}", rows[i].members),
					   &im);

		expect_text(json_text(*state, json_object_get(record, "id")), rows[i].id,
			    rows[i].members);
		forget_records(&im);
	}
}

static void test_places(void **state)
{
	static const struct {
		const char *geometry, *location; /* NULL: none */
	} rows[] = {
		{ "{\"type\":\"Point\",\"coordinates\":[-0.5,51.25]}",
		  "{\"lat\":51.25,\"lng\":-0.5}" },
		{ "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[2,0],[2,4],[0,4]]]}",
		  "{\"lat\":2.0,\"lng\":1.0}" },
		{ "{\"type\":\"Point\",\"coordinates\":[]}", NULL },
		{ "{\"type\":\"Point\",\"coordinates\":[\"0\",\"1\"]}", NULL },
		{ "{\"coordinates\":[[[[[[[[[[1,1]]]]]]]]]]}",
		  NULL }, /* deeper than any geometry */
		{ "null", NULL },
		{ "5", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct import im;
		json_t *record = record_of(
			state,
			talloc_asprintf(*state, "{\"properties\":{\"name\":\"A\"},\"geometry\":%s}",
					rows[i].geometry),
			&im);
		json_t *location = json_object_get(json_object_get(record, "body"), "location");

		expect_text(location ? json_text(*state, location) : NULL, rows[i].location,
			    rows[i].geometry);
		forget_records(&im);
	}
}

static void test_tags(void **state)
{
	static const struct {
		const char *tags, *part;
	} rows[] = {
		{ "\"phone\":\"01483 1;01483 2\"", "\"phone\":\"01483 1\"" },
		{ "\"contact:phone\":\"5\",\"phone\":\"\"", "\"phone\":\"5\"" },
		{ "\"website\":\"www.example.org\"", "\"website\":\"http://www.example.org\"" },
		{ "\"website\":\"https://a.org;https://b.org\"", "\"website\":\"https://a.org\"" },
		{ "\"email\":\"a@b.org, c@d.org\"", "\"email\":\"a@b.org\"" },
		{ "\"addr:housenumber\":\"5\",\"addr:street\":\"High Street\",\"addr:housename\":\"Old Bank\"",
		  "\"lines\":[\"Old Bank\",\"5 High Street\"]" },
		{ "\"addr:city\":\"Norwich\",\"addr:postcode\":\"NR1 1AA;NR1 1AB\"",
		  "\"locality\":\"Norwich\",\"postcode\":\"NR1 1AA\"" },
		{ "\"shop\":\"bakery\",\"wheelchair\":\"yes\"",
		  "\"attributes\":{\"wheelchair\":\"yes\"}" },
		{ "\"shop\":\"bakery\"", "\"primary_category\":\"bakery\"" },
		{ "\"phone\":5", "\"name\":\"A\"" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct import im;
		json_t *record = record_of(state,
					   talloc_asprintf(*state,
							   "{\"properties\":{\"name\":\"A\",%s}}",
							   rows[i].tags),
					   &im);
		const char *body = json_text(*state, json_object_get(record, "body"));

		if (!strstr(body, rows[i].part))
			expect_text(body, rows[i].part, rows[i].tags);
		forget_records(&im);
	}
}

static void test_a_feature_beyond_its_limit_is_rejected_alone(void **state)
{
	char *name = talloc_zero_size(*state, FEATURE_MAX + 1);
	const char *json;
	struct import im;

	memset(name, 'a', FEATURE_MAX);
	json = talloc_asprintf(
		*state,
		"{\"features\":[{\"properties\":{\"name\":\"%s\"}},{\"properties\":{\"name\":\"B\"}}]}",
		name);
	assert_int_equal(read_records(*state, &geojson_reader, NULL, json, strlen(json), &im), OK);
	assert_int_equal(json_array_size(im.records), 1);
	assert_int_equal(json_array_size(im.rejected), 1);
	forget_records(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_a_feature_beyond_its_limit_is_rejected_alone),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
