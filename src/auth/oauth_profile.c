/* SPDX-License-Identifier: Apache-2.0 */
/* Who has signed in at a provider; see oauth_profile.h. */
#include "auth/oauth_profile.h"

#include <sodium.h>
#include <string.h>
#include "auth/oauth_id_token.h"
#include "auth/oauth_keys.h"
#include "base/formats.h"
#include "base/str.h"
#include "store/jws.h"
#include "base/banned.h"

enum { FORM_MAX = 8192, URL_MAX = 4096, TOKEN_MAX = 8192, SUBJECT_MAX = 255, NAME_MAX_BYTES = 100 };

/* RFC 6749 section 4.1.3, with our secret in the body (section 2.3.1), and RFC 7636 section 4.5. */
static int exchange(struct task *t, const struct oauth_state *state, const char *code,
		    json_t **answer)
{
	const struct oauth_provider *provider = state->provider;
	struct buf form;

	buf_init(&form, t->mem, FORM_MAX);
	oauth_add_parameter(&form, '\0', "grant_type", "authorization_code");
	oauth_add_parameter(&form, '&', "code", code);
	oauth_add_parameter(&form, '&', "redirect_uri", oauth_callback_url(t->mem, provider));
	oauth_add_parameter(&form, '&', "client_id", *provider->client_id);
	oauth_add_parameter(&form, '&', "client_secret", *provider->client_secret);
	oauth_add_parameter(&form, '&', "code_verifier", state->verifier);
	if (buf_full(&form))
		return oauth_distrust(t, "the code is too long");
	return oauth_fetch_json(t, *provider->token_url, NULL, buf_text(&form), answer, NULL);
}

/* Some providers write the boolean as a text. */
static bool is_true(const json_t *value)
{
	const char *text = json_string_value(value);

	return json_is_true(value) || (text && strcmp(text, "true") == 0);
}

/* As the provider has it, when that can be a name here; else what stands before the address' @, which the person can change. */
static const char *name_of(TALLOC_CTX *mem, const char *given, const char *email)
{
	char *name = given ? str_trim(talloc_strdup(mem, given)) : NULL;

	if (name && name[0] && !str_has_control(name, strlen(name), false))
		return str_cut(mem, name, NAME_MAX_BYTES);
	return email ? str_cut(mem, talloc_strndup(mem, email, strcspn(email, "@")), NAME_MAX_BYTES)
		     : "Somebody";
}

static void take_person(struct task *t, const json_t *object, const char *subject,
			struct oauth_profile *profile)
{
	const char *email = jws_text(object, "email");

	profile->subject = talloc_strdup(t->mem, subject);
	profile->email = email ? format_email(t->mem, email) : NULL;
	profile->email_verified = profile->email &&
				  is_true(json_object_get(object, "email_verified"));
	profile->name = name_of(t->mem, jws_text(object, "name"), profile->email);
}

static int read_id_token(struct task *t, const struct oauth_state *state, const json_t *answer,
			 struct oauth_profile *profile)
{
	const char *token = jws_text(answer, "id_token");
	json_t *claims;
	int rc;

	if (!token)
		return oauth_distrust(t, "it gave no ID token");
	rc = oauth_id_token_check(t, state->provider, token, state->nonce, &claims);
	if (!rc)
		take_person(t, claims, jws_text(claims, "sub"), profile);
	return rc;
}

/* That who asks with the token has the app's secret, too: Facebook's "appsecret_proof", HMAC-SHA-256 in hexadecimal. */
static char *proof_of(TALLOC_CTX *mem, const char *token, const char *secret)
{
	unsigned char digest[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state hmac;
	char *text = talloc_size(mem, 2 * sizeof(digest) + 1);

	crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)token, strlen(token));
	crypto_auth_hmacsha256_final(&hmac, digest);
	return sodium_bin2hex(text, 2 * sizeof(digest) + 1, digest, sizeof(digest));
}

/* Facebook's page about the person. It does not say that it has verified the address, so it counts as not verified. */
static int read_me(struct task *t, const struct oauth_state *state, const json_t *answer,
		   struct oauth_profile *profile)
{
	const char *token = jws_text(answer, "access_token"), *id;
	struct buf url;
	json_t *me;
	int rc;

	if (!token || !token[0] || strlen(token) > TOKEN_MAX ||
	    str_has_control(token, strlen(token), false))
		return oauth_distrust(t, "it gave no access token");
	buf_init(&url, t->mem, URL_MAX);
	buf_adds(&url, *state->provider->me_url);
	buf_adds(&url, "?fields=id,name,email");
	oauth_add_parameter(&url, '&', "appsecret_proof",
			    proof_of(t->mem, token, *state->provider->client_secret));
	rc = oauth_fetch_json(t, buf_text(&url), token, NULL, &me, NULL);
	if (rc)
		return rc;
	id = jws_text(me, "id");
	if (!id || !id[0] || strlen(id) > SUBJECT_MAX)
		return oauth_distrust(t, "its page about the person has no id");
	take_person(t, me, id, profile);
	return OK;
}

int oauth_profile_fetch(struct task *t, const struct oauth_state *state, const char *code,
			struct oauth_profile *profile)
{
	json_t *answer;
	int rc = exchange(t, state, code, &answer);

	if (rc)
		return rc;
	return state->provider->me_url ? read_me(t, state, answer, profile)
				       : read_id_token(t, state, answer, profile);
}
