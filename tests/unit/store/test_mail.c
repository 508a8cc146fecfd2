/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the queue on a real cluster: in the caller's transaction, sealed, and for addresses only. */
#include "test.h"
#include "with_cluster.h"
#include "base/config.h"
#include "store/migrate.h"
#include "store/mail.c"

/* How many rows this condition finds, -1 on failure. */
static int count(struct task *t, const char *condition)
{
	char sql[300];
	struct pg_rows *rows;

	snprintf(sql, sizeof(sql), "select 1 from platform.mail where %s", condition);
	return pg_query(t, &rows, sql, PG_NONE) ? -1 : pg_count(rows);
}

static int queue(struct task *t, const char *to)
{
	return mail_queue(
		t, "reset_password", to,
		MAIL_VALUES({ "link", "https://town.example/r/s3cret" }, { "minutes", "30" }));
}

static int migrate(struct task *t)
{
	return migrate_apply(t, false, NULL, NULL);
}

/* Each returns 0, or the number of what did not hold. */
static int with_the_transaction(struct task *t)
{
	if (pg_begin(t) || queue(t, "rolled@example.org"))
		return 1;
	pg_rollback(t);
	if (count(t, "recipient = 'rolled@example.org'") != 0)
		return 2;
	if (pg_begin(t) || queue(t, "kept@example.org") || pg_commit(t))
		return 3;
	return count(t, "recipient = 'kept@example.org' and attempts = 0 and sent_at is null") != 1;
}

static int sealed(struct task *t)
{
	struct pg_rows *rows;
	const char *text;
	size_t len;

	if (queue(t, "sealed@example.org") ||
	    pg_query(
		    t, &rows,
		    "select sealed, mail::text from platform.mail mail where recipient = 'sealed@example.org'",
		    PG_NONE))
		return 1;
	if (strstr(pg_value(rows, 0, 1), "s3cret") || strstr(pg_value(rows, 0, 1), "link"))
		return 2;
	text = secret_open(t->mem, "mail", pg_value(rows, 0, 0), &len);
	return !text || !strstr(text, "\"link\":\"https://town.example/r/s3cret\"") ? 3 : 0;
}

static int addresses_only(struct task *t)
{
	static const char *const bad[] = { "",
					   "ann",
					   "ann@example.org\r\nBcc: all@example.org",
					   "ann@example.org>\r\nDATA",
					   "<ann@example.org>",
					   "ann@example.org, bob@example.org",
					   "ann bob@example.org" };

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (queue(t, bad[i]) != E_VALIDATION)
			return 1 + (int)i;
		task_forgive(t);
	}
	return 0;
}

static int replay_and_clean_up(struct task *t)
{
	struct pg_rows *rows;
	long long again = 0;

	if (pg_query(t, &rows, "delete from platform.mail", PG_NONE) || queue(t, "a@example.org") ||
	    queue(t, "b@example.org") || queue(t, "c@example.org"))
		return 1;
	if (pg_query(
		    t, &rows,
		    "update platform.mail set failed_at = clock_timestamp(), attempts = 10 where recipient < 'c'",
		    PG_NONE) ||
	    mail_list(t, true, &rows) || pg_count(rows) != 2 || mail_list(t, false, &rows) ||
	    pg_count(rows) != 3)
		return 2;
	if (mail_replay(t, "01a21033-d820-71af-b0ae-79fe2d5da503", &again) || again != 0 ||
	    mail_replay(t, NULL, &again) || again != 2 ||
	    count(t, "failed_at is null and attempts = 0") != 3)
		return 3;
	if (pg_query(
		    t, &rows,
		    "update platform.mail set sent_at = clock_timestamp() - case recipient when 'a@example.org' "
		    "then interval '29 days' else interval '31 days' end, sealed = null where recipient < 'c'",
		    PG_NONE) ||
	    mail_clean_up(t))
		return 4;
	return count(t, "true") == 2 && count(t, "recipient <> 'b@example.org'") == 2 ? 0 : 5;
}

static void test_it_is_queued_with_the_transaction(void **state)
{
	(void)state;
	assert_int_equal(in_task(with_the_transaction), 0);
}

static void test_values_are_sealed(void **state)
{
	(void)state;
	assert_int_equal(in_task(sealed), 0);
}

static void test_only_addresses_are_taken(void **state)
{
	(void)state;
	assert_int_equal(in_task(addresses_only), 0);
}

static void test_dead_mails_are_replayed_and_old_ones_removed(void **state)
{
	(void)state;
	assert_int_equal(in_task(replay_and_clean_up), 0);
}

static int start(void **state)
{
	char why[300];

	config.town = "Guildford";
	config.public_url = "https://town.example";
	return start_cluster(state) == 0 && in_task(migrate) == OK &&
			       secret_setup(
				       "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
				       "", why, sizeof(why)) == 0
		       ? 0
		       : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_queued_with_the_transaction),
		cmocka_unit_test(test_values_are_sealed),
		cmocka_unit_test(test_only_addresses_are_taken),
		cmocka_unit_test(test_dead_mails_are_replayed_and_old_ones_removed),
	};

	return cmocka_run_group_tests(tests, start, stop_cluster);
}
