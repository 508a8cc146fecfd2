/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions and their tokens (RFC 9700 section 4.14.2). A refresh token is 256 random bits, known to the database as a
 * digest, and good for one use: its child, the next one, is derived from it under the secret key. So the same token used
 * again within ten seconds, by a second tab or after an answer that was lost, gives the same child; later it is theft, and
 * the session ends with all its tokens. A session ends 30 days after its last refresh, 90 after it began.
 */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "api/request.h"
#include "base/attr.h"

/* Begins a session of a person, in the transaction at hand, and gives its id and first refresh token. E_UNAUTHORIZED when they
 * have been suspended or erased meanwhile: who does that from now on waits for us, and ends it. waits */
int session_begin(struct request *r, const char *person_id, const char **session_id,
		  const char **refresh_token) MUST_USE;
/* Replies with an access token for the session, and the refresh token where there is one to give. waits */
int session_reply(struct request *r, const char *session_id, const char *refresh_token) MUST_USE;
/* Ends all sessions of a person but one (NULL: all), and codes that would begin another, in the transaction at hand. waits */
int session_end_others(struct task *t, const char *person_id, const char *session_id,
		       const char *why) MUST_USE;

#endif
