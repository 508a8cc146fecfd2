/* SPDX-License-Identifier: Apache-2.0 */
/* One message to an SMTP server (RFC 5321), as a call that waits. The connection is kept for the next one. */
#ifndef IO_SMTP_CALL_H
#define IO_SMTP_CALL_H

#include <stddef.h>
#include "base/attr.h"
#include "io/task.h"

enum smtp_tls {
	SMTP_TLS_OFF,
	SMTP_TLS_OPPORTUNISTIC, /* STARTTLS (RFC 3207) when it is offered */
	SMTP_TLS_REQUIRED
};

struct smtp_call {
	const char *url; /* smtp:// or smtps://, with the user and password if there are any */
	enum smtp_tls tls;
	const char *from, *to; /* addresses of the envelope */
	const char *message;   /* RFC 5322, lines end in CR LF */
	size_t len;
	int timeout_ms; /* for all of it; the task's deadline counts, too */
};

enum smtp_verdict {
	SMTP_AWAY,     /* no server, no login, no answer: another message would fare no better */
	SMTP_DEFERRED, /* not this message now (4xx) */
	SMTP_REFUSED   /* not this message, ever (5xx) */
};

/* How the server answered when the message was not taken. */
struct smtp_answer {
	enum smtp_verdict verdict;
	const char *
		text; /* its last line, or what went wrong before; UTF-8, a child of the task's mem */
};

/* Sends the message. OK when the server has taken it; otherwise E_UNAVAILABLE or E_TIMEOUT, `answer` filled in. waits */
int smtp_call(struct task *t, const struct smtp_call *call, struct smtp_answer *answer) MUST_USE;

#endif
