/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the filters of a list of businesses: which values are read, and as which parameters. */
#include "test.h"
#include "with_request.h"
#include "business/filters.c"

static int apply(struct request *r, struct select *s, const char *name)
{
	const struct filter *f = business_filters;

	while (strcmp(f->name, name) != 0)
		f++;
	select_init(s, MEM(r), &business_resource);
	return f->apply(r, s, query_text(r, name));
}

/* The parameters of the statement joined by "; ", or "!" and the field with the problem. */
static const char *read_as(TALLOC_CTX *mem, const char *name, const char *query)
{
	struct request *r = get_request(mem, talloc_asprintf(mem, "/v1/businesses?%s", query));
	struct select s;
	char *text;

	if (apply(r, &s, name) != OK)
		return talloc_asprintf(mem, "!%s", r->task.failure.problems[0].field);
	text = talloc_strdup(mem, "");
	for (int i = 0; i < s.param_count; i++)
		text = talloc_asprintf_append(text, "%s%s", i ? "; " : "", s.params[i]);
	return text;
}

static void test_values(void **state)
{
	static const struct {
		const char *name, *query, *params;
	} rows[] = {
		{ "q", "q=fish+%26+chips", "fish & chips" },
		{ "q", "q=", "!q" },
		{ "category", "category=food", "food" },
		{ "category", "category=food,+pub", "{\"food\",\"pub\"}" },
		{ "category", "category=", "!category" },
		{ "category", "category=food,", "!category" },
		{ "category", "category=Food", "!category" },
		{ "category", "category=a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "!category" },
		{ "radius", "radius=5", "!radius" },
		{ "near", "near=51.2", "!near" },
		{ "near", "near=51.2,-0.5,3", "!near" },
		{ "near", "near=90.01,0", "!near" },
		{ "near", "near=0,-180.01", "!near" },
		{ "near", "near=nan,0", "!near" },
		{ "near", "near=0x10,0", "!near" },
		{ "near", "near=,", "!near" },
		{ "near", "near=51,0&radius=0", "!radius" },
		{ "near", "near=51,0&radius=100001", "!radius" },
		{ "near", "near=51,0&radius=1.5", "!radius" },
		{ "bbox", "bbox=-0.5,51,0.25,52", "-0.5; 51; 0.25; 52" },
		{ "bbox", "bbox=0,0,0,0", "0; 0; 0; 0" },
		{ "bbox", "bbox=0,52,1,51", "!bbox" },
		{ "bbox", "bbox=0,0,1", "!bbox" },
		{ "bbox", "bbox=-181,0,1,1", "!bbox" },
		{ "bbox", "bbox=0,-91,1,1", "!bbox" },
		{ "attributes", "attributes=wifi:free,dogs:yes",
		  "{\"wifi\":\"free\",\"dogs\":\"yes\"}" },
		{ "attributes", "attributes=takeaway:yes,delivery:false",
		  "{\"takeaway\":true,\"delivery\":false}" },
		{ "attributes", "attributes=payment:cash,payment:card",
		  "{\"payment\":[\"cash\",\"card\"]}" },
		{ "attributes", "attributes=wifi", "!attributes" },
		{ "attributes", "attributes=wifi:", "!attributes" },
		{ "attributes", "attributes=:free", "!attributes" },
		{ "attributes", "attributes=wifi:fast", "!attributes" },
		{ "attributes", "attributes=takeaway:1", "!attributes" },
		{ "attributes", "attributes=absent:yes", "!attributes" },
		{ "attributes", "attributes=", "!attributes" },
		{ "inspection_min", "inspection_min=5", "5" },
		{ "inspection_min", "inspection_min=6", "!inspection_min" },
		{ "inspection_min", "inspection_min=-1", "!inspection_min" },
		{ "inspection_min", "inspection_min=", "!inspection_min" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text(read_as(*state, rows[i].name, rows[i].query), rows[i].params,
			    rows[i].query);
}

/* A prefix is a range that ends before the next text: the parameters are its two ends in either order. */
static void test_postcodes(void **state)
{
	static const struct {
		const char *value, *from; /* NULL: refused */
	} rows[] = {
		{ "gu1+3aj", "GU1 3AJ" },
		{ "gu13aj", "GU1 3AJ" },
		{ "GU1", "GU1 " },
		{ "GU10", "GU10 " },
		{ "EC1A", "EC1A " },
		{ "+gu1+", "GU1 " },
		{ "GU1+3", "GU1 3" },
		{ "GU", "GU" },
		{ "1234567890AB", "1234567890AB" },
		{ "1234567890ABC", NULL },
		{ "", NULL },
		{ "+", NULL },
		{ "GU1%25", NULL },
		{ "%C3%9C1", NULL },
		{ "GU1_", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *query = talloc_asprintf(*state, "postcode=%s", rows[i].value);
		const char *from = rows[i].from;
		const char *wanted = from ? talloc_asprintf(*state, "%s; %s\x7f", from, from)
					  : "!postcode";
		const char *turned = from ? talloc_asprintf(*state, "%s\x7f; %s", from, from)
					  : wanted;
		const char *got = read_as(*state, "postcode", query);

		expect_text(got, strcmp(got, turned) == 0 ? turned : wanted, query);
	}
}

static void test_a_box_across_the_180th_meridian_is_two(void **state)
{
	struct request *r = get_request(*state, "/v1/businesses?bbox=179,-1,-179,1");
	struct select s;

	assert_int_equal(apply(r, &s, "bbox"), OK);
	assert_int_equal(s.param_count, 6);
	assert_non_null(strstr(buf_text(&s.where), ") or "));
}

static void test_a_search_as_long_as_it_may_be(void **state)
{
	for (int n = Q_MAX; n <= Q_MAX + 1; n++) {
		char *query = talloc_strdup(*state, "q=");

		for (int i = 0; i < n; i++)
			query = talloc_asprintf_append(query, "%%E2%%82%%AC");
		expect_bool(read_as(*state, "q", query)[0] != '!', n == Q_MAX, query);
	}
}

static void test_near_sorts_and_tells_the_distance(void **state)
{
	struct request *r = get_request(*state, "/v1/businesses?near=90,180&radius=1");
	struct select s;
	double x, y, z;

	assert_int_equal(apply(r, &s, "near"), OK);
	assert_string_equal(s.extra_name, "distance_m");
	assert_non_null(s.distance);
	/* the north pole */
	assert_int_equal(sscanf(s.params[0], "(%lf,%lf,%lf)", &x, &y, &z), 3);
	assert_true(fabs(x) < 1e-6 && fabs(y) < 1e-6 && fabs(z - EARTH_RADIUS_M) < 1e-6);
	/* so near, the chord is the radius */
	assert_true(fabs(strtod(s.params[1], NULL) - 1) < 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_postcodes),
		cmocka_unit_test(test_a_box_across_the_180th_meridian_is_two),
		cmocka_unit_test(test_a_search_as_long_as_it_may_be),
		cmocka_unit_test(test_near_sorts_and_tells_the_distance),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
