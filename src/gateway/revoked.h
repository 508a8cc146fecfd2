/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was revoked: sessions that ended and people whose standing changed while access tokens of theirs are still good
 * by their own word. Each worker asks the database four times a second what is new, and trusts what it knows only while
 * the last answer is younger than a second; otherwise it asks for each request (OWASP ASVS 5.0 7.4.1: an ended session is
 * refused at once, self-contained tokens included).
 */
#ifndef GATEWAY_REVOKED_H
#define GATEWAY_REVOKED_H

#include <stdbool.h>
#include "base/attr.h"
#include "io/task.h"

/* Starts asking, on loop_get(); and stops, when the worker drains. */
void revoked_start(void);
void revoked_stop(void);
/* Reads what is new, now. waits */
int revoked_read(struct task *t) MUST_USE;
/* Is this session of a person, by a token of this generation of theirs, over? E_UNAUTHORIZED then, E_UNAVAILABLE when that
 * cannot be known. waits when what is known is too old */
int revoked_check(struct task *t, const char *session_id, const char *person_id,
		  int generation) MUST_USE;

#endif
