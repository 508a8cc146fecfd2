/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of others, fetched from an address that somebody has given us: what keeps them from making us ask where only
 * we can (OWASP ASVS 5.0 V13.2, CWE-918). Each address is looked at when the connection is made, and each redirect is a
 * call of its own.
 */
#ifndef IO_PUBLIC_H
#define IO_PUBLIC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include "base/attr.h"
#include "base/network.h"
#include "io/http_call.h"
#include "io/task.h"

/* Is it an address of the public internet? Not: this machine, private networks, those of providers (RFC 6598), link-local,
 * multicast, documentation, reserved ones; nor any of these within an IPv6 address (RFC 6890, the IANA registries). */
bool public_has_address(const struct address *address);
/* The same of an address to connect to; nothing but IPv4 and IPv6 is public. */
bool public_may_connect(const struct sockaddr *address);

struct public_call {
	const char *url;		  /* http or https; a user and password may stand in it */
	const char *etag, *last_modified; /* of what we have (RFC 9110 section 13); NULL: nothing */
	size_t answer_max;		  /* bytes */
	int timeout_ms;			  /* for all of it, redirects included */
	bool anywhere;			  /* from any address and port: for tests and intranets */
};

/* GETs it, following at most five redirects, none of them from https to http; ports are 80, 443, 8080 and 8443. The answer's
 * status is 200 or 304. Otherwise E_BAD_REQUEST when the URL is none of these, E_UNAVAILABLE or E_TIMEOUT with the cause,
 * in which neither path nor query of a URL stands. waits */
int public_get(struct task *t, const struct public_call *call,
	       struct http_answer **answer) MUST_USE;
/* The name of the host in a URL, a child of mem, and the URL as it is compared: without scheme, user and fragment, its host in
 * small letters. NULL when it is none that public_get() takes. */
const char *public_host(TALLOC_CTX *mem, const char *url);
const char *public_name(TALLOC_CTX *mem, const char *url);

#endif
