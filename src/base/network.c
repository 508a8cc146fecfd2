/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks; see network.h. */
#include "base/network.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/str.h"
#include "base/banned.h"

enum { IPV4_AT = 12, IPV4_BITS = 96 }; /* of an IPv4-mapped address */

static const unsigned char mapped[IPV4_AT] = { [10] = 0xff, [11] = 0xff };

bool address_read(const char *text, size_t len, struct address *address)
{
	char copy[ADDRESS_TEXT_MAX];
	struct address read;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strlen(copy) != len)
		return false;
	memcpy(read.bytes, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, copy, read.bytes + IPV4_AT) != 1 &&
	    inet_pton(AF_INET6, copy, read.bytes) != 1)
		return false;
	*address = read;
	return true;
}

bool address_is_ipv4(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

void address_write(const struct address *address, char *out)
{
	if (address_is_ipv4(address))
		inet_ntop(AF_INET, address->bytes + IPV4_AT, out, ADDRESS_TEXT_MAX);
	else
		inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT_MAX);
}

void address_mask(struct address *address, int bits)
{
	for (int i = 0; i < (int)sizeof(address->bytes); i++) {
		int kept = bits - 8 * i;

		if (kept <= 0)
			address->bytes[i] = 0;
		else if (kept < 8)
			address->bytes[i] &= (unsigned char)(0xff << (8 - kept));
	}
}

/* One of the list: "10.0.0.0/8", "::1". */
static bool read_network(const char *text, size_t len, struct network *network)
{
	const char *slash = memchr(text, '/', len);
	size_t address_len = slash ? (size_t)(slash - text) : len;
	char bits_text[4] = "";
	long long bits = 128;
	bool ipv4;

	if (!address_read(text, address_len, &network->address))
		return false;
	/* "::ffff:10.0.0.0/104" is written as the IPv6 that it is */
	ipv4 = !memchr(text, ':', address_len);
	if (slash) {
		size_t digits = len - address_len - 1;

		if (digits >= sizeof(bits_text))
			return false;
		memcpy(bits_text, slash + 1, digits);
		if (!str_to_int(bits_text, 0, ipv4 ? 32 : 128, &bits))
			return false;
		bits += ipv4 ? IPV4_BITS : 0;
	}
	network->bits = (int)bits;
	address_mask(&network->address, network->bits);
	return true;
}

int networks_read(const char *text, struct network *networks)
{
	int count = 0;

	for (;;) {
		size_t len, used;

		text += strspn(text, " ");
		if (!text[0] && count == 0)
			return 0;
		len = strcspn(text, ",");
		for (used = len; used > 0 && text[used - 1] == ' ';)
			used--;
		if (count == NETWORKS_MAX || !read_network(text, used, &networks[count]))
			return -1;
		count++;
		if (!text[len])
			return count;
		text += len + 1;
	}
}

bool networks_have(const struct network *networks, int count, const struct address *address)
{
	for (int i = 0; i < count; i++) {
		struct address masked = *address;

		address_mask(&masked, networks[i].bits);
		if (memcmp(&masked, &networks[i].address, sizeof(masked)) == 0)
			return true;
	}
	return false;
}
