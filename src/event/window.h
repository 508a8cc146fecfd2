/* SPDX-License-Identifier: Apache-2.0 */
/* The time that a list of events is about, by the town's clock (time_set_zone()). Nothing waits. */
#ifndef EVENT_WINDOW_H
#define EVENT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include "io/task.h"
#include "base/attr.h"

/* Seconds since 1970: what has not ended at `from` and begins before `to`. */
struct window {
	int64_t from, to; /* to: 0: no end */
};

/* `now` in seconds since 1970. Reads when=today|tonight|tomorrow|weekend|next_7_days, or from and to (a date, or an RFC 3339
 * date-time; a date as `to` is its whole day). Each may be NULL; without any it is from now on. Now is to the minute. Notes
 * a problem of each that cannot be read. */
int window_read(struct task *t, const char *when, const char *from, const char *to, int64_t now,
		struct window *w) MUST_USE;

/* One bound: an RFC 3339 date-time, or a date's first moment, that of the date after it when `days` is 1. Notes a problem of
 * the parameter `name`. */
int window_read_bound(struct task *t, const char *name, const char *text, int days,
		      int64_t *bound) MUST_USE;
/* Seconds since 1970 as the text of a timestamptz, a child of mem. */
const char *window_text(TALLOC_CTX *mem, int64_t unix_s);

#endif
