/* SPDX-License-Identifier: Apache-2.0 */
/* Proof keys; see oauth_pkce.h. */
#include "auth/oauth_pkce.h"

#include <sodium.h>
#include <string.h>
#include "base/str.h"
#include "base/banned.h"

enum { VERIFIER_MIN = 43, VERIFIER_MAX = 128, CHALLENGE_LENGTH = 43 };

char *pkce_challenge(TALLOC_CTX *mem, const char *verifier)
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, (const unsigned char *)verifier, strlen(verifier));
	return str_base64url(mem, digest, sizeof(digest));
}

bool pkce_is_challenge(TALLOC_CTX *mem, const char *text)
{
	unsigned char *bytes;
	size_t len;

	return strlen(text) == CHALLENGE_LENGTH &&
	       str_from_base64url(mem, text, CHALLENGE_LENGTH, &bytes, &len);
}

static bool is_verifier(const char *text)
{
	static const char unreserved[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t len = strlen(text);

	return len >= VERIFIER_MIN && len <= VERIFIER_MAX && strspn(text, unreserved) == len;
}

bool pkce_matches(TALLOC_CTX *mem, const char *verifier, const char *challenge)
{
	return is_verifier(verifier) && strlen(challenge) == CHALLENGE_LENGTH &&
	       sodium_memcmp(pkce_challenge(mem, verifier), challenge, CHALLENGE_LENGTH) == 0;
}
