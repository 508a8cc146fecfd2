/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was read from the database, kept for as long as it is certainly still so: while pg_current_snapshot() gives the same
 * text, no transaction has come to an end that wrote anything, so whoever reads sees what was seen then. Nothing to
 * invalidate, nothing stale: who asks brings the snapshot of a statement that he has sent anyway. A standby's text leaves
 * out who is still at work, so there it says nothing; and after a crash or a failover numbers are given again, so a lost
 * connection empties the memo. One memo per worker, of 8 MiB; nothing waits.
 */
#ifndef STORE_MEMO_H
#define STORE_MEMO_H

/* SQL for the snapshot of the statement that it stands in; null where there is none that can be trusted. */
#define MEMO_SNAPSHOT "case when not pg_is_in_recovery() then pg_current_snapshot()::text end"

/* The value kept under `key`, or NULL when there is none of this snapshot, which may be NULL. Good until the next
 * memo_put(), or wait. */
const char *memo_get(const char *key, const char *snapshot);
/* Keeps a copy of `value`; the oldest go when it is full. Without a snapshot (NULL) nothing is kept, nor are keys over 2 KiB
 * and values over 1 MiB. */
void memo_put(const char *key, const char *snapshot, const char *value);
/* Forgets everything (at exit, and when a connection is lost). */
void memo_clear(void);

#endif
