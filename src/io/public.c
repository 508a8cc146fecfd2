/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of others, from public addresses only; see public.h. */
#include "io/public.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <curl/curl.h>
#include "base/str.h"
#include "base/time.h"
#include "base/banned.h"

enum { REDIRECTS_MAX = 5, NAT64_BITS = 96, IPV4_AT = 12 };

/* What IANA's special-purpose registries say is not for everybody, of IPv4 (as IPv4-mapped addresses it is IPv6's, too) and of
 * the unicast addresses of IPv6; 6to4 and Teredo carry others within them, and nobody needs them. */
static const char special[] =
	"0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.0.2.0/24, "
	"192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4, "
	"2001::/23, 2001:db8::/32, 2002::/16, 3fff::/20";
static const char unicast[] = "0.0.0.0/0, 2000::/3";
static const char nat64[] = "64:ff9b::/96"; /* RFC 6052: the last 32 bits are IPv4 */
static const char mapped[] = "::ffff:0:0/96";

static bool stands_in(const char *list, const struct address *address)
{
	struct network networks[NETWORKS_MAX];
	int n = networks_read(list, networks);

	return networks_have(networks, n, address);
}

bool public_has_address(const struct address *address)
{
	struct network within;

	if (stands_in(nat64, address)) {
		if (networks_read(mapped, &within) != 1)
			return false;
		memcpy(within.address.bytes + IPV4_AT, address->bytes + IPV4_AT, 4);
		return public_has_address(&within.address);
	}
	return stands_in(unicast, address) && !stands_in(special, address);
}

bool public_may_connect(const struct sockaddr *address)
{
	const void *bytes = address->sa_family == AF_INET
				    ? (const void *)&(
					      (const struct sockaddr_in *)(const void *)address)
					      ->sin_addr
				    : (const void *)&(
					      (const struct sockaddr_in6 *)(const void *)address)
					      ->sin6_addr;
	char text[ADDRESS_TEXT_MAX];
	struct address read;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return false;
	return inet_ntop(address->sa_family, bytes, text, sizeof(text)) &&
	       address_read(text, strlen(text), &read) && public_has_address(&read);
}

/* A part of a URL, a child of mem; NULL when it has none. */
static char *part(TALLOC_CTX *mem, CURLU *url, CURLUPart which, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, which, &text, flags) != CURLUE_OK)
		return NULL;
	copy = talloc_strdup(mem, text);
	curl_free(text);
	return copy;
}

static bool is_http(CURLU *url)
{
	char *scheme = part(NULL, url, CURLUPART_SCHEME, 0);
	bool is = scheme && str_is_choice("http|https", scheme);

	talloc_free(scheme);
	return is;
}

/* NULL when it is none of ours. */
static CURLU *parse(const char *text)
{
	CURLU *url = curl_url();

	if (!url)
		abort();
	if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && is_http(url))
		return url;
	curl_url_cleanup(url);
	return NULL;
}

const char *public_host(TALLOC_CTX *mem, const char *text)
{
	CURLU *url = parse(text);
	char *host = url ? part(mem, url, CURLUPART_HOST, 0) : NULL;

	curl_url_cleanup(url);
	for (char *c = host; c && *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	return host;
}

const char *public_name(TALLOC_CTX *mem, const char *text)
{
	CURLU *url = parse(text);
	const char *host = public_host(mem, text), *port, *path, *query;

	if (!url)
		return NULL;
	port = part(mem, url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
	path = part(mem, url, CURLUPART_PATH, 0);
	query = part(mem, url, CURLUPART_QUERY, 0);
	curl_url_cleanup(url);
	return talloc_asprintf(mem, "%s%s%s%s%s%s", host, port ? ":" : "", port ? port : "", path,
			       query ? "?" : "", query ? query : "");
}

static int refuse(struct task *t, const char *why)
{
	task_fail(t, E_UNAVAILABLE, NULL);
	t->failure.cause = why;
	return E_UNAVAILABLE;
}

static bool has_usual_port(TALLOC_CTX *mem, CURLU *url)
{
	const char *port = part(mem, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);

	return port && str_is_choice("80|443|8080|8443", port);
}

static int ask(struct task *t, CURLU *url, const struct public_call *call, uint64_t deadline,
	       struct http_answer **answer)
{
	struct http_header headers[3] = { { "Accept", "text/calendar, */*;q=0.1" } };
	uint64_t now = time_monotonic_us();
	struct http_call one = { .headers = headers, .header_count = 1 };

	if (!call->anywhere && !has_usual_port(t->mem, url))
		return refuse(t, "its port is none of 80, 443, 8080 and 8443");
	if (now >= deadline)
		return task_fail(t, E_TIMEOUT, NULL);
	if (call->etag)
		headers[one.header_count++] = (struct http_header) { "If-None-Match", call->etag };
	if (call->last_modified)
		headers[one.header_count++] = (struct http_header) { "If-Modified-Since",
								     call->last_modified };
	one.url = part(t->mem, url, CURLUPART_URL, 0);
	one.answer_max = call->answer_max;
	one.timeout_ms = (int)((deadline - now) / 1000) + 1;
	one.may_connect = call->anywhere ? NULL : public_may_connect;
	return http_call(t, &one, answer);
}

static bool is_redirect(const struct http_answer *answer)
{
	return answer->status >= 301 && answer->status <= 308 && answer->status != 304 &&
	       answer->location;
}

/* Goes where the answer says. */
static int follow(struct task *t, CURLU *url, const struct http_answer *answer)
{
	bool secret = strcmp(part(t->mem, url, CURLUPART_SCHEME, 0), "https") == 0;

	if (curl_url_set(url, CURLUPART_URL, answer->location, 0) != CURLUE_OK || !is_http(url))
		return refuse(t, "it redirects to something that is no http or https URL");
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	if (secret && strcmp(part(t->mem, url, CURLUPART_SCHEME, 0), "https") != 0)
		return refuse(t, "it redirects from https to http");
	return OK;
}

static int get(struct task *t, CURLU *url, const struct public_call *call,
	       struct http_answer **answer)
{
	uint64_t deadline = time_monotonic_us() + (uint64_t)call->timeout_ms * 1000;
	struct http_answer *got = NULL;
	int rc = ask(t, url, call, deadline, &got);

	for (int hops = 0; !rc && is_redirect(got); hops++) {
		if (hops == REDIRECTS_MAX)
			return refuse(t, "it redirects too often");
		rc = follow(t, url, got);
		if (!rc)
			rc = ask(t, url, call, deadline, &got);
	}
	if (rc)
		return rc;
	if (got->status != 200 && !(got->status == 304 && (call->etag || call->last_modified)))
		return refuse(t, talloc_asprintf(t->mem, "it answers %d", got->status));
	*answer = got;
	return OK;
}

int public_get(struct task *t, const struct public_call *call, struct http_answer **answer)
{
	CURLU *url = parse(call->url);
	int rc;

	if (!url)
		return task_fail(t, E_BAD_REQUEST, "The address must be an http or https URL");
	curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	rc = get(t, url, call, answer);
	curl_url_cleanup(url);
	return rc;
}
