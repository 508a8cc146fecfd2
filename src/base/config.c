/* SPDX-License-Identifier: Apache-2.0 */
/* The config table and its parsing; see config.h. */
#include "base/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/formats.h"
#include "base/network.h"
#include "base/str.h"
#include "base/banned.h"

#define AT(member) offsetof(struct config, member)

static bool is_listen(const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	unsigned char address[16];
	long long port;
	size_t len;

	if (!colon || !str_to_int(colon + 1, 0, 65535, &port))
		return false;
	len = (size_t)(colon - text);
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, address) == 1;
	}
	return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, address) == 1;
}

static bool is_given(const char *text)
{
	return text[0] != '\0';
}

static bool is_database_url(const char *text)
{
	return !text[0] || strncmp(text, "postgresql://", 13) == 0 ||
	       strncmp(text, "postgres://", 11) == 0;
}

static bool is_secret_key(const char *text)
{
	return !text[0] || (strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64);
}

static bool is_smtp_url(const char *text)
{
	return !text[0] ||
	       ((strncmp(text, "smtp://", 7) == 0 || strncmp(text, "smtps://", 8) == 0) &&
		strstr(text, "://")[3] != '\0' && !strpbrk(text, " \"<>\r\n"));
}

/* Plain words: the header that it becomes needs no escapes. */
static bool is_name(const char *text)
{
	return text[0] && !strpbrk(text, "\"\\<>@,;:()[]") &&
	       !str_has_control(text, strlen(text), false);
}

