/* SPDX-License-Identifier: Apache-2.0 */
/* The names that calendars have for time zones. Nothing waits. */
#ifndef EVENT_ICAL_ZONE_H
#define EVENT_ICAL_ZONE_H

#include <stdbool.h>
#include <libical/ical.h>
#include <talloc.h>

/* The IANA zone that a TZID means, a child of mem: IANA's own names, also behind the prefix of a program
 * ("/freeassociation.sourceforge.net/Europe/London"), and Windows' ("GMT Standard Time", by CLDR's table). NULL: not known. */
const char *ical_zone(TALLOC_CTX *mem, const char *tzid);

/* Is the clock of this IANA zone that of UTC? */
bool ical_zone_is_utc(const char *zone);
/* What libical has of it, UTC's own included; NULL when it has none. */
icaltimezone *ical_zone_find(const char *zone);

#endif
