/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens; see jwt.h. Nothing of a token reaches the library before its form and its header are known to be ours. */
#include "store/jwt.h"

#include <assert.h>
#include <rhonabwy.h>
#include <string.h>
#include "base/config.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "base/writer.h"
#include "store/jws.h"
#include "store/keys.h"
#include "base/banned.h"

enum { LEEWAY = 60, SIGNATURE_BYTES = 64 };

#define AUDIENCE "guildford"
#define CLIENT	 "guildford"
#define TYPE	 "at+jwt"

static int64_t now_seconds(void)
{
	return (int64_t)(time_unix_ms() / 1000);
}

static void write_texts(struct writer *j, const char *name, const char *texts, size_t size,
			int count)
{
	writer_key(j, name);
	writer_array(j);
	for (int i = 0; i < count; i++)
		writer_string(j, texts + size * (size_t)i);
	writer_array_end(j);
}

static void write_seconds(struct writer *j, const char *name, int64_t value)
{
	writer_key(j, name);
	writer_int(j, value);
}

/* RFC 9068 section 2.2. */
static void write_claims(struct buf *out, const struct jwt_claims *c)
{
	char jti[UUID_TEXT_SIZE];
	int64_t now = now_seconds();
	struct writer j;

	assert(c->role_count <= JWT_ROLES_MAX && c->method_count <= JWT_METHODS_MAX);
	uuid_new(jti);
	writer_init(&j, out);
	writer_object(&j);
	writer_member(&j, "iss", config.public_url);
	writer_member(&j, "sub", c->sub);
	writer_member(&j, "aud", AUDIENCE);
	writer_member(&j, "client_id", CLIENT);
	write_seconds(&j, "iat", now);
	write_seconds(&j, "exp", now + JWT_LIFE);
	writer_member(&j, "jti", jti);
	writer_member(&j, "sid", c->sid);
	write_seconds(&j, "auth_time", c->auth_time);
	write_seconds(&j, "gen", c->generation);
	write_texts(&j, "roles", c->roles[0], JWT_ROLE_SIZE, c->role_count);
	if (c->method_count)
		write_texts(&j, "amr", c->methods[0], JWT_METHOD_SIZE, c->method_count);
	writer_object_end(&j);
}

/* NULL when the library cannot. */
static char *sign(TALLOC_CTX *mem, const struct buf *payload, const char *kid, json_t *key)
{
	char *text, *token = NULL;
	jws_t *jws;

	if (r_jws_init(&jws) != RHN_OK)
		return NULL;
	r_jws_set_alg(jws, R_JWA_ALG_ES256);
	r_jws_set_header_str_value(jws, "typ", TYPE);
	r_jws_set_header_str_value(jws, "kid", kid);
	r_jws_set_payload(jws, (const unsigned char *)payload->data, payload->len);
	text = r_jws_serialize(jws, key, 0);
	if (text)
		token = talloc_strdup(mem, text);
	r_free(text);
	r_jws_free(jws);
	return token;
}

int jwt_issue(struct task *t, const struct jwt_claims *c, char **token)
{
	const char *kid;
	struct buf payload;
	json_t *key;
	char *text;
	int rc;

	assert(uuid_is(c->sub) && uuid_is(c->sid));
	rc = keys_signer(t, &key, &kid);
	if (rc)
		return rc;
	buf_init(&payload, t->mem, JWT_MAX / 2);
	write_claims(&payload, c);
	text = buf_full(&payload) ? NULL : sign(t->mem, &payload, kid, key);
	if (!text)
		return task_fail(t, E_INTERNAL, NULL);
	*token = text;
	return OK;
}

static int refuse(struct task *t, const char *why)
{
	int rc = task_fail(t, E_UNAUTHORIZED, "The access token is not valid or has expired");

	t->failure.cause = why;
	log_debug("an access token was refused: %s", why);
	return rc;
}

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
	const char *text = jws_text(object, name);

	return text && strcmp(text, wanted) == 0;
}

/* Exactly what we write (RFC 9068 section 4 also knows the long form of typ). */
static const char *check_header(const json_t *header)
{
	const char *kid = jws_text(header, "kid");

	if (!is_text(header, "alg", "ES256"))
		return "alg is not ES256";
	if (!is_text(header, "typ", TYPE) && !is_text(header, "typ", "application/" TYPE))
		return "typ is not at+jwt";
	if (!kid || !kid[0] || strlen(kid) > KEYS_KID_MAX)
		return "kid is missing or too long";
	if (json_object_size(header) != 3)
		return "its header has more than alg, typ and kid";
	return NULL;
}

