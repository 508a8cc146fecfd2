/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sign-in with an account elsewhere: to the provider and back (RFC 6749 section 4.1, RFC 9700, RFC 7636, OpenID Connect Core 1.0
 * section 3.1). A browser goes through here, so what fails on the way back is told to the front end in its address, unless it
 * is not known which front end that is. See docs/how-to/social-login.md.
 */
#include <string.h>
#include "api/steps.h"
#include "auth/auth.h"
#include "auth/oauth_code.h"
#include "auth/oauth_identity.h"
#include "auth/oauth_pkce.h"
#include "auth/oauth_return.h"
#include "base/config.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/banned.h"

enum { URL_MAX = 8192, TOKEN_LENGTH = 43, COOKIES_MAX = 50 };

#define TEXT_SCHEMA   "{\"type\":\"string\"}"
#define TOKEN_EXAMPLE "\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\""

const struct filter oauth_begin_parameters[] = {
	{ .name = "code_challenge",
	  .schema = TEXT_SCHEMA,
	  .example = TOKEN_EXAMPLE,
	  .doc = "S256 challenge of a verifier that the front end keeps (RFC 7636); needed unless there is a ticket." },
	{ .name = "code_challenge_method",
	  .schema = "{\"const\":\"S256\"}",
	  .example = "\"S256\"",
	  .doc = "S256; nothing else is taken." },
	{ .name = "return_to",
	  .schema = TEXT_SCHEMA,
	  .example = "\"https://town.example/signed-in\"",
	  .doc = "Where to go in the end: one of GUILDFORD_OAUTH_RETURN_URLS, the first of them by default." },
	{ .name = "ticket",
	  .schema = TEXT_SCHEMA,
	  .example = TOKEN_EXAMPLE,
	  .doc = "Of POST /v1/auth/identities/{id}, in place of the others." },
	{ 0 },
};

const struct filter oauth_callback_parameters[] = {
	{ .name = "state", .schema = TEXT_SCHEMA, .example = TOKEN_EXAMPLE, .doc = "Ours." },
	{ .name = "code",
	  .schema = TEXT_SCHEMA,
	  .example = "\"4/P7q7W91\"",
	  .doc = "The provider's." },
	{ .name = "error",
	  .schema = TEXT_SCHEMA,
	  .example = "\"access_denied\"",
	  .doc = "Why there is none (RFC 6749 section 4.1.2.1)." },
	{ .name = "iss",
	  .schema = TEXT_SCHEMA,
	  .example = "\"https://accounts.google.com\"",
	  .doc = "Who answers (RFC 9207)." },
	{ 0 },
};

/* A page of the loopback has no TLS; everything else has. */
static bool is_secure(void)
{
	return strncmp(config.public_url, "https://", 8) == 0;
}

static const char *cookie_name(void)
{
	return is_secure() ? "__Secure-guildford-oauth" : "guildford-oauth";
}

