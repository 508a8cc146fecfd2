/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs (RFC 9562): version 7 for our ids, so that they sort by time of birth. Nothing waits. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>

enum { UUID_TEXT_SIZE = 37 };

/* A new version 7 UUID (section 5.7) as lower-case text with NUL. Successive ones of one process increase (section 6.2,
 * method 1: a counter in rand_a). */
void uuid_new(char out[UUID_TEXT_SIZE]);
/* Is it a UUID in the 8-4-4-4-12 form, of any version, either case? */
bool uuid_is(const char *text);

#endif
