/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what an event says of a change: the fields that are other, and nothing else. */
#include "test.h"
#include "with_request.h"
#include "api/audit.c"

static void test_what_differs(void **state)
{
	static const struct {
		const char *before, *after, *was, *is; /* NULL: there is none */
	} rows[] = {
		{ NULL, "{\"a\":1,\"b\":null}", "{}", "{\"a\":1}" },
		{ "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", "{\"b\":2}", "{\"b\":3}" },
		{ "{\"a\":null}", "{\"a\":\"x\"}", "{\"a\":null}", "{\"a\":\"x\"}" },
		{ "{\"a\":[1,2]}", "{\"a\":[2,1]}", "{\"a\":[1,2]}", "{\"a\":[2,1]}" },
		{ "{\"o\":{\"a\":1,\"b\":2}}", "{\"o\":{\"a\":1,\"b\":3}}", "{\"o\":{\"b\":2}}",
		  "{\"o\":{\"b\":3}}" },
		{ "{\"o\":{\"a\":1}}", "{\"o\":null}", "{\"o\":{\"a\":1}}", "{\"o\":null}" },
		{ "{\"o\":{\"a\":1,\"b\":2}}", "{\"o\":{\"a\":1}}", "{\"o\":{\"b\":2}}", "{}" },
		{ "{\"updated_at\":\"x\",\"a\":1}", "{\"updated_at\":\"y\",\"a\":1}", "{}", "{}" },
		{ "{\"a\":{\"b\":{\"c\":1,\"d\":1}}}", "{\"a\":{\"b\":{\"c\":2,\"d\":1}}}",
		  "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":2}}}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_t *before = rows[i].before ? json_loads(rows[i].before, 0, NULL) : NULL;
		json_t *after = json_loads(rows[i].after, 0, NULL);
		json_t *was = json_object(), *is = json_object();
		char *was_text, *is_text;

		differ(before, after, was, 0);
		differ(after, before, is, 0);
		was_text = json_dumps(was, JSON_COMPACT);
		is_text = json_dumps(is, JSON_COMPACT);
		expect_text(was_text, rows[i].was, rows[i].after);
		expect_text(is_text, rows[i].is, rows[i].after);
		free(was_text);
		free(is_text);
		json_decref(was);
		json_decref(is);
		json_decref(before);
		json_decref(after);
	}
}

static void test_who_is_calling(void **state)
{
	struct request *r = new_request(*state, METHOD_POST, "/");
	struct audit_event event = audit_begin(r);

	expect_text(event.actor_kind, "nobody", "nobody");
	assert_null(event.actor_id);
	assert_null(event.address);
	expect_text(event.request_id, "test", "the request's id");
	r->client = "192.0.2.1";
	r->caller.is = CALLER_KEY;
	snprintf(r->caller.person_id, sizeof(r->caller.person_id), "p");
	snprintf(r->caller.key_id, sizeof(r->caller.key_id), "k");
	event = audit_begin(r);
	expect_text(event.actor_kind, "key", "a key");
	expect_text(event.actor_id, "p", "its owner");
	expect_text(event.key_id, "k", "a key");
	assert_null(event.session_id);
	expect_text(event.address, "192.0.2.1", "the peer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_differs),
		cmocka_unit_test_setup_teardown(test_who_is_calling, new_memory, free_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
