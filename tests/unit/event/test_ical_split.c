/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of taking a calendar's text apart. */
#include "test.h"
#include "event/ical_split.c"

#define BEGIN "BEGIN:VCALENDAR\r\n"
#define END   "END:VCALENDAR\r\n"
#define EVENT "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Tea\r\nEND:VEVENT\r\n"

static struct ical_calendar *split(TALLOC_CTX *mem, const char *text)
{
	struct ical_calendar *c = NULL;

	return ical_split(mem, text, strlen(text), &c) ? c : NULL;
}

/* A calendar's first entry, as one line, and what is wrong with the whole. */
static void test_texts(void **state)
{
	static const struct {
		const char *text, *entry, *problem;
		int count;
	} rows[] = {
		{ BEGIN EVENT END, "UID:a|SUMMARY:Tea|", NULL, 1 },
		{ "\xef\xbb\xbf" BEGIN EVENT EVENT END "\r\n \r\n", "UID:a|SUMMARY:Tea|", NULL, 2 },
		{ "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nEND:VEVENT\nEND:VCALENDAR", "UID:a|", NULL,
		  1 },
		{ "begin:vcalendar\r\nBegin:VEvent \r\nuid:a\r\nEnd:vevent\t\r\n  \r\nend:vcalendar\r\n",
		  "uid:a|", NULL, 1 },
		/* folded lines, also within a character of two bytes and the name */
		{ BEGIN
		  "BEGIN:VEVENT\r\nUI\r\n D:a\r\nSUMMARY:T\xc3\r\n \xa9\r\n\tx\r\nEND:VEVENT\r\n" END,
		  "UID:a|SUMMARY:T\xc3\xa9x|", NULL, 1 },
		/* what is not read, and what stands in it */
		{ BEGIN
		  "BEGIN:VEVENT\r\nUID:a\r\nX-A:b\r\nATTACH:c\r\nBEGIN:VALARM\r\nSUMMARY:no\r\nUID:no\r\nEND:VALARM\r\nEND:VEVENT\r\n" END,
		  "UID:a|", NULL, 1 },
		{ BEGIN
		  "BEGIN:VEVENT\r\nUID:a\r\nno property\r\nSUMMARY;X=\"a:b;c\":d\r\nEND:VEVENT\r\n" END,
		  "UID:a|SUMMARY;X=\"a:b;c\":d|", NULL, 1 },
		{ BEGIN "BEGIN:VEVENT\r\nUID:a\xff\r\nEND:VEVENT\r\n" END, "UID:a|", NULL, 1 },
		{ BEGIN "BEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\n" END, NULL, NULL, 0 },
		{ BEGIN END BEGIN EVENT END, "UID:a|SUMMARY:Tea|", NULL, 1 },
		{ BEGIN EVENT, "UID:a|SUMMARY:Tea|", "is the last, and the calendar goes on", 1 },
		{ BEGIN EVENT "BEGIN:VEVENT\r\nUID:b\r\n", "UID:a|SUMMARY:Tea|",
		  "is the last, and the calendar goes on", 1 },
		{ BEGIN "END:VEVENT\r\n" END, NULL, "ends a component that is not open", 0 },
		{ BEGIN EVENT END "<html>", "UID:a|SUMMARY:Tea|", "stands outside of a calendar",
		  1 },
		{ BEGIN BEGIN END END, NULL, "begins a component where none may be", 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ical_calendar *c = split(*state, rows[i].text);
		char got[300] = "";

		assert_non_null(c);
		expect_text(c->problem, rows[i].problem, rows[i].text);
		expect_bool(c->count == rows[i].count, true, rows[i].text);
		if (c->count == 0)
			continue;
		/* without its first and last lines, a bar for each CRLF */
		for (const char *t = c->parts[0].text + 14; strcmp(t, "END:VEVENT\r\n") != 0; t++)
			if (*t != '\r')
				snprintf(got + strlen(got), sizeof(got) - strlen(got), "%c",
					 *t == '\n' ? '|' : *t);
		expect_text(got, rows[i].entry, rows[i].text);
		expect_text(c->parts[0].uid, "a", rows[i].text);
	}
}

static void test_what_is_no_calendar(void **state)
{
	static const char *const rows[] = {
		"", "\r\n", "<html>", "BEGIN:VEVENT\r\n", "BEGIN VCALENDAR", "X:y\r\n" BEGIN END
	};
	struct ical_calendar *c;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(split(*state, rows[i]) != NULL, false, rows[i]);
	assert_false(ical_split(*state, "BEGIN:VCALENDAR\r\n\0END:VCALENDAR", 32, &c));
}

static void test_what_an_entry_says_of_itself(void **state)
{
	struct ical_calendar *c = split(
		*state, BEGIN
		"METHOD:CANCEL\r\nX-WR-TIMEZONE:Europe/Paris\r\n"
		"BEGIN:VTIMEZONE\r\nTZID:Home\r\nX-LIC-LOCATION:Europe/Rome\r\nEND:VTIMEZONE\r\n"
		"BEGIN:VEVENT\r\nUID: a\\,b \r\nRRULE:FREQ=DAILY\r\nEXRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nRECURRENCE-ID;Range=ThisAndFuture:20261201T100000\r\nEND:VEVENT\r\n" END);

	assert_int_equal(c->count, 2);
	assert_true(c->is_message);
	assert_string_equal(c->zone, "Europe/Paris");
	assert_int_equal(c->zone_count, 1);
	assert_string_equal(c->zones[0].location, "Europe/Rome");
	assert_string_equal(c->parts[0].uid, "a,b");
	assert_string_equal(c->parts[0].rrule, "FREQ=DAILY");
	assert_int_equal(c->parts[0].rules, 2);
	assert_true(c->parts[0].exrule && c->parts[0].cancelled && !c->parts[0].is_override);
	assert_null(strstr(c->parts[0].text, "RRULE"));
	assert_true(c->parts[1].is_override && c->parts[1].and_following);
	assert_null(c->parts[1].uid);
	assert_int_equal(c->parts[1].line, 13);
}

static void test_digests(void **state)
{
	const struct ical_calendar *c = split(
		*state, BEGIN EVENT
		"BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20261130T000000Z\r\nLAST-MODIFIED:20261130T000000Z\r\nX-A:b\r\nSUMM\r\n ARY:Tea\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Tea!\r\nEND:VEVENT\r\n"
		"BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Tea\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n" END);

	assert_memory_equal(c->parts[0].digest, c->parts[1].digest, ICAL_DIGEST_BYTES);
	assert_memory_not_equal(c->parts[0].digest, c->parts[2].digest, ICAL_DIGEST_BYTES);
	assert_memory_not_equal(c->parts[0].digest, c->parts[3].digest, ICAL_DIGEST_BYTES);
}

static void test_a_line_that_is_too_long(void **state)
{
	char *text = talloc_asprintf(
		*state,
		BEGIN
		"BEGIN:VEVENT\r\nUID:a\r\nDESCRIPTION:%*s\r\nSUMMARY:Tea\r\nEND:VEVENT\r\n" END,
		ICAL_LINE_MAX, "x");
	const struct ical_calendar *c = split(*state, text);

	assert_string_equal(c->parts[0].too_long, "DESCRIPTION");
	assert_string_equal(c->parts[0].text,
			    "BEGIN:VEVENT\r\nUID:a\r\nSUMMARY:Tea\r\nEND:VEVENT\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_texts, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_what_is_no_calendar, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_what_an_entry_says_of_itself, new_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(test_digests, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_a_line_that_is_too_long, new_memory,
						free_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
