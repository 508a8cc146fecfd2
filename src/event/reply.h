/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who comes: replies to occurrences. The rules of places and of the line of those who wait are in sql/event/0003_replies.sql,
 * so that they hold whoever writes; here is what people ask for. Functions of routes.
 */
#ifndef EVENT_REPLY_H
#define EVENT_REPLY_H

#include "api/request.h"
#include "base/attr.h"
#include "model/resource.h"

enum { REPLY_CODE_LENGTH = 8 }; /* of what is shown at the door; see code_text.h */

/* reply.c: replies as organisers see them; one's own, which is no table but the view event.reply_shown; bodies. */
extern const struct resource reply_resource, own_reply;
extern const struct resource reply_body, reply_mail_body, reply_token_body, reply_change_body,
	reply_decide_body, check_in_body, announcement_body;
/* The columns of own_reply in rows of the view called `from`, "(a.shown)"; the parameter $<claim> is the interval for which an
 * offered place is kept. */
const char *own_reply_columns(TALLOC_CTX *mem, const char *from, int claim);
/* That interval, "24 hours". */
const char *own_reply_claim(TALLOC_CTX *mem);
/* Writes a row whose columns of own_reply begin with number `first`, as an object; `token` is what somebody without an account
 * may change it with, NULL. */
void own_reply_write(struct writer *j, const struct pg_rows *rows, int row, int first,
		     const char *token);
/* The token of a reply by mail, a child of mem; and the reply's id of such a token, NULL when it is none. */
const char *reply_token(TALLOC_CTX *mem, const char *id);
const char *reply_token_read(TALLOC_CTX *mem, const char *token) MUST_USE;

/* answer.c: people reply. waits */
int reply_put(struct request *r) MUST_USE;
int reply_get(struct request *r) MUST_USE;
int reply_by_mail(struct request *r) MUST_USE;
int reply_confirm(struct request *r) MUST_USE;
int reply_by_token(struct request *r) MUST_USE;
/* SQL: is there anything to forget? Whoever replied to what ended 90 days ago did so before. */
#define REPLY_IS_OLD                                                                               \
	"r.email is not null and r.created_at < now() - interval '90 days' and o.ends_at < now() - interval '90 days'"
#define REPLY_REQUEST_IS_OLD "created_at < now() - interval '2 days'"
#define REPLY_TO_FORGET                                                                                    \
	"exists (select from event.reply_request where " REPLY_REQUEST_IS_OLD ") or exists "               \
	"(select from event.reply r join event.occurrence o on o.id = r.occurrence_id where " REPLY_IS_OLD \
	")"

/* Jobs: what was offered and not claimed is taken back; what is no longer needed is forgotten. waits */
int reply_lapse(struct task *t) MUST_USE;
int reply_forget(struct task *t) MUST_USE;

/* attend.c: what organisers do. waits */
int reply_decide(struct request *r) MUST_USE;
int reply_check_in(struct request *r) MUST_USE;
int reply_csv(struct request *r) MUST_USE;
int reply_announce(struct request *r) MUST_USE;
extern const struct filter reply_csv_parameters[];

/* mine.c: one's own replies, and the calendar of them. waits */
int my_replies(struct request *r) MUST_USE;
int my_calendar(struct request *r) MUST_USE;
int my_calendar_make(struct request *r) MUST_USE;
int my_calendar_end(struct request *r) MUST_USE;
int my_calendar_feed(struct request *r) MUST_USE;
extern const struct filter my_replies_parameters[];

/* notice.c: the job that makes mails of notices. waits */
int notice_send(struct task *t) MUST_USE;

#endif