/* "address" or "Name <address>"; the mail server knows whether it takes mail from there. */
static bool is_mail_from(const char *text)
{
	static const char address[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"!#$%&'*+/=?^_`{|}~-.@";
	const char *bracket = strchr(text, '<'), *start = bracket ? bracket + 1 : text;
	size_t len = strspn(start, address);
	const char *at = memchr(start, '@', len);
	char name[256];

	if (!at || at == start || at + 1 == start + len ||
	    memchr(at + 1, '@', len - (size_t)(at + 1 - start)) ||
	    strcmp(start + len, bracket ? ">" : "") != 0)
		return false;
	if (!bracket)
		return true;
	snprintf(name, sizeof(name), "%.*s", (int)(bracket - text), text);
	return is_name(name);
}

/* RFC 6454 section 6.2: scheme://host or scheme://host:port, without a path. */
static bool is_origin(const char *text, size_t len)
{
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	return scheme > 0 && strncmp(text + scheme, "://", 3) == 0 && len > scheme + 3 &&
	       strcspn(text + scheme + 3, "/?#;,\"\\ \t") >= len - scheme - 3;
}

static bool is_public_url(const char *text)
{
	return (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) &&
	       is_origin(text, strlen(text));
}

static bool is_origins(const char *text)
{
	if (!text[0] || strcmp(text, "*") == 0)
		return true;
	for (const char *c = text; c; c = strchr(c, ',')) {
		c += c > text;
		c += strspn(c, " ");
		if (!is_origin(c, strcspn(c, ", ")))
			return false;
	}
	return true;
}

/* The way to Redis is read where it is gone, in store/redis.c; here it is only kept from being something else. */
static bool is_redis_url(const char *text)
{
	return !text[0] || (strncmp(text, "redis://", 8) == 0 && text[8]) ||
	       strncmp(text, "unix:///", 8) == 0;
}

static bool is_networks(const char *text)
{
	struct network networks[NETWORKS_MAX];

	return networks_read(text, networks) >= 0;
}

/* https://, or http:// to this machine; without user information and fragment. */
static bool is_safe_url(const char *text, size_t len)
{
	static const char *const local[] = { "http://127.0.0.1", "http://[::1]",
					     "http://localhost" };
	size_t start = strncmp(text, "https://", 8) == 0 ? 8 : 0;

	for (size_t i = 0; i < COUNT_OF(local) && start == 0; i++) {
		size_t host = strlen(local[i]);

		if (strncmp(text, local[i], host) == 0 && (text[host] == ':' || text[host] == '/'))
			start = host;
	}
	return start > 0 && len > start && strcspn(text, " #@\"\\<>") >= len &&
	       !str_has_control(text, len, false);
}

static bool is_endpoint(const char *text)
{
	return is_safe_url(text, strlen(text)) && !strchr(text, ',');
}

static bool is_zone(const char *text)
{
	char *zone = format_zone(NULL, text);
	bool known = zone != NULL;

	talloc_free(zone);
	return known;
}

static bool is_return_urls(const char *text)
{
	for (const char *c = text; c && *text; c = strchr(c, ',')) {
		c += c > text;
		c += strspn(c, " ");
		if (!is_safe_url(c, strcspn(c, ", ")))
			return false;
	}
	return true;
}

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

static bool is_calendars(const char *text)
{
	static const char *const schemes[] = { "https://", "http://", "webcal://" };

	for (const char *c = text; c && *text; c = strchr(c, ',')) {
		size_t len, start = 0;

		c += c > text;
		c += strspn(c, " ");
		len = strcspn(c, ", ");
		for (size_t i = 0; i < COUNT_OF(schemes) && start == 0; i++)
			if (strncmp(c, schemes[i], strlen(schemes[i])) == 0)
				start = strlen(schemes[i]);
		if (start == 0 || len <= start || strchr("/?#:", c[start]) ||
		    strcspn(c, "#\"\\<>") < len || !is_ascii(c, len))
			return false;
	}
	return true;
}

const struct config_row config_rows[] = {
	{ .env = "GUILDFORD_LISTEN",
	  .flag = "listen",
	  .type = CONFIG_TEXT,
	  .offset = AT(listen),
	  .def = "127.0.0.1:8080",
	  .max = 200,
	  .check = is_listen,
	  .takes = "an address and port such as 127.0.0.1:8080",
	  .doc = "Address and port to serve on; [::1]:8080 for IPv6, port 0 for any free one." },
	{ .env = "GUILDFORD_DATA",
	  .flag = "data",
	  .type = CONFIG_TEXT,
	  .offset = AT(data),
	  .def = "./data",
	  .min = 1,
	  .max = 1000,
	  .check = is_given,
	  .takes = "a folder",
	  .doc = "Folder of the private PostgreSQL cluster, the secret key, reports of imports and mails without a server." },
	{ .env = "GUILDFORD_WORKERS",
	  .flag = "workers",
	  .type = CONFIG_INT,
	  .offset = AT(workers),
	  .def = "0",
	  .max = 128,
	  .doc = "Worker processes; 0 is one per core." },
	{ .env = "DATABASE_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(database_url),
	  .def = "",
	  .max = 2000,
	  .flags = CONFIG_SECRET,
	  .check = is_database_url,
	  .takes = "a URI such as postgresql://user@host/database",
	  .doc = "PostgreSQL to use instead of the private cluster, as a libpq URI." },
	{ .env = "GUILDFORD_SECRET_KEY",
	  .type = CONFIG_TEXT,
	  .offset = AT(secret_key),
	  .def = "",
	  .max = 64,
	  .flags = CONFIG_SECRET,
	  .check = is_secret_key,
	  .takes = "64 hexadecimal digits, such as `openssl rand -hex 32` prints",
	  .doc = "Key of what is sealed in the database, the same on all nodes; unset: secret.key in the data folder." },
	{ .env = "GUILDFORD_LOG_LEVEL",
	  .flag = "log-level",
	  .type = CONFIG_CHOICE,
	  .offset = AT(log_level),
	  .def = "info",
	  .choices = "debug|info|warn|error|off",
	  .doc = "Log lines below this level are not written." },
	{ .env = "GUILDFORD_ACCESS_LOG",
	  .flag = "access-log",
	  .type = CONFIG_BOOL,
	  .offset = AT(access_log),
	  .def = "on",
	  .doc = "One log line per request." },
	{ .env = "GUILDFORD_CORS_ORIGINS",
	  .flag = "cors-origins",
	  .type = CONFIG_TEXT,
	  .offset = AT(cors_origins),
	  .def = "",
	  .max = 4000,
	  .check = is_origins,
	  .takes = "a list of origins such as https://town.example, or *",
	  .doc = "Origins that browsers may call from, comma-separated; * is any." },
	{ .env = "GUILDFORD_HEADER_MAX",
	  .flag = "header-max",
	  .type = CONFIG_INT,
	  .offset = AT(header_max),
	  .def = "16384",
	  .min = 1024,
	  .max = 1048576,
	  .unit = "bytes",
	  .doc = "Request line and headers; beyond it 431." },
	{ .env = "GUILDFORD_URL_MAX",
	  .flag = "url-max",
	  .type = CONFIG_INT,
	  .offset = AT(url_max),
	  .def = "8192",
	  .min = 128,
	  .max = 1048576,
	  .unit = "bytes",
	  .doc = "Request target; beyond it 414." },
	{ .env = "GUILDFORD_BODY_MAX",
	  .flag = "body-max",
	  .type = CONFIG_INT,
	  .offset = AT(body_max),
	  .def = "1048576",
	  .max = 104857600,
	  .unit = "bytes",
	  .doc = "Request body; beyond it 413." },
	{ .env = "GUILDFORD_HEADER_TIMEOUT",
	  .flag = "header-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(header_timeout),
	  .def = "10000",
	  .min = 50,
	  .max = 600000,
	  .unit = "ms",
	  .doc = "Time for all headers to arrive; beyond it 408." },
	{ .env = "GUILDFORD_BODY_TIMEOUT",
	  .flag = "body-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(body_timeout),
	  .def = "30000",
	  .min = 50,
	  .max = 600000,
	  .unit = "ms",
	  .doc = "Time for the body to arrive; beyond it 408." },
	{ .env = "GUILDFORD_IDLE_TIMEOUT",
	  .flag = "idle-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(idle_timeout),
	  .def = "60000",
	  .min = 50,
	  .max = 3600000,
	  .unit = "ms",
	  .doc = "An idle connection is closed after this." },
	{ .env = "GUILDFORD_WRITE_TIMEOUT",
	  .flag = "write-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(write_timeout),
	  .def = "30000",
	  .min = 50,
	  .max = 600000,
	  .unit = "ms",
	  .doc = "A reader that takes nothing of its answer for this long is dropped." },
	{ .env = "GUILDFORD_DRAIN_TIMEOUT",
	  .flag = "drain-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(drain_timeout),
	  .def = "10000",
	  .min = 0,
	  .max = 600000,
	  .unit = "ms",
	  .doc = "Time for requests in flight to finish at SIGTERM." },
	{ .env = "GUILDFORD_REQUEST_TIMEOUT",
	  .flag = "request-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(request_timeout),
	  .def = "10000",
	  .min = 50,
	  .max = 600000,
	  .unit = "ms",
	  .doc = "Deadline of everything that a request waits for." },
	{ .env = "GUILDFORD_CONNECTIONS_MAX",
	  .flag = "connections-max",
	  .type = CONFIG_INT,
	  .offset = AT(connections_max),
	  .def = "20000",
	  .min = 1,
	  .max = 1000000,
	  .doc = "Open connections per worker; more are closed at once." },
	{ .env = "GUILDFORD_REQUESTS_MAX",
	  .flag = "requests-max",
	  .type = CONFIG_INT,
	  .offset = AT(requests_max),
	  .def = "2000",
	  .min = 1,
	  .max = 100000,
	  .doc = "Requests in flight per worker; beyond it 503." },
	{ .env = "GUILDFORD_DATABASE_PIPELINES",
	  .flag = "database-pipelines",
	  .type = CONFIG_INT,
	  .offset = AT(database_pipelines),
	  .def = "1",
	  .min = 1,
	  .max = 64,
	  .doc = "Connections per worker that short statements share; more than one only where cores are idle." },
	{ .env = "GUILDFORD_DATABASE_LEASES",
	  .flag = "database-leases",
	  .type = CONFIG_INT,
	  .offset = AT(database_leases),
	  .def = "8",
	  .min = 1,
	  .max = 256,
	  .doc = "Connections per worker for transactions and long statements." },
	{ .env = "GUILDFORD_STATEMENT_TIMEOUT",
	  .flag = "statement-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(statement_timeout),
	  .def = "5000",
	  .min = 10,
	  .max = 3600000,
	  .unit = "ms",
	  .doc = "PostgreSQL gives up on a statement after this." },
	{ .env = "GUILDFORD_PASSWORD_QUEUE",
	  .type = CONFIG_INT,
	  .offset = AT(password_queue),
	  .def = "100",
	  .max = 10000,
	  .doc = "Passwords per worker that wait for their hash; beyond it 503." },
	{ .env = "GUILDFORD_TOWN",
	  .flag = "town",
	  .type = CONFIG_TEXT,
	  .offset = AT(town),
	  .def = "Guildford",
	  .min = 1,
	  .max = 100,
	  .check = is_name,
	  .takes = "a name in plain words",
	  .doc = "Name of the town, as mails call it." },
	{ .env = "GUILDFORD_PUBLIC_URL",
	  .flag = "public-url",
	  .type = CONFIG_TEXT,
	  .offset = AT(public_url),
	  .def = "http://127.0.0.1:8080",
	  .max = 200,
	  .check = is_public_url,
	  .takes = "an http or https URL without a path, such as https://town.example",
	  .doc = "Where people reach the API; the issuer of its tokens; links in mails begin with it. The same on all nodes." },
	{ .env = "GUILDFORD_MAIL_FROM",
	  .flag = "mail-from",
	  .type = CONFIG_TEXT,
	  .offset = AT(mail_from),
	  .def = "Guildford <noreply@localhost>",
	  .min = 1,
	  .max = 250,
	  .check = is_mail_from,
	  .takes = "an address, or a name and an address such as Guildford <noreply@town.example>",
	  .doc = "Who mails come from." },
	{ .env = "SMTP_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(smtp_url),
	  .def = "",
	  .max = 1000,
	  .flags = CONFIG_SECRET,
	  .check = is_smtp_url,
	  .takes = "smtp://user:password@host:587 or smtps://host",
	  .doc = "Mail server, user and password percent-encoded; unset: mails become files in mail/ of the data folder." },
	{ .env = "GUILDFORD_SMTP_TLS",
	  .flag = "smtp-tls",
	  .type = CONFIG_CHOICE,
	  .offset = AT(smtp_tls),
	  .def = "auto",
	  .choices = "auto|off|opportunistic|required",
	  .doc = "STARTTLS with an smtp:// server; auto is required, but off at 127.0.0.1, [::1] and localhost." },
	{ .env = "GUILDFORD_CA_FILE",
	  .flag = "ca-file",
	  .type = CONFIG_TEXT,
	  .offset = AT(ca_file),
	  .def = "",
	  .max = 1000,
	  .doc = "PEM file of the certificates that outgoing TLS trusts; unset: those of the system." },
	{ .env = "REDIS_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(redis_url),
	  .def = "",
	  .max = 2000,
	  .flags = CONFIG_SECRET,
	  .check = is_redis_url,
	  .takes =
		  "a URL such as redis://:password@127.0.0.1:6379/0 or unix:///run/redis/redis.sock",
	  .doc = "Redis that all nodes share; unset: each node counts for itself." },
	{ .env = "GUILDFORD_REDIS_TIMEOUT",
	  .flag = "redis-timeout",
	  .type = CONFIG_INT,
	  .offset = AT(redis_timeout),
	  .def = "200",
	  .min = 10,
	  .max = 10000,
	  .unit = "ms",
	  .doc = "A Redis that says nothing for this long is away until it answers again." },
	{ .env = "GUILDFORD_TRUSTED_PROXIES",
	  .flag = "trusted-proxies",
	  .type = CONFIG_TEXT,
	  .offset = AT(trusted_proxies),
	  .def = "",
	  .max = 2000,
	  .check = is_networks,
	  .takes = "a list of at most 64 networks such as 10.0.0.0/8, fd00::/8",
	  .doc = "Networks of proxies whose Forwarded or X-Forwarded-For is believed, comma-separated." },
	{ .env = "GUILDFORD_LIMITS",
	  .flag = "limits",
	  .type = CONFIG_BOOL,
	  .offset = AT(limits),
	  .def = "on",
	  .doc = "Rate limits; off is for measurements." },
	{ .env = "GUILDFORD_LIMIT_AUTHENTICATED",
	  .flag = "limit-authenticated",
	  .type = CONFIG_INT,
	  .offset = AT(limit_authenticated),
	  .def = "100",
	  .min = 1,
	  .max = 100000000,
	  .doc = "Requests in a minute of a caller who has signed in." },
	{ .env = "GUILDFORD_LIMIT_ANONYMOUS",
	  .flag = "limit-anonymous",
	  .type = CONFIG_INT,
	  .offset = AT(limit_anonymous),
	  .def = "20",
	  .min = 1,
	  .max = 100000000,
	  .doc = "Requests in a minute of an address (IPv6: a /64) that has not signed in." },
	{ .env = "GUILDFORD_GOOGLE_CLIENT_ID",
	  .type = CONFIG_TEXT,
	  .offset = AT(google_client_id),
	  .def = "",
	  .max = 200,
	  .doc = "Of the app at Google that people sign in with; unset: not offered." },
	{ .env = "GUILDFORD_GOOGLE_CLIENT_SECRET",
	  .type = CONFIG_TEXT,
	  .offset = AT(google_client_secret),
	  .def = "",
	  .max = 200,
	  .flags = CONFIG_SECRET,
	  .doc = "The app's secret." },
	{ .env = "GUILDFORD_GOOGLE_ISSUER",
	  .type = CONFIG_TEXT,
	  .offset = AT(google_issuer),
	  .def = "https://accounts.google.com",
	  .min = 1,
	  .max = 200,
	  .check = is_endpoint,
	  .takes = "an https URL, or an http one of this machine",
	  .doc = "Who issues Google's ID tokens." },
	{ .env = "GUILDFORD_GOOGLE_AUTHORIZATION_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(google_authorization_url),
	  .def = "https://accounts.google.com/o/oauth2/v2/auth",
	  .min = 1,
	  .max = 500,
	  .check = is_endpoint,
	  .takes = "an https URL, or an http one of this machine",
	  .doc = "Where browsers go to sign in at Google." },
	{ .env = "GUILDFORD_GOOGLE_TOKEN_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(google_token_url),
	  .def = "https://oauth2.googleapis.com/token",
	  .min = 1,
	  .max = 500,
	  .check = is_endpoint,
	  .takes = "an https URL, or an http one of this machine",
	  .doc = "Where codes of Google are exchanged." },
	{ .env = "GUILDFORD_GOOGLE_JWKS_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(google_jwks_url),
	  .def = "https://www.googleapis.com/oauth2/v3/certs",
	  .min = 1,
	  .max = 500,
	  .check = is_endpoint,
	  .takes = "an https URL, or an http one of this machine",
	  .doc = "Google's public keys." },
	{ .env = "GUILDFORD_FACEBOOK_CLIENT_ID",
	  .type = CONFIG_TEXT,
	  .offset = AT(facebook_client_id),
	  .def = "",
	  .max = 200,
	  .doc = "Of the app at Facebook that people sign in with; unset: not offered." },
	{ .env = "GUILDFORD_FACEBOOK_CLIENT_SECRET",
	  .type = CONFIG_TEXT,
	  .offset = AT(facebook_client_secret),
	  .def = "",
	  .max = 200,
	  .flags = CONFIG_SECRET,
	  .doc = "The app's secret." },
	{ .env = "GUILDFORD_FACEBOOK_AUTHORIZATION_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(facebook_authorization_url),
	  .def = "https://www.facebook.com/v23.0/dialog/oauth",
	  .min = 1,
	  .max = 500,
	  .check = is_endpoint,
	  .takes = "an https URL, or an http one of this machine",
	  .doc = "Where browsers go to sign in at Facebook." },
	{ .env = "GUILDFORD_FACEBOOK_TOKEN_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(facebook_token_url),
	  .def = "https://graph.facebook.com/v23.0/oauth/access_token",
	  .min = 1,
	  .max = 500,
	  .check = is_endpoint,
	  .takes = "an https URL, or an http one of this machine",
	  .doc = "Where codes of Facebook are exchanged." },
	{ .env = "GUILDFORD_FACEBOOK_ME_URL",
	  .type = CONFIG_TEXT,
	  .offset = AT(facebook_me_url),
	  .def = "https://graph.facebook.com/v23.0/me",
	  .min = 1,
	  .max = 500,
	  .check = is_endpoint,
	  .takes = "an https URL, or an http one of this machine",
	  .doc = "Facebook's page about who has signed in." },
	{ .env = "GUILDFORD_OAUTH_RETURN_URLS",
	  .flag = "oauth-return-urls",
	  .type = CONFIG_TEXT,
	  .offset = AT(oauth_return_urls),
	  .def = "",
	  .max = 4000,
	  .check = is_return_urls,
	  .takes = "a list of https URLs, or http ones of this machine, without fragments",
	  .doc = "Addresses of front ends that a sign-in elsewhere may return to, comma-separated; unset: /signed-in of the public URL." },
	{ .env = "GUILDFORD_TIME_ZONE",
	  .flag = "time-zone",
	  .type = CONFIG_TEXT,
	  .offset = AT(time_zone),
	  .def = "Europe/London",
	  .min = 1,
	  .max = 64,
	  .check = is_zone,
	  .takes = "an IANA time zone such as Europe/London",
	  .doc = "The town's time zone: when a day begins that a list of events asks for." },
	{ .env = "GUILDFORD_REPLY_CLAIM_HOURS",
	  .flag = "reply-claim-hours",
	  .type = CONFIG_INT,
	  .offset = AT(reply_claim_hours),
	  .def = "24",
	  .min = 1,
	  .max = 336,
	  .unit = "hours",
	  .doc = "How long a place is kept for who waited for it, before the next one is offered it." },
	{ .env = "GUILDFORD_CALENDARS",
	  .type = CONFIG_TEXT,
	  .offset = AT(calendars),
	  .def = "",
	  .max = 20000,
	  .flags = CONFIG_SECRET,
	  .check = is_calendars,
	  .takes = "a list of http, https or webcal URLs",
	  .doc = "Calendars of others to follow, comma-separated (a comma in one is %2C): the same on all nodes." },
	{ .env = "GUILDFORD_CALENDARS_PRIVATE",
	  .flag = "calendars-private",
	  .type = CONFIG_BOOL,
	  .offset = AT(calendars_private),
	  .def = "off",
	  .doc = "Fetch calendars from private addresses and any port, too: for tests and intranets." },
};
const size_t config_rows_count = COUNT_OF(config_rows);

struct config config;

static const char *sources[COUNT_OF(config_rows)];

static void *member(const struct config_row *row)
{
	return (char *)&config + row->offset;
}

static bool read_bool(const char *text, bool *value)
{
	static const char *const words[] = { "off", "on", "false", "true", "no", "yes", "0", "1" };

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*value = i % 2;
			return true;
		}
	}
	return false;
}

