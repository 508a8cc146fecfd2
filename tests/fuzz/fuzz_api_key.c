/* SPDX-License-Identifier: Apache-2.0 */
/* The text of an API key: the input as it comes from a client, and as what stands before the right checksum. */
#include "base/api_key_text.c"

#include "fuzz.h"

/* What is taken has the form of a key, and is not taken with another character anywhere. */
static void parse(TALLOC_CTX *mem, const char *text)
{
	char id[API_KEY_ID_LENGTH + 1] = "", other[API_KEY_ID_LENGTH + 1];
	char *changed = talloc_strdup(mem, text);

	if (!api_key_text_parse(text, id)) {
		assert(id[0] == '\0');
		return;
	}
	assert(strlen(text) == API_KEY_LENGTH);
	assert(strlen(id) == API_KEY_ID_LENGTH && strncmp(text + ID_AT, id, strlen(id)) == 0);
	for (size_t i = 0; i < API_KEY_LENGTH; i++) {
		changed[i] = text[i] == '7' ? '8' : '7';
		assert(!api_key_text_parse(changed, other));
		changed[i] = text[i];
	}
}

/* The checksum is no secret: a client can give anything the right one. */
static void parse_with_checksum(TALLOC_CTX *mem, const char *text)
{
	char *whole = talloc_zero_size(mem, API_KEY_LENGTH + 1);

	if (strlen(text) < CHECKSUM_AT)
		return;
	memcpy(whole, text, CHECKSUM_AT);
	make_checksum(whole, whole + CHECKSUM_AT);
	parse(mem, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = talloc_strndup(mem, (const char *)data, size);

	parse(mem, text);
	parse_with_checksum(mem, text);
	talloc_free(mem);
	return 0;
}
