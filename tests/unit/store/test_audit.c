/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the audit trail on a real cluster: events are sealed in the order in which they were committed, none is passed
 * over, nothing can be changed, and what a superuser changes all the same is found and named.
 */
#include "test.h"
#include "with_cluster.h"
#include "store/migrate.h"
#include "store/audit.c"

static int migrate(struct task *t)
{
	return migrate_apply(t, false, NULL, NULL);
}

static int run(struct task *t, const char *sql)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_NONE);
}

/* The first value of a statement as a number; -1 when it fails. */
static long long number(struct task *t, const char *sql)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, sql, PG_NONE) ? -1 : strtoll(pg_value(rows, 0, 0), NULL, 10);
}

static int add(struct task *t, const char *action)
{
	return audit_add(t, &(struct audit_event) { .action = action, .actor_kind = "program" });
}

static int add_whole(struct task *t)
{
	return audit_add(
		t, &(struct audit_event) { .action = "test:whole",
					   .actor_kind = "person",
					   .actor_id = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a01",
					   .key_id = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a02",
					   .session_id = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03",
					   .address = "2001:db8::1",
					   .request_id = "r-1",
					   .resource = "test",
					   .resource_id = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a04",
					   .before = "{\"name\":\"Caf\xc3\xa9\",\"n\":1.50}",
					   .after = "{\"name\":\"a\\nb:1\\t\",\"n\":null}",
					   .detail = "{\"list\":[1,2,{\"x\":true}]}" });
}

static int events_are_sealed(struct task *t)
{
	struct audit_mark mark = { 0 }, none = { 0 };

	if (audit_verify(t, &none, NULL, NULL) || none.position != 0)
		return 1;
	/* alone; in a transaction; in one that is rolled back */
	if (add_whole(t) || pg_begin(t) || add(t, "test:kept") || add(t, "test:kept") ||
	    pg_commit(t))
		return 2;
	if (pg_begin(t) || add(t, "test:gone"))
		return 3;
	pg_rollback(t);
	if (number(t, "select count(*) from platform.audit_event") != 3 ||
	    number(t, "select count(*) from platform.audit_unsealed") != 3)
		return 4;
	if (audit_verify(t, &mark, NULL, NULL) || mark.position != 3 || strlen(mark.digest) != 64)
		return 5;
	if (number(t, "select count(*) from platform.audit_unsealed") != 0 || audit_seal(t))
		return 6;
	/* from a mark on, and with a mark of another chain */
	if (add(t, "test:later") || audit_verify(t, &mark, NULL, NULL) || mark.position != 4)
		return 7;
	mark.digest[0] = mark.digest[0] == '0' ? '1' : '0';
	if (audit_verify(t, &mark, NULL, NULL) != E_CONFLICT)
		return 8;
	task_forgive(t);
	mark.position = 5;
	if (audit_verify(t, &mark, NULL, NULL) != E_CONFLICT ||
	    !strstr(t->failure.message, "Position 5: the seal is missing"))
		return 9;
	task_forgive(t);
	return OK;
}

static void test_events_are_sealed(void **state)
{
	(void)state;
	assert_int_equal(in_task(migrate), OK);
	assert_int_equal(in_task(events_are_sealed), OK);
}

/* A transaction that began first commits last, when what came after it has been sealed. */
static int none_is_passed_over(struct task *t)
{
	struct task slow = { .mem = t->mem };
	struct audit_mark mark = { 0 };
	long long before;

	if (audit_verify(t, &mark, NULL, NULL))
		return 1;
	before = mark.position;
	if (pg_begin(&slow) || add(&slow, "test:slow"))
		return 2;
	/* it has its number in the sequence before the quick one takes its own */
	if (number(&slow, "select count(*) from platform.audit_event where action = 'test:slow'") !=
	    1)
		return 3;
	if (pg_begin(t) || add(t, "test:quick") || pg_commit(t) || audit_seal(t))
		return 4;
	if (audit_verify(t, &mark, NULL, NULL) || mark.position != before + 1)
		return 5;
	if (pg_commit(&slow) || audit_verify(t, &mark, NULL, NULL) || mark.position != before + 2)
		return 6;
	return number(t, "select count(*) from platform.audit_seal s join platform.audit_event e "
			 "on e.id = s.event_id and e.action = 'test:slow'") == 1
		       ? OK
		       : 7;
}

static void test_a_late_commit_is_not_passed_over(void **state)
{
	(void)state;
	assert_int_equal(in_task(none_is_passed_over), OK);
}

/* What a restored dump has: events that were sealed stand in the queue again, and transactions count from the start. */
static int a_restored_trail_goes_on(struct task *t)
{
	struct audit_mark mark = { 0 };
	long long before;

	if (audit_verify(t, &mark, NULL, NULL))
		return 1;
	before = mark.position;
	if (run(t, "insert into platform.audit_event (id, transaction, action, actor_kind) values "
		   "(gen_random_uuid(), '999999999999', 'test:restored', 'nobody')") ||
	    run(t, "insert into platform.audit_unsealed select seq, id from platform.audit_event "
		   "where action = 'test:kept'") ||
	    add(t, "test:after"))
		return 2;
	if (audit_verify(t, &mark, NULL, NULL) || mark.position != before + 2)
		return 3;
	return number(t, "select count(*) from platform.audit_unsealed") == 0 ? OK : 4;
}

