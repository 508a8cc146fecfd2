/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and networks: IPv4 and IPv6 as 16 bytes, IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that
 * "::ffff:192.0.2.1" is 192.0.2.1. Networks are written as in RFC 4632. Nothing waits.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"

enum { ADDRESS_TEXT_MAX = 64, NETWORKS_MAX = 64 };

struct address {
	unsigned char bytes[16];
};

struct network {
	struct address address;
	int bits; /* 0 to 128 */
};

/* Reads an address of `len` bytes: no port, no brackets, no zone, no blanks. */
bool address_read(const char *text, size_t len, struct address *address) MUST_USE;
bool address_is_ipv4(const struct address *address);
/* Its one canonical text (RFC 5952), IPv4 with dots, into `out` (ADDRESS_TEXT_MAX bytes). */
void address_write(const struct address *address, char *out);
/* Sets the bits behind the first `bits` to 0. */
void address_mask(struct address *address, int bits);

/* Reads a comma-separated list of networks ("10.0.0.0/8, fd00::/8") or addresses; at most NETWORKS_MAX. Returns how many,
 * -1 when one is none. Bits behind a network's length are ignored. */
int networks_read(const char *text, struct network *networks) MUST_USE;
/* Is the address in one of them? */
bool networks_have(const struct network *networks, int count, const struct address *address);

#endif
