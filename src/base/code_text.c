/* SPDX-License-Identifier: Apache-2.0 */
/* Codes for people; see code_text.h. */
#include "base/code_text.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include "base/banned.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void code_text_make(char *code, size_t length)
{
	unsigned char bytes[CODE_TEXT_MAX];

	assert(length <= sizeof(bytes));
	randombytes_buf(bytes, length);
	for (size_t i = 0; i < length; i++)
		code[i] = alphabet[bytes[i] & 31];
	code[length] = '\0';
	sodium_memzero(bytes, sizeof(bytes));
}

/* The character that is meant; '\0' when it is none of ours. */
static char read_character(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	if (c == 'I' || c == 'L')
		return '1';
	return c && strchr(alphabet, c) ? c : '\0';
}

bool code_text_read(const char *typed, char *code, size_t length)
{
	size_t len = 0;

	for (; *typed; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (len == length)
			return false;
		code[len] = read_character(*typed);
		if (!code[len++])
			return false;
	}
	code[len] = '\0';
	return len == length;
}
