/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending the queue of store/mail.h: over SMTP to SMTP_URL or, without it, into .eml files in mail/ of the data folder.
 * Each mail is claimed before it is sent, by an attempt counted and the next one set ahead, so that a kill at any moment
 * loses none; one that was taken by the server just then is sent twice, with the same Message-ID.
 */
#ifndef STORE_MAIL_SEND_H
#define STORE_MAIL_SEND_H

#include "base/attr.h"
#include "io/task.h"

/* SQL: is there a mail that is due? */
#define MAIL_SEND_WANTED                                                                           \
	"exists (select 1 from platform.mail where sent_at is null and failed_at is null "         \
	"and next_attempt_at <= clock_timestamp())"

/* The least time that mail_send() needs, in ms. */
enum { MAIL_SEND_TIMEOUT_MS = 60000 };

/* A job: sends what is due, one after the other, until nothing is left or t->deadline is near. A mail that was not taken
 * is tried again after 1 minute, then twice as long each time, 6 hours at most; after 10 attempts, or when the server
 * said that it never will be, it is dead. E_UNAVAILABLE or E_TIMEOUT when the server is away. waits */
int mail_send(struct task *t) MUST_USE;

#endif
