/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `providers` table: whose accounts sign people in here, and where they are asked. Google speaks OpenID Connect, Facebook
 * plain OAuth 2.0 with a page about the person. One without client id and secret in the settings is not offered.
 */
#ifndef AUTH_OAUTH_PROVIDER_H
#define AUTH_OAUTH_PROVIDER_H

#include <talloc.h>
#include "base/attr.h"
#include "base/buf.h"

enum { OAUTH_GOOGLE, OAUTH_FACEBOOK, OAUTH_PROVIDERS };

/* Each pointer leads to a setting. */
struct oauth_provider {
	const char *name;  /* in paths and in the database: "google" */
	const char *title; /* "Google" */
	const char *scope;
	const char *const *client_id, *const *client_secret;
	const char *const *authorization_url, *const *token_url;
	const char *const *issuer, *const *jwks_url; /* of OpenID Connect, NULL otherwise */
	const char *const *me_url;		     /* of plain OAuth 2.0, NULL otherwise */
};

extern const struct oauth_provider oauth_providers[OAUTH_PROVIDERS];

/* A provider that is offered, NULL otherwise. */
const struct oauth_provider *oauth_provider_find(const char *name);
/* Where the provider sends people back to: one address for each, so that none can pass for another (RFC 9700 section 4.4.2.2). */
const char *oauth_callback_url(TALLOC_CTX *mem, const struct oauth_provider *provider);
/* Adds "name=value", percent-encoded, with `separator` before it: '?' or '&'; '\0' for none. */
void oauth_add_parameter(struct buf *url, char separator, const char *name, const char *value);

#endif
