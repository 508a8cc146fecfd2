/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates and values to messages; see mail_message.h. No value can end a header or a line: it is made one line first,
 * and what is not ASCII goes into headers as encoded words only.
 */
#include "store/mail_message.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "base/config.h"
#include "base/str.h"
#include "base/time.h"
#include "base/banned.h"

enum {
	SUBJECT_PLAIN_MAX =
		68, /* with "Subject: " within the 78 that RFC 5322 section 2.1.1 asks for */
	PLAIN_LINE_MAX = 998, /* and what it allows */
	WORD_BYTES =
		39, /* 52 characters of base64: with "Subject: " within 76 (RFC 2047 section 2) */
	QUOTED_MAX = 75 /* a quoted-printable line, without its soft break */
};

const struct mail_template *mail_template_find(const char *name)
{
	for (size_t i = 0; i < mail_templates_count; i++)
		if (strcmp(mail_templates[i].name, name) == 0)
			return &mail_templates[i];
	return NULL;
}

/* The value of a placeholder, NULL when nobody gave one. */
static const char *value_of(const char *name, size_t len, int count,
			    const struct mail_value *values)
{
	const struct mail_value common[] = { { "town", config.town },
					     { "url", config.public_url } };

	for (size_t i = 0; i < COUNT_OF(common); i++)
		if (strlen(common[i].name) == len && memcmp(common[i].name, name, len) == 0)
			return common[i].value;
	for (int i = 0; i < count; i++)
		if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0)
			return values[i].value;
	return NULL;
}

/* "name" or "name:lines" up to the braces: how long the name is. */
static size_t name_length(const char *placeholder)
{
	return strcspn(placeholder, ":}");
}

static const char *missing_in(TALLOC_CTX *mem, const char *text, int count,
			      const struct mail_value *values)
{
	for (const char *at = strstr(text, "{{"); at; at = strstr(at + 2, "{{")) {
		size_t len = name_length(at + 2);

		if (!value_of(at + 2, len, count, values))
			return talloc_strndup(mem, at + 2, len);
	}
	return NULL;
}

const char *mail_template_missing(TALLOC_CTX *mem, const struct mail_template *template, int count,
				  const struct mail_value *values)
{
	const char *missing = missing_in(mem, template->subject, count, values);

	return missing ? missing : missing_in(mem, template->body, count, values);
}

/* Well-formed text, in one line where it must be. */
static void add_value(struct buf *out, const char *value, bool lines)
{
	char *line = talloc_strndup(out->mem, value, MAIL_VALUE_MAX);

	for (char *c = line; *c; c++)
		if (((unsigned char)*c < ' ' && !(lines && *c == '\n')) || *c == 0x7f)
			*c = ' ';
	str_repair_utf8(line);
	buf_adds(out, line);
	talloc_free(line);
}

