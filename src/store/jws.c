/* SPDX-License-Identifier: Apache-2.0 */
/* Signed tokens taken apart; see jws.h. */
#include "store/jws.h"

#include <rhonabwy.h>
#include <string.h>
#include "base/str.h"
#include "base/banned.h"

enum { DEPTH_MAX = 3 };

bool jws_split(const char *token, size_t len, struct jws_part parts[JWS_PARTS])
{
	const char *end = token + len;

	for (int i = 0; i < JWS_PARTS; i++) {
		const char *dot = memchr(token, '.', (size_t)(end - token));

		if (!dot != (i == JWS_PARTS - 1))
			return false;
		parts[i] = (struct jws_part) { token, (size_t)((dot ? dot : end) - token) };
		if (parts[i].len == 0)
			return false;
		token += parts[i].len + (dot != NULL);
	}
	return true;
}

json_t *jws_object(TALLOC_CTX *mem, const struct jws_part *part)
{
	unsigned char *text;
	json_t *value;
	size_t len;

	if (!str_from_base64url(mem, part->text, part->len, &text, &len) ||
	    str_json_depth((const char *)text, len) > DEPTH_MAX)
		return NULL;
	value = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(value))
		return value;
	json_decref(value);
	return NULL;
}

const char *jws_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

bool jws_signed(const char *token, size_t len, enum jws_algorithm algorithm, json_t *key)
{
	jwa_alg wanted = algorithm == JWS_RS256 ? R_JWA_ALG_RS256 : R_JWA_ALG_ES256;
	bool good = false;
	jws_t *jws;

	if (r_jws_init(&jws) != RHN_OK)
		return false;
	good = r_jws_advanced_compact_parsen(jws, token, len, R_PARSE_NONE, 0) == RHN_OK &&
	       r_jws_get_alg(jws) == wanted && r_jws_verify_signature(jws, key, 0) == RHN_OK;
	r_jws_free(jws);
	return good;
}
