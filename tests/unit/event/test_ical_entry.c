/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what becomes of an entry of a calendar. */
#include "test.h"
#include "model/values.h"
#include "event/ical_entry.c"

/* Reads the lines of an entry, divided by bars; NULL and why not. */
static struct ical_entry *entry(void **state, const char *lines, const struct ical_entry *series,
				const char **why)
{
	char *text = talloc_asprintf(
		*state, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n%s\nEND:VEVENT\nEND:VCALENDAR\n",
		lines);
	struct ical_calendar *c;

	for (char *t = text; *t; t++)
		if (*t == '|')
			*t = '\n';
	assert_true(ical_split(*state, text, strlen(text), &c));
	assert_int_equal(c->count, 1);
	return ical_entry_read(*state, c, &c->parts[0], "Europe/London", series, why);
}

static const char *local_text(void **state, int64_t local)
{
	char *text = talloc_size(*state, LOCAL_TEXT_SIZE);

	local_write(local, text);
	return text;
}

static void test_places(void **state)
{
	static const struct {
		const char *location, *venue, *address, *postcode, *url;
	} rows[] = {
		{ "Guildhall", "Guildhall", NULL, NULL, NULL },
		{ "Guildhall\\, High Street\\, Guildford GU1 3AA", "Guildhall",
		  "High Street, Guildford", "GU1 3AA", NULL },
		{ "High Street\\, Guildford\\, gu13aa", "High Street", "Guildford", "GU1 3AA",
		  NULL },
		{ "GU1 3AA", NULL, NULL, "GU1 3AA", NULL },
		{ "Guildhall GU1 3AA", "Guildhall", NULL, "GU1 3AA", NULL },
		{ "Guildhall\\nHigh Street", "Guildhall", "High Street", NULL, NULL },
		{ "Room 101", "Room 101", NULL, NULL, NULL },
		{ "Guildhall\\, ", "Guildhall", NULL, NULL, NULL },
		{ "https://meet.example/a", NULL, NULL, NULL, "https://meet.example/a" },
		{ "", NULL, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *why, *location = rows[i].location;
		const struct ical_entry *e = entry(
			state,
			talloc_asprintf(*state, "SUMMARY:Tea|DTSTART:20261201T100000|LOCATION:%s",
					location),
			NULL, &why);

		assert_non_null(e);
		expect_text(e->venue, rows[i].venue, location);
		expect_text(e->address, rows[i].address, location);
		expect_text(e->postcode, rows[i].postcode, location);
		expect_text(e->online_url, rows[i].url, location);
	}
}

/* Lines of an entry, and zone, start, end, further dates, exceptions, notes. */
static void test_times(void **state)
{
	static const struct {
		const char *lines, *zone, *starts, *ends;
		int rdates, exdates, notes;
	} rows[] = {
		{ "DTSTART:20270601T100000", "Europe/London", "2027-06-01T10:00:00",
		  "2027-06-01T10:00:00", 0, 0, 0 },
		{ "DTSTART:20270601T100000Z|DTEND:20270601T110000Z", "Europe/London",
		  "2027-06-01T11:00:00", "2027-06-01T12:00:00", 0, 0, 0 },
		{ "DTSTART;TZID=Etc/UTC:20270601T100000", "Europe/London", "2027-06-01T11:00:00",
		  "2027-06-01T11:00:00", 0, 0, 0 },
		{ "DTSTART:20270601T100000Z|RRULE:FREQ=DAILY", "UTC", "2027-06-01T10:00:00",
		  "2027-06-01T10:00:00", 0, 0, 0 },
		{ "DTSTART;TZID=Europe/Berlin:20270601T100000|DURATION:PT1H", "Europe/Berlin",
		  "2027-06-01T10:00:00", "2027-06-01T11:00:00", 0, 0, 0 },
		{ "DTSTART;TZID=Nowhere:20270601T100000|DTEND;TZID=Nowhere:20270601T110000",
		  "Europe/London", "2027-06-01T10:00:00", "2027-06-01T11:00:00", 0, 0, 1 },
		{ "DTSTART;VALUE=DATE:20270601", "Europe/London", "2027-06-01T00:00:00",
		  "2027-06-02T00:00:00", 0, 0, 0 },
		{ "DTSTART;VALUE=DATE:20270601|DTEND;VALUE=DATE:20270601", "Europe/London",
		  "2027-06-01T00:00:00", "2027-06-02T00:00:00", 0, 0, 0 },
		{ "DTSTART;TZID=Europe/London:20270601T100000|RDATE:20270602T090000Z,20270602T090000Z|EXDATE;VALUE=DATE:20270603",
		  "Europe/London", "2027-06-01T10:00:00", "2027-06-01T10:00:00", 1, 1, 0 },
		{ "DTSTART;TZID=Europe/London:20270601T100000|RDATE;VALUE=PERIOD:20270602T090000Z/PT5H",
		  "Europe/London", "2027-06-01T10:00:00", "2027-06-01T10:00:00", 1, 0, 1 },
		/* a start that is none of the rule's: Tuesday, and each Saturday */
		{ "DTSTART;TZID=Europe/London:20270601T100000|DURATION:PT1H|RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=3",
		  "Europe/London", "2027-06-05T10:00:00", "2027-06-05T11:00:00", 1, 0, 1 },
		/* before 1970 */
		{ "DTSTART;VALUE=DATE:19500601|RRULE:FREQ=YEARLY|EXDATE:19510601T120000",
		  "Europe/London", "1950-06-01T00:00:00", "1950-06-02T00:00:00", 0, 1, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *why, *lines = rows[i].lines;
		const struct ical_entry *e = entry(
			state, talloc_asprintf(*state, "SUMMARY:Tea|%s", lines), NULL, &why);

		assert_null(why);
		assert_non_null(e);
		expect_text(e->zone, rows[i].zone, lines);
		expect_text(local_text(state, e->starts), rows[i].starts, lines);
		expect_text(local_text(state, e->ends), rows[i].ends, lines);
		expect_bool(e->rdate_count == rows[i].rdates, true, lines);
		expect_bool(e->exdate_count == rows[i].exdates, true, lines);
		expect_bool(e->note_count == rows[i].notes, true, lines);
	}
}

static void test_a_rule_keeps_its_number(void **state)
{
	const char *why;
	const struct ical_entry *e = entry(
		state, "SUMMARY:Tea|DTSTART:20270601T100000|RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=3",
		NULL, &why);

	assert_string_equal(e->rrule, "FREQ=WEEKLY;BYDAY=SA;COUNT=2");
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *lines, *why;
	} rows[] = {
		{ "DTSTART:20270601T100000", "has no SUMMARY" },
		{ "SUMMARY: |DTSTART:20270601T100000", "has no SUMMARY" },
		{ "SUMMARY:a", "has no DTSTART" },
		{ "SUMMARY:a|DTSTART:20271301T100000", "has a DTSTART that is no time" },
		{ "SUMMARY:a|DTSTART:18001201T100000", "has a DTSTART that is no time" },
		{ "SUMMARY:a|DTSTART:20270601T100000|DTEND:20270601T090000",
		  "ends before it begins" },
		{ "SUMMARY:a|DTSTART:20270601T100000|DURATION:-PT1H", "ends before it begins" },
		{ "SUMMARY:a|DTSTART:20270601T100000|EXRULE:FREQ=DAILY",
		  "has an EXRULE, which is not supported" },
		{ "SUMMARY:a|DTSTART:20270601T100000|RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY",
		  "has more than one RRULE" },
	};
	const char *why;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_null(entry(state, rows[i].lines, NULL, &why));
		expect_text(why, rows[i].why, rows[i].lines);
	}
}

