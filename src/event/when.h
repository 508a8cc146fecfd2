/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an event takes place: its wall times and its rule, and the occurrences that follow from them. The program makes
 * occurrences 18 months ahead; docs/recurrence.md says how.
 */
#ifndef EVENT_WHEN_H
#define EVENT_WHEN_H

#include <jansson.h>
#include "base/attr.h"
#include "io/task.h"
#include "model/values.h"

/* SQL: has this occurrence just become past? */
#define EVENT_IS_PAST "not past and ends_at < now() - interval '5 minutes'"

/* Checks the times and the rule that an event would have after a write (`old`: its representation before, NULL: it is new),
 * and sets what follows from them: starts_at, ends_at, sequence, and the rule's text in its usual form. E_VALIDATION names
 * the fields. waits */
int event_when_check(struct task *t, struct values *v, json_t *old) MUST_USE;
/* Makes the occurrences of an event follow it, in the caller's transaction, which holds the event's row: those of its rule are
 * there, up to 18 months ahead, with the ids that they had; what the rule no longer gives is deleted, or cancelled when people
 * have replied to it. What is over stays as it was. `moved_s`: by so many seconds of the wall clock the whole series was moved
 * since. waits */
int event_follow(struct task *t, const char *event_id, long long moved_s) MUST_USE;
/* The same after any write of an event, which may have changed its times or not: representations before (NULL: it is new) and
 * after. waits */
int event_written(struct task *t, json_t *old, json_t *row) MUST_USE;
/* The job that marks occurrences as past: lists by popularity need not read what nobody can go to any more. waits */
int event_mark_past(struct task *t) MUST_USE;
/* The job that carries series on into the horizon. waits */
int event_extend(struct task *t) MUST_USE;

#endif
