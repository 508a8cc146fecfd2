/* SPDX-License-Identifier: Apache-2.0 */
/* Places on the earth as tables hold them: `position`, a point on a sphere in metres as a cube, and location_lat,
 * location_lng in degrees. Nothing waits. */
#ifndef MODEL_PLACE_H
#define MODEL_PLACE_H

#include <stdbool.h>
#include <talloc.h>

/* The mean radius of the earth in metres, with which `position` is made. */
#define PLACE_EARTH_M 6371008.8

/* The edges of a box in degrees, in GeoJSON's order; what follows are those of the 180th meridian. */
enum place_edge { WEST, SOUTH, EAST, NORTH, LAST_EAST, FIRST_WEST, EDGES };

/* Reads "latitude,longitude" / "west,south,east,north" in degrees; false when it is not that. */
bool place_read_point(TALLOC_CTX *mem, const char *text, double point[2]);
bool place_read_box(TALLOC_CTX *mem, const char *text, double edge[4]);
/* A point as `position` holds it; and of a radius in metres the straight distance through the earth (the chord), which is
 * what an index compares and what the order by distance follows. */
const char *place_cube(TALLOC_CTX *mem, const double point[2]);
const char *place_chord(TALLOC_CTX *mem, long long radius);
/* SQL: are the rows `rows` in the box whose edges are the parameters `param`? As the index of points holds it, or as
 * numbers whose spread the planner knows. A box across the 180th meridian (west > east) is both sides of it (RFC 7946
 * section 5.2). */
const char *place_in_box(TALLOC_CTX *mem, const char *rows, const double edge[4],
			 const int param[EDGES], bool numbers);

#endif
