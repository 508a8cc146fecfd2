/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mails as text: the templates of mail/, and the message (RFC 5322) that one of them becomes. A placeholder {{name}} takes
 * a value of the caller in one line, {{name:lines}} one with its line breaks, and {{town}} and {{url}} those of the settings. Nothing waits.
 */
#ifndef STORE_MAIL_MESSAGE_H
#define STORE_MAIL_MESSAGE_H

#include <stdint.h>
#include <talloc.h>
#include "base/attr.h"
#include "base/buf.h"

enum { MAIL_VALUES_MAX = 10, MAIL_VALUE_MAX = 8000, MAIL_MESSAGE_MAX = 65536 };

struct mail_template {
	const char *name;    /* "verify_email" */
	const char *subject; /* a line */
	const char *body;    /* lines that end in LF */
};

struct mail_value {
	const char *name;
	const char *
		value; /* UTF-8; control characters become blanks; MAIL_VALUE_MAX bytes are taken */
};

/* All templates, by name (the build writes this table from mail/). */
extern const struct mail_template mail_templates[];
extern const size_t mail_templates_count;

struct mail_message {
	const struct mail_template *template;
	const char
		*id; /* the row's: the same in each attempt, so that a reader sees one mail once */
	const char *to;	     /* an address that format_email() has given */
	uint64_t created_ms; /* since 1970 */
	const struct mail_value *values;
	int count;
};

/* The template of that name, NULL when there is none. */
const struct mail_template *mail_template_find(const char *name);
/* The first placeholder of the template that would have no value, a child of mem; NULL when each has one. */
const char *mail_template_missing(TALLOC_CTX *mem, const struct mail_template *template, int count,
				  const struct mail_value *values);
/* Appends the message: UTF-8 text as 7bit where that does, else quoted-printable (RFC 2045), words of headers by RFC 2047,
 * lines ending in CR LF. `out` holds at least MAIL_MESSAGE_MAX bytes, or is marked full. */
void mail_message_write(struct buf *out, const struct mail_message *m);
/* The address of GUILDFORD_MAIL_FROM. */
const char *mail_message_sender(TALLOC_CTX *mem);

#endif
