/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery codes; see recovery.h. */
#include "auth/recovery.h"

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "base/secret.h"
#include "base/banned.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

char *recovery_code(TALLOC_CTX *mem)
{
	unsigned char bytes[RECOVERY_LENGTH];
	char *code = talloc_zero_size(mem, RECOVERY_LENGTH + 2);

	randombytes_buf(bytes, sizeof(bytes));
	for (size_t i = 0; i < RECOVERY_LENGTH; i++)
		code[i + (i >= RECOVERY_LENGTH / 2)] = alphabet[bytes[i] & 31];
	code[RECOVERY_LENGTH / 2] = '-';
	sodium_memzero(bytes, sizeof(bytes));
	return code;
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

static bool read_code(const char *typed, char code[RECOVERY_LENGTH + 1])
{
	size_t len = 0;

	for (; *typed; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (len == RECOVERY_LENGTH)
			return false;
		code[len] = read_character(*typed);
		if (!code[len++])
			return false;
	}
	code[len] = '\0';
	return len == RECOVERY_LENGTH;
}

char *recovery_digest(TALLOC_CTX *mem, const char *typed)
{
	char code[RECOVERY_LENGTH + 1], *digest = NULL;

	if (read_code(typed, code))
		digest = secret_digest(mem, "recovery", code);
	sodium_memzero(code, sizeof(code));
	return digest;
}
