/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: JWTs of RFC 9068, signed with ES256 (RFC 7515, RFC 7518 section 3.4) by the keys of store/keys.h. RFC 8725
 * is met by taking exactly one algorithm, type, issuer and audience, keys of our own set only, and no header that could
 * name another (jwk, jku, x5u, x5c), nor crit: a header has alg, typ and kid. Times are seconds since 1970.
 *
 * Who asks at each request asks store/jwt_cache.h first.
 */
#ifndef STORE_JWT_H
#define STORE_JWT_H

#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/uuid.h"
#include "io/task.h"

enum {
	JWT_MAX = 4096,	     /* bytes of a token */
	JWT_LIFE = 900,	     /* seconds */
	JWT_ROLES_MAX = 8,   /* roles of a person */
	JWT_ROLE_SIZE = 41,  /* bytes of a role's name, with NUL */
	JWT_METHODS_MAX = 4, /* "pwd", "otp": RFC 8176 */
	JWT_METHOD_SIZE = 9
};

struct jwt_claims {
	char sub[UUID_TEXT_SIZE]; /* the account */
	char sid[UUID_TEXT_SIZE]; /* its session */
	char jti[UUID_TEXT_SIZE]; /* the token */
	int64_t iat, exp;	  /* jwt_issue() sets jti, iat and exp itself */
	int64_t auth_time;	  /* when the person last proved who they are */
	int generation; /* of the person's standing, 0 and up: a change makes it greater (claim gen) */
	int role_count, method_count;
	char roles[JWT_ROLES_MAX][JWT_ROLE_SIZE];
	char methods[JWT_METHODS_MAX]
		    [JWT_METHOD_SIZE]; /* the claim amr; left out when there is none */
};

/* A signed token for the claims, valid for JWT_LIFE from now; a child of t->mem. `sub` and `sid` must be UUIDs. Fails as
 * keys_signer() does. May wait. */
int jwt_issue(struct task *t, const struct jwt_claims *c, char **token) MUST_USE;
/* Checks a token: form, header, signature, then claims (iss, aud, sub, sid, jti, client_id, iat with a minute's leeway,
 * exp without). E_UNAVAILABLE when its key may be one that we cannot read at the moment, else E_UNAUTHORIZED with the same
 * sentence whatever is wrong; failure.cause says that, for the log at debug. May wait. */
int jwt_verify(struct task *t, const char *token, size_t len, struct jwt_claims *out) MUST_USE;

#endif
