/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Business service: categories, businesses and their inspections. Its tables are in category.c, business.c and
 * inspection.c; what a row cannot say (rules of a write, filters, suggestions, imports) has a file each.
 */
#ifndef BUSINESS_BUSINESS_H
#define BUSINESS_BUSINESS_H

#include "model/values.h"
#include "model/resource.h"
#include "api/select.h"
#include "base/attr.h"

extern const struct service business_service;
extern const struct resource category_resource, business_resource, inspection_resource;

/* filters.c: the query parameters of a list of businesses, ended by a row without a name. */
extern const struct filter business_filters[];

/* rules.c: slugs, duplicates, categories that exist, places that are whole. waits */
int business_before_write(struct request *r, struct values *v, json_t *old) MUST_USE;
/* linked.c: a business as schema.org has it; resource.json_ld. */
int business_json_ld(struct request *r, json_t *row, json_t **linked) MUST_USE;
int business_on_conflict(struct request *r, struct values *v, const char *constraint) MUST_USE;

/* suggest.c: GET /v1/businesses/suggest. waits */
extern const struct filter suggest_parameters[];
int business_suggest(struct request *r) MUST_USE;

#endif
