/* SPDX-License-Identifier: Apache-2.0 */
/* What providers publish; see oauth_keys.h. */
#include "auth/oauth_keys.h"

#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "base/time.h"
#include "io/http_call.h"
#include "model/values.h"
#include "base/banned.h"

enum {
	ANSWER_MAX = 65536,
	CALL_MS = 5000,
	DEPTH_MAX = 8,
	KEYS_MAX = 50,
	AGE_MIN = 60,
	AGE_MAX = 3600,
	AGAIN_US = 60000000,
	RSA_MIN = 342, /* characters of a modulus of 2,048 bits as base64url */
	RSA_MAX = 1366 /* of 8,192 */
};

static struct key_set {
	json_t *keys; /* NULL: none yet */
	uint64_t began_us, until_us;
} sets[OAUTH_PROVIDERS];

int oauth_distrust(struct task *t, const char *why)
{
	int rc = task_fail(t, E_UNAUTHORIZED, NULL);

	t->failure.cause = why;
	return rc;
}

static int read_object(struct task *t, const struct http_answer *answer, json_t **object)
{
	json_t *value;

	if (str_json_depth(answer->body, answer->body_len) > DEPTH_MAX)
		return oauth_distrust(t, "the answer nests too deep");
	value = json_loadb(answer->body, answer->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(value)) {
		json_decref(value);
		return oauth_distrust(t, "the answer is no JSON object");
	}
	*object = json_keep(t->mem, value);
	return OK;
}

int oauth_fetch_json(struct task *t, const char *url, const char *bearer, const char *body,
		     json_t **object, const char **cache_control)
{
	const struct http_header headers[] = {
		{ "Accept", "application/json" },
		{ "Authorization", bearer ? talloc_asprintf(t->mem, "Bearer %s", bearer) : "" },
	};
	const struct http_call call = { .method = body ? "POST" : "GET",
					.url = url,
					.headers = headers,
					.header_count = bearer ? 2 : 1,
					.body = body,
					.body_len = body ? strlen(body) : 0,
					.answer_max = ANSWER_MAX,
					.timeout_ms = CALL_MS };
	struct http_answer *answer;
	int rc = http_call(t, &call, &answer);

	if (rc)
		return rc;
	if (answer->status >= 500 || answer->status == 429) {
		rc = task_fail(t, E_UNAVAILABLE, NULL);
		t->failure.cause = talloc_asprintf(t->mem, "it answered %d", answer->status);
		return rc;
	}
	if (answer->status != 200)
		return oauth_distrust(t, talloc_asprintf(t->mem, "it answered %d", answer->status));
	if (cache_control)
		*cache_control = answer->cache_control;
	return read_object(t, answer, object);
}

/* RFC 9111 section 5.2.2.1, in seconds and within our bounds. */
static int max_age(const char *cache_control)
{
	const char *at = cache_control ? strstr(cache_control, "max-age=") : NULL;
	long seconds = at ? strtol(at + strlen("max-age="), NULL, 10) : 0;

	return seconds < AGE_MIN ? AGE_MIN : seconds > AGE_MAX ? AGE_MAX : (int)seconds;
}

static int fetch(struct task *t, const struct oauth_provider *provider, struct key_set *set)
{
	const char *cache_control = NULL;
	json_t *object, *keys;
	int rc;

	set->began_us = time_monotonic_us();
	rc = oauth_fetch_json(t, *provider->jwks_url, NULL, NULL, &object, &cache_control);
	if (rc)
		return rc;
	keys = json_object_get(object, "keys");
	if (!json_is_array(keys) || json_array_size(keys) > KEYS_MAX)
		return oauth_distrust(t, "its JWK set has no keys, or too many");
	json_decref(set->keys);
	set->keys = json_incref(keys);
	set->until_us = time_monotonic_us() + (uint64_t)max_age(cache_control) * 1000000;
	return OK;
}

static bool is_or_absent(const json_t *key, const char *name, const char *wanted)
{
	const json_t *value = json_object_get(key, name);

	return !value || (json_is_string(value) && strcmp(json_string_value(value), wanted) == 0);
}

/* A key for one algorithm is no key for another, whatever its name (RFC 8725 section 3.1). */
static bool is_for(const json_t *key, enum jws_algorithm algorithm)
{
	const char *type = jws_text(key, "kty"), *modulus = jws_text(key, "n");
	const char *curve = jws_text(key, "crv");
	size_t len = modulus ? strlen(modulus) : 0;

	if (!type || !is_or_absent(key, "use", "sig") ||
	    !is_or_absent(key, "alg", algorithm == JWS_RS256 ? "RS256" : "ES256"))
		return false;
	if (algorithm == JWS_RS256)
		return strcmp(type, "RSA") == 0 && len >= RSA_MIN && len <= RSA_MAX;
	return strcmp(type, "EC") == 0 && curve && strcmp(curve, "P-256") == 0;
}

static json_t *choose(const struct key_set *set, const char *kid, enum jws_algorithm algorithm)
{
	for (size_t i = 0; i < json_array_size(set->keys); i++) {
		json_t *key = json_array_get(set->keys, i);
		const char *name = jws_text(key, "kid");

		if (name && strcmp(name, kid) == 0 && is_for(key, algorithm))
			return key;
	}
	return NULL;
}

int oauth_key_find(struct task *t, const struct oauth_provider *provider, const char *kid,
		   enum jws_algorithm algorithm, json_t **key)
{
	struct key_set *set = &sets[provider - oauth_providers];
	uint64_t now = time_monotonic_us();
	int rc = OK;

	if (!set->keys || now >= set->until_us)
		rc = fetch(t, provider, set);
	if (!rc && !choose(set, kid, algorithm) && now >= set->began_us + AGAIN_US)
		rc = fetch(t, provider, set);
	if (!rc)
		*key = choose(set, kid, algorithm);
	return rc;
}
