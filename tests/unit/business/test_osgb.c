/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the national grid against points that the Ordnance Survey and others publish in both systems. */
#include "test.h"
#include "business/osgb.c"

/* Metres between two points that are near each other. */
static double distance_m(double lat1, double lng1, double lat2, double lng2)
{
	double north = (lat2 - lat1) * 111200,
	       east = (lng2 - lng1) * 111320 * cos(lat1 * M_PI / 180);

	return hypot(north, east);
}

/*
 * The Ordnance Survey's test points of OSTN15 (ETRS89 against the grid, from the developer pack), from Scilly to
 * Shetland. The transformation without a shift grid is right to some five metres.
 */
static void test_published_points(void **state)
{
	static const struct {
		const char *name;
		double east, north, lat, lng;
	} rows[] = {
		{ "TP01, Scilly", 91492.146, 11318.804, 49.92226393730, -6.29977752014 },
		{ "TP02, the Lizard", 170370.718, 11572.405, 49.96006137820, -5.20304609998 },
		{ "TP03, Plymouth", 250359.811, 62016.569, 50.43885825610, -4.10864563561 },
		{ "TP05, Southampton", 438710.920, 114792.250, 50.93127937910, -1.45051433700 },
		{ "TP09, London", 530624.974, 178388.464, 51.48936564950, -0.11992557180 },
		{ "TP15, Nottingham", 454002.834, 340834.943, 52.96219109410, -1.19747655922 },
		{ "TP17, Anglesey", 247958.971, 393492.909, 53.41628516040, -4.28918069756 },
		{ "TP39, Shetland", 440725.073, 1107878.448, 59.85409913890, -1.27486910356 },
		/* of the guide's worked example */
		{ "Caister water tower", 651409.903, 313177.270, 52.6579786, 1.7160519 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		double lat, lng, off;

		osgb_to_wgs84(rows[i].east, rows[i].north, &lat, &lng);
		off = distance_m(lat, lng, rows[i].lat, rows[i].lng);
		if (off > 6)
			print_error("%s: %.7f %.7f is %.1f m off\n", rows[i].name, lat, lng, off);
		assert_true(off <= 6);
	}
}

static void test_nonsense_ends(void **state)
{
	static const double numbers[] = { 0, -1e9, 1e9, 1e308, NAN, INFINITY };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		double lat, lng;

		osgb_to_wgs84(numbers[i], numbers[i], &lat, &lng);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_points),
		cmocka_unit_test(test_nonsense_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
