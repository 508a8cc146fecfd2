/* SPDX-License-Identifier: Apache-2.0 */
/* Reads places and writes them as PostgreSQL takes them. Called by api/find.c. */
#include "model/place.h"

#include <math.h>
#include "base/str.h"
#include "base/banned.h"

/* Reads "a,b,..." into n numbers. */
static bool read_numbers(TALLOC_CTX *mem, const char *text, int n, double *numbers)
{
	char **parts;

	if (str_split(mem, text, ',', n, &parts) != n)
		return false;
	for (int i = 0; i < n; i++)
		if (!str_to_double(parts[i], &numbers[i]))
			return false;
	return true;
}

bool place_read_point(TALLOC_CTX *mem, const char *text, double point[2])
{
	return read_numbers(mem, text, 2, point) && fabs(point[0]) <= 90 && fabs(point[1]) <= 180;
}

bool place_read_box(TALLOC_CTX *mem, const char *text, double edge[4])
{
	return read_numbers(mem, text, 4, edge) && fabs(edge[WEST]) <= 180 &&
	       fabs(edge[EAST]) <= 180 && fabs(edge[SOUTH]) <= 90 && fabs(edge[NORTH]) <= 90 &&
	       edge[SOUTH] <= edge[NORTH];
}

static double radians(double degrees)
{
	return degrees * M_PI / 180;
}

const char *place_cube(TALLOC_CTX *mem, const double point[2])
{
	double lat = radians(point[0]), lng = radians(point[1]);

	return talloc_asprintf(mem, "(%.17g,%.17g,%.17g)", PLACE_EARTH_M * cos(lat) * cos(lng),
			       PLACE_EARTH_M * cos(lat) * sin(lng), PLACE_EARTH_M * sin(lat));
}

const char *place_chord(TALLOC_CTX *mem, long long radius)
{
	return talloc_asprintf(mem, "%.17g",
			       2 * PLACE_EARTH_M * sin((double)radius / (2 * PLACE_EARTH_M)));
}

static const char *box_sql(TALLOC_CTX *mem, const char *rows, const int *param, int west, int east,
			   bool numbers)
{
	if (!numbers)
		return talloc_asprintf(
			mem,
			"point(%s.location_lng, %s.location_lat) <@ "
			"box(point($%d::float8, $%d::float8), point($%d::float8, $%d::float8))",
			rows, rows, param[west], param[SOUTH], param[east], param[NORTH]);
	return talloc_asprintf(
		mem,
		"%s.location_lng >= $%d::float8 and %s.location_lat >= $%d::float8 and "
		"%s.location_lng <= $%d::float8 and %s.location_lat <= $%d::float8",
		rows, param[west], rows, param[SOUTH], rows, param[east], rows, param[NORTH]);
}

const char *place_in_box(TALLOC_CTX *mem, const char *rows, const double edge[4],
			 const int param[EDGES], bool numbers)
{
	if (edge[WEST] <= edge[EAST])
		return box_sql(mem, rows, param, WEST, EAST, numbers);
	return talloc_asprintf(mem, "(%s) or (%s)",
			       box_sql(mem, rows, param, WEST, LAST_EAST, numbers),
			       box_sql(mem, rows, param, FIRST_WEST, EAST, numbers));
}