/* Takes a value, or says in `why` what the setting takes. */
static int set(const struct config_row *row, const char *text, const char *name, char *why,
	       size_t size)
{
	const char *shown = row->flags & CONFIG_SECRET ? "the value" : text;
	size_t len = strlen(text);
	long long number;

	switch (row->type) {
	case CONFIG_INT:
		if (!str_to_int(text, row->min, row->max, &number)) {
			snprintf(why, size, "%s: \"%s\" is not a whole number from %lld to %lld",
				 name, shown, row->min, row->max);
			return -1;
		}
		*(int *)member(row) = (int)number;
		return 0;
	case CONFIG_BOOL:
		if (!read_bool(text, member(row))) {
			snprintf(why, size, "%s: \"%s\" is neither on nor off", name, shown);
			return -1;
		}
		return 0;
	case CONFIG_CHOICE:
		if (!str_is_choice(row->choices, text)) {
			snprintf(why, size, "%s: \"%s\" is none of %s", name, shown, row->choices);
			return -1;
		}
		break;
	case CONFIG_TEXT:
		/* empty is "unset", where that is the default */
		if (len > (size_t)row->max || (len < (size_t)row->min && (len || row->def[0]))) {
			snprintf(why, size, "%s: takes %lld to %lld characters", name, row->min,
				 row->max);
			return -1;
		}
		if (row->check && !row->check(text)) {
			snprintf(why, size, "%s: \"%.200s\" is not %s", name, shown, row->takes);
			return -1;
		}
		break;
	}
	*(const char **)member(row) = text;
	return 0;
}

