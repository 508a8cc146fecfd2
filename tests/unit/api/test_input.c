/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of bodies: JSON's depth and form, media types. */
#include "test.h"
#include "with_request.h"
#include "api/input.c"
#include "business/business.h"

static void test_json(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "{}", true },
		{ " {\"a\": \"\\ud83d\\ude00\"} ", true },
		{ "{\"a\":[[[[[[[1]]]]]]]}", true },
		{ "{\"a\":[[[[[[[[1]]]]]]]]}", false },
		{ "{\"a\":\"[[[[[[[[[[[[\"}", true },
		{ "{\"a\":\"\\\"[[[[[[[[[[[[\"}", true },
		{ "{\"a\":\"\\\\\",\"b\":[[[[[[[[1]]]]]]]]}", false },
		{ "", false },
		{ " ", false },
		{ "[]", false },
		{ "\"a\"", false },
		{ "null", false },
		{ "{\"a\":1,\"a\":2}", false },
		{ "{\"a\":1}{}", false },
		{ "{\"a\":1,}", false },
		{ "{'a':1}", false },
		{ "{\"a\":NaN}", false },
		{ "{\"a\":1e400}", false },
		{ "{\"a\":\"\\u0000\"}", true }, /* its field's check refuses it, by name */
		{ "{\"\\u0000\":1}", false },
		{ "{\"a\":\"\\ud83d\"}", false },
		{ "{\"a\":\"\xff\"}", false },
		{ "{\"a\":\"\xed\xa0\x80\"}", false },
		{ "{\"a\":\"\n\"}", false },
		{ "\xef\xbb\xbf{}", false },
		{ "{\"a", false },
		{ "{\"a\\", false },
		{ "]]]]]]]]]]{", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct request *r = new_request(*state, METHOD_POST, "/");
		json_t *body;

		expect_bool(input_parse(r, rows[i].text, strlen(rows[i].text), &body) == OK,
			    rows[i].good, rows[i].text);
		if (!rows[i].good)
			assert_true(r->task.failure.code == E_BAD_REQUEST &&
				    str_is_utf8(r->task.failure.message,
						strlen(r->task.failure.message)));
		talloc_free(r->http);
	}
}

static void test_a_million_brackets_are_refused_before_they_are_parsed(void **state)
{
	size_t len = 1000000;
	char *text = talloc_size(*state, len);
	struct request *r = new_request(*state, METHOD_POST, "/");
	json_t *body;

	memset(text, '[', len);
	assert_int_equal(input_parse(r, text, len, &body), E_BAD_REQUEST);
	assert_non_null(strstr(r->task.failure.message, "deeper than 8 levels"));
}

static void test_media_types(void **state)
{
	static const struct {
		enum operation operation;
		const char *type; /* NULL: none */
		bool good;
	} rows[] = {
		{ OP_CREATE, "application/json", true },
		{ OP_CREATE, "Application/JSON ; charset=utf-8", true },
		{ OP_CREATE, "application/merge-patch+json", false },
		{ OP_CREATE, "text/plain", false },
		{ OP_CREATE, "application/jsonp", false },
		{ OP_CREATE, "", false },
		{ OP_CREATE, NULL, false },
		{ OP_UPDATE, "application/json", true },
		{ OP_UPDATE, "application/merge-patch+json", true },
		{ OP_UPDATE, "application/json-patch+json", false },
		{ OP_REMOVE, NULL, true },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct route route = { .operation = rows[i].operation,
					     .resource = &business_resource };
		struct request *r = new_request(*state, METHOD_POST, "/");

		r->route = &route;
		r->http->body = "{}";
		r->http->body_len = 2;
		if (rows[i].type)
			set_header(r, "content-type", rows[i].type);
		expect_bool(step_input(r) == OK, rows[i].good,
			    rows[i].type ? rows[i].type : "NULL");
		if (!rows[i].good)
			assert_int_equal(r->task.failure.code, E_UNSUPPORTED_MEDIA_TYPE);
		talloc_free(r->http);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_a_million_brackets_are_refused_before_they_are_parsed),
		cmocka_unit_test(test_media_types),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
