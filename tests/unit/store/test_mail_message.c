/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of messages: what a template becomes, that no value leaves its place, and that every template is well-formed. */
#include "test.h"
#include <stdio.h>
#include "store/mail_message.c"

static const struct mail_template letter = { "letter", "Hello {{name}}",
					     "Dear {{name}} of {{town}},\n\nbye.\n" };

static void settings(const char *from)
{
	config.town = "Guildford";
	config.public_url = "https://town.example";
	config.mail_from = from;
}

static const char *written(TALLOC_CTX *mem, const struct mail_template *template, const char *name)
{
	const struct mail_value values[] = { { "name", name } };
	const struct mail_message m = { .template = template,
					.id = "01a21033-d820-71af-b0ae-79fe2d5da503",
					.to = "ann@example.org",
					.created_ms = 1795568628123,
					.values = values,
					.count = 1 };
	struct buf *out = talloc(mem, struct buf);

	buf_init(out, mem, MAIL_MESSAGE_MAX);
	mail_message_write(out, &m);
	return buf_text(out);
}

static int lines_that_begin(const char *text, const char *with)
{
	size_t len = strlen(with);
	int n = 0;

	for (const char *line = text; line; line = strstr(line, "\n"), line += line ? 1 : 0)
		n += strncmp(line, with, len) == 0;
	return n;
}

static void test_a_plain_message(void **state)
{
	settings("The Town <post@town.example>");
	assert_string_equal(written(*state, &letter, "Ann"),
			    "Date: Wed, 25 Nov 2026 01:03:48 +0000\r\n"
			    "From: \"The Town\" <post@town.example>\r\n"
			    "To: <ann@example.org>\r\n"
			    "Subject: Hello Ann\r\n"
			    "Message-ID: <01a21033-d820-71af-b0ae-79fe2d5da503@town.example>\r\n"
			    "Auto-Submitted: auto-generated\r\n"
			    "MIME-Version: 1.0\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: 7bit\r\n"
			    "\r\n"
			    "Dear Ann of Guildford,\r\n"
			    "\r\n"
			    "bye.\r\n");
	settings("post@town.example");
	assert_non_null(strstr(written(*state, &letter, "Ann"), "From: post@town.example\r\n"));
}

static void test_no_value_starts_a_header_or_a_line(void **state)
{
	static const char *const forged[] = {
		"Ann\r\nBcc: all@example.org",	    "Ann\nBcc: all@example.org",
		"Ann\rBcc: all@example.org",	    "Ann\r\n\r\nBcc: all@example.org",
		"\xc3\xa9\r\nBcc: all@example.org", "Ann\x0b\x0c\033Bcc: all@example.org",
	};

	settings("The Town <post@town.example>");
	for (size_t i = 0; i < COUNT_OF(forged); i++) {
		const char *text = written(*state, &letter, forged[i]);

		expect_bool(lines_that_begin(text, "Bcc") == 0, true, forged[i]);
		expect_bool(lines_that_begin(text, "\r\n") == 2, true, forged[i]);
		for (const char *c = strchr(text, '\n'); c; c = strchr(c + 1, '\n'))
			expect_bool(c[-1] == '\r', true, forged[i]);
	}
}

static void test_lines_where_the_template_wants_them(void **state)
{
	static const struct mail_template verse = { .name = "verse",
						    .subject = "For {{name}}",
						    .body = "It goes\n{{name:lines}}\n" };
	const char *text;

	settings("The Town <post@town.example>");
	text = written(*state, &verse, "one\ntwo\n\033three");
	assert_non_null(strstr(text, "Subject: For one two  three\r\n"));
	assert_non_null(strstr(text, "It goes\r\none\r\ntwo\r\n three\r\n"));
	assert_null(mail_template_missing(*state, &verse, 1,
					  (const struct mail_value[]) { { "name", "" } }));
	assert_string_equal(mail_template_missing(*state, &verse, 0, NULL), "name");
}

static void test_a_value_is_no_placeholder(void **state)
{
	settings("The Town <post@town.example>");
	assert_non_null(strstr(written(*state, &letter, "{{url}}"), "Dear {{url}} of"));
}