/* All that can be known without a key; gives the key's name. */
static const char *check_form(TALLOC_CTX *mem, const char *token, size_t len,
			      struct jws_part parts[JWS_PARTS], char **kid)
{
	unsigned char *signature;
	const char *why;
	json_t *header;
	size_t bytes;

	if (len > JWT_MAX)
		return "it is too long";
	if (!jws_split(token, len, parts))
		return "it has not three parts";
	if (!str_from_base64url(mem, parts[2].text, parts[2].len, &signature, &bytes) ||
	    bytes != SIGNATURE_BYTES)
		return "its signature is not 64 bytes of base64url";
	header = jws_object(mem, &parts[0]);
	if (!header)
		return "its header is no JSON object";
	why = check_header(header);
	if (!why)
		*kid = talloc_strdup(mem, jws_text(header, "kid"));
	json_decref(header);
	return why;
}

static bool take_uuid(const json_t *claims, const char *name, char out[UUID_TEXT_SIZE])
{
	const char *text = jws_text(claims, name);

	if (!text || !uuid_is(text))
		return false;
	memcpy(out, text, UUID_TEXT_SIZE);
	return true;
}

static bool take_seconds(const json_t *claims, const char *name, int64_t *out)
{
	const json_t *value = json_object_get(claims, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = json_integer_value(value);
	return true;
}

/* A list of short texts into an array of them; one that is missing is empty. */
static bool take_texts(const json_t *claims, const char *name, char *out, size_t size, int max,
		       int *count)
{
	const json_t *list = json_object_get(claims, name);
	size_t n = json_array_size(list);

	if (list && (!json_is_array(list) || n > (size_t)max))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		size_t len = text ? strlen(text) : 0;

		if (len == 0 || len >= size)
			return false;
		memcpy(out + size * i, text, len + 1);
	}
	*count = (int)n;
	return true;
}

static const char *check_times(const json_t *claims, struct jwt_claims *c)
{
	int64_t now = now_seconds(), not_before = 0;

	if (!take_seconds(claims, "exp", &c->exp) || !take_seconds(claims, "iat", &c->iat) ||
	    !take_seconds(claims, "auth_time", &c->auth_time))
		return "exp, iat or auth_time is missing or no whole number";
	if (c->exp <= now)
		return "it has expired";
	if (c->iat > now + LEEWAY || c->auth_time > c->iat + LEEWAY)
		return "it was issued in the future";
	if (c->exp <= c->iat || c->exp - c->iat > JWT_LIFE)
		return "it lives longer than a token of ours";
	if (json_object_get(claims, "nbf") && !take_seconds(claims, "nbf", &not_before))
		return "nbf is no whole number";
	if (not_before > now + LEEWAY)
		return "it is not valid yet";
	return NULL;
}

/* RFC 9068 section 4, RFC 8725 section 3. */
static const char *check_claims(const json_t *claims, struct jwt_claims *c)
{
	int64_t generation;

	if (!is_text(claims, "iss", config.public_url))
		return "it is another issuer's";
	if (!is_text(claims, "aud", AUDIENCE))
		return "it is for another audience";
	if (!jws_text(claims, "client_id"))
		return "client_id is missing";
	if (!take_uuid(claims, "sub", c->sub) || !take_uuid(claims, "sid", c->sid) ||
	    !take_uuid(claims, "jti", c->jti))
		return "sub, sid or jti is no UUID";
	if (!take_texts(claims, "roles", c->roles[0], JWT_ROLE_SIZE, JWT_ROLES_MAX,
			&c->role_count) ||
	    !take_texts(claims, "amr", c->methods[0], JWT_METHOD_SIZE, JWT_METHODS_MAX,
			&c->method_count))
		return "roles or amr is no list of short texts";
	if (!take_seconds(claims, "gen", &generation) || generation > INT32_MAX)
		return "gen is missing or no whole number";
	c->generation = (int)generation;
	return check_times(claims, c);
}

int jwt_verify(struct task *t, const char *token, size_t len, struct jwt_claims *out)
{
	struct jws_part parts[JWS_PARTS] = { 0 };
	struct jwt_claims c = { 0 };
	json_t *key, *claims;
	char *kid = NULL;
	const char *why;
	int rc;

	why = check_form(t->mem, token, len, parts, &kid);
	if (why)
		return refuse(t, why);
	rc = keys_find(t, kid, &key);
	if (rc)
		return rc;
	if (!key)
		return refuse(t, "its key is none of ours");
	if (!jws_signed(token, len, JWS_ES256, key))
		return refuse(t, "its signature is wrong");
	claims = jws_object(t->mem, &parts[1]);
	if (!claims)
		return refuse(t, "its claims are no JSON object");
	why = check_claims(claims, &c);
	json_decref(claims);
	if (why)
		return refuse(t, why);
	*out = c;
	return OK;
}
