/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what a list says beside its rows: links for any length of search. */
#include "test.h"
#include "with_request.h"
#include "api/list.c"

static struct list page_of(long long page, long long total)
{
	return (struct list) {
		.page = page, .limit = 20, .total = { .count = total }, .more = page * 20 < total
	};
}

static void test_links(void **state)
{
	static const struct {
		const char *target;
		long long page, total;
		const char *link;
	} rows[] = {
		{ "/v1/businesses?q=a%26b&page=2", 2, 60,
		  "</v1/businesses?q=a%26b&page=1>; rel=\"first\", </v1/businesses?q=a%26b&page=1>; rel=\"prev\", "
		  "</v1/businesses?q=a%26b&page=3>; rel=\"next\", </v1/businesses?q=a%26b&page=3>; rel=\"last\"" },
		{ "/businesses", 1, 20,
		  "</v1/businesses?page=1>; rel=\"first\", </v1/businesses?page=1>; rel=\"last\"" },
		{ "/businesses", 1, 0, "</v1/businesses?page=1>; rel=\"first\"" },
		{ "/businesses", 500, 10001,
		  "</v1/businesses?page=1>; rel=\"first\", </v1/businesses?page=499>; rel=\"prev\", "
		  "</v1/businesses?cursor=CURSOR>; rel=\"next\"" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = get_request(*state, rows[i].target);
		struct list l = page_of(rows[i].page, rows[i].total);

		add_links(r, &l, "CURSOR");
		expect_text(reply_header(r, "Link"), rows[i].link, rows[i].target);
	}
}

/* Blanks are trimmed off a category and cost three bytes each in a link: a short search may be very long there. */
static void test_a_search_that_is_too_long_for_a_header_has_no_links(void **state)
{
	static char blanks[8001];
	struct request *r;
	struct list l = page_of(2, 100);

	memset(blanks, '+', sizeof(blanks) - 1);
	blanks[sizeof(blanks) - 1] = '\0';
	r = get_request(*state, talloc_asprintf(*state, "/v1/businesses?category=food%s", blanks));
	add_links(r, &l, "CURSOR");
	assert_null(reply_header(r, "Link"));
	assert_false(buf_full(&r->http->head));
}

static void test_pages_end_where_counting_rows_would_cost_too_much(void **state)
{
	static const struct {
		const char *query;
		const char *field; /* with a problem, NULL: none */
		long long page, limit;
	} rows[] = {
		{ "", NULL, 1, 20 },
		{ "page=500", NULL, 500, 20 },
		{ "page=501", "page", 0, 0 },
		{ "page=100&limit=100", NULL, 100, 100 },
		{ "page=101&limit=100", "page", 0, 0 },
		{ "page=10000&limit=1", NULL, 10000, 1 },
		{ "page=0", "page", 0, 0 },
		{ "limit=0", "limit", 0, 0 },
		{ "limit=101", "limit", 0, 0 },
		{ "page=1&cursor=a", "page", 0, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = get_request(*state,
						talloc_asprintf(*state, "/v1/a?%s", rows[i].query));
		struct list l = { 0 };

		expect_bool(read_paging(r, &l) == OK, !rows[i].field, rows[i].query);
		if (rows[i].field)
			expect_bool(problem_of(r, rows[i].field) != NULL, true, rows[i].query);
		else
			expect_bool(l.page == rows[i].page && l.limit == rows[i].limit, true,
				    rows[i].query);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_a_search_that_is_too_long_for_a_header_has_no_links),
		cmocka_unit_test(test_pages_end_where_counting_rows_would_cost_too_much),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
