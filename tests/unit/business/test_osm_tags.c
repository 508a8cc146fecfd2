/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of OpenStreetMap's tags: the special before the general, and only categories and attributes that there are. */
#include "test.h"
#include <stdlib.h>
#include "model/values.h"
#include "business/business.h"
#include "store/migrate.h"
#include "business/osm_tags.c"

static void test_features(void **state)
{
	static const struct {
		const char *tags, *category, *attributes;
	} rows[] = {
		{ "{\"shop\":\"bakery\"}", "bakery", "{}" },
		{ "{\"shop\":\"nobody_knows\"}", "shop", "{}" },
		{ "{\"shop\":\"bakery\",\"amenity\":\"cafe\"}", "bakery", "{}" },
		{ "{\"amenity\":\"pub\",\"historic\":\"yes\"}", "pub", "{}" },
		{ "{\"leisure\":\"nobody_knows\"}", "sports-centre", "{}" },
		{ "{\"amenity\":\"nobody_knows\"}", NULL, "{}" },
		{ "{\"shop\":5}", NULL, "{}" },
		{ "{}", NULL, "{}" },
		{ "null", NULL, "{}" },
		{ "{\"wheelchair\":\"limited\",\"dog\":\"leashed\",\"takeaway\":\"only\",\"delivery\":\"no\"}",
		  NULL,
		  "{\"delivery\":false,\"dogs\":\"yes\",\"takeaway\":true,\"wheelchair\":\"limited\"}" },
		{ "{\"wheelchair\":\"perhaps\",\"internet_access\":true}", NULL, "{}" },
		{ "{\"payment:credit_cards\":\"yes\",\"payment:debit_cards\":\"yes\",\"payment:cash\":\"no\"}",
		  NULL, "{\"payment\":[\"card\"]}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *tags = json_loads(rows[i].tags, JSON_DECODE_ANY, NULL),
		       *found = osm_attributes(tags);
		char *text = json_dumps(found, JSON_COMPACT | JSON_SORT_KEYS);

		expect_text(osm_category(tags), rows[i].category, rows[i].tags);
		expect_text(text, rows[i].attributes, rows[i].tags);
		free(text);
		json_decref(found);
		json_decref(tags);
	}
}

/* Is the slug in the taxonomy that the migrations write? */
static bool is_category(TALLOC_CTX *mem, const char *slug)
{
	const char *quoted = talloc_asprintf(mem, "'%s'", slug);

	for (size_t i = 0; i < migrations_count; i++)
		if (strstr(migrations[i].sql, quoted))
			return true;
	return false;
}

static void test_every_category_is_in_the_taxonomy(void **state)
{
	for (size_t i = 0; i < COUNT_OF(categories); i++)
		expect_bool(is_category(*state, categories[i].category), true,
			    categories[i].category);
}

/* What an import makes of a tag must be what a request may write. */
static void test_every_attribute_is_one_of_the_table(void **state)
{
	for (size_t i = 0; i < COUNT_OF(attributes) + COUNT_OF(payments); i++) {
		struct task t = { .mem = *state };
		struct values *values;
		json_t *tags, *made, *body;

		if (i < COUNT_OF(attributes))
			tags = json_pack("{s:s}", attributes[i].key, attributes[i].value);
		else
			tags = json_pack("{s:s}", payments[i - COUNT_OF(attributes)].key, "yes");
		made = osm_attributes(tags);
		assert_int_equal(json_object_size(made), 1);
		body = json_pack("{s:o}", "attributes", made);
		expect_bool(input_check(&t, &business_resource, body, false, NULL, &values) == OK,
			    true, t.failure.code ? t.failure.problems[0].field : "");
		json_decref(body);
		json_decref(tags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_every_category_is_in_the_taxonomy),
		cmocka_unit_test(test_every_attribute_is_one_of_the_table),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