static bool is_token(const char *text)
{
	static const char base64url[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	return strlen(text) == TOKEN_LENGTH && strspn(text, base64url) == TOKEN_LENGTH;
}

/* What binds a sign-in to its browser, NULL when the request has none. */
static const char *read_cookie(struct request *r)
{
	const char *header = http_header_get(r->http, "cookie");
	size_t len = strlen(cookie_name());
	char **pairs;
	int n = header ? str_split(MEM(r), header, ';', COOKIES_MAX, &pairs) : 0;

	for (int i = 0; i < n; i++)
		if (strncmp(pairs[i], cookie_name(), len) == 0 && pairs[i][len] == '=' &&
		    is_token(pairs[i] + len + 1))
			return pairs[i] + len + 1;
	return NULL;
}

static int redirect(struct request *r, const char *url)
{
	r->http->status = 302;
	http_header_add(r->http, "Location", url);
	return OK;
}

/* RFC 6749 section 4.1.1; OpenID Connect Core 1.0 section 3.1.2.1. */
static const char *authorization_url(struct request *r, const struct oauth_state *s,
				     const char *state)
{
	const char *base = *s->provider->authorization_url;
	struct buf url;

	buf_init(&url, MEM(r), URL_MAX);
	buf_adds(&url, base);
	oauth_add_parameter(&url, strchr(base, '?') ? '&' : '?', "response_type", "code");
	oauth_add_parameter(&url, '&', "client_id", *s->provider->client_id);
	oauth_add_parameter(&url, '&', "redirect_uri", oauth_callback_url(MEM(r), s->provider));
	oauth_add_parameter(&url, '&', "scope", s->provider->scope);
	oauth_add_parameter(&url, '&', "state", state);
	oauth_add_parameter(&url, '&', "code_challenge", pkce_challenge(MEM(r), s->verifier));
	oauth_add_parameter(&url, '&', "code_challenge_method", "S256");
	if (s->provider->issuer)
		oauth_add_parameter(&url, '&', "nonce", s->nonce);
	return buf_text(&url);
}

/* What the front end wants: in the query, or with the ticket that it was given. */
static int read_wish(struct request *r, struct oauth_state *s)
{
	const char *method = query_text(r, "code_challenge_method");
	const char *ticket = query_text(r, "ticket");

	if (ticket)
		return oauth_ticket_take(&r->task, s->provider, ticket, s);
	s->code_challenge = query_text(r, "code_challenge");
	s->return_to = oauth_return_url(MEM(r), query_text(r, "return_to"));
	if (!s->code_challenge || !pkce_is_challenge(MEM(r), s->code_challenge))
		task_problem(&r->task, "code_challenge", OAUTH_CHALLENGE_PROBLEM);
	if (method && strcmp(method, "S256") != 0)
		task_problem(&r->task, "code_challenge_method", "must be S256");
	if (!s->return_to)
		task_problem(&r->task, "return_to", OAUTH_RETURN_PROBLEM);
	return r->task.failure.code;
}

int auth_oauth_begin(struct request *r)
{
	struct oauth_state s = { .provider = oauth_provider_find(path_text(r, "provider")) };
	const char *browser = read_cookie(r), *state;
	int rc;

	if (!s.provider)
		return fail(r, E_NOT_FOUND, "There is no such provider");
	rc = read_wish(r, &s);
	if (rc)
		return rc;
	/* one browser may have several of these open, so a cookie that is there stays */
	if (!browser)
		browser = secret_token(MEM(r));
	rc = oauth_state_make(&r->task, &s, browser, &state);
	if (rc)
		return rc;
	http_header_addf(r->http, "Set-Cookie",
			 "%s=%s; Path=/v1/auth/oauth; Max-Age=%d; HttpOnly; SameSite=Lax%s",
			 cookie_name(), browser, OAUTH_STATE_LIFE, is_secure() ? "; Secure" : "");
	return redirect(r, authorization_url(r, &s, state));
}

/* Back to the front end, with what went wrong: a word for it and a sentence for people. */
static int go_back_failed(struct request *r, const struct oauth_state *s, const char *error,
			  const char *sentence)
{
	const char *url = oauth_return_with(MEM(r), s->return_to, "error", error);

	return redirect(r, oauth_return_with(MEM(r), url, "error_description", sentence));
}

/* What the provider says when there is no code (RFC 6749 section 4.1.2.1); its own words go no further. */
static int go_back_refused(struct request *r, const struct oauth_state *s, const char *error)
{
	const char *title = s->provider->title;

	if (strcmp(error, "access_denied") == 0)
		return go_back_failed(r, s, "access_denied", "The sign-in was cancelled");
	if (strcmp(error, "temporarily_unavailable") == 0 || strcmp(error, "server_error") == 0)
		return go_back_failed(
			r, s, "provider_unavailable",
			talloc_asprintf(MEM(r), "%s does not answer; try again later", title));
	return go_back_failed(r, s, "provider_error",
			      talloc_asprintf(MEM(r), "%s has refused the sign-in", title));
}

/* The provider's fault, not the caller's: the log says what it was. */
static int go_back_without(struct request *r, const struct oauth_state *s, int code)
{
	log_warn("request %s: a sign-in with %s failed: %s", r->id, s->provider->name,
		 r->task.failure.cause ? r->task.failure.cause : errors[code].title);
	task_forgive(&r->task);
	return go_back_refused(r, s, code == E_UNAUTHORIZED ? "invalid_request" : "server_error");
}

struct arrival {
	const struct oauth_state *state;
	const struct oauth_profile *profile;
	struct identity_found found;
	const char *code;
};

static int make_code(struct request *r, struct arrival *in)
{
	const struct oauth_state *s = in->state;
	struct oauth_code code = { .kind = in->found.second_factor ? "second_factor" : "sign_in",
				   .provider = s->provider,
				   .person_id = in->found.person_id,
				   .code_challenge = s->code_challenge };

	return oauth_code_make(&r->task, &code, &in->code);
}

static int settle(struct request *r, void *arg)
{
	struct arrival *in = arg;
	int rc = identity_settle(r, in->state->provider, in->profile, &in->found);

	return rc || in->found.outcome != IDENTITY_KNOWN ? rc : make_code(r, in);
}

static int sign_in(struct request *r, const struct oauth_state *s,
		   const struct oauth_profile *profile)
{
	struct arrival in = { .state = s, .profile = profile };
	int rc = act_in_transaction(r, settle, &in);

	if (rc)
		return rc;
	switch (in.found.outcome) {
	case IDENTITY_KNOWN:
		return redirect(r, oauth_return_with(MEM(r), s->return_to,
						     in.found.second_factor ? "pending" : "code",
						     in.code));
	case IDENTITY_NO_ADDRESS:
		return go_back_failed(
			r, s, "email_required",
			"An address is needed. If you have an account, sign in first and link the other there");
	case IDENTITY_UNCONFIRMED:
		return go_back_failed(
			r, s, "email_unconfirmed",
			"A mail asks you to confirm your address. If you have an account, sign in first and link the other there");
	case IDENTITY_SUSPENDED:
		break;
	}
	return go_back_failed(r, s, "account_suspended", "This account cannot be used");
}

/* The link comes into being when the person who wanted it brings this code, signed in: whoever else was made to open their
 * link has given nothing away. */
static int offer_link(struct request *r, const struct oauth_state *s,
		      const struct oauth_profile *profile)
{
	struct oauth_code in = { .kind = "link",
				 .provider = s->provider,
				 .person_id = s->person_id,
				 .code_challenge = s->code_challenge,
				 .subject = profile->subject,
				 .email = profile->email };
	const char *code;
	int rc = oauth_code_make(&r->task, &in, &code);

	return rc ? rc : redirect(r, oauth_return_with(MEM(r), s->return_to, "link", code));
}

static bool is_other_issuer(const struct request *r, const struct oauth_provider *provider)
{
	const char *issuer = query_text(r, "iss");

	return issuer && provider->issuer && strcmp(issuer, *provider->issuer) != 0;
}

int auth_oauth_callback(struct request *r)
{
	const struct oauth_provider *provider = oauth_provider_find(path_text(r, "provider"));
	const char *state = query_text(r, "state"), *code = query_text(r, "code");
	const char *error = query_text(r, "error"), *browser = read_cookie(r);
	struct oauth_profile profile;
	struct oauth_state s;
	int rc;

	if (!provider)
		return fail(r, E_NOT_FOUND, "There is no such provider");
	rc = oauth_state_take(&r->task, provider, state ? state : "", browser ? browser : "", &s);
	if (rc)
		return rc;
	if (s.expired)
		return go_back_failed(r, &s, "expired",
				      "The sign-in took too long; begin it again");
	if (error || !code || is_other_issuer(r, provider))
		return go_back_refused(r, &s, error ? error : "invalid_request");
	rc = oauth_profile_fetch(&r->task, &s, code, &profile);
	if (rc)
		return go_back_without(r, &s, rc);
	return s.person_id ? offer_link(r, &s, &profile) : sign_in(r, &s, &profile);
}
