/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People on a private cluster that has all migrations, and requests of theirs that go through the steps of the pipeline
 * from the route to the act, with who calls put in by the test. Include it after the .c that is tested.
 */
#ifndef TESTS_UNIT_WITH_PEOPLE_H
#define TESTS_UNIT_WITH_PEOPLE_H

#include "with_cluster.h"
#include "with_request.h"
#undef sleep
#include "api/pipeline.h"
#include "api/steps.h"
#include "base/config.h"
#include "base/secret.h"
#include "base/time.h"
#include "gateway/roles.h"
#include "store/migrate.h"

/* cmocka's jumps must not cross coroutine stacks: a check that fails ends its task with the line. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static inline int migrate_all(struct task *t)
{
	return migrate_apply(t, false, NULL, NULL);
}

static inline int start_people(void **state)
{
	char why[200];

	config.public_url = "http://127.0.0.1:8080";
	config.town = "Guildford";
	if (secret_setup("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "",
			 why, sizeof(why)) != 0)
		return -1;
	api_setup();
	return start_cluster(state) || in_task(migrate_all);
}

static inline int stop_people(void **state)
{
	roles_clear();
	return stop_cluster(state);
}

/* The first value of a statement's first row: NULL when there is none, or when it fails. */
static inline const char *value_of(struct task *t, const char *sql, int n,
				   const char *const *params)
{
	struct pg_rows *rows;

	if (pg_query(t, &rows, sql, n, params) != OK || pg_count(rows) == 0)
		return NULL;
	return pg_value(rows, 0, 0);
}

static inline bool is_value(struct task *t, const char *want, const char *sql, int n,
			    const char *const *params)
{
	const char *got = value_of(t, sql, n, params);

	if (got && strcmp(got, want) == 0)
		return true;
	print_error("\"%s\" gives %s, not %s\n", sql, got ? got : "nothing", want);
	return false;
}

/* Somebody with an account, a session that began now, and a role besides that of everybody, or NULL. */
static inline struct principal new_person(struct task *t, const char *email, const char *role)
{
	struct principal p = { .is = CALLER_PERSON,
			       .shown_at = (long long)(time_unix_ms() / 1000) };
	struct pg_rows *rows;

	uuid_new(p.person_id);
	uuid_new(p.session_id);
	if (pg_query(t, &rows,
		     "insert into auth.person (id, email, name, email_verified_at) "
		     "values ($1, $2, 'Alex Marsh', clock_timestamp())",
		     PG_PARAMS(p.person_id, email)) ||
	    pg_query(t, &rows,
		     "insert into auth.session (id, person_id, expires_at) "
		     "values ($1, $2, clock_timestamp() + interval '90 days')",
		     PG_PARAMS(p.session_id, p.person_id)) ||
	    pg_query(t, &rows,
		     "insert into auth.person_role (person_id, role_id) "
		     "select $1, id from auth.role where slug = $2",
		     PG_PARAMS(p.person_id, role)) ||
	    roles_load(t))
		abort();
	roles_add(&p.granted, "member");
	if (role)
		roles_add(&p.granted, role);
	return p;
}

/* A request of theirs (NULL: of nobody), answered; task.failure says what went wrong. */
static inline struct request *send_request(struct task *t, const struct principal *caller,
					   enum http_method method, const char *target,
					   const char *body)
{
	struct request *r = new_request(t->mem, method, target);

	r->client = r->client_block = "192.0.2.1";
	r->task.deadline = time_monotonic_us() + 30000000;
	if (caller)
		r->caller = *caller;
	if (body) {
		set_header(r, "content-type", "application/json");
		r->http->body = talloc_strdup(r, body);
		r->http->body_len = strlen(body);
	}
	if (!step_route(r) && !step_allow(r) && !step_input(r) && !step_act(r))
		return r;
	if (!r->task.failure.code)
		abort();
	return r;
}

/* What became of it: OK or the failure's code. */
static inline int code_of(struct task *t, const struct principal *caller, enum http_method method,
			  const char *target, const char *body)
{
	return (int)send_request(t, caller, method, target, body)->task.failure.code;
}

/* A text of the answer's data, NULL when it has none of that name. */
static inline const char *answer_text(struct request *r, const char *name)
{
	json_t *answer = json_loadb(r->http->body_out.data, r->http->body_out.len, 0, NULL);
	const char *text = json_string_value(
		json_object_get(json_object_get(answer, "data"), name));

	text = text ? talloc_strdup(MEM(r), text) : NULL;
	json_decref(answer);
	return text;
}

#endif
