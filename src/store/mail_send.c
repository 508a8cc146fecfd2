/* SPDX-License-Identifier: Apache-2.0 */
/* Sending the queue of mails; see mail_send.h. */
#include "store/mail_send.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/config.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "io/smtp_call.h"
#include "store/mail_message.h"
#include "store/pg.h"
#include "base/banned.h"

enum {
	SEND_TIMEOUT_MS = 20000,
	RESERVE_MS = 10000, /* what the statements around may take */
	ATTEMPTS_MAX = 10,
	BACKOFF_FIRST_S = 60,
	BACKOFF_MAX_S = 6 * 3600,
	ERROR_MAX = 500,
	PATH_SIZE = 1200
};

struct mail {
	const char *id, *template, *to, *sealed;
	int attempts; /* this one included */
	long long created_ms;
};

/* Why a mail was not sent. */
struct refusal {
	bool permanent; /* no later attempt will do better */
	bool away;	/* nor will the next mail, now */
	const char *why;
};

/* Seconds until the next attempt. */
static int backoff_of(int attempts)
{
	int seconds = BACKOFF_FIRST_S;

	for (int i = 1; i < attempts && seconds < BACKOFF_MAX_S; i++)
		seconds *= 2;
	return seconds < BACKOFF_MAX_S ? seconds : BACKOFF_MAX_S;
}

/* Counts an attempt and keeps the mail to ourselves for two minutes: longer than it may take us. */
static int claim(struct task *t, struct mail *mail, bool *found)
{
	struct pg_rows *rows;
	long long attempts = 0;
	int rc = pg_query(
		t, &rows,
		"update platform.mail set attempts = attempts + 1, "
		"next_attempt_at = clock_timestamp() + interval '2 minutes' where id = ("
		"select id from platform.mail where sent_at is null and failed_at is null "
		"and next_attempt_at <= clock_timestamp() order by next_attempt_at limit 1 "
		"for update skip locked) returning id, template, recipient, sealed, attempts, "
		"(extract(epoch from created_at) * 1000)::bigint",
		PG_NONE);

	if (rc)
		return rc;
	*found = pg_count(rows) == 1;
	if (!*found)
		return OK;
	*mail = (struct mail) { .id = pg_value(rows, 0, 0),
				.template = pg_value(rows, 0, 1),
				.to = pg_value(rows, 0, 2),
				.sealed = pg_value(rows, 0, 3) };
	if (str_to_int(pg_value(rows, 0, 4), 0, INT32_MAX, &attempts))
		mail->attempts = (int)attempts;
	if (!str_to_int(pg_value(rows, 0, 5), 0, INT64_MAX, &mail->created_ms))
		mail->created_ms = (long long)time_unix_ms();
	return OK;
}

static int mark_sent(struct task *t, const struct mail *mail)
{
	struct pg_rows *rows;

	return pg_query(t, &rows,
			"update platform.mail set sent_at = clock_timestamp(), sealed = null, "
			"failed_at = null, last_error = null where id = $1 and sent_at is null",
			PG_PARAMS(mail->id));
}

static int mark_failed(struct task *t, const struct mail *mail, const struct refusal *refusal)
{
	bool dead = refusal->permanent || mail->attempts >= ATTEMPTS_MAX;
	struct pg_rows *rows;
	char seconds[16];

	snprintf(seconds, sizeof(seconds), "%d", backoff_of(mail->attempts));
	/* the server's text may name the recipient: it stays out of the log */
	log_warn("mail %s (%s) was not sent at attempt %d%s", mail->id, mail->template,
		 mail->attempts, dead ? " and is given up; guildford mail list says why" : "");
	return pg_query(t, &rows,
			"update platform.mail set last_error = $2, "
			"failed_at = case when $3::bool then clock_timestamp() end, "
			"next_attempt_at = clock_timestamp() + $4::int * interval '1 second' "
			"where id = $1 and sent_at is null",
			PG_PARAMS(mail->id, str_cut(t->mem, refusal->why, ERROR_MAX),
				  dead ? "true" : "false", seconds));
}

/* The values of a mail, NULL when they were sealed by another key. */
static struct mail_value *open_values(TALLOC_CTX *mem, const char *sealed, int *count)
{
	struct mail_value *values = talloc_array(mem, struct mail_value, MAIL_VALUES_MAX);
	size_t len;
	char *text = secret_open(mem, "mail", sealed, &len);
	json_t *object = text ? json_loadb(text, len, 0, NULL) : NULL, *value;
	const char *name;
	int n = 0;

	if (!object)
		return NULL;
	json_object_foreach(object, name, value)
	{
		if (n == MAIL_VALUES_MAX || !json_is_string(value))
			continue;
		values[n].name = talloc_strdup(mem, name);
		values[n++].value = talloc_strdup(mem, json_string_value(value));
	}
	json_decref(object);
	*count = n;
	return values;
}

