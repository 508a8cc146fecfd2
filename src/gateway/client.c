/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's address; see client.h. Anybody can send these headers: what is believed is the part that a trusted proxy
 * has appended. The walk starts at the peer and goes on to the left while the last address is trusted; an entry that is
 * no address ends it. When both headers are there and say different things, one of them is not our proxies': then neither
 * is believed, and the client is the proxy.
 */
#include "gateway/client.h"

#include <string.h>
#include "api/pipeline.h"
#include "base/config.h"
#include "base/network.h"
#include "base/banned.h"

enum { HOPS_MAX = 16, IPV6_BLOCK_BITS = 64, NODE_MAX = 128 };

static struct network trusted[NETWORKS_MAX];
static int trusted_count;

void client_setup(void)
{
	trusted_count = networks_read(config.trusted_proxies, trusted);
}

/* The last entries of one header line, the rightmost last; more than HOPS_MAX push the first ones out. */
struct hops {
	struct address addresses[HOPS_MAX];
	bool valid[HOPS_MAX];
	int count; /* of all that there were */
};

static void add_hop(struct hops *hops, bool valid, const struct address *address)
{
	int at = hops->count++ % HOPS_MAX;

	hops->valid[at] = valid;
	if (valid)
		hops->addresses[at] = *address;
}

static bool is_port(const char *text, size_t len)
{
	return len >= 1 && len <= 5 && strspn(text, "0123456789") >= len;
}

/* A node (RFC 7239 section 6): an IPv4 address, or an IPv6 address in brackets, with or without a port. "unknown" and
 * "_hidden" are none of ours. X-Forwarded-For also has IPv6 addresses without brackets. */
static bool read_node(const char *text, size_t len, bool bare_ipv6, struct address *address)
{
	const char *end = text + len;
	const char *close = len && text[0] == '[' ? memchr(text, ']', len) : NULL;
	const char *colon = memchr(text, ':', len);

	if (close) {
		size_t inside = (size_t)(close - text - 1);

		if (close + 1 != end &&
		    (close[1] != ':' || !is_port(close + 2, (size_t)(end - close - 2))))
			return false;
		return memchr(text + 1, ':', inside) && address_read(text + 1, inside, address);
	}
	if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
		return bare_ipv6 && address_read(text, len, address);
	if (colon && !is_port(colon + 1, (size_t)(end - colon - 1)))
		return false;
	return address_read(text, colon ? (size_t)(colon - text) : len, address);
}

static size_t blanks(const char *text)
{
	return strspn(text, " \t");
}

static void read_x_forwarded_for(const char *line, struct hops *hops)
{
	for (;;) {
		size_t len, used;
		struct address address;
		bool valid;

		line += blanks(line);
		used = len = strcspn(line, ",");
		while (used > 0 && (line[used - 1] == ' ' || line[used - 1] == '\t'))
			used--;
		valid = read_node(line, used, true, &address);
		add_hop(hops, valid, &address);
		if (!line[len])
			return;
		line += len + 1;
	}
}

/* token or quoted-string (RFC 9110 section 5.6), unescaped into `out`. Returns what follows, NULL when it is neither. */
static const char *read_value(const char *at, char out[NODE_MAX])
{
	size_t n = 0;

	if (*at != '"') {
		n = strcspn(at, "\"(),/:;<=>?@[\\]{} \t");
		/* many send an address with its port bare, though a colon is for quoted strings */
		if (at[n] == ':')
			n += strcspn(at + n, "\"(),/;<=>?@[\\]{} \t");
		if (n == 0 || n >= NODE_MAX)
			return NULL;
		memcpy(out, at, n);
		out[n] = '\0';
		return at + n;
	}
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
		if (!*at || n + 1 >= NODE_MAX)
			return NULL;
		out[n++] = *at;
	}
	out[n] = '\0';
	return at + 1;
}

/* One forwarded-element: pairs with semicolons between. Returns what follows, NULL when it is not well-formed. */
static const char *read_element(const char *at, struct hops *hops)
{
	struct address address;
	bool valid = false;
	char value[NODE_MAX];

	for (;; at++) {
		size_t name = strcspn(at, "\"(),/:;<=>?@[\\]{} \t");
		bool is_for = name == 3 && strncasecmp(at, "for", 3) == 0;

		if (name == 0 || at[name] != '=')
			return NULL;
		at = read_value(at + name + 1, value);
		if (!at)
			return NULL;
		if (is_for)
			valid = read_node(value, strlen(value), false, &address);
		at += blanks(at);
		if (*at != ';')
			break;
		at += blanks(at + 1);
	}
	add_hop(hops, valid, &address);
	return at;
}

/* A line that is not well-formed is one entry that is no address: nobody can say where in it our proxy's part begins. */
static void read_forwarded(const char *line, struct hops *hops)
{
	for (;;) {
		line = read_element(line + blanks(line), hops);
		if (!line || (*line && *line != ','))
			break;
		if (!*line)
			return;
		line++;
	}
	hops->count = 0;
	add_hop(hops, false, NULL);
}

/* Walks one header from its right end: *client is the last address that somebody trusted has named. Was it there? */
static bool walk(const struct request *r, const char *name,
		 void (*read)(const char *line, struct hops *hops), struct address *client)
{
	bool found = false;

	for (int i = r->http->header_count - 1; i >= 0; i--) {
		struct hops hops = { .count = 0 };
		int kept;

		if (strcmp(r->http->headers[i].name, name) != 0)
			continue;
		found = true;
		read(r->http->headers[i].value, &hops);
		kept = hops.count < HOPS_MAX ? hops.count : HOPS_MAX;
		for (int k = 1; k <= kept; k++) {
			int at = (hops.count - k) % HOPS_MAX;

			if (!hops.valid[at] || !networks_have(trusted, trusted_count, client))
				return true;
			*client = hops.addresses[at];
		}
		if (kept < hops.count)
			return true;
	}
	return found;
}

static struct address before_proxies(const struct request *r, const struct address *peer)
{
	struct address forwarded = *peer, x_forwarded_for = *peer;
	bool has_forwarded = walk(r, "forwarded", read_forwarded, &forwarded);
	bool has_x = walk(r, "x-forwarded-for", read_x_forwarded_for, &x_forwarded_for);

	if (has_forwarded && has_x && memcmp(&forwarded, &x_forwarded_for, sizeof(forwarded)) != 0)
		return *peer;
	return has_forwarded ? forwarded : x_forwarded_for;
}

void client_find(struct request *r)
{
	const char *peer = r->http->peer ? r->http->peer : "";
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	r->client = r->client_block = peer;
	if (!address_read(peer, strlen(peer), &address))
		return;
	if (trusted_count > 0 && networks_have(trusted, trusted_count, &address))
		address = before_proxies(r, &address);
	else if (!strchr(peer, ':'))
		return;
	address_write(&address, text);
	r->client = r->client_block = talloc_strdup(MEM(r), text);
	if (address_is_ipv4(&address))
		return;
	address_mask(&address, IPV6_BLOCK_BITS);
	address_write(&address, text);
	r->client_block = talloc_asprintf(MEM(r), "%s/64", text);
}
