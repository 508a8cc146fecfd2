/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery codes; see recovery.h. */
#include "auth/recovery.h"

#include <sodium.h>
#include "base/code_text.h"
#include "base/secret.h"
#include "base/banned.h"

char *recovery_code(TALLOC_CTX *mem)
{
	enum { HALF = RECOVERY_LENGTH / 2 };
	char code[RECOVERY_LENGTH + 1], *text;

	code_text_make(code, RECOVERY_LENGTH);
	text = talloc_asprintf(mem, "%.*s-%s", HALF, code, code + HALF);
	sodium_memzero(code, sizeof(code));
	return text;
}

char *recovery_digest(TALLOC_CTX *mem, const char *typed)
{
	char code[RECOVERY_LENGTH + 1], *digest = NULL;

	if (code_text_read(typed, code, RECOVERY_LENGTH))
		digest = secret_digest(mem, "recovery", code);
	sodium_memzero(code, sizeof(code));
	return digest;
}
