/* SPDX-License-Identifier: Apache-2.0 */
/* Where people are returned to; see oauth_return.h. */
#include "auth/oauth_return.h"

#include <stdbool.h>
#include <string.h>
#include "auth/oauth_provider.h"
#include "base/config.h"
#include "base/str.h"
#include "base/banned.h"

enum { RETURN_URLS_MAX = 50, URL_MAX = 8192 };

/* The length of "http://127.0.0.1" at the beginning of an address, 0 when it leads elsewhere. A name is not good enough. */
static size_t loopback_length(const char *url)
{
	static const char *const hosts[] = { "http://127.0.0.1", "http://[::1]" };

	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		size_t len = strlen(hosts[i]);

		if (strncmp(url, hosts[i], len) == 0 && (url[len] == ':' || url[len] == '/'))
			return len;
	}
	return 0;
}

/* What stands behind the port, NULL when that is none. */
static const char *behind_port(const char *text)
{
	size_t digits;

	if (text[0] != ':')
		return text;
	digits = strspn(text + 1, "0123456789");
	return digits >= 1 && digits <= 5 ? text + 1 + digits : NULL;
}

static bool matches(const char *allowed, const char *wanted)
{
	size_t len = loopback_length(allowed);
	const char *rest;

	if (strcmp(allowed, wanted) == 0)
		return true;
	if (len == 0 || loopback_length(wanted) != len || strncmp(allowed, wanted, len) != 0)
		return false;
	allowed = behind_port(allowed + len);
	rest = behind_port(wanted + len);
	return allowed && rest && strcmp(allowed, rest) == 0;
}

const char *oauth_return_url(TALLOC_CTX *mem, const char *wanted)
{
	const char *list = config.oauth_return_urls;
	char **urls;
	int n;

	if (!list[0])
		list = talloc_asprintf(mem, "%s/signed-in", config.public_url);
	n = str_split(mem, list, ',', RETURN_URLS_MAX, &urls);
	for (int i = 0; i < n; i++)
		if (!wanted || matches(urls[i], wanted))
			return wanted ? wanted : urls[i];
	return NULL;
}

const char *oauth_return_with(TALLOC_CTX *mem, const char *url, const char *name, const char *value)
{
	struct buf out;

	buf_init(&out, mem, URL_MAX);
	buf_adds(&out, url);
	oauth_add_parameter(&out, strchr(url, '?') ? '&' : '?', name, value);
	return buf_full(&out) ? url : buf_text(&out);
}
