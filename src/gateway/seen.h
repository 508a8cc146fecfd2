/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When sessions are seen: each worker notes a session in Redis once a minute at most (store/session_cache.h), so that its
 * owner is shown more than when its tokens were last refreshed. What is remembered for that is bounded: of 10,000 sessions
 * in one minute the oldest are forgotten, and noted again when they come again.
 */
#ifndef GATEWAY_SEEN_H
#define GATEWAY_SEEN_H

/* A session was used from `address`. Does not wait. */
void seen_note(const char *session_id, const char *address);
/* Forgets what was noted. */
void seen_clear(void);

#endif
