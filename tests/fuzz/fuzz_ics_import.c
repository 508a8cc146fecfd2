/* SPDX-License-Identifier: Apache-2.0 */
/* Calendars of others: whatever the text, each entry that is taken is an event that may be written, its times are in order, and
 * all that is said of it is text. */
#include "fuzz.h"

#include <string.h>
#include "base/str.h"
#include "event/event.h"
#include "event/ical_entry.h"
#include "event/recurrence.h"

static void check_text(const char *text)
{
	assert(!text || str_is_utf8(text, strlen(text)));
}

static void check_entry(const struct ical_entry *e)
{
	assert(e->zone && e->starts <= e->ends);
	assert(e->rdate_count >= 0 && e->rdate_count <= SERIES_DATES_MAX);
	assert(e->exdate_count >= 0 && e->exdate_count <= SERIES_DATES_MAX);
	assert(e->note_count >= 0 && e->note_count <= ICAL_NOTES_MAX);
	for (int i = 0; i < e->note_count; i++)
		check_text(e->notes[i]);
	for (int i = 0; i < e->category_count; i++)
		check_text(e->categories[i]);
	if (e->all_day)
		assert((e->starts - e->ends) % SERIES_DAY_S == 0 && e->starts < e->ends);
}

/* But for the rule, which is checked with the times: see fuzz_rrule.c. */
static void check_event(TALLOC_CTX *mem, const struct ical_entry *e)
{
	struct task t = { .mem = mem };
	json_t *body = ical_entry_body(e, json_array());
	struct values *values;

	assert(body);
	json_keep(mem, body);
	json_object_set_new(body, "rrule", json_null());
	assert(input_check(&t, &event_resource, body, true, NULL, &values) == OK);
	fuzz_check_again(values);
}

static void check_change(TALLOC_CTX *mem, const struct ical_entry *e,
			 const struct ical_entry *series)
{
	json_t *change = ical_entry_change(e, series);

	assert(change && e->all_day == series->all_day && strcmp(e->zone, series->zone) == 0);
	json_keep(mem, change);
}

static void check_parts(TALLOC_CTX *mem, const struct ical_calendar *c)
{
	const struct ical_entry *series = NULL;

	for (int i = 0; i < c->count; i++) {
		const struct ical_part *part = &c->parts[i];
		const struct ical_entry *e;
		const char *why = NULL;

		check_text(part->text);
		check_text(part->uid);
		if (part->is_override && !series)
			continue;
		e = ical_entry_read(mem, c, part, "Europe/London",
				    part->is_override ? series : NULL, &why);
		assert(e ? !why : why && str_is_utf8(why, strlen(why)));
		if (!e)
			continue;
		check_entry(e);
		if (part->is_override) {
			check_change(mem, e, series);
		} else {
			check_event(mem, e);
			series = e;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct ical_calendar *c;

	if (ical_split(mem, (const char *)data, size, &c)) {
		assert(c->count >= 0 && c->count <= ICAL_PARTS_MAX);
		check_text(c->problem);
		check_text(c->zone);
		check_parts(mem, c);
	}
	talloc_free(mem);
	return 0;
}
