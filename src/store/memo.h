/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was read from the database, kept for as long as it is certainly still so: while pg_current_snapshot() gives the same
 * text, no transaction has come to an end that wrote anything, so whoever reads sees what was seen then. Nothing to
 * invalidate, nothing stale: who asks brings the snapshot of a statement that he has sent anyway. One memo per worker, of
 * 8 MiB; nothing waits.
 */
#ifndef STORE_MEMO_H
#define STORE_MEMO_H

/* The value kept under `key`, or NULL when there is none of this snapshot. Good until the next memo_put(). */
const char *memo_get(const char *key, const char *snapshot);
/* Keeps a copy of `value`; the oldest go when it is full. Keys over 2 KiB and values over 256 KiB are not kept. */
void memo_put(const char *key, const char *snapshot, const char *value);
/* Forgets everything (at exit, and when the database may be another). */
void memo_clear(void);

#endif
