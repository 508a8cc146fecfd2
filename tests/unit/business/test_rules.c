/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what a write leaves behind: values after it, halves of pairs, whether a slug is to be made. */
#include "test.h"
#include "with_request.h"
#include "business/rules.c"

/* A checked body of a business; with `old` a patch. */
static struct values *checked(struct request *r, const char *body, json_t *old)
{
	json_t *parsed = json_loads(body, 0, NULL);
	struct values *v;

	assert_int_equal(input_check(&r->task, &business_resource, parsed, !old, old, &v), OK);
	json_decref(parsed);
	return v;
}

static void test_values_after_a_write(void **state)
{
	static const struct {
		const char *patch, *name, *after;
	} rows[] = {
		{ "{}", "name", "Old" },
		{ "{\"name\":\"New\"}", "name", "New" },
		{ "{}", "address.postcode", "GU1 3AJ" },
		{ "{\"address\":{\"postcode\":null}}", "address.postcode", NULL },
		{ "{\"address\":null}", "address.postcode", NULL },
		{ "{}", "location.lat", "51.25" },
		{ "{\"location\":null}", "location.lat", NULL },
		{ "{}", "phone", NULL },
	};
	json_t *old = json_loads(
		"{\"name\":\"Old\",\"phone\":null,\"address\":{\"postcode\":\"GU1 3AJ\"},"
		"\"location\":{\"lat\":51.25,\"lng\":0}}",
		0, NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_PATCH, "/");
		struct values *v = checked(r, rows[i].patch, old);

		expect_text(values_after(MEM(r), v, old, rows[i].name), rows[i].after,
			    rows[i].patch);
	}
	json_decref(old);
}

static void test_pairs_are_whole(void **state)
{
	static const struct {
		const char *body;
		bool patch;
		const char *problem; /* the field, NULL: none */
	} rows[] = {
		{ "{\"name\":\"A\",\"location\":{\"lat\":1,\"lng\":2}}", false, NULL },
		{ "{\"name\":\"A\",\"location\":{\"lat\":1}}", false, "location.lng" },
		{ "{\"name\":\"A\",\"location\":{\"lng\":0}}", false, "location.lat" },
		{ "{\"name\":\"A\",\"source\":\"s\"}", false, "source_id" },
		{ "{\"name\":\"A\",\"source_id\":\"1\"}", false, "source" },
		{ "{\"location\":{\"lat\":1}}", true, NULL }, /* the other is there */
		{ "{\"location\":{\"lat\":null}}", true, "location.lat" },
		{ "{\"location\":null}", true, NULL },
		{ "{\"source\":\"s\"}", true, "source_id" },
	};
	json_t *old = json_loads(
		"{\"id\":\"x\",\"name\":\"A\",\"location\":{\"lat\":51.25,\"lng\":0}}", 0, NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_POST, "/");
		json_t *before = rows[i].patch ? old : NULL;
		struct values *v = checked(r, rows[i].body, before);

		values_check_pair(&r->task, v, before, "location.lat", "location.lng");
		values_check_pair(&r->task, v, before, "source", "source_id");
		expect_bool(r->task.failure.code == OK, !rows[i].problem, rows[i].body);
		if (rows[i].problem)
			expect_bool(problem_of(r, rows[i].problem) != NULL, true, rows[i].body);
	}
	json_decref(old);
}

static void test_slugs_are_made_when_none_is_given_or_kept(void **state)
{
	static const struct {
		const char *body, *made,
			*kept; /* a slug to make free; one that is written as it is */
		bool replace;
	} rows[] = {
		{ "{\"name\":\"The Boatman\"}", "the-boatman", NULL, false },
		{ "{\"name\":\"The Boatman\",\"slug\":\"boat\"}", NULL, "boat", false },
		{ "{\"name\":\"\xe6\x97\xa5\"}", "", NULL, false },
		{ "{\"name\":\"New\"}", NULL, "old", true },
	};
	json_t *old = json_loads("{\"id\":\"x\",\"name\":\"Old\",\"slug\":\"old\"}", 0, NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_PUT, "/");
		struct values *v = checked(r, rows[i].body, NULL);

		expect_text(wanted_slug(r, v, rows[i].replace ? old : NULL), rows[i].made,
			    rows[i].body);
		expect_text(values_get(v, "slug")->text, rows[i].kept, rows[i].body);
	}
	json_decref(old);
}

static void test_conflicts_are_explained(void **state)
{
	static const struct {
		const char *constraint;
		int code;
	} rows[] = {
		{ "business_slug", E_DUPLICATE },
		{ "business_source", E_DUPLICATE },
		{ "anything", E_CONFLICT },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_POST, "/");

		assert_int_equal(business_on_conflict(r, NULL, rows[i].constraint), rows[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_after_a_write),
		cmocka_unit_test(test_pairs_are_whole),
		cmocka_unit_test(test_slugs_are_made_when_none_is_given_or_kept),
		cmocka_unit_test(test_conflicts_are_explained),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
