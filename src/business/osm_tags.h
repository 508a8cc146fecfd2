/* SPDX-License-Identifier: Apache-2.0 */
/* OpenStreetMap's tags in terms of the directory: which tag is which category, which an attribute. */
#ifndef BUSINESS_OSM_TAGS_H
#define BUSINESS_OSM_TAGS_H

#include <jansson.h>

/* The category's slug for a feature's tags, NULL when they say nothing that we know. */
const char *osm_category(json_t *tags);
/* The attributes that the tags tell of; a new object, perhaps empty. */
json_t *osm_attributes(json_t *tags);

#endif
