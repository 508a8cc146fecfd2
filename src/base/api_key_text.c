/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an API key; see api_key_text.h. */
#include "base/api_key_text.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include "base/secret.h"
#include "base/banned.h"

enum {
	BASE = 62,
	ID_AT = 3,
	SECRET_AT = ID_AT + API_KEY_ID_LENGTH + 1,
	CHECKSUM_AT = SECRET_AT + API_KEY_SECRET_LENGTH
};

static const char prefix[] = "gk_";
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void add_random(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text[i] = alphabet[randombytes_uniform(BASE)];
}

/* Base 62 of the CRC-32, the highest digit first; six are enough for 32 bits. */
static void make_checksum(const char *text, char checksum[API_KEY_CHECKSUM_LENGTH])
{
	uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)text, CHECKSUM_AT);

	for (int i = API_KEY_CHECKSUM_LENGTH - 1; i >= 0; i--, crc /= BASE)
		checksum[i] = alphabet[crc % BASE];
}

char *api_key_text_make(TALLOC_CTX *mem)
{
	char *text = talloc_zero_size(mem, API_KEY_LENGTH + 1);

	memcpy(text, prefix, ID_AT);
	add_random(text + ID_AT, API_KEY_ID_LENGTH);
	text[SECRET_AT - 1] = '_';
	add_random(text + SECRET_AT, API_KEY_SECRET_LENGTH);
	make_checksum(text, text + CHECKSUM_AT);
	return text;
}

bool api_key_text_parse(const char *text, char id[API_KEY_ID_LENGTH + 1])
{
	char checksum[API_KEY_CHECKSUM_LENGTH];

	if (strnlen(text, API_KEY_LENGTH + 1) != API_KEY_LENGTH ||
	    strncmp(text, prefix, ID_AT) != 0 ||
	    strspn(text + ID_AT, alphabet) != API_KEY_ID_LENGTH || text[SECRET_AT - 1] != '_' ||
	    strspn(text + SECRET_AT, alphabet) != API_KEY_LENGTH - SECRET_AT)
		return false;
	make_checksum(text, checksum);
	if (memcmp(text + CHECKSUM_AT, checksum, sizeof(checksum)) != 0)
		return false;
	memcpy(id, text + ID_AT, API_KEY_ID_LENGTH);
	id[API_KEY_ID_LENGTH] = '\0';
	return true;
}

char *api_key_text_digest(TALLOC_CTX *mem, const char *text)
{
	return secret_digest(mem, "api-key", text);
}
