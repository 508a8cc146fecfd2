/* SPDX-License-Identifier: Apache-2.0 */
/* One message to an SMTP server; see smtp_call.h. */
#include "io/smtp_call.h"

#include <stdbool.h>
#include <string.h>
#include "base/str.h"
#include "io/transfer.h"
#include "base/banned.h"

enum { REPLY_MAX = 300 };

struct dialogue {
	const char *at; /* what is left of the message */
	size_t left;
	bool in_envelope; /* replies are about this message */
	bool over;	  /* we have said QUIT */
	char reply[REPLY_MAX + 1];
};

static size_t give_message(char *room, size_t size, size_t count, void *arg)
{
	struct dialogue *d = arg;
	size_t len = size * count < d->left ? size * count : d->left;

	memcpy(room, d->at, len);
	d->at += len;
	d->left -= len;
	return len;
}

/* libcurl shows the dialogue to its debugger only. What we say is looked at and not kept: a password is in it. */
static int listen_in(CURL *easy, curl_infotype type, char *line, size_t len, void *arg)
{
	struct dialogue *d = arg;

	if (type == CURLINFO_HEADER_OUT && len > 10 && strncmp(line, "MAIL FROM:", 10) == 0)
		d->in_envelope = true;
	if (type == CURLINFO_HEADER_OUT && len >= 4 && strncmp(line, "QUIT", 4) == 0) {
		d->over = true;
		/* libcurl holds up the loop until that is answered: a second, not two minutes */
		curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, 1L);
	}
	if (type != CURLINFO_HEADER_IN || d->over)
		return 0;
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	len = len < REPLY_MAX ? len : REPLY_MAX;
	memcpy(d->reply, line, len);
	d->reply[len] = '\0';
	return 0;
}

/* 53x is about who we are (RFC 4954 section 6), not about the message: the operator's to mend. */
static enum smtp_verdict verdict_of(const struct dialogue *d)
{
	if (!d->in_envelope || d->reply[1] == '3')
		return SMTP_AWAY;
	if (strncmp(d->reply, "421", 3) == 0)
		return SMTP_AWAY; /* it is closing down (RFC 5321 section 3.8) */
	return d->reply[0] == '5' ? SMTP_REFUSED : d->reply[0] == '4' ? SMTP_DEFERRED : SMTP_AWAY;
}

/* Servers' texts may hold anything, and go into the database. */
static const char *clean(struct task *t, const char *text)
{
	char *copy = talloc_strdup(t->mem, text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	str_repair_utf8(copy);
	return copy;
}

static int note_failure(struct task *t, const struct dialogue *d, CURLcode code, const char *why,
			struct smtp_answer *answer)
{
	const char *text = code == CURLE_OPERATION_TIMEDOUT ? "the server did not answer in time"
			   : why[0]			    ? why
							    : curl_easy_strerror(code);

	answer->verdict = verdict_of(d);
	if (d->reply[0] == '4' || d->reply[0] == '5')
		text = d->reply;
	answer->text = clean(t, text);
	task_fail(t, code == CURLE_OPERATION_TIMEDOUT ? E_TIMEOUT : E_UNAVAILABLE, NULL);
	t->failure.cause = answer->text;
	return t->failure.code;
}

static void set_call(CURL *easy, const struct smtp_call *call, struct dialogue *d, char *why)
{
	static const long levels[] = { [SMTP_TLS_OFF] = CURLUSESSL_NONE,
				       [SMTP_TLS_OPPORTUNISTIC] = CURLUSESSL_TRY,
				       [SMTP_TLS_REQUIRED] = CURLUSESSL_ALL };

	curl_easy_setopt(easy, CURLOPT_USE_SSL, levels[call->tls]);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, call->from);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->len);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(easy, CURLOPT_READDATA, d);
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, listen_in);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, d);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
}

int smtp_call(struct task *t, const struct smtp_call *call, struct smtp_answer *answer)
{
	struct dialogue d = { .at = call->message, .left = call->len };
	struct curl_slist *to = curl_slist_append(NULL, call->to);
	CURL *easy = transfer_new(call->url, "smtp,smtps");
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	int rc;

	*answer = (struct smtp_answer) { .text = "the server did not answer in time" };
	set_call(easy, call, &d, why);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	rc = transfer_run(t, easy, call->timeout_ms, &code);
	if (rc == OK && code != CURLE_OK)
		rc = note_failure(t, &d, code, why, answer);
	curl_easy_cleanup(easy);
	curl_slist_free_all(to);
	return rc;
}
