/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API keys as callers: a program acts for the person who made the key, within the key's scopes. The database knows digests
 * only. What a key is good for is remembered for half a minute, and no longer than until it is revoked.
 */
#ifndef GATEWAY_API_KEY_H
#define GATEWAY_API_KEY_H

#include <stdbool.h>
#include "api/request.h"
#include "base/attr.h"

/* Makes the key's owner the caller; E_UNAUTHORIZED when it is unknown, expired or revoked. waits */
int api_key_identify(struct request *r, const char *text) MUST_USE;
/* Forgets what is remembered. */
void api_key_forget(void);

#endif
