/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that providers sign ID tokens with: their JWK sets (RFC 7517), kept for the max-age of the answer, a minute at least
 * and an hour at most. A name that is not among them has the set fetched again, at most once a minute.
 */
#ifndef AUTH_OAUTH_KEYS_H
#define AUTH_OAUTH_KEYS_H

#include <jansson.h>
#include "auth/oauth_provider.h"
#include "base/attr.h"
#include "io/task.h"
#include "store/jws.h"

/* The provider's key of that name for that algorithm: an RSA key of 2,048 to 8,192 bits or one of P-256; NULL when it has none.
 * Good until the next wait. E_UNAVAILABLE or E_TIMEOUT when the set cannot be had. May wait. */
int oauth_key_find(struct task *t, const struct oauth_provider *provider, const char *kid,
		   enum jws_algorithm algorithm, json_t **key) MUST_USE;
/* Fetches a JSON object: GET or, with a body, POST. E_UNAVAILABLE or E_TIMEOUT when the provider is away, answers with 5xx or with
 * more than 64 KiB; E_UNAUTHORIZED when it refuses or the answer is no JSON object. failure.cause says why. The object lives as
 * long as the task. `cache_control` may be NULL. waits */
int oauth_fetch_json(struct task *t, const char *url, const char *bearer, const char *body,
		     json_t **object, const char **cache_control) MUST_USE;
/* Records that what a provider says is not to be believed: E_UNAUTHORIZED, with the cause for the log. */
int oauth_distrust(struct task *t, const char *why);

#endif
