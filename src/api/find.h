/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of lists that several services have, for their tables of filters: words, near with radius, a box. The rows need
 * the columns search, position, location_lat and location_lng, the service's schema a function search_query().
 */
#ifndef API_FIND_H
#define API_FIND_H

#include "api/request.h"
#include "api/select.h"
#include "base/attr.h"

enum { FIND_Q_MAX = 200 /* characters */, FIND_RADIUS_MAX = 100000 /* metres */ };

/* Notes a problem for a bad value. Each waits. */
int find_q(struct request *r, struct select *s, const char *value);
int find_near(struct request *r, struct select *s, const char *value);
int find_radius(struct request *r, struct select *s, const char *value);
int find_bbox(struct request *r, struct select *s, const char *value);

/* The rows of a table of filters for near, radius and bbox. */
#define FIND_PLACE                                                                                      \
	{ .name = "near",                                                                               \
	  .schema = "{\"type\":\"string\"}",                                                            \
	  .example = "\"51.2362,-0.5704\"",                                                             \
	  .apply = find_near,                                                                           \
	  .doc = "latitude,longitude: each hit has its `distance_m`, the nearest come first." },        \
		{ .name = "radius",                                                                     \
		  .schema =                                                                             \
			  "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100000,\"default\":100000}", \
		  .example = "1000",                                                                    \
		  .apply = find_radius,                                                                 \
		  .doc = "Metres around `near`; nothing outside is given." },                           \
	{                                                                                               \
		.name = "bbox", .schema = "{\"type\":\"string\"}",                                      \
		.example = "\"-0.60,51.22,-0.55,51.25\"", .apply = find_bbox,                           \
		.doc = "west,south,east,north in degrees."                                              \
	}

#endif