static void test_texts_are_cut_and_cleaned(void **state)
{
	char *lines = talloc_asprintf(
		*state,
		"DTSTART:20270601T100000|SUMMARY:a\tb\x01\xc2\x85%0200d|URL:https://a.example/|DESCRIPTION:one\\ntwo",
		0);
	const char *why;
	const struct ical_entry *e = entry(state, lines, NULL, &why);

	assert_int_equal(str_length_utf8(e->title, strlen(e->title)), 160);
	assert_memory_equal(e->title, "a b   0", 7);
	assert_string_equal(e->text, "one\ntwo\n\nhttps://a.example/");
	assert_int_equal(e->note_count, 1);
	assert_string_equal(e->notes[0], "SUMMARY was cut to 160 characters");
}

static void test_what_is_other_in_a_change(void **state)
{
	const char *why;
	const struct ical_entry *series = entry(
		state,
		"SUMMARY:Tea|LOCATION:Guildhall|DTSTART;TZID=Europe/London:20270601T100000|DURATION:PT1H|RRULE:FREQ=DAILY",
		NULL, &why);
	const struct ical_entry *e = entry(
		state,
		"SUMMARY:Late tea|LOCATION:Guildhall|RECURRENCE-ID:20270602T090000Z|DTSTART:20270602T120000Z|DURATION:PT1H",
		series, &why);
	json_t *change = json_keep(*state, ical_entry_change(e, series));
	json_t *expected = json_keep(
		*state, json_pack("{s:s, s:s, s:s, s:s, s:s}", "recurrence", "2027-06-02T10:00:00",
				  "starts", "2027-06-02T13:00:00", "ends", "2027-06-02T14:00:00",
				  "status", "scheduled", "title", "Late tea"));

	assert_true(json_equal(change, expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_places, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_times, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_a_rule_keeps_its_number, new_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(test_what_is_refused, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_texts_are_cut_and_cleaned, new_memory,
						free_memory),
		cmocka_unit_test_setup_teardown(test_what_is_other_in_a_change, new_memory,
						free_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
