/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy says of its client: Forwarded when the input begins with F, else X-Forwarded-For. */
#include "fuzz.h"

#include <string.h>
#include "api/pipeline.h"
#include "base/config.h"
#include "base/network.h"
#include "gateway/client.h"

static struct request *find(const char *name, const char *value)
{
	struct request *r = fuzz_request("/");

	r->http->peer = "10.0.0.1";
	r->http->headers[0] = (struct http_header) { .name = name, .value = value };
	r->http->header_count = 1;
	client_find(r);
	return r;
}

/* It is an address in its one form, and what limits count is it, or an IPv6 address's network. */
static void check_address(const struct request *r)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	assert(address_read(r->client, strlen(r->client), &address));
	address_write(&address, text);
	assert(strcmp(text, r->client) == 0);
	if (address_is_ipv4(&address)) {
		assert(strcmp(r->client_block, r->client) == 0);
		return;
	}
	address_mask(&address, 64);
	address_write(&address, text);
	assert(strncmp(r->client_block, text, strlen(text)) == 0);
	assert(strcmp(r->client_block + strlen(text), "/64") == 0);
}

/* A stranger writes what he likes on the left: who the proxy says he is stays the same, or nobody is believed. */
static void check_left(const char *name, const char *value, const char *client)
{
	static const char *const lies[] = { "1.2.3.4, ",  "for=1.2.3.4, ", "for=\"",
					    "x=\"\\\", ", "for=10.0.0.9;", "10.0.0.9, " };

	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct request *r = find(name, talloc_asprintf(mem, "%s%s", lies[i], value));

		check_address(r);
		if (strncmp(client, "10.", 3) != 0 && lies[i][strlen(lies[i]) - 1] == ' ')
			assert(strcmp(r->client, client) == 0 ||
			       strcmp(r->client, "10.0.0.1") == 0);
		assert(strcmp(r->client, "1.2.3.4") != 0 || strncmp(client, "10.", 3) == 0 ||
		       strcmp(client, "1.2.3.4") == 0);
		talloc_free(MEM(r));
		talloc_free(mem);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = fuzz_target_text(mem, "", data, size);
	const char *name = text[0] == 'F' ? "forwarded" : "x-forwarded-for";
	struct request *r;

	config.trusted_proxies = "10.0.0.0/8";
	client_setup();
	text += text[0] != '\0';
	r = find(name, text);
	check_address(r);
	check_left(name, text, r->client);
	talloc_free(MEM(r));
	talloc_free(mem);
	return 0;
}