static void test_a_restored_trail_goes_on(void **state)
{
	(void)state;
	assert_int_equal(in_task(a_restored_trail_goes_on), OK);
}

static int more_than_a_batch(struct task *t)
{
	struct audit_mark mark = { 0 }, again = { 0 };

	if (run(t,
		"insert into platform.audit_event (id, action, actor_kind, after) select gen_random_uuid(), "
		"'test:many', 'nobody', jsonb_build_object('n', n) from generate_series(1, 2500) n"))
		return 1;
	if (audit_verify(t, &mark, NULL, NULL) || mark.position < 2500 ||
	    audit_verify(t, &again, NULL, NULL))
		return 2;
	return strcmp(mark.digest, again.digest) == 0 ? OK : 3;
}

static void test_more_than_a_batch(void **state)
{
	(void)state;
	assert_int_equal(in_task(more_than_a_batch), OK);
}

static int nothing_can_be_changed(struct task *t)
{
	static const char *const statements[] = {
		"update platform.audit_event set action = 'test:other'",
		"update platform.audit_event set action = action where false",
		"delete from platform.audit_event",
		"truncate platform.audit_event",
		"update platform.audit_seal set digest = sha256('x')",
		"delete from platform.audit_seal where position = 1",
		"truncate platform.audit_seal",
		"truncate platform.audit_event, platform.audit_seal cascade",
		"with x as (delete from platform.audit_event returning id) select count(*) from x",
		"insert into platform.audit_seal table platform.audit_seal on conflict (position) do update set digest = ''",
	};
	struct audit_mark mark = { 0 };

	for (int i = 0; i < (int)COUNT_OF(statements); i++) {
		for (int replica = 0; replica < 2; replica++) {
			int rc = pg_begin(t);

			if (!rc && replica)
				rc = run(t, "set local session_replication_role = replica");
			if (rc || run(t, statements[i]) != E_CONFLICT ||
			    strcmp(t->failure.sqlstate, "23001") != 0)
				return 1 + i;
			task_forgive(t);
			pg_rollback(t);
		}
	}
	return audit_verify(t, &mark, NULL, NULL);
}

static void test_nothing_can_be_changed(void **state)
{
	(void)state;
	assert_int_equal(in_task(nothing_can_be_changed), OK);
}

/* What a superuser who switches the triggers off may do, and what is said of it. Each is undone by rolling back. */
static const struct {
	const char *sql, *found;
} tampering[] = {
	{ "update platform.audit_event set action = 'test:other' where id = (select event_id from "
	  "platform.audit_seal where position = 2)",
	  "Position 2: the event % was changed after it was sealed" },
	{ "update platform.audit_event set after = '{\"name\": \"b\"}' where action = 'test:whole'",
	  "Position 1: the event % was changed after it was sealed" },
	{ "update platform.audit_event set actor_id = null where action = 'test:whole'",
	  "Position 1: the event % was changed after it was sealed" },
	{ "update platform.audit_event set created_at = created_at + interval '1 microsecond' where id = "
	  "(select event_id from platform.audit_seal where position = 1000)",
	  "Position 1000: the event % was changed after it was sealed" },
	{ "update platform.audit_event set address = '2001:db8::1/64' where action = 'test:whole'",
	  "Position 1: the event % was changed after it was sealed" },
	{ "delete from platform.audit_event where id = (select event_id from platform.audit_seal where position = 3)",
	  "Position 3: the event % is missing" },
	{ "delete from platform.audit_seal where position = 3", "Position 3: the seal is missing" },
	{ "delete from platform.audit_seal where position = 1", "Position 1: the seal is missing" },
	{ "delete from platform.audit_seal where position = (select max(position) from platform.audit_seal)",
	  "The event % has no seal and does not wait for one" },
	{ "update platform.audit_seal set digest = sha256('x') where position = 1001",
	  "Position 1001: the digest of the seal was changed" },
	{ "update platform.audit_seal set digest = sha256('x') where position = (select max(position) from "
	  "platform.audit_seal)",
	  "% or its digest was changed" },
	{ "update platform.audit_seal set event_id = gen_random_uuid() where position = 2",
	  "Position 2: the event % is missing" },
	{ "insert into platform.audit_event (id, action, actor_kind) values (gen_random_uuid(), 'test:x', 'nobody');"
	  "delete from platform.audit_unsealed",
	  "The event % has no seal and does not wait for one" },
	{ "create or replace function platform.audit_text(e platform.audit_event) returns text language sql return 'x';"
	  "insert into platform.audit_event (id, action, actor_kind) values (gen_random_uuid(), 'test:x', 'nobody')",
	  "or its digest was changed" },
};

