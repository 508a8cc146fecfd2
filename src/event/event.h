/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Event service: what's on in the town. Its tables are in event.c, occurrence.c and category.c; what a row cannot say
 * (rules of a write, times) has a file each.
 */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "model/values.h"
#include "model/resource.h"
#include "api/select.h"
#include "base/attr.h"

extern const struct service event_service;
extern const struct resource event_resource, event_category_resource, occurrence_resource;

/* Relations to an event, and to the business that organises it, that let people change it. */
#define EVENT_ORGANISERS	  "owner|organiser"
#define EVENT_BUSINESS_ORGANISERS "owner|manager"

/* visible.c: drafts, private events and those not published yet are for who organises them; see resource.visible. */
void event_visible(struct request *r, struct select *s, bool item);

/* rules.c: categories that exist, venue and organiser from the places that are known, whole places and sources. waits */
int event_before_write(struct request *r, struct values *v, json_t *old) MUST_USE;
int event_on_conflict(struct request *r, struct values *v, const char *constraint) MUST_USE;

/* linked.c: an event as schema.org has it; resource.json_ld. waits */
int event_json_ld(struct request *r, json_t *row, json_t **linked) MUST_USE;

/* edit.c: PATCH of an occurrence. waits */
extern const struct resource occurrence_edit;
extern const struct filter occurrence_edit_parameters[];
int occurrence_update(struct request *r) MUST_USE;

/* follow.c: occurrences follow their event; resource.after_write. waits */
int event_after_write(struct request *r, json_t *old, json_t *row) MUST_USE;

/* find.c: how a list of events is found, and its query parameters, ended by a row without a name. */
int event_list(struct request *r, struct select *s);
extern const struct filter event_filters[];

#endif
