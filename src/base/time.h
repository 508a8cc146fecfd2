/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and timestamps. Wall-clock text is RFC 3339 in UTC. Nothing waits. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <time.h>
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
/* Makes `zone` (IANA) this process's own, whose wall clock time_local() reads: the town's. */
void time_set_zone(const char *zone);
/* The wall clock at a moment (seconds since 1970), and the moment of a wall clock's time, whose parts may lie outside their
 * ranges: hour 24 is the next midnight. A time that the clock leaves out is read as if it had not been put forward. */
struct tm time_local(int64_t unix_s);
int64_t time_from_local(int year, int month, int day, int hour, int minute);
/* The moment of an RFC 3339 date-time that time_is_rfc3339() takes, in whole seconds. */
int64_t time_from_rfc3339(const char *text);

#endif
