/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cursors: they come back as they went, belong to one search, and nothing else is taken for one. */
#include "test.h"
#include "with_request.h"
#include "api/cursor.c"

#define ID "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03"

static void test_they_come_back_as_they_went(void **state)
{
	static const char *const sorts[] = { "", "a|b", "\xc3\xa9\n\"", "|", "-0.5", "{\"a\":1}" };
	struct request *r = get_request(*state, "/v1/businesses?q=tea");

	for (size_t i = 0; i < COUNT_OF(sorts); i++) {
		const char *text = cursor_make(r, "name", sorts[i], ID);
		struct cursor cursor;

		assert_true(strlen(text) == strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							 "abcdefghijklmnopqrstuvwxyz0123456789-_"));
		assert_int_equal(cursor_read(r, "name", text, &cursor), OK);
		assert_string_equal(cursor.sort, sorts[i]);
		assert_string_equal(cursor.id, ID);
	}
}

static void test_they_belong_to_their_search(void **state)
{
	static const struct {
		const char *target, *sort;
		bool same;
	} rows[] = {
		{ "/v1/businesses?q=tea&price_level=2", "name", true },
		{ "/v1/businesses?price_level=2&q=tea", "name", true }, /* in any order */
		{ "/v1/businesses?q=tea&price_level=2&limit=5&fields=name&cursor=x", "name", true },
		{ "/v1/businesses?q=tea&price_level=2", "-name", false },
		{ "/v1/businesses?q=tea", "name", false },
		{ "/v1/businesses?q=tea&price_level=3", "name", false },
		{ "/v1/businesses?q=2&price_level=tea", "name", false },
		{ "/v1/businesses?q=tea&price_level=2&deleted=with", "name", false },
		{ "/v1/categories?q=tea&price_level=2", "name", false },
	};
	struct request *r = get_request(*state, rows[0].target);
	const char *text = cursor_make(r, "name", "Tea", ID);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *other = get_request(*state, rows[i].target);
		struct cursor cursor;

		expect_bool(cursor_is_of(other, rows[i].sort, text), rows[i].same, rows[i].target);
		expect_bool(cursor_read(other, rows[i].sort, text, &cursor) == OK, rows[i].same,
			    rows[i].target);
		expect_bool(problem_of(other, "cursor") == NULL, rows[i].same, rows[i].target);
	}
}

static void test_damaged_ones_are_refused(void **state)
{
	struct request *r = get_request(*state, "/v1/businesses");
	const char *good = cursor_make(r, "name", "sort", ID);
	size_t len = strlen(good);
	struct cursor cursor;

	for (size_t i = 0; i < len; i++) {
		char *bad = talloc_strdup(MEM(r), good);

		/* cut anywhere: what is left of the sort value alone may do, for it is the caller's own affair */
		bad[i] = '\0';
		task_forgive(&r->task);
		if (i < (size_t)(DIGEST_TEXT + 1 + 36 + 1) * 4 / 3)
			assert_int_equal(cursor_read(r, "name", bad, &cursor), E_VALIDATION);
		/* a byte changed in the digest */
		bad = talloc_strdup(MEM(r), good);
		bad[i] = bad[i] == 'A' ? 'B' : 'A';
		task_forgive(&r->task);
		if (i < DIGEST_TEXT)
			assert_int_equal(cursor_read(r, "name", bad, &cursor), E_VALIDATION);
	}
}

static void test_what_was_never_a_cursor_is_refused(void **state)
{
	struct request *r = get_request(*state, "/v1/businesses");
	char digest[DIGEST_TEXT + 1];
	const char *plain[6];
	struct cursor cursor;
	char *large = talloc_zero_size(MEM(r), CURSOR_MAX + 5);

	search_digest(r, "name", digest);
	plain[0] = "";
	plain[1] = digest;
	plain[2] = talloc_asprintf(MEM(r), "%s|not-an-id-but-as-long-as-an-id-is----|a", digest);
	plain[3] = talloc_asprintf(MEM(r), "%s|%s", digest, ID);
	plain[4] = talloc_asprintf(MEM(r), "%s|%s|\xff", digest, ID);
	plain[5] = talloc_asprintf(MEM(r), "%s%s||a", digest, ID);
	for (size_t i = 0; i < COUNT_OF(plain); i++) {
		task_forgive(&r->task);
		expect_bool(cursor_read(r, "name",
					str_base64url(MEM(r), plain[i], strlen(plain[i])),
					&cursor) == OK,
			    false, plain[i]);
	}
	/* with a NUL inside, and longer than any */
	plain[0] = talloc_asprintf(MEM(r), "%s|%s|a?b", digest, ID);
	*strchr((char *)(uintptr_t)plain[0], '?') = '\0';
	assert_int_equal(cursor_read(r, "name",
				     str_base64url(MEM(r), plain[0], DIGEST_TEXT + 38 + 3),
				     &cursor),
			 E_VALIDATION);
	memset(large, 'A', CURSOR_MAX + 4);
	assert_int_equal(cursor_read(r, "name", large, &cursor), E_VALIDATION);
	assert_int_equal(cursor_read(r, "name", "=", &cursor), E_VALIDATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_they_come_back_as_they_went),
		cmocka_unit_test(test_they_belong_to_their_search),
		cmocka_unit_test(test_damaged_ones_are_refused),
		cmocka_unit_test(test_what_was_never_a_cursor_is_refused),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