/* The text with its placeholders filled in. */
static const char *fill(TALLOC_CTX *mem, const char *text, const struct mail_message *m)
{
	struct buf out;
	const char *at;

	buf_init(&out, mem, MAIL_MESSAGE_MAX / 2);
	while ((at = strstr(text, "{{"))) {
		size_t len = name_length(at + 2);
		const char *value = value_of(at + 2, len, m->count, m->values);

		buf_add(&out, text, (size_t)(at - text));
		add_value(&out, value ? value : "", at[2 + len] == ':');
		text = at + 2 + strcspn(at + 2, "}") + 2;
	}
	buf_adds(&out, text);
	return buf_full(&out) ? "" : buf_text(&out);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* RFC 2047 section 2, "B": words of whole characters, a line each. */
static void add_encoded_words(struct buf *out, const char *text)
{
	char base64[sodium_base64_ENCODED_LEN(WORD_BYTES, sodium_base64_VARIANT_ORIGINAL)];
	TALLOC_CTX *mem = talloc_new(out->mem);

	for (const char *separator = ""; *text; separator = "\r\n ") {
		const char *word = str_cut(mem, text, WORD_BYTES);
		size_t len = strlen(word);

		sodium_bin2base64(base64, sizeof(base64), (const unsigned char *)word, len,
				  sodium_base64_VARIANT_ORIGINAL);
		buf_addf(out, "%s=?utf-8?B?%s?=", separator, base64);
		text += len;
	}
	talloc_free(mem);
}

static void add_subject(struct buf *out, const char *subject)
{
	buf_adds(out, "Subject: ");
	if (is_ascii(subject) && strlen(subject) <= SUBJECT_PLAIN_MAX && !strstr(subject, "=?"))
		buf_adds(out, subject);
	else
		add_encoded_words(out, subject);
	buf_adds(out, "\r\n");
}

const char *mail_message_sender(TALLOC_CTX *mem)
{
	const char *bracket = strchr(config.mail_from, '<');

	if (!bracket)
		return config.mail_from;
	return talloc_strndup(mem, bracket + 1, strcspn(bracket + 1, ">"));
}

static void add_from(struct buf *out, const char *address)
{
	char *name = talloc_strndup(out->mem, config.mail_from, strcspn(config.mail_from, "<"));
	char *trimmed = str_trim(name);

	if (!strchr(config.mail_from, '<')) {
		buf_addf(out, "From: %s\r\n", address);
	} else if (is_ascii(trimmed)) {
		buf_addf(out, "From: \"%s\" <%s>\r\n", trimmed, address);
	} else {
		buf_adds(out, "From: ");
		add_encoded_words(out, trimmed);
		buf_addf(out, " <%s>\r\n", address);
	}
	talloc_free(name);
}

/* RFC 2045 section 6.7, one line without its end. */
static void add_quoted_line(struct buf *out, const char *line, size_t len)
{
	size_t column = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];
		bool last = i + 1 == len;
		bool plain = (c > ' ' && c < 0x7f && c != '=') || (c == ' ' && !last);

		if (column + (plain ? 1 : 3) > QUOTED_MAX) {
			buf_adds(out, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_addc(out, (char)c);
		else
			buf_addf(out, "=%02X", c);
		column += plain ? 1 : 3;
	}
}

static bool fits_in_7bit(const char *body)
{
	for (const char *line = body; *line; line += line[0] == '\n') {
		size_t len = strcspn(line, "\n");

		if (len > PLAIN_LINE_MAX)
			return false;
		line += len;
	}
	return is_ascii(body);
}

static void add_body(struct buf *out, const char *body)
{
	bool plain = fits_in_7bit(body);

	buf_addf(out, "Content-Transfer-Encoding: %s\r\n\r\n", plain ? "7bit" : "quoted-printable");
	while (*body) {
		size_t len = strcspn(body, "\n");

		if (plain)
			buf_add(out, body, len);
		else
			add_quoted_line(out, body, len);
		buf_adds(out, "\r\n");
		body += len + (body[len] == '\n');
	}
}

void mail_message_write(struct buf *out, const struct mail_message *m)
{
	TALLOC_CTX *mem = talloc_new(out->mem);
	const char *sender = mail_message_sender(mem);
	char date[TIME_TEXT_MAX];

	time_format_http(m->created_ms, date);
	/* RFC 9110 and RFC 5322 differ in how they write the zone */
	buf_addf(out, "Date: %.*s +0000\r\n", (int)(strlen(date) - strlen(" GMT")), date);
	add_from(out, sender);
	buf_addf(out, "To: <%s>\r\n", m->to);
	add_subject(out, fill(mem, m->template->subject, m));
	buf_addf(out, "Message-ID: <%s@%s>\r\n", m->id, strrchr(sender, '@') + 1);
	/* RFC 3834: nobody's holiday answers us */
	buf_adds(out, "Auto-Submitted: auto-generated\r\n"
		      "MIME-Version: 1.0\r\n"
		      "Content-Type: text/plain; charset=utf-8\r\n");
	add_body(out, fill(mem, m->template->body, m));
	talloc_free(mem);
}
