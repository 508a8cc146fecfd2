/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of mails in platform.mail. What causes a mail queues it in its own transaction; the jobs process sends it
 * (store/mail_send.h). A mail waits, or is sent, or is dead: given up, until an operator replays it.
 */
#ifndef STORE_MAIL_H
#define STORE_MAIL_H

#include <stdbool.h>
#include "base/attr.h"
#include "io/task.h"
#include "store/mail_message.h"
#include "store/pg.h"

/* Values: MAIL_VALUES({ "link", link }, { "minutes", "30" }); MAIL_NONE for none. */
#define MAIL_VALUES(...)                                                                           \
	(int)COUNT_OF(((const struct mail_value[]) { __VA_ARGS__ })),                              \
		((const struct mail_value[]) { __VA_ARGS__ })
#define MAIL_NONE 0, NULL

/* Queues a mail from a template of mail/ in the task's transaction (at once, without one): it is sent when that commits,
 * at least once. Asserts that the template is there and has all its values, MAIL_VALUES_MAX at most. E_VALIDATION when `to`
 * is no address. The values are sealed. waits */
int mail_queue(struct task *t, const char *template, const char *to, int count,
	       const struct mail_value *values) MUST_USE;

/* The address of a page of the front end for a mail, "reset-password", with a token to hand on unless it is NULL: a child of
 * mem. */
const char *mail_page(TALLOC_CTX *mem, const char *page, const char *token);

enum { MAIL_LIST_MAX = 1000 };

/* The mails that wait, or only the `dead` ones, oldest first, MAIL_LIST_MAX at most: id, template, recipient, attempts,
 * state ("waiting", "dead"), next_attempt_at or NULL, last_error or NULL. waits */
int mail_list(struct task *t, bool dead, struct pg_rows **rows) MUST_USE;
/* Lets a dead mail, or all (NULL), wait again as if it were new; `count` says how many. waits */
int mail_replay(struct task *t, const char *id, long long *count) MUST_USE;

/* Jobs. Removes what was sent 30 days ago, and what died 90 days ago. waits */
int mail_clean_up(struct task *t) MUST_USE;
/* Sets the gauge of the mails that wait. waits */
int mail_measure(struct task *t) MUST_USE;

#endif
