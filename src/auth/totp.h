/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time codes of an authenticator app: TOTP (RFC 6238) on HOTP (RFC 4226) with what every app takes, SHA-1, six digits,
 * 30 seconds. A code is good in its own step and in those beside it (RFC 6238 section 5.2), and once (OWASP ASVS 5.0 6.5.1).
 * How often somebody may try is the caller's to limit. Nothing here waits.
 */
#ifndef AUTH_TOTP_H
#define AUTH_TOTP_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>
#include "base/attr.h"

enum { TOTP_DIGITS = 6, TOTP_STEP = 30 /* seconds */, TOTP_SECRET_BYTES = 20 };

/* A new secret: 160 random bits (RFC 4226 section 4, R6) as 32 characters of base32 (RFC 4648 section 6). To be stored
 * sealed, secret_seal(). */
char *totp_secret(TALLOC_CTX *mem);
/* What a QR code of the secret says: otpauth://totp/Guildford:ADDRESS?secret=... (the Key URI format of the apps).
 * `address` has at most 254 bytes. */
const char *totp_uri(TALLOC_CTX *mem, const char *secret, const char *address);
/* Is `code` (six digits; blanks between them are let pass) right at `now`, in seconds since 1970? `last_step` is what the last
 * right code gave, 0 when there was none; a code of that step or an earlier one is refused. `step` gets this one's, which the
 * caller must store before it lets anybody in, in a way that only one of two at once can (update ... where last_step < $1).
 * False as well when `secret` is not of totp_secret(). */
bool totp_check(const char *secret, const char *code, int64_t now, int64_t last_step,
		int64_t *step) MUST_USE;

#endif
