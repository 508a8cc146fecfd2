/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket of `--listen host:port`. */
#ifndef CLI_LISTEN_H
#define CLI_LISTEN_H

#include <stddef.h>
#include "base/attr.h"

/* Binds and listens. `listen_on` is an IPv4 address, "localhost" or a bracketed IPv6 address, a colon and a port; port 0
 * takes any. Returns the descriptor with "http://host:port" in `url`, or -1 with a sentence in `why`. */
int listen_open(const char *listen_on, char *url, size_t url_size, char *why, size_t size) MUST_USE;

#endif
