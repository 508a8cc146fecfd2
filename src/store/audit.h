/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit trail: what was done, by whom, from where, and what it changed (OWASP ASVS 5.0 V16.2 and V16.3; what is
 * written cannot be changed: 16.4.2). An event is a row of platform.audit_event, written in the transaction that causes
 * it. Sealing appends it a moment later to a chain (platform.audit_seal) in which each digest is over the one before, so
 * that a change in the past shows. See docs/decisions/0015-the-audit-chain-is-sealed-behind.md.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "base/attr.h"
#include "io/task.h"
#include "store/pg.h"

/* All but action and actor_kind may be NULL: not known, or there is none. No secret may stand in any of it. */
struct audit_event {
	const char *action;	/* "business:update": lower-case words, at most 80 bytes */
	const char *actor_kind; /* "person", "key", "program" or "nobody" */
	const char *actor_id, *key_id, *session_id; /* UUIDs */
	const char *address;			    /* of IPv4 or IPv6, as text */
	const char *request_id;			    /* at most 64 bytes */
	const char *resource;			    /* "business" ... */
	const char *resource_id;		    /* ... and which: a UUID */
	const char *before, *after; /* JSON objects of the fields that changed, and of no others */
	const char *detail;	    /* JSON object of what else there is to say */
};

/* Notes an event. In a transaction it is sent and not waited for: it costs no round trip, and if it cannot be written the
 * commit fails (see pg_send()), so nothing is done without being noted. Outside of one it is a statement like any other.
 * Fails as pg_query() does. waits, but not in a transaction */
int audit_add(struct task *t, const struct audit_event *event) MUST_USE;

/* Appends to the chain what has been committed since, a thousand events at a time. To be called each second by whoever
 * does such work; several may at once. Outside of a transaction. Fails as pg_query() does. waits */
int audit_seal(struct task *t) MUST_USE;

enum { AUDIT_DIGEST_HEX = 65 };

/* A point of the chain. Kept elsewhere it shows later that nothing up to it has been changed, not even all of it at once. */
struct audit_mark {
	long long position;	       /* 0: before the first */
	char digest[AUDIT_DIGEST_HEX]; /* 64 lower-case hexadecimal digits; "" for position 0 */
};

/* Seals, then recomputes the chain from behind `mark` on, whose own digest must be as given, and moves it to the end. Then
 * looks for events that stand neither in the chain nor among those to be sealed. progress(arg, position), if not NULL, is
 * called each thousand events. E_CONFLICT with a sentence about the first break that it finds; `mark` is then the
 * last position that was right. Otherwise fails as pg_query() does. waits */
int audit_verify(struct task *t, struct audit_mark *mark,
		 void (*progress)(void *arg, long long position), void *arg) MUST_USE;

/* Gives the sealed events behind `position`, in the chain's order, as JSON objects on one line each, at most a thousand;
 * only those from `since` on (RFC 3339; NULL: all). *position moves on; where it stays, there are no more. waits */
int audit_export(struct task *t, long long *position, const char *since,
		 struct pg_rows **rows) MUST_USE;

#endif
