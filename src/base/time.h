/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and timestamps. Wall-clock text is RFC 3339 in UTC. Nothing waits. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "base/attr.h"

enum { TIME_TEXT_MAX = 32 };

/* Microseconds of the monotonic clock: for durations and deadlines. */
uint64_t time_monotonic_us(void);
/* Milliseconds since 1970, wall clock. */
uint64_t time_unix_ms(void);
/* "2026-11-24T05:03:48.123Z" into `out` (TIME_TEXT_MAX bytes). */
void time_format(uint64_t unix_ms, char *out);
/* RFC 7231 IMF-fixdate, "Tue, 24 Nov 2026 05:03:48 GMT" into `out` (TIME_TEXT_MAX bytes). */
void time_format_http(uint64_t unix_ms, char *out);
/* PostgreSQL's ISO output in UTC ("2026-11-24 05:03:48.123456+00") to RFC 3339 with microseconds as given and "Z".
 * Returns the number of bytes written to `out` (TIME_TEXT_MAX), 0 when `text` is not of that form. */
size_t time_from_pg(const char *text, size_t len, char *out);
/* Is it an RFC 3339 date-time (section 5.6, real calendar date) / full-date? */
bool time_is_rfc3339(const char *text);
bool time_is_date(const char *text);
/* The same without a zone, seconds may be absent: what a wall clock shows. */
bool time_is_local(const char *text);

#endif
