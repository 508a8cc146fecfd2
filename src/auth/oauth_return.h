/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where people go once a provider has sent them back: addresses of front ends that GUILDFORD_OAUTH_RETURN_URLS lists, compared
 * exactly (RFC 9700 section 4.1.3); only of programs on the person's own machine the port may be another (RFC 8252 section
 * 7.3). Nothing waits.
 */
#ifndef AUTH_OAUTH_RETURN_H
#define AUTH_OAUTH_RETURN_H

#include <talloc.h>

/* The address when it may be returned to, the first of the list for NULL; NULL when it may not. */
const char *oauth_return_url(TALLOC_CTX *mem, const char *wanted);
/* The address with one more parameter in its query. */
const char *oauth_return_with(TALLOC_CTX *mem, const char *url, const char *name,
			      const char *value);

#endif
