/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the filters of a list of businesses: which values are read, and as which parameters. Some ask the database
 * while they are applied: it is there, with our tables and no business. */
#include "test.h"
#include "with_cluster.h"
#include "with_request.h"
#include <math.h>
#include "business/filters.c"
#include "model/place.h"
#include "store/migrate.h"

enum { ASKED_MAX = 60 };

/* Filters to be applied, and what came of it: a task does them all, for asserts must not leave one. */
static struct asked {
	struct request *r;
	const char *name;
	struct select s;
	int rc;
} asked[ASKED_MAX];
static int asked_count;

/* Puts a filter on the list, with the value that the query gives it. */
static struct asked *ask(void **state, const char *name, const char *query)
{
	struct asked *a = &asked[asked_count++];

	assert_true(asked_count <= ASKED_MAX);
	*a = (struct asked) { .name = name };
	a->r = get_request(*state, talloc_asprintf(*state, "/v1/businesses?%s", query));
	return a;
}

static int apply_asked(struct task *t)
{
	(void)t;
	for (int i = 0; i < asked_count; i++) {
		struct asked *a = &asked[i];
		const struct filter *f = business_filters;

		while (strcmp(f->name, a->name) != 0)
			f++;
		select_init(&a->s, MEM(a->r), &business_resource);
		a->rc = f->apply(a->r, &a->s, query_text(a->r, a->name));
	}
	asked_count = 0;
	return OK;
}

/* The parameters of the statement joined by "; ", or "!" and the field with the problem. */
static const char *read_as(const struct asked *a)
{
	char *text = talloc_strdup(MEM(a->r), "");

	if (a->rc == E_VALIDATION)
		return talloc_asprintf(text, "!%s", a->r->task.failure.problems[0].field);
	if (a->rc)
		return errors[a->rc].code;
	for (int i = 0; i < a->s.param_count; i++)
		text = talloc_asprintf_append(text, "%s%s", i ? "; " : "", a->s.params[i]);
	return text;
}

static void test_values(void **state)
{
	static const struct {
		const char *name, *query, *params;
	} rows[] = {
		{ "q", "q=qqzz+%26+zzxx", "'qqzz' & 'zzxx'" }, /* like no word that there is */
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
		ask(state, rows[i].name, rows[i].query);
	assert_int_equal(in_task(apply_asked), OK);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text(read_as(&asked[i]), rows[i].params, rows[i].query);
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

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		ask(state, "postcode", talloc_asprintf(*state, "postcode=%s", rows[i].value));
	assert_int_equal(in_task(apply_asked), OK);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *from = rows[i].from;
		const char *wanted = from ? talloc_asprintf(*state, "%s; %s\x7f", from, from)
					  : "!postcode";
		const char *turned = from ? talloc_asprintf(*state, "%s\x7f; %s", from, from)
					  : wanted;
		const char *got = read_as(&asked[i]);

		expect_text(got, strcmp(got, turned) == 0 ? turned : wanted, rows[i].value);
	}
}

static void test_a_box_across_the_180th_meridian_is_two(void **state)
{
	struct asked *a = ask(state, "bbox", "bbox=179,-1,-179,1");

	assert_int_equal(in_task(apply_asked), OK);
	assert_int_equal(a->rc, OK);
	assert_int_equal(a->s.param_count, 6);
	assert_non_null(strstr(buf_text(&a->s.where), ") or "));
}

static void test_a_search_as_long_as_it_may_be(void **state)
{
	for (int n = FIND_Q_MAX; n <= FIND_Q_MAX + 1; n++) {
		char *query = talloc_strdup(*state, "q=");

		for (int i = 0; i < n; i++)
			query = talloc_asprintf_append(query, "%%E2%%82%%AC");
		ask(state, "q", query);
	}
	assert_int_equal(in_task(apply_asked), OK);
	assert_int_equal(asked[0].rc, OK);
	expect_text(read_as(&asked[1]), "!q", "one letter more");
}

static void test_near_sorts_and_tells_the_distance(void **state)
{
	struct asked *narrow = ask(state, "near", "near=90,180&radius=1"),
		     *wide = ask(state, "near", "near=51.2,-0.5");
	double x, y, z;

	assert_int_equal(in_task(apply_asked), OK);
	for (struct asked *a = narrow; a <= wide; a++) {
		assert_int_equal(a->rc, OK);
		assert_string_equal(a->s.extra_name, "distance_m");
		assert_non_null(a->s.distance);
	}
	/* the north pole */
	assert_int_equal(sscanf(narrow->s.params[0], "(%lf,%lf,%lf)", &x, &y, &z), 3);
	assert_true(fabs(x) < 1e-6 && fabs(y) < 1e-6 && fabs(z - PLACE_EARTH_M) < 1e-6);
	/* so near, the chord is the radius; over a hundred kilometres it is a metre shorter */
	assert_true(fabs(strtod(narrow->s.params[1], NULL) - 1) < 1e-6);
	assert_true(fabs(strtod(wide->s.params[1], NULL) - (FIND_RADIUS_MAX - 1.03)) < 0.01);
}

static int migrate(struct task *t)
{
	return migrate_apply(t, false, NULL, NULL);
}

static int set_up(void **state)
{
	return new_memory(state) || start_cluster(state) || in_task(migrate);
}

static int tear_down(void **state)
{
	return free_memory(state) || stop_cluster(state);
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

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
