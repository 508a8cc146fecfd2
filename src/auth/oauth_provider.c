/* SPDX-License-Identifier: Apache-2.0 */
/* The providers table; see oauth_provider.h. */
#include "auth/oauth_provider.h"

#include <stdbool.h>
#include <string.h>
#include "base/config.h"
#include "base/str.h"
#include "base/banned.h"

const struct oauth_provider oauth_providers[OAUTH_PROVIDERS] = {
	[OAUTH_GOOGLE] = { .name = "google",
			   .title = "Google",
			   .scope = "openid email profile",
			   .client_id = &config.google_client_id,
			   .client_secret = &config.google_client_secret,
			   .authorization_url = &config.google_authorization_url,
			   .token_url = &config.google_token_url,
			   .issuer = &config.google_issuer,
			   .jwks_url = &config.google_jwks_url },
	[OAUTH_FACEBOOK] = { .name = "facebook",
			     .title = "Facebook",
			     .scope = "email",
			     .client_id = &config.facebook_client_id,
			     .client_secret = &config.facebook_client_secret,
			     .authorization_url = &config.facebook_authorization_url,
			     .token_url = &config.facebook_token_url,
			     .me_url = &config.facebook_me_url },
};

static bool is_offered(const struct oauth_provider *provider)
{
	return (*provider->client_id)[0] && (*provider->client_secret)[0];
}

const struct oauth_provider *oauth_provider_find(const char *name)
{
	for (int i = 0; i < OAUTH_PROVIDERS; i++)
		if (strcmp(oauth_providers[i].name, name) == 0)
			return is_offered(&oauth_providers[i]) ? &oauth_providers[i] : NULL;
	return NULL;
}

const char *oauth_callback_url(TALLOC_CTX *mem, const struct oauth_provider *provider)
{
	return talloc_asprintf(mem, "%s/v1/auth/oauth/%s/callback", config.public_url,
			       provider->name);
}

void oauth_add_parameter(struct buf *url, char separator, const char *name, const char *value)
{
	if (separator)
		buf_addc(url, separator);
	buf_adds(url, name);
	buf_addc(url, '=');
	str_percent_encode(url, value);
}
