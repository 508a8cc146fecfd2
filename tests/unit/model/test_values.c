/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of values: whole writes and patches, every problem named, on a small resource. */
#include "test.h"
#include "with_request.h"
#include "model/values.c"

static const struct field attributes[] = {
	{ .name = "wifi", .type = ENUM, .choices = "yes|no" },
	{ .name = "payment", .type = ENUM, .flags = MANY, .choices = "cash|card", .max_items = 2 },
	{ 0 },
};
static const struct field thing_fields[] = {
	{ .name = "id", .type = UUID, .flags = KEY | READ_ONLY },
	{ .name = "name", .type = TEXT, .flags = REQUIRED, .min = 1, .max = 10 },
	{ .name = "note", .type = TEXT, .max = 10 },
	{ .name = "open", .type = BOOL, .flags = NOT_NULL },
	{ .name = "tags", .type = SLUG, .flags = MANY | NOT_NULL, .max_items = 2 },
	{ .name = "address.postcode", .type = POSTCODE, .max = 12 },
	{ .name = "address.country", .type = COUNTRY, .flags = NOT_NULL },
	{ .name = "attributes", .type = OBJECT, .members = attributes },
	{ 0 },
};
static const struct resource thing = { .name = "thing", .fields = thing_fields };

static struct task t;
static struct values *values;

static int check(void **state, const char *body, bool whole, const char *old)
{
	json_t *parsed = json_loads(body, JSON_ALLOW_NUL, NULL),
	       *before = old ? json_loads(old, 0, NULL) : NULL;
	int rc;

	assert_non_null(parsed);
	t = (struct task) { .mem = *state };
	rc = input_check(&t, &thing, parsed, whole, before, &values);
	json_decref(parsed);
	json_decref(before);
	return rc;
}

/* The fields with a problem, in order, joined by blanks. */
static const char *named(void **state)
{
	char *fields = talloc_strdup(*state, "");

	for (int i = 0; i < t.failure.problem_count; i++)
		fields = talloc_asprintf_append(fields, "%s%s", i ? " " : "",
						t.failure.problems[i].field);
	return fields;
}

