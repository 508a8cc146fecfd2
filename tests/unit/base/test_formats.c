/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of formats that the API's types do not show whole: UK postcodes. Those of e-mail, URLs, phones, countries and zones
 * are in tests/unit/api/test_types.c, which meets them as callers do. */
#include "test.h"
#include "base/formats.c"

static void test_postcodes(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ "GU1 3AJ", "GU1 3AJ" },
		{ "gu13aj", "GU1 3AJ" },
		{ " g u 1 3 a j ", "GU1 3AJ" },
		{ "M1 1AA", "M1 1AA" },
		{ "M60 1NW", "M60 1NW" },
		{ "CR2 6XH", "CR2 6XH" },
		{ "DN55 1PT", "DN55 1PT" },
		{ "W1A 1HQ", "W1A 1HQ" },
		{ "EC1A 1BB", "EC1A 1BB" },
		{ "GU1 3A", NULL },
		{ "GU1 3AJX", NULL },
		{ "GU1 AAJ", NULL },
		{ "1GU 3AJ", NULL },
		{ "GU1 3CJ", NULL },
		{ "GU1 3AV", NULL },
		{ "GU1-3AJ", NULL },
		{ "GU111 3AJ", NULL },
		{ "", NULL },
		{ "3AJ", NULL },
		{ "G\xc3\x9c"
		  "1 3AJ",
		  NULL },
		{ "AAAA1AA", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text(format_postcode(*state, rows[i].text), rows[i].code, rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_postcodes) };

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
