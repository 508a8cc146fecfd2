/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the names of time zones. */
#include "test.h"
#include "event/ical_zone.c"

static void test_names(void **state)
{
	static const struct {
		const char *tzid, *zone;
	} rows[] = {
		{ "Europe/London", "Europe/London" },
		{ "GMT Standard Time", "Europe/London" },
		{ "gmt standard time", "Europe/London" },
		{ "W. Europe Standard Time", "Europe/Berlin" },
		{ "Eastern Standard Time", "America/New_York" },
		{ "UTC", "Etc/UTC" },
		{ "/freeassociation.sourceforge.net/Europe/London", "Europe/London" },
		{ "/freeassociation.sourceforge.net/Tzfile/America/Argentina/Ushuaia",
		  "America/Argentina/Ushuaia" },
		{ "/mozilla.org/20050126_1/Europe/Paris", "Europe/Paris" },
		{ "/Europe/Paris", "Europe/Paris" },
		{ "custom_America/New_York", "America/New_York" },
		{ "(UTC+00:00) Dublin, Edinburgh, Lisbon, London", "Europe/London" },
		{ "Customized Time Zone", NULL },
		{ "Home", NULL },
		{ "", NULL },
		{ "/", NULL },
		{ "../../etc/passwd", NULL },
		{ "Europe/Nowhere", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text(ical_zone(*state, rows[i].tzid), rows[i].zone, rows[i].tzid);
}

/* Whatever the table says is a zone here. */
static void test_windows_zones_are_there(void **state)
{
	for (size_t i = 0; i < COUNT_OF(windows); i++)
		expect_text(format_zone(*state, windows[i].zone), windows[i].zone, windows[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, new_memory, free_memory),
		cmocka_unit_test_setup_teardown(test_windows_zones_are_there, new_memory,
						free_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