static void test_other_letters(void **state)
{
	static const struct mail_template spaced = { "x", "{{name}}", "a = {{name}} \n" };
	const char *text;

	settings("St\xc3\xa4"
		 "dtchen <post@town.example>");
	text = written(*state, &letter, "Zo\xc3\xab");
	assert_non_null(strstr(text, "From: =?utf-8?B?U3TDpGR0Y2hlbg==?= <post@town.example>\r\n"));
	assert_non_null(strstr(text, "Subject: =?utf-8?B?SGVsbG8gWm/Dqw==?=\r\n"));
	assert_non_null(strstr(
		text, "quoted-printable\r\n\r\nDear Zo=C3=AB of Guildford,\r\n\r\nbye.\r\n"));
	/* "=" and a blank at the end of a line are written as numbers */
	assert_non_null(strstr(written(*state, &spaced, "\xc3\xab"), "a =3D =C3=AB=20\r\n"));
	/* what would be taken for an encoded word becomes one */
	assert_non_null(strstr(written(*state, &spaced, "=?utf-8?Q?x?="), "Subject: =?utf-8?B?"));
}

static void test_long_values(void **state)
{
	char *value = talloc_array(*state, char, 5001);
	const char *text;

	settings("The Town <post@town.example>");
	for (int i = 0; i < 5000; i += 2) {
		value[i] = '\xc3';
		value[i + 1] = '\xab';
	}
	value[5000] = '\0';
	text = written(*state, &letter, value);
	for (const char *line = text; *line; line = strstr(line, "\r\n") + 2)
		expect_bool(strcspn(line, "\r") <= 76, true, line);
	/* a line that is too long for 7bit, though it is ASCII */
	memset(value, 'x', 5000);
	assert_non_null(strstr(written(*state, &letter, value), "quoted-printable"));
}

static void test_missing_values_are_named(void **state)
{
	const struct mail_value name[] = { { "name", "Ann" } }, other[] = { { "names", "Ann" } };

	settings("The Town <post@town.example>");
	assert_null(mail_template_missing(*state, &letter, 1, name));
	expect_text(mail_template_missing(*state, &letter, 1, other), "name", "names");
	expect_text(mail_template_missing(*state, &letter, 0, NULL), "name", "nothing");
}

/* What the callers give, by template: who changes a template sees here that its callers must follow. */
static void test_every_template_takes_what_its_callers_give(void **state)
{
	static const struct {
		const char *name;
		const char *values[4];
	} wanted[] = {
		{ "test", { NULL } },
		{ "verify_email", { "link", "code", "minutes" } },
		{ "already_registered", { NULL } },
		{ "reset_password", { "link", "minutes" } },
		{ "password_changed", { "time" } },
		{ "account_locked", { "minutes" } },
		{ "email_change_old", { "new_address", "link", "minutes" } },
		{ "email_change_new", { "link", "minutes" } },
		{ "email_changed", { "new_address" } },
		{ "session_theft", { "time", "device" } },
		{ "new_identity", { "provider" } },
		{ "totp_enabled", { NULL } },
		{ "totp_disabled", { NULL } },
		{ "recovery_code_used", { "left" } },
		{ "erasure_planned", { "date", "link" } },
		{ "erased", { NULL } },
		{ "new_sign_in", { "time", "device" } },
		{ "reply_confirm", { "title", "when", "link", "code" } },
		{ "reply_going", { "title", "when", "code", "link" } },
		{ "reply_waiting", { "title", "when", "link" } },
		{ "reply_offered", { "title", "when", "until", "link" } },
		{ "reply_lapsed", { "title", "when", "link" } },
		{ "reply_refused", { "title", "when" } },
		{ "event_cancelled", { "title", "when", "link" } },
		{ "event_postponed", { "title", "when", "link" } },
		{ "event_back", { "title", "when", "link" } },
		{ "event_moved", { "title", "when", "was", "link" } },
		{ "event_announcement", { "title", "subject", "text", "link" } },
	};

	settings("The Town <post@town.example>");
	assert_int_equal(COUNT_OF(wanted), mail_templates_count);
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const struct mail_template *found = mail_template_find(wanted[i].name);
		struct mail_value values[4];
		int n = 0;

		expect_bool(found != NULL, true, wanted[i].name);
		for (; n < 4 && wanted[i].values[n]; n++)
			values[n] = (struct mail_value) { wanted[i].values[n], "x" };
		expect_bool(!mail_template_missing(*state, found, n, values), true, wanted[i].name);
		for (int v = 0; v < n; v++) {
			struct mail_value last = values[v];

			values[v].name = "-";
			expect_text(mail_template_missing(*state, found, n, values), last.name,
				    wanted[i].name);
			values[v] = last;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_plain_message, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_no_value_starts_a_header_or_a_line, new_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(test_lines_where_the_template_wants_them,
						new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_a_value_is_no_placeholder, new_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(test_other_letters, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_long_values, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_missing_values_are_named, new_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(test_every_template_takes_what_its_callers_give,
						new_memory, free_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
