/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that access tokens are signed with: P-256 keys (RFC 7518 section 6.2) as JWKs (RFC 7517), named by their
 * thumbprint (RFC 7638). They stand in platform.signing_key, the private halves sealed with the secret key; each process
 * holds a copy that it reads again after a minute, and when it meets a name that it does not know. Rotation refuses no
 * token: a new key is served to verifiers for five minutes before it signs, and the old one for as long as a token of its
 * may live. Times are the database's, so that nodes whose clocks differ agree.
 *
 * Failures: those of store/pg.h; E_CONFLICT when the keys were sealed with another secret key; E_UNAVAILABLE when the set
 * has become too old to be trusted.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include "base/attr.h"
#include "io/task.h"

enum { KEYS_KID_MAX = 64 };

/* Reads the keys, and makes the first when there is none that lives; parallel starts make one. waits */
int keys_load(struct task *t) MUST_USE;
/* The public key of that name (a JWK; good until the next wait), NULL when we have none or it has retired. The keys are
 * read again for an unknown name, at most once a second. May wait. */
int keys_find(struct task *t, const char *kid, json_t **public_key) MUST_USE;
/* The private key that signs now, and its name; both good until the next wait. May wait. */
int keys_signer(struct task *t, json_t **private_key, const char **kid) MUST_USE;
/* The set as the JSON text of a JWK set (RFC 7517 section 5), public members only; a child of t->mem. May wait. */
int keys_jwks(struct task *t, const char **json) MUST_USE;
/* Makes a new key. It is served at once and signs in five minutes, when everybody who keeps the JWK set for its max-age
 * knows it; with `at_once` in two seconds, when our own nodes can know it. All older keys retire 16 minutes after that:
 * the life of a token and a minute. Keys that retired a day ago are deleted. waits */
int keys_rotate(struct task *t, bool at_once) MUST_USE;

#endif
