/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An access token: the input as it comes with a request, as a header under a right signature, and as claims under one. What
 * passes is a whole identity. The key set is of this process and stands in no database.
 */
#include "store/keys.c"
#include "store/jwt.c"

#include "fuzz.h"
#include "../unit/with_tokens.h"

static int verify(const char *token, size_t len)
{
	struct task t = { .mem = talloc_new(NULL) };
	struct jwt_claims c = { 0 };
	int rc = jwt_verify(&t, token, len, &c);

	if (rc == OK) {
		assert(len <= JWT_MAX && !t.failure.code);
		assert(uuid_is(c.sub) && uuid_is(c.sid) && uuid_is(c.jti));
		assert(c.exp > 0 && c.exp <= c.iat + JWT_LIFE && c.auth_time >= 0);
		assert(c.role_count >= 0 && c.role_count <= JWT_ROLES_MAX);
		assert(c.method_count >= 0 && c.method_count <= JWT_METHODS_MAX);
		for (int i = 0; i < c.role_count; i++)
			assert(c.roles[i][0] && strlen(c.roles[i]) < JWT_ROLE_SIZE);
	} else {
		assert(rc == E_UNAUTHORIZED && t.failure.cause);
		fuzz_check_failure(&t);
	}
	talloc_free(t.mem);
	return rc;
}

/* $I, $E and $A in the corpus's claims stand for numbers that no file can hold: now, the end of a life, a minute ago. */
static void fill_times(struct buf *out, const uint8_t *data, size_t size)
{
	int64_t now = now_seconds();

	for (size_t i = 0; i < size; i++) {
		char next = i + 1 < size && data[i] == '$' ? (char)data[i + 1] : '\0';

		if (next == 'I' || next == 'E' || next == 'A')
			buf_addi(out, next == 'I' ? now : next == 'E' ? now + JWT_LIFE : now - 60);
		else
			buf_addc(out, (char)data[i]);
		i += next == 'I' || next == 'E' || next == 'A';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct buf claims;
	char *header, *token;

	if (!ready)
		hold_own_key();
	ready = true;
	assert(verify((const char *)data, size) == E_UNAUTHORIZED);
	header = talloc_strndup(mem, (const char *)data, size);
	token = sign_parts(mem, header, "{}", 2);
	assert(verify(token, strlen(token)) == E_UNAUTHORIZED);
	buf_init(&claims, mem, 1 << 20);
	fill_times(&claims, data, size);
	token = sign_parts(mem, good_header(mem), claims.data ? claims.data : "", claims.len);
	(void)verify(token, strlen(token));
	talloc_free(mem);
	return 0;
}