static void test_problems_are_named(void **state)
{
	static const struct {
		const char *body;
		bool whole;
		const char *fields; /* with a problem, in order; "": none */
	} rows[] = {
		{ "{\"name\":\"a\"}", true, "" },
		{ "{}", true, "name" },
		{ "{}", false, "" },
		{ "{\"name\":null}", false, "name" },
		{ "{\"name\":\"\"}", false, "name" },
		{ "{\"note\":null,\"open\":null,\"tags\":null,\"address\":null}", false, "" },
		{ "{\"name\":\"a\",\"id\":\"b\"}", true, "id" },
		{ "{\"name\":\"a\",\"absent\":1,\"Name\":2}", true, "absent Name" },
		{ "{\"name\":\"a\",\"address\":{\"street\":\"x\"}}", true, "address.street" },
		{ "{\"name\":\"a\",\"address\":5}", true, "address" },
		{ "{\"name\":\"a\",\"address\":[]}", true, "address" },
		{ "{\"name\":\"a\",\"address.postcode\":\"GU1 3AJ\"}", true, "address.postcode" },
		{ "{\"name\":5,\"note\":true,\"open\":\"yes\",\"tags\":\"a\"}", true,
		  "name note open tags" },
		{ "{\"name\":\"a\",\"tags\":[\"a\",\"B\"]}", true, "tags.1" },
		{ "{\"name\":\"a\",\"tags\":[\"a\",\"b\",\"c\"]}", true, "tags" },
		{ "{\"name\":\"a\",\"tags\":[null]}", true, "tags.0" },
		{ "{\"name\":\"a\",\"tags\":[\"A\",\"b\\u0000\"]}", true, "tags.0 tags.1" },
		{ "{\"name\":\"a\",\"tags\":[]}", true, "" },
		{ "{\"name\":\"a\\u0000\",\"address\":{\"postcode\":\"\\u0000\"}}", true,
		  "name address.postcode" },
		{ "{\"name\":\"a\",\"address\":{\"postcode\":\"75001\"}}", true,
		  "address.postcode" },
		{ "{\"name\":\"a\",\"address\":{\"postcode\":\"75001\",\"country\":\"FR\"}}", true,
		  "" },
		{ "{\"name\":\"a\",\"address\":{\"postcode\":null}}", true, "" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int rc = check(state, rows[i].body, rows[i].whole, NULL);

		expect_text(named(state), rows[i].fields, rows[i].body);
		assert_int_equal(rc, rows[i].fields[0] ? E_VALIDATION : OK);
	}
}

static void test_a_whole_write_sets_all_and_a_patch_what_it_names(void **state)
{
	assert_int_equal(
		check(state,
		      "{\"name\":\" a \",\"tags\":[\"x\",\"y-1\"],\"address\":{\"postcode\":\"gu13aj\"}}",
		      true, NULL),
		OK);
	assert_string_equal(values_get(values, "name")->text, "a");
	assert_string_equal(values_get(values, "tags")->text, "{\"x\",\"y-1\"}");
	assert_string_equal(values_get(values, "address.postcode")->text, "GU1 3AJ");
	assert_true(values_get(values, "note")->set);
	assert_null(values_get(values, "note")->text);
	assert_false(values_get(values, "id")->set);
	assert_null(values_get(values, "absent"));

	assert_int_equal(check(state, "{\"note\":null,\"open\":false}", false, NULL), OK);
	assert_true(values_get(values, "note")->set);
	assert_null(values_get(values, "note")->text);
	assert_string_equal(values_get(values, "open")->text, "false");
	assert_false(values_get(values, "name")->set);
	assert_false(values_get(values, "tags")->set);

	/* an object taken away takes its members with it */
	assert_int_equal(check(state, "{\"address\":null}", false, NULL), OK);
	assert_true(values_get(values, "address.postcode")->set);
	assert_null(values_get(values, "address.postcode")->text);
	assert_false(values_get(values, "note")->set);
}

static void test_objects(void **state)
{
	static const struct {
		const char *object;
		const char *text;   /* the parameter's, NULL: refused */
		const char *fields; /* with a problem, in order */
	} rows[] = {
		{ "{}", "{}", "" },
		{ "{\"wifi\": \"yes\", \"payment\": [\"card\", \"cash\"]}",
		  "{\"payment\":[\"card\",\"cash\"],\"wifi\":\"yes\"}", "" },
		{ "{\"wifi\": null, \"payment\": []}", "{\"payment\":[]}", "" },
		{ "null", NULL, "" },
		{ "{\"wifi\": \"perhaps\"}", NULL, "attributes.wifi" },
		{ "{\"wifi\": [\"yes\"]}", NULL, "attributes.wifi" },
		{ "{\"payment\": \"cash\"}", NULL, "attributes.payment" },
		{ "{\"payment\": [\"cash\", null]}", NULL, "attributes.payment.1" },
		{ "{\"payment\": [\"cash\", \"card\", \"cash\"]}", NULL, "attributes.payment" },
		{ "{\"absent\": 1}", NULL, "attributes.absent" },
		{ "{\"absent\": null}", NULL, "attributes.absent" },
		{ "{\"absent\": 1, \"payment\": [\"\", \"card\"], \"wifi\": 5}", NULL,
		  "attributes.absent attributes.payment.0 attributes.wifi" },
		{ "[]", NULL, "attributes" },
		{ "\"{}\"", NULL, "attributes" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int rc = check(state,
			       talloc_asprintf(*state, "{\"attributes\":%s}", rows[i].object),
			       false, NULL);

		expect_text(named(state), rows[i].fields, rows[i].object);
		expect_text(values_get(values, "attributes")->text, rows[i].text, rows[i].object);
		assert_int_equal(rc, rows[i].fields[0] ? E_VALIDATION : OK);
	}
}

/* A client may send back all that it was given. */
static void test_unchanged_read_only_fields_pass(void **state)
{
	assert_int_equal(check(state, "{\"name\":\"a\",\"id\":\"1\"}", true, "{\"id\":\"1\"}"), OK);
	assert_int_equal(check(state, "{\"name\":\"a\",\"id\":\"2\"}", true, "{\"id\":\"1\"}"),
			 E_VALIDATION);
}

/* Which postcodes are checked is said by the country after the write. */
static void test_a_patch_of_a_postcode_knows_its_country(void **state)
{
	static const char french[] = "{\"address\":{\"country\":\"FR\"}}";

	assert_int_equal(check(state, "{\"address\":{\"postcode\":\"75001\"}}", false, french), OK);
	assert_int_equal(check(state, "{\"address\":{\"postcode\":\"75001\",\"country\":\"GB\"}}",
			       false, french),
			 E_VALIDATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_problems_are_named),
		cmocka_unit_test(test_a_whole_write_sets_all_and_a_patch_what_it_names),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_unchanged_read_only_fields_pass),
		cmocka_unit_test(test_a_patch_of_a_postcode_knows_its_country),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