/* Verifying inside of the transaction that has changed something. */
static int found_within(struct task *t, const char *sql, const char *found)
{
	struct audit_mark mark = { 0 };
	const char *percent = strchr(found, '%');
	char *first = percent ? talloc_strndup(t->mem, found, (size_t)(percent - found))
			      : talloc_strdup(t->mem, found);

	if (pg_begin(t) ||
	    pg_script(t, "alter table platform.audit_event disable trigger audit_event_refuse;"
			 "alter table platform.audit_seal disable trigger audit_seal_refuse") ||
	    pg_script(t, sql))
		return 1;
	if (audit_verify(t, &mark, NULL, NULL) != E_CONFLICT)
		return 2;
	if (!strstr(t->failure.message, first) ||
	    (percent && !strstr(t->failure.message, percent + 1))) {
		print_error("%s\n", t->failure.message);
		return 3;
	}
	pg_rollback(t);
	task_forgive(t);
	return OK;
}

static int tampering_is_found(struct task *t)
{
	struct audit_mark mark = { 0 };

	for (int i = 0; i < (int)COUNT_OF(tampering); i++) {
		int rc = found_within(t, tampering[i].sql, tampering[i].found);

		if (rc)
			return 100 * rc + i;
	}
	return audit_verify(t, &mark, NULL, NULL);
}

static void test_tampering_is_found(void **state)
{
	(void)state;
	assert_int_equal(in_task(tampering_is_found), OK);
}

/* A whole chain made anew is as good as the old one, but for whoever kept a mark. */
static int a_kept_mark_tells(struct task *t)
{
	struct audit_mark kept = { 0 }, mark = { 0 };

	if (audit_verify(t, &kept, NULL, NULL) || pg_begin(t) ||
	    pg_script(
		    t,
		    "alter table platform.audit_event disable trigger audit_event_refuse;"
		    "alter table platform.audit_seal disable trigger audit_seal_refuse;"
		    "delete from platform.audit_event where action = 'test:whole';"
		    "truncate platform.audit_seal;"
		    "insert into platform.audit_unsealed select seq, id from platform.audit_event"))
		return 1;
	if (audit_verify(t, &mark, NULL, NULL) || mark.position != kept.position - 1)
		return 2;
	if (audit_verify(t, &kept, NULL, NULL) != E_CONFLICT)
		return 3;
	task_forgive(t);
	pg_rollback(t);
	return audit_verify(t, &kept, NULL, NULL);
}

static void test_a_kept_mark_tells_of_a_chain_made_anew(void **state)
{
	(void)state;
	assert_int_equal(in_task(a_kept_mark_tells), OK);
}

static int a_bad_event_fails_the_commit(struct task *t)
{
	long long before = number(t, "select count(*) from platform.audit_event");

	for (int i = 0; i < 3; i++) {
		if (pg_begin(t) || run(t, "create table if not exists public.done (a int)") ||
		    add(t, "NOT AN ACTION") || pg_commit(t) != E_CONFLICT)
			return 1;
		task_forgive(t);
	}
	if (number(t, "select count(*) from pg_class where relname = 'done'") != 0)
		return 2;
	/* outside of a transaction it says so itself */
	if (add(t, "NOT AN ACTION") != E_CONFLICT)
		return 3;
	task_forgive(t);
	if (pg_begin(t) || add(t, "test:good") || pg_commit(t))
		return 4;
	return number(t, "select count(*) from platform.audit_event") == before + 1 ? OK : 5;
}

static void test_a_bad_event_fails_the_commit(void **state)
{
	(void)state;
	assert_int_equal(in_task(a_bad_event_fails_the_commit), OK);
}

static int the_trail_is_exported(struct task *t)
{
	struct pg_rows *rows;
	long long position = 0, count = 0, before = -1, all;

	if (audit_seal(t))
		return 1;
	all = number(t, "select count(*) from platform.audit_seal");
	while (position != before) {
		before = position;
		if (audit_export(t, &position, NULL, &rows))
			return 2;
		if (before == 0 && (!strstr(pg_value(rows, 0, 1), "\"position\": 1") ||
				    !strstr(pg_value(rows, 0, 1), "\"action\": \"test:whole\"")))
			return 3;
		count += pg_count(rows);
	}
	if (count != all)
		return 4;
	position = 0;
	if (audit_export(t, &position, "2999-01-01T00:00:00Z", &rows))
		return 5;
	return pg_count(rows) == 0 && position == 0 ? OK : 6;
}

static void test_the_trail_is_exported(void **state)
{
	(void)state;
	assert_int_equal(in_task(the_trail_is_exported), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_are_sealed),
		cmocka_unit_test(test_a_late_commit_is_not_passed_over),
		cmocka_unit_test(test_a_restored_trail_goes_on),
		cmocka_unit_test(test_more_than_a_batch),
		cmocka_unit_test(test_nothing_can_be_changed),
		cmocka_unit_test(test_tampering_is_found),
		cmocka_unit_test(test_a_kept_mark_tells_of_a_chain_made_anew),
		cmocka_unit_test(test_a_bad_event_fails_the_commit),
		cmocka_unit_test(test_the_trail_is_exported),
	};

	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