/* The row of "--listen" or "--listen=x", and where its value stands (NULL: in the next argument). */
static const struct config_row *find_flag(const char *arg, const char **value)
{
	if (strncmp(arg, "--", 2) != 0)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(config_rows); i++) {
		const char *flag = config_rows[i].flag;
		size_t len = flag ? strlen(flag) : 0;

		if (!flag || strncmp(arg + 2, flag, len) != 0 ||
		    (arg[2 + len] != '\0' && arg[2 + len] != '='))
			continue;
		*value = arg[2 + len] == '=' ? arg + 3 + len : NULL;
		return &config_rows[i];
	}
	return NULL;
}

static int read_flags(int *argc, char **argv, char *why, size_t size)
{
	int kept = 0;

	for (int i = 0; i < *argc; i++) {
		const char *value = NULL;
		const struct config_row *row = find_flag(argv[i], &value);
		char name[64];

		if (strcmp(argv[i], "--") == 0) {
			while (i < *argc)
				argv[kept++] = argv[i++];
			break;
		}
		if (!row) {
			argv[kept++] = argv[i];
			continue;
		}
		if (!value && i + 1 == *argc) {
			snprintf(why, size, "--%s: a value is missing", row->flag);
			return -1;
		}
		snprintf(name, sizeof(name), "--%s", row->flag);
		if (set(row, value ? value : argv[++i], name, why, size) != 0)
			return -1;
		sources[row - config_rows] = "flag";
	}
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

int config_load(int *argc, char **argv, char *why, size_t size)
{
	for (size_t i = 0; i < COUNT_OF(config_rows); i++) {
		const struct config_row *row = &config_rows[i];
		const char *given = getenv(row->env);

		sources[i] = given ? "environment" : "default";
		if (set(row, given ? given : row->def, row->env, why, size) != 0)
			return -1;
	}
	return read_flags(argc, argv, why, size);
}

const char *config_source(size_t i)
{
	return sources[i];
}

void config_text(size_t i, bool reveal, char *out, size_t size)
{
	const struct config_row *row = &config_rows[i];

	switch (row->type) {
	case CONFIG_INT:
		snprintf(out, size, "%d", *(int *)member(row));
		return;
	case CONFIG_BOOL:
		snprintf(out, size, "%s", *(bool *)member(row) ? "on" : "off");
		return;
	default:
		break;
	}
	snprintf(out, size, "%s", *(const char **)member(row));
	if ((row->flags & CONFIG_SECRET) && !reveal && out[0])
		snprintf(out, size, "********");
}