/* The message's text, or what is wrong. */
static const char *write_message(struct task *t, const struct mail *mail, struct buf *out)
{
	struct mail_message m = { .template = mail_template_find(mail->template),
				  .id = mail->id,
				  .to = mail->to,
				  .created_ms = (uint64_t)mail->created_ms };

	/* both may come from another node, whose program or key is not ours */
	if (!m.template)
		return "this program has no such template";
	m.values = open_values(t->mem, mail->sealed, &m.count);
	if (!m.values)
		return "its values were sealed with another secret key";
	if (mail_template_missing(t->mem, m.template, m.count, m.values))
		return "it lacks a value that this program's template wants";
	buf_init(out, t->mem, MAIL_MESSAGE_MAX);
	mail_message_write(out, &m);
	return buf_full(out) ? "the message is too long" : NULL;
}

static bool is_loopback(const char *url)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]", "localhost" };
	const char *host = strstr(url, "://") + 3, *at;
	size_t len = strcspn(host, "/?#");

	at = memrchr(host, '@', len);
	if (at) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (len >= n && strncasecmp(host, hosts[i], n) == 0 && (len == n || host[n] == ':'))
			return true;
	}
	return false;
}

static enum smtp_tls tls_of_settings(void)
{
	if (strcmp(config.smtp_tls, "auto") == 0)
		return is_loopback(config.smtp_url) ? SMTP_TLS_OFF : SMTP_TLS_REQUIRED;
	if (strcmp(config.smtp_tls, "off") == 0)
		return SMTP_TLS_OFF;
	return strcmp(config.smtp_tls, "required") == 0 ? SMTP_TLS_REQUIRED
							: SMTP_TLS_OPPORTUNISTIC;
}

static int give_to_server(struct task *t, const struct mail *mail, const struct buf *message,
			  struct refusal *refusal)
{
	struct smtp_answer answer = { 0 };
	int rc = smtp_call(t,
			   &(struct smtp_call) { .url = config.smtp_url,
						 .tls = tls_of_settings(),
						 .from = mail_message_sender(t->mem),
						 .to = mail->to,
						 .message = message->data,
						 .len = message->len,
						 .timeout_ms = SEND_TIMEOUT_MS },
			   &answer);

	*refusal = (struct refusal) { .permanent = answer.verdict == SMTP_REFUSED,
				      .away = answer.verdict == SMTP_AWAY,
				      .why = answer.text };
	return rc;
}

/* Small, on a local disk, and in the jobs process, which serves nobody: it may block that long. */
static int write_file(const char *path, const struct buf *message)
{
	char temporary[PATH_SIZE + 8];
	bool good;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	good = write(fd, message->data, message->len) == (ssize_t)message->len;
	good = close(fd) == 0 && good;
	if (good && rename(temporary, path) == 0)
		return 0;
	unlink(temporary);
	return -1;
}

static int give_to_folder(struct task *t, const struct mail *mail, const struct buf *message,
			  struct refusal *refusal)
{
	char folder[PATH_SIZE - 60], path[PATH_SIZE];

	snprintf(folder, sizeof(folder), "%s/mail", config.data);
	snprintf(path, sizeof(path), "%s/%s.eml", folder, mail->id);
	if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || write_file(path, message) != 0) {
		*refusal = (struct refusal) { .away = true,
					      .why = talloc_asprintf(t->mem, "cannot write %s: %s",
								     path, strerror(errno)) };
		task_fail(t, E_UNAVAILABLE, NULL);
		t->failure.cause = refusal->why;
		return E_UNAVAILABLE;
	}
	log_info("no SMTP_URL: mail %s (%s) is in %s", mail->id, mail->template, path);
	return OK;
}

static int give(struct task *t, const struct mail *mail, struct refusal *refusal)
{
	struct buf message;
	const char *wrong;

	/* it was claimed again and again by processes that did not live to say what became of it */
	if (mail->attempts > ATTEMPTS_MAX)
		wrong = "no attempt came to an end";
	else
		wrong = write_message(t, mail, &message);
	if (wrong) {
		*refusal = (struct refusal) { .why = wrong };
		return task_fail(t, E_INTERNAL, NULL);
	}
	return config.smtp_url[0] ? give_to_server(t, mail, &message, refusal)
				  : give_to_folder(t, mail, &message, refusal);
}

/* Sends a mail and notes what became of it. Fails when the next one would fare no better. */
static int send_one(struct task *t, const struct mail *mail)
{
	struct refusal refusal = { 0 };
	struct failure failure;
	int rc = give(t, mail, &refusal);

	if (rc == OK)
		return mark_sent(t, mail);
	failure = t->failure;
	task_forgive(t);
	rc = mark_failed(t, mail, &refusal);
	if (rc || !refusal.away)
		return rc;
	t->failure = failure;
	return failure.code;
}

/* The next one that is due, in memory of its own. */
static int send_next(struct task *t, bool *found)
{
	TALLOC_CTX *all = t->mem;
	struct mail mail;
	int rc;

	t->mem = talloc_new(all);
	rc = claim(t, &mail, found);
	if (rc == OK && *found)
		rc = send_one(t, &mail);
	if (rc == OK) /* otherwise the failure's texts are in it */
		talloc_free(t->mem);
	t->mem = all;
	return rc;
}

int mail_send(struct task *t)
{
	const uint64_t need_us = (SEND_TIMEOUT_MS + RESERVE_MS) * 1000ULL;
	bool found = true;
	int rc = OK;

	while (rc == OK && found && time_monotonic_us() + need_us < t->deadline)
		rc = send_next(t, &found);
	return rc;
}
