/* SPDX-License-Identifier: Apache-2.0 */
/* ID tokens; see oauth_id_token.h. */
#include "auth/oauth_id_token.h"

#include <sodium.h>
#include <string.h>
#include "auth/oauth_keys.h"
#include "base/time.h"
#include "model/values.h"
#include "store/jws.h"
#include "base/banned.h"

enum { TOKEN_MAX = 16384, KID_MAX = 255, SUBJECT_MAX = 255, AUDIENCES_MAX = 10, LEEWAY = 60 };

/* An algorithm is chosen before the library sees the token: neither "none" nor a key used as a secret gets that far. */
static const char *read_header(const json_t *header, const char **kid,
			       enum jws_algorithm *algorithm)
{
	const char *name = jws_text(header, "alg"), *type = jws_text(header, "typ");

	if (name && strcmp(name, "RS256") == 0)
		*algorithm = JWS_RS256;
	else if (name && strcmp(name, "ES256") == 0)
		*algorithm = JWS_ES256;
	else
		return "the ID token's alg is neither RS256 nor ES256";
	*kid = jws_text(header, "kid");
	if (!*kid || !(*kid)[0] || strlen(*kid) > KID_MAX)
		return "the ID token names no key";
	if (json_object_get(header, "crit"))
		return "the ID token has critical headers";
	if (json_object_get(header, "typ") && (!type || strcasecmp(type, "JWT") != 0))
		return "the token is no ID token";
	return NULL;
}

static bool is_text(const json_t *claims, const char *name, const char *wanted)
{
	const char *text = jws_text(claims, name);

	return text && strcmp(text, wanted) == 0;
}

/* Section 3.1.3.7, 3 to 5: it is for us; where it is for others, too, it was issued to us. */
static const char *check_audience(const json_t *claims, const char *client_id)
{
	const json_t *audience = json_object_get(claims, "aud");
	size_t n = json_array_size(audience);
	bool ours = is_text(claims, "aud", client_id);

	if (n > AUDIENCES_MAX)
		return "the ID token has too many audiences";
	for (size_t i = 0; i < n; i++) {
		const char *one = json_string_value(json_array_get(audience, i));

		if (!one)
			return "an audience of the ID token is no text";
		ours = ours || strcmp(one, client_id) == 0;
	}
	if (!ours)
		return "the ID token is for another audience";
	if ((n > 1 || json_object_get(claims, "azp")) && !is_text(claims, "azp", client_id))
		return "the ID token was issued to another client";
	return NULL;
}

static const char *check_times(const json_t *claims)
{
	const json_t *exp = json_object_get(claims, "exp"), *iat = json_object_get(claims, "iat");
	const json_t *nbf = json_object_get(claims, "nbf");
	json_int_t now = (json_int_t)(time_unix_ms() / 1000);

	if (!json_is_integer(exp) || !json_is_integer(iat) || (nbf && !json_is_integer(nbf)))
		return "exp, iat or nbf of the ID token is no whole number";
	if (json_integer_value(exp) <= now)
		return "the ID token has expired";
	if (json_integer_value(iat) > now + LEEWAY || json_integer_value(nbf) > now + LEEWAY)
		return "the ID token was issued in the future";
	return NULL;
}

static bool is_nonce(const json_t *claims, const char *nonce)
{
	const char *given = jws_text(claims, "nonce");

	return given && strlen(given) == strlen(nonce) &&
	       sodium_memcmp(given, nonce, strlen(nonce)) == 0;
}

static const char *check_claims(const struct oauth_provider *provider, const json_t *claims,
				const char *nonce)
{
	const char *subject = jws_text(claims, "sub"), *why;

	if (!is_text(claims, "iss", *provider->issuer))
		return "the ID token is another issuer's";
	why = check_audience(claims, *provider->client_id);
	if (!why)
		why = check_times(claims);
	if (why)
		return why;
	if (!is_nonce(claims, nonce))
		return "the ID token's nonce is another";
	if (!subject || !subject[0] || strlen(subject) > SUBJECT_MAX)
		return "the ID token has no subject";
	return NULL;
}

int oauth_id_token_check(struct task *t, const struct oauth_provider *provider, const char *token,
			 const char *nonce, json_t **claims)
{
	struct jws_part parts[JWS_PARTS];
	enum jws_algorithm algorithm;
	const char *kid, *why;
	json_t *header, *key;
	size_t len = strlen(token);
	int rc;

	if (len > TOKEN_MAX || !jws_split(token, len, parts))
		return oauth_distrust(t, "the ID token is too long or has not three parts");
	header = json_keep(t->mem, jws_object(t->mem, &parts[0]));
	why = header ? read_header(header, &kid, &algorithm) : "the ID token's header is no object";
	if (why)
		return oauth_distrust(t, why);
	rc = oauth_key_find(t, provider, kid, algorithm, &key);
	if (rc)
		return rc;
	if (!key)
		return oauth_distrust(t, "the ID token's key is none of the provider's");
	if (!jws_signed(token, len, algorithm, key))
		return oauth_distrust(t, "the ID token's signature is wrong");
	*claims = json_keep(t->mem, jws_object(t->mem, &parts[1]));
	why = *claims ? check_claims(provider, *claims, nonce)
		      : "the ID token's claims are no object";
	return why ? oauth_distrust(t, why) : OK;
}
