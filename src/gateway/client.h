/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose request it is when proxies stand before us: Forwarded (RFC 7239) and X-Forwarded-For, read from the right, as far
 * as whoever wrote them is trusted. client_find() is declared in api/pipeline.h.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H

/* Reads GUILDFORD_TRUSTED_PROXIES. Call it before workers are forked; until then no proxy is trusted. */
void client_setup(void);

#endif
