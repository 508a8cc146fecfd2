/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed tokens taken apart (RFC 7515, compact form): what access tokens of ours (store/jwt.h) and ID tokens of others have in
 * common. Nothing of a token reaches the library before its reader has looked at its header. Nothing waits.
 */
#ifndef STORE_JWS_H
#define STORE_JWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>
#include "base/attr.h"

enum { JWS_PARTS = 3 };
enum jws_algorithm { JWS_ES256, JWS_RS256 };

struct jws_part {
	const char *text;
	size_t len;
};

/* Header, claims and signature: exactly three parts, none of them empty. */
bool jws_split(const char *token, size_t len, struct jws_part parts[JWS_PARTS]) MUST_USE;
/* A part as a JSON object, to be freed with json_decref(); NULL when it is none, or nests deeper than three levels.
 * Duplicate members are refused: two readers might choose differently (RFC 8725 section 2.6). */
json_t *jws_object(TALLOC_CTX *mem, const struct jws_part *part) MUST_USE;
/* A text of an object, NULL when there is none. */
const char *jws_text(const json_t *object, const char *name);
/* Is it signed with this algorithm, and the private half of this public JWK? */
bool jws_signed(const char *token, size_t len, enum jws_algorithm algorithm, json_t *key) MUST_USE;

#endif
