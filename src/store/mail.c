/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of mails; see mail.h. */
#include "store/mail.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/config.h"
#include "base/formats.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/uuid.h"
#include "base/banned.h"

/* {"link":"..."}, sealed. */
static const char *seal(TALLOC_CTX *mem, int count, const struct mail_value *values)
{
	json_t *object = json_object();
	const char *sealed;
	char *text;

	for (int i = 0; i < count; i++) {
		char *value = talloc_strndup(mem, values[i].value, MAIL_VALUE_MAX);

		str_repair_utf8(value);
		json_object_set_new(object, values[i].name, json_string(value));
	}
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text)
		abort();
	sealed = secret_seal(mem, "mail", text, strlen(text));
	free(text);
	return sealed;
}

const char *mail_page(TALLOC_CTX *mem, const char *page, const char *token)
{
	return talloc_asprintf(mem, "%s/%s%s%s", config.public_url, page, token ? "?token=" : "",
			       token ? token : "");
}

int mail_queue(struct task *t, const char *template, const char *to, int count,
	       const struct mail_value *values)
{
	const struct mail_template *found = mail_template_find(template);
	const char *address = format_email(t->mem, to);
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;

	assert(found && count <= MAIL_VALUES_MAX);
	assert(!mail_template_missing(t->mem, found, count, values));
	if (!address)
		return task_fail(t, E_VALIDATION, "This is not an e-mail address");
	uuid_new(id);
	return pg_query(
		t, &rows,
		"insert into platform.mail (id, template, recipient, sealed) values ($1, $2, $3, $4)",
		PG_PARAMS(id, template, address, seal(t->mem, count, values)));
}

int mail_list(struct task *t, bool dead, struct pg_rows **rows)
{
	char most[16];

	snprintf(most, sizeof(most), "%d", MAIL_LIST_MAX);
	return pg_query_long(
		t, rows,
		"select id, template, recipient, attempts, "
		"case when failed_at is null then 'waiting' else 'dead' end, "
		"to_char(case when failed_at is null then next_attempt_at end at time zone 'UTC', "
		"'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), last_error from platform.mail "
		"where sent_at is null and (failed_at is not null or not $1::bool) "
		"order by created_at limit $2::int",
		PG_PARAMS(dead ? "true" : "false", most));
}

int mail_replay(struct task *t, const char *id, long long *count)
{
	struct pg_rows *rows;
	int rc = pg_query_long(
		t, &rows,
		"update platform.mail set failed_at = null, attempts = 0, "
		"next_attempt_at = clock_timestamp() "
		"where failed_at is not null and ($1::uuid is null or id = $1::uuid)",
		PG_PARAMS(id));

	if (rc == OK)
		*count = pg_affected(rows);
	return rc;
}

int mail_clean_up(struct task *t)
{
	struct pg_rows *rows;

	return pg_query_long(
		t, &rows,
		"delete from platform.mail where sent_at < statement_timestamp() - interval '30 days' "
		"or failed_at < statement_timestamp() - interval '90 days'",
		PG_NONE);
}

int mail_measure(struct task *t)
{
	struct pg_rows *rows;
	long long waiting;
	int rc = pg_query(
		t, &rows,
		"select count(*) from platform.mail where sent_at is null and failed_at is null",
		PG_NONE);

	if (rc)
		return rc;
	if (str_to_int(pg_value(rows, 0, 0), 0, INT64_MAX, &waiting))
		metric_set(METRIC_JOBS_QUEUE, waiting);
	return OK;
}
