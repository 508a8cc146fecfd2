/* SPDX-License-Identifier: Apache-2.0 */
/* One-time codes; see totp.h. */
#include "auth/totp.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "base/banned.h"

enum { DIGITS_MAX = 8, WINDOW = 1, SHA1_BYTES = 20, URI_MAX = 2000 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Base32 without padding, RFC 4648 section 6. */
static char *to_base32(TALLOC_CTX *mem, const unsigned char *bytes, size_t len)
{
	char *text = talloc_zero_size(mem, (len * 8 + 4) / 5 + 1);
	unsigned bits = 0, count = 0;
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | bytes[i]) & 0xfff;
		for (count += 8; count >= 5; count -= 5)
			text[at++] = alphabet[bits >> (count - 5) & 31];
	}
	if (count > 0)
		text[at] = alphabet[bits << (5 - count) & 31];
	return text;
}

/* The number of bytes written; -1 when it is no such text or has more than `size`. */
static int from_base32(const char *text, unsigned char *bytes, size_t size)
{
	unsigned bits = 0, count = 0;
	size_t len = 0;

	for (; *text; text++) {
		const char *c = strchr(alphabet, *text);

		if (!c)
			return -1;
		bits = (bits << 5 | (unsigned)(c - alphabet)) & 0xfff;
		count += 5;
		if (count < 8)
			continue;
		count -= 8;
		if (len == size)
			return -1;
		bytes[len++] = (unsigned char)(bits >> count);
	}
	/* a character too many, or bits that to_base32() would not have set */
	return count >= 5 || bits & ((1u << count) - 1) ? -1 : (int)len;
}

/* RFC 4226 section 5.3: the code of a counter, `digits` long, with a NUL. */
static void make_code(const unsigned char *key, size_t key_len, uint64_t counter, int digits,
		      char *code)
{
	unsigned char message[8], mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0, offset;
	uint32_t number;

	assert(digits > 0 && digits <= DIGITS_MAX);
	for (int i = 7; i >= 0; i--, counter >>= 8)
		message[i] = (unsigned char)counter;
	HMAC(EVP_sha1(), key, (int)key_len, message, sizeof(message), mac, &mac_len);
	assert(mac_len == SHA1_BYTES);
	offset = mac[SHA1_BYTES - 1] & 15;
	number = (mac[offset] & 0x7fu) << 24 | (uint32_t)mac[offset + 1] << 16 |
		 (uint32_t)mac[offset + 2] << 8 | mac[offset + 3];
	code[digits] = '\0';
	for (int i = digits - 1; i >= 0; i--, number /= 10)
		code[i] = (char)('0' + number % 10);
	sodium_memzero(mac, sizeof(mac));
}

char *totp_secret(TALLOC_CTX *mem)
{
	unsigned char bytes[TOTP_SECRET_BYTES];
	char *text;

	randombytes_buf(bytes, sizeof(bytes));
	text = to_base32(mem, bytes, sizeof(bytes));
	sodium_memzero(bytes, sizeof(bytes));
	return text;
}

const char *totp_uri(TALLOC_CTX *mem, const char *secret, const char *address)
{
	struct buf uri;

	buf_init(&uri, mem, URI_MAX);
	buf_adds(&uri, "otpauth://totp/Guildford:");
	str_percent_encode(&uri, address);
	buf_addf(&uri, "?secret=%s&issuer=Guildford&algorithm=SHA1&digits=%d&period=%d", secret,
		 TOTP_DIGITS, TOTP_STEP);
	return buf_text(&uri);
}

/* The digits of what somebody typed, "123 456"; false unless there are as many as a code has. */
static bool read_code(const char *text, char code[TOTP_DIGITS + 1])
{
	size_t len = 0;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (*text < '0' || *text > '9' || len == TOTP_DIGITS)
			return false;
		code[len++] = *text;
	}
	code[len] = '\0';
	return len == TOTP_DIGITS;
}

/* All steps are tried, whichever fits: the time says nothing. The latest one counts, so that a code that two steps share
 * is not good twice. */
bool totp_check(const char *secret, const char *code, int64_t now, int64_t last_step, int64_t *step)
{
	unsigned char key[TOTP_SECRET_BYTES];
	char given[TOTP_DIGITS + 1], right[TOTP_DIGITS + 1];
	int64_t current = now / TOTP_STEP, found = 0;

	if (now < 0 || !read_code(code, given) ||
	    from_base32(secret, key, sizeof(key)) != TOTP_SECRET_BYTES)
		return false;
	for (int64_t s = current - WINDOW; s <= current + WINDOW; s++) {
		make_code(key, sizeof(key), (uint64_t)s, TOTP_DIGITS, right);
		if (sodium_memcmp(given, right, TOTP_DIGITS) == 0)
			found = s;
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(right, sizeof(right));
	if (found <= last_step || found <= 0)
		return false;
	*step = found;
	return true;
}
