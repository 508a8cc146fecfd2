/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people are to be told of their replies becomes mails. Whatever changes something writes notices in its own transaction
 * (triggers in sql/event/0003_replies.sql); this job queues one mail for all that one change means to one person, and removes
 * the notices in the same transaction.
 */
#include <string.h>
#include "event/reply.h"
#include "store/mail.h"
#include "base/banned.h"

enum { TO, KIND, TITLE, WHEN, WAS, CODE, UNTIL, SUBJECT, SAID, REPLY, EVENT, BY_MAIL };

static const struct {
	const char *kind, *template;
} templates[] = {
	{ "going", "reply_going" },	    { "waiting", "reply_waiting" },
	{ "offered", "reply_offered" },	    { "lapsed", "reply_lapsed" },
	{ "refused", "reply_refused" },	    { "cancelled", "event_cancelled" },
	{ "postponed", "event_postponed" }, { "back", "event_back" },
	{ "moved", "event_moved" },	    { "announcement", "event_announcement" },
};

/* What is no longer so by now is not told: who replied twice in a moment hears of the last. */
static const char take_sql[] =
	"with taken as (delete from event.notice where id in (select id from event.notice order by id limit 500 "
	"for update skip locked) returning *) "
	"select coalesce(c.email, r.email), n.kind, min(coalesce(o.title, e.title)), "
	"string_agg(event.when_text(o.starts_local, e.all_day), E'\\n' order by o.starts_at), "
	"string_agg(event.when_text(n.was_local, e.all_day), E'\\n' order by o.starts_at), min(r.code), "
	"min(event.when_text(least(r.offered_at + $1::interval, event.replies_until(o, e)) at time zone e.time_zone, false)), "
	"min(a.subject), min(a.text), min(r.id::text), r.event_id, r.person_id is null "
	"from taken n join event.reply r on r.id = n.reply_id join event.occurrence o on o.id = r.occurrence_id "
	"join event.event e on e.id = r.event_id left join platform.contact c on c.person_id = r.person_id "
	"left join event.announcement a on a.id = n.announcement_id "
	"where coalesce(c.email, r.email) is not null "
	"and (n.kind not in ('going', 'waiting', 'offered', 'lapsed', 'refused') or n.kind = r.status) "
	"group by coalesce(c.email, r.email), n.kind, n.change, n.announcement_id, r.event_id, r.person_id is null "
	"order by min(n.id)";

static const char *template_of(const char *kind)
{
	for (size_t i = 0; i < COUNT_OF(templates); i++)
		if (strcmp(templates[i].kind, kind) == 0)
			return templates[i].template;
	return NULL;
}

static const char *value(const struct pg_rows *rows, int row, int column)
{
	const char *text = pg_value(rows, row, column);

	return text ? text : "";
}

/* Who has an account finds the reply at the event; otherwise it takes the token. */
static const char *link_of(struct task *t, const struct pg_rows *rows, int i)
{
	if (pg_value(rows, i, BY_MAIL)[0] == 't')
		return mail_page(t->mem, "reply", reply_token(t->mem, value(rows, i, REPLY)));
	return mail_page(t->mem, talloc_asprintf(t->mem, "events/%s", value(rows, i, EVENT)), NULL);
}

/* An address that no mail can go to keeps nobody else waiting. */
static int queue(struct task *t, const struct pg_rows *rows, int i)
{
	int rc = mail_queue(
		t, template_of(value(rows, i, KIND)), value(rows, i, TO),
		MAIL_VALUES({ "title", value(rows, i, TITLE) }, { "when", value(rows, i, WHEN) },
			    { "was", value(rows, i, WAS) }, { "code", value(rows, i, CODE) },
			    { "until", value(rows, i, UNTIL) },
			    { "subject", value(rows, i, SUBJECT) },
			    { "text", value(rows, i, SAID) }, { "link", link_of(t, rows, i) }));

	if (rc == E_VALIDATION) {
		task_forgive(t);
		return OK;
	}
	return rc;
}

static int send_some(struct task *t, void *arg)
{
	struct pg_rows *rows;
	int rc = pg_query(t, &rows, take_sql, PG_PARAMS(own_reply_claim(t->mem)));

	(void)arg;
	for (int i = 0; !rc && i < pg_count(rows); i++)
		rc = queue(t, rows, i);
	return rc;
}

int notice_send(struct task *t)
{
	return pg_transaction(t, send_some, NULL);
}
