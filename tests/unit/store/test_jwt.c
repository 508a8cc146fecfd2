/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of access tokens: what we issue others can verify, and each bad token is refused for the reason that is meant. The
 * bad ones are signed rightly wherever something else than the signature is wrong.
 */
#include "test.h"
#include "store/keys.c"
#include "store/jwt.c"
#include "with_tokens.h"
#include "io/coro.h"

static const char account[] = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03";
static const char session[] = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a04";
static const char *last_why;

static int setup(void **state)
{
	*state = talloc_new(NULL);
	hold_own_key();
	return 0;
}

static int teardown(void **state)
{
	install(&(struct key) { 0 }, 0);
	return talloc_free(*state);
}

static int verify(const char *token, size_t len, struct jwt_claims *out)
{
	struct task t = { .mem = talloc_new(NULL) };
	int rc = jwt_verify(&t, token, len, out);

	last_why = t.failure.cause; /* a literal */
	if (rc)
		assert_string_equal(t.failure.message,
				    "The access token is not valid or has expired");
	talloc_free(t.mem);
	return rc;
}

static void accepted(const char *token)
{
	struct jwt_claims c;
	int rc = verify(token, strlen(token), &c);

	if (rc)
		print_error("%s is refused: %s\n", token, last_why);
	assert_int_equal(rc, OK);
}

static void refused_bytes(const char *token, size_t len, const char *why, const char *name)
{
	struct jwt_claims c = { .exp = 7 };
	int rc = verify(token, len, &c);

	if (rc != E_UNAUTHORIZED || (why && !strstr(last_why, why)))
		print_error("%s: %d, %s\n", name, rc, last_why ? last_why : "accepted");
	assert_int_equal(rc, E_UNAUTHORIZED);
	assert_true(!why || strstr(last_why, why));
	assert_int_equal(c.exp, 7);
}

static void refused(const char *token, const char *why, const char *name)
{
	refused_bytes(token, strlen(token), why, name);
}

static json_t *good_claims(void)
{
	json_int_t now = now_seconds();

	return json_pack("{ss ss ss ss sI sI ss ss sI si s[s] s[s]}", "iss", config.public_url,
			 "sub", account, "aud", "guildford", "client_id", "guildford", "iat", now,
			 "exp", now + JWT_LIFE, "jti", account, "sid", session, "auth_time",
			 now - 5000, "gen", 3, "roles", "member", "amr", "pwd");
}

static char *to_token(TALLOC_CTX *mem, const char *header, json_t *claims)
{
	char *text = json_dumps(claims, JSON_COMPACT | JSON_ENCODE_ANY);
	char *token = sign_parts(mem, header, text, strlen(text));

	free(text);
	json_decref(claims);
	return token;
}

static char *good_token(TALLOC_CTX *mem)
{
	return to_token(mem, good_header(mem), good_claims());
}

static char *issue(TALLOC_CTX *mem)
{
	struct task t = { .mem = mem };
	struct jwt_claims c = { .auth_time = 1700000000,
				.generation = 41,
				.role_count = 2,
				.roles = { "member", "admin" },
				.method_count = 1,
				.methods = { "pwd" } };
	uint64_t held = set.loaded_us;
	char *token;

	memcpy(c.sub, account, sizeof(account));
	memcpy(c.sid, session, sizeof(session));
	set.loaded_us = time_monotonic_us();
	assert_int_equal(jwt_issue(&t, &c, &token), OK);
	set.loaded_us = held;
	return token;
}

static void test_what_is_issued_comes_back(void **state)
{
	char *token = issue(*state), *other = issue(*state);
	struct jwt_claims c;

	assert_int_equal(verify(token, strlen(token), &c), OK);
	assert_string_equal(c.sub, account);
	assert_string_equal(c.sid, session);
	assert_true(uuid_is(c.jti));
	assert_int_equal(c.auth_time, 1700000000);
	assert_int_equal(c.generation, 41);
	assert_int_equal(c.exp - c.iat, 900);
	assert_true(c.iat >= now_seconds() - 60 && c.iat <= now_seconds());
	assert_int_equal(c.role_count, 2);
	assert_string_equal(c.roles[0], "member");
	assert_string_equal(c.roles[1], "admin");
	assert_int_equal(c.method_count, 1);
	assert_string_equal(c.methods[0], "pwd");
	assert_string_not_equal(token, other);
}

/* RFC 9068 section 2: what others look for, checked by another implementation. */
static void test_others_can_verify(void **state)
{
	char *token = issue(*state), *dot = strrchr(token, '.');
	EVP_PKEY *key = to_openssl(own_private);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char *pair, *der = NULL;
	struct jws_part parts[JWS_PARTS];
	json_t *object;
	size_t len;
	int der_len;

	assert_true(str_from_base64url(*state, dot + 1, strlen(dot + 1), &pair, &len));
	assert_int_equal(len, 64);
	ECDSA_SIG_set0(sig, BN_bin2bn(pair, 32, NULL), BN_bin2bn(pair + 32, 32, NULL));
	der_len = i2d_ECDSA_SIG(sig, &der);
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(context, der, (size_t)der_len, (unsigned char *)token,
					  (size_t)(dot - token)),
			 1);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	assert_true(jws_split(token, strlen(token), parts));
	object = jws_object(*state, &parts[0]);
	assert_string_equal(jws_text(object, "alg"), "ES256");
	assert_string_equal(jws_text(object, "typ"), "at+jwt");
	assert_string_equal(jws_text(object, "kid"), own_kid);
	json_decref(object);
	object = jws_object(*state, &parts[1]);
	assert_string_equal(jws_text(object, "iss"), "http://127.0.0.1:8080");
	assert_string_equal(jws_text(object, "aud"), "guildford");
	assert_string_equal(jws_text(object, "client_id"), "guildford");
	json_decref(object);
}

/* RFC 7515 appendix A.3. */
static void test_the_example_of_the_rfc(void **state)
{
	static const char token[] =
		"eyJhbGciOiJFUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
	json_t *key = json_pack("{ss ss ss ss}", "kty", "EC", "crv", "P-256", "x",
				"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y",
				"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");

	(void)state;
	assert_true(jws_signed(token, sizeof(token) - 1, JWS_ES256, key));
	assert_false(jws_signed(token, sizeof(token) - 1, JWS_ES256, own_public));
	json_decref(key);
}

/* The header with $K for our key's name. */
static char *fill(TALLOC_CTX *mem, const char *template)
{
	const char *at = strstr(template, "$K");

	return at ? talloc_asprintf(mem, "%.*s%s%s", (int)(at - template), template, own_kid,
				    at + 2)
		  : talloc_strdup(mem, template);
}

static void test_headers(void **state)
{
	static const char algorithm[] = "alg is not", type[] = "typ is not", kid[] = "kid is",
			  more[] = "header has more", unknown[] = "key is none of ours",
			  json[] = "header is no JSON";
	static const struct {
		const char *header, *why;
	} rows[] = {
		{ "{\"kid\":\"$K\",\"typ\":\"at+jwt\",\"alg\":\"ES256\"}", NULL },
		{ " {\"alg\":\"ES256\", \"typ\":\"application/at+jwt\", \"kid\":\"$K\"}\n", NULL },
		{ "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"nOnE\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":null,\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":[\"ES256\"],\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"es256\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"ES256K\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"ES384\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"ES512\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", algorithm },
		{ "{\"alg\":\"ES256\",\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", json },
		{ "{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", json },
		{ "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"$K\"}", type },
		{ "{\"alg\":\"ES256\",\"typ\":\"AT+JWT\",\"kid\":\"$K\"}", type },
		{ "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\",\"kid\":\"$K\"}", type },
		{ "{\"alg\":\"ES256\",\"typ\":\"\",\"kid\":\"$K\"}", type },
		{ "{\"alg\":\"ES256\",\"kid\":\"$K\"}", type },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", kid },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}", kid },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":7}", kid },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":null}", kid },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":"
		  "\"00000000000000000000000000000000000000000000000000000000000000000\"}",
		  kid },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"other\"}", unknown },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"../../dev/null\"}", unknown },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"' or 1=1 --\"}", unknown },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K \"}", unknown },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\\u0000\"}", json },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"jku\":\"http://127.0.0.1:1/jwks\"}",
		  more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"x5u\":\"http://127.0.0.1:1/x\"}",
		  more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"x5c\":[\"AAAA\"]}",
		  more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"crit\":[\"exp\"]}",
		  more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"crit\":[]}", more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"crit\":[\"b64\"],\"b64\":false}",
		  more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"b64\":false}", more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"zip\":\"DEF\"}", more },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"kid\":\"$K\"}", json },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\"", json },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}}", json },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\xc3\x28\"}", json },
		{ "[\"ES256\",\"at+jwt\",\"$K\"]", json },
		{ "\"ES256\"", json },
		{ "null", json },
		{ "{}", algorithm },
		{ "\xef\xbb\xbf{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\"}", json },
		{ "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"$K\",\"x\":[[[[]]]]}", json },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *token = to_token(*state, fill(*state, rows[i].header), good_claims());

		if (rows[i].why)
			refused(token, rows[i].why, rows[i].header);
		else
			accepted(token);
	}
}

/* Signed with another algorithm or key, under our key's name. */
static char *sign_with(TALLOC_CTX *mem, jwa_alg alg, jwk_t *key, json_t *embedded)
{
	json_t *claims = good_claims();
	char *payload = json_dumps(claims, JSON_COMPACT), *text, *token;
	jws_t *jws;

	assert_int_equal(r_jws_init(&jws), RHN_OK);
	r_jws_set_alg(jws, alg);
	r_jws_set_header_str_value(jws, "typ", "at+jwt");
	r_jws_set_header_str_value(jws, "kid", own_kid);
	if (embedded)
		r_jws_set_header_json_t_value(jws, "jwk", embedded);
	r_jws_set_payload(jws, (const unsigned char *)payload, strlen(payload));
	text = r_jws_serialize_unsecure(jws, key, 0);
	assert_non_null(text);
	token = talloc_strdup(mem, text);
	r_free(text);
	r_free(payload);
	json_decref(claims);
	r_jws_free(jws);
	return token;
}

static void test_other_algorithms_and_keys(void **state)
{
	static const struct {
		jwa_alg alg;
		int type;
		unsigned bits;
		const char *why;
	} rows[] = {
		{ R_JWA_ALG_RS256, R_KEY_TYPE_RSA, 2048, "not 64 bytes" },
		{ R_JWA_ALG_PS256, R_KEY_TYPE_RSA, 2048, "not 64 bytes" },
		{ R_JWA_ALG_ES384, R_KEY_TYPE_EC, 384, "not 64 bytes" },
		{ R_JWA_ALG_ES512, R_KEY_TYPE_EC, 521, "not 64 bytes" },
		{ R_JWA_ALG_EDDSA, R_KEY_TYPE_EDDSA, 256, "alg is not" },
		{ R_JWA_ALG_ES256, R_KEY_TYPE_EC, 256, "signature is wrong" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		jwk_t *key, *half;

		r_jwk_init(&key);
		r_jwk_init(&half);
		assert_int_equal(
			r_jwk_generate_key_pair(key, half, rows[i].type, rows[i].bits, NULL),
			RHN_OK);
		refused(sign_with(*state, rows[i].alg, key, NULL), rows[i].why,
			r_jwa_alg_to_str(rows[i].alg));
		/* self-signed: the token brings its key along */
		if (rows[i].alg == R_JWA_ALG_ES256)
			refused(sign_with(*state, rows[i].alg, key, half), "header has more",
				"embedded");
		r_jwk_free(key);
		r_jwk_free(half);
	}
	refused(sign_with(*state, R_JWA_ALG_NONE, NULL, NULL), "three parts", "none");
}

/* The oldest attack: our public key as the secret of an HMAC. */
static void test_key_confusion(void **state)
{
	unsigned char raw[65] = { 4 }, pem[1000];
	char *json = json_dumps(own_public, JSON_COMPACT);
	size_t pem_len = sizeof(pem);
	struct {
		const void *key;
		size_t len;
	} rows[] = { { raw, 65 }, { raw + 1, 64 }, { raw + 1, 32 }, { json, strlen(json) },
		     { pem, 0 },  { pem, 0 },	   { "", 1 } };

	number_of(own_public, "x", raw + 1);
	number_of(own_public, "y", raw + 33);
	assert_int_equal(r_jwk_export_to_pem_der(own_public, R_FORMAT_PEM, pem, &pem_len, 0),
			 RHN_OK);
	rows[4].len = pem_len;
	rows[5].len = pem_len - 1; /* without its last newline */
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *header = talloc_asprintf(
			*state, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", own_kid);
		json_t *claims = good_claims();
		char *payload = json_dumps(claims, JSON_COMPACT);
		char *text = two_parts(*state, header, payload, strlen(payload));
		unsigned char mac[crypto_auth_hmacsha256_BYTES];
		crypto_auth_hmacsha256_state hmac;

		crypto_auth_hmacsha256_init(&hmac, rows[i].key, rows[i].len);
		crypto_auth_hmacsha256_update(&hmac, (unsigned char *)text, strlen(text));
		crypto_auth_hmacsha256_final(&hmac, mac);
		text = talloc_asprintf(*state, "%s.%s", text,
				       str_base64url(*state, mac, sizeof(mac)));
		refused(text, "not 64 bytes", "HS256");
		free(payload);
		json_decref(claims);
	}
	free(json);
}

static char *with_signature(TALLOC_CTX *mem, const char *token, const void *bytes, size_t len)
{
	return talloc_asprintf(mem, "%.*s%s", (int)(strrchr(token, '.') + 1 - token), token,
			       str_base64url(mem, bytes, len));
}

static void test_signatures(void **state)
{
	/* the order of P-256 (FIPS 186-4 D.1.2.3) */
	static const unsigned char n[32] = {
		0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
		0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
	};
	char *token = good_token(*state), *other = issue(*state), *dot = strrchr(token, '.');
	unsigned char good[64], bad[66] = { 0 }, der[80];
	size_t len;

	sign_pair(talloc_strndup(*state, token, (size_t)(dot - token)), good);
	accepted(with_signature(*state, token, good, 64));
	refused(talloc_strndup(*state, token, (size_t)(dot + 1 - token)), "three parts", "empty");
	len = sign_der(talloc_strndup(*state, token, (size_t)(dot - token)), der);
	refused(with_signature(*state, token, der, len), "not 64 bytes", "DER");
	refused(with_signature(*state, token, bad, 64), "is wrong", "r and s 0");
	for (int half = 0; half < 64; half += 32) {
		memcpy(bad, good, 64);
		memset(bad + half, 0, 32);
		refused(with_signature(*state, token, bad, 64), "is wrong", "one is 0");
		memcpy(bad + half, n, 32);
		refused(with_signature(*state, token, bad, 64), "is wrong", "one is n");
		bad[half + 31]++;
		refused(with_signature(*state, token, bad, 64), "is wrong", "one is n + 1");
		memset(bad + half, 0xff, 32);
		refused(with_signature(*state, token, bad, 64), "is wrong", "one is too great");
	}
	memcpy(bad, good + 32, 32);
	memcpy(bad + 32, good, 32);
	refused(with_signature(*state, token, bad, 64), "is wrong", "s and r");
	memcpy(bad + 1, good, 64);
	bad[0] = 0;
	refused(with_signature(*state, token, bad, 65), "not 64 bytes", "a zero before");
	refused(with_signature(*state, token, good, 63), "not 64 bytes", "a byte too few");
	refused(talloc_asprintf(*state, "%.*s%s", (int)(dot - token), token, strrchr(other, '.')),
		"is wrong", "another token's");
}

static void test_swapped_header(void **state)
{
	char *token = good_token(*state), *dot = strchr(token, '.');
	char *header = talloc_asprintf(
		*state, "{\"kid\":\"%s\",\"alg\":\"ES256\",\"typ\":\"at+jwt\"}", own_kid);

	refused(talloc_asprintf(*state, "%s%s", str_base64url(*state, header, strlen(header)), dot),
		"is wrong", "another header");
}

/* Whatever is cut off, changed, added or put between. */
static void test_every_byte_counts(void **state)
{
	char *token = good_token(*state);
	size_t len = strlen(token);
	char *changed = talloc_zero_size(*state, len + 2);

	for (size_t i = 0; i < len; i++)
		refused_bytes(token, i, NULL, "a truncated one");
	for (size_t i = 0; i < len; i++) {
		memcpy(changed, token, len + 1);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		refused_bytes(changed, len, NULL, "a changed one");
	}
	memcpy(changed, token, len);
	for (int c = 0; c < 256; c++) {
		changed[len] = (char)c;
		refused_bytes(changed, len + 1, NULL, "a longer one");
	}
	for (size_t i = 0; i <= len; i += 7) {
		static const char between[] = " \t\r\n\v.=+/\0%";

		for (size_t k = 0; k < sizeof(between); k++) {
			memcpy(changed, token, i);
			changed[i] = between[k];
			memcpy(changed + i + 1, token + i, len - i);
			refused_bytes(changed, len + 1, NULL, "one with a byte between");
		}
	}
}

static void test_forms(void **state)
{
	char *token = good_token(*state), *standard, *huge;
	const size_t huge_len = 5 << 20;

	refused(talloc_asprintf(*state, "%s.e30", token), "three parts", "a fourth part");
	refused(talloc_asprintf(*state, "%s.", token), "three parts", "a dot at the end");
	refused(talloc_asprintf(*state, ".%s", token), "three parts", "a dot before");
	refused(talloc_asprintf(*state, "%s=", token), "not 64 bytes", "padding");
	refused(talloc_asprintf(*state, "%s==", token), "not 64 bytes", "padding");
	refused(talloc_asprintf(*state, "%s\n", token), "not 64 bytes", "a newline");
	refused(talloc_asprintf(*state, " %s", token), "header is no JSON", "a blank");
	refused("", "three parts", "nothing");
	refused("..", "three parts", "dots");
	refused("{\"payload\":\"e30\",\"signatures\":[]}", "three parts", "the JSON form");
	do
		token = good_token(*state);
	while (!strpbrk(strrchr(token, '.'), "-_"));
	standard = talloc_strdup(*state, token);
	for (char *c = strrchr(standard, '.'); *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	refused(standard, "not 64 bytes", "the standard alphabet");
	huge = talloc_size(*state, huge_len);
	memset(huge, 'A', huge_len);
	refused_bytes(huge, huge_len, "too long", "5 MB");
	memset(huge, '.', huge_len);
	refused_bytes(huge, huge_len, "too long", "5 MB of dots");
	refused_bytes(huge, JWT_MAX, "three parts", "dots");
}

struct claim_row {
	const char *name;
	const char *json; /* its value; NULL: the claim is left out */
	const char *why;  /* NULL: accepted */
};

static void check_claim(TALLOC_CTX *mem, const struct claim_row *row)
{
	json_t *claims = good_claims();

	if (row->json)
		json_object_set_new(claims, row->name,
				    json_loads(row->json, JSON_DECODE_ANY, NULL));
	else
		json_object_del(claims, row->name);
	if (row->why)
		refused(to_token(mem, good_header(mem), claims), row->why,
			talloc_asprintf(mem, "%s %s", row->name,
					row->json ? row->json : "left out"));
	else
		accepted(to_token(mem, good_header(mem), claims));
}

static void test_claims(void **state)
{
	static const char whole[] = "no whole number", uuid[] = "no UUID",
			  issuer[] = "another issuer", audience[] = "another audience",
			  longer[] = "lives longer", list[] = "no list of short texts";
	static const struct claim_row rows[] = {
		{ "more", "{\"a\":[1]}", NULL },
		{ "more", "[[[1]]]", "no JSON object" },
		{ "exp", NULL, whole },
		{ "exp", "\"9999999999\"", whole },
		{ "exp", "9999999999.5", whole },
		{ "exp", "1e30", whole },
		{ "exp", "null", whole },
		{ "exp", "true", whole },
		{ "exp", "-1", whole },
		{ "exp", "0", "expired" },
		{ "exp", "1", "expired" },
		{ "exp", "99999999999", longer },
		{ "exp", "9223372036854775807", longer },
		{ "iat", NULL, whole },
		{ "iat", "\"1\"", whole },
		{ "iat", "1.5", whole },
		{ "iat", "-1", whole },
		{ "iat", "0", "in the future" }, /* before auth_time */
		{ "iat", "9223372036854775807", "in the future" },
		{ "auth_time", NULL, whole },
		{ "auth_time", "\"1\"", whole },
		{ "auth_time", "0", NULL },
		{ "auth_time", "99999999999", "in the future" },
		{ "gen", NULL, "gen is missing" },
		{ "gen", "\"1\"", "gen is missing" },
		{ "gen", "-1", "gen is missing" },
		{ "gen", "1.5", "gen is missing" },
		{ "gen", "2147483648", "gen is missing" },
		{ "nbf", "\"1\"", "nbf is no whole" },
		{ "nbf", "null", "nbf is no whole" },
		{ "nbf", "1.5", "nbf is no whole" },
		{ "nbf", "99999999999", "not valid yet" },
		{ "nbf", "1", NULL },
		{ "iss", NULL, issuer },
		{ "iss", "\"http://127.0.0.1:8080/\"", issuer },
		{ "iss", "\"HTTP://127.0.0.1:8080\"", issuer },
		{ "iss", "\"https://evil.example\"", issuer },
		{ "iss", "[\"http://127.0.0.1:8080\"]", issuer },
		{ "iss", "null", issuer },
		{ "aud", NULL, audience },
		{ "aud", "\"\"", audience },
		{ "aud", "\"guildford2\"", audience },
		{ "aud", "\"Guildford\"", audience },
		{ "aud", "[\"guildford\"]", audience },
		{ "aud", "[\"guildford\",\"other\"]", audience },
		{ "client_id", NULL, "client_id" },
		{ "client_id", "1", "client_id" },
		{ "sub", NULL, uuid },
		{ "sub", "\"\"", uuid },
		{ "sub", "\"admin\"", uuid },
		{ "sub", "\"019363f127a57c1b8a5e5f0c2c9e1a03\"", uuid },
		{ "sub", "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03 \"", uuid },
		{ "sub", "1", uuid },
		{ "sid", NULL, uuid },
		{ "sid", "\"' or 1=1\"", uuid },
		{ "jti", NULL, uuid },
		{ "jti", "null", uuid },
		{ "roles", NULL, NULL },
		{ "roles", "[]", NULL },
		{ "roles", "\"admin\"", list },
		{ "roles", "{}", list },
		{ "roles", "[1]", list },
		{ "roles", "[\"\"]", list },
		{ "roles", "[[\"admin\"]]", list },
		{ "roles", "[\"0123456789012345678901234567890123456789\"]", NULL },
		{ "roles", "[\"01234567890123456789012345678901234567890\"]", list },
		{ "roles", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]", NULL },
		{ "roles", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]", list },
		{ "amr", NULL, NULL },
		{ "amr", "\"pwd\"", list },
		{ "amr", "[\"123456789\"]", list },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_claim(*state, &rows[i]);
}

/* Times that are near: the leeway is a minute for what begins, none for what ends. */
static void test_times_near_now(void **state)
{
	static const struct {
		const char *name;
		int offset; /* seconds from now */
		const char *why;
	} rows[] = {
		{ "exp", 0, "expired" },
		{ "exp", -1, "expired" },
		{ "exp", -3600, "expired" },
		{ "exp", 800, NULL },
		{ "exp", 1000, "lives longer" },
		{ "iat", 30, NULL },
		{ "iat", 120, "in the future" },
		{ "iat", -400, "lives longer" },
		{ "nbf", 0, NULL },
		{ "nbf", 30, NULL },
		{ "nbf", 120, "not valid yet" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct claim_row row = { .name = rows[i].name, .why = rows[i].why };

		row.json = talloc_asprintf(*state, "%lld",
					   (long long)(now_seconds() + rows[i].offset));
		check_claim(*state, &row);
	}
}

/* Payloads that are no object of ours at all, signed rightly. */
static void test_payloads(void **state)
{
	static const char *const rows[] = {
		"[]",
		"null",
		"1",
		"\"a\"",
		"{",
		"{}{}",
		"{\"exp\":1e999}",
		"{\"exp\":99999999999999999999}",
		"{\"sub\":\"\xff\xfe\"}",
		"{\"sub\":\"\xed\xa0\x80\"}",
		"{\"sub\":\"\\u0000\"}",
		"{\"sub\":\"\\ud800\"}",
		"{\"a\":{\"b\":{\"c\":{}}}}",
		"{'a':1}",
		"not JSON",
	};
	char *deep = talloc_zero_size(*state, 2001), *text, *doubled;
	json_t *claims = good_claims();

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		refused(sign_parts(*state, good_header(*state), rows[i], strlen(rows[i])),
			"claims are no JSON object", rows[i]);
	refused(sign_parts(*state, good_header(*state), "{}", 2), "another issuer", "{}");
	memset(deep, '[', 2000);
	refused(sign_parts(*state, good_header(*state), deep, 2000), "claims are no", "deep");
	refused(sign_parts(*state, deep, "{}", 2), "header is no", "a deep header");
	text = json_dumps(claims, JSON_COMPACT);
	/* whoever reads the first, or the last, sees another person */
	doubled = talloc_asprintf(*state, "%.*s,\"sub\":\"%s\"}", (int)strlen(text) - 1, text,
				  session);
	refused(sign_parts(*state, good_header(*state), doubled, strlen(doubled)), "claims are no",
		"a doubled claim");
	accepted(sign_parts(*state, good_header(*state), text, strlen(text)));
	free(text);
	json_decref(claims);
}

static void test_a_retired_key_verifies_nothing(void **state)
{
	char *token = good_token(*state);

	accepted(token);
	set.keys[0].retires_us = time_monotonic_us();
	refused(token, "none of ours", "a retired key");
	set.keys[0].retires_us = UINT64_MAX;
	accepted(token);
}

struct small {
	TALLOC_CTX *mem;
	int rc;
};

static void on_small_stack(void *arg)
{
	struct small *small = arg;
	char *token = issue(small->mem);
	struct jwt_claims c;

	small->rc = verify(token, strlen(token), &c);
}

/* A quarter of what a worker gives a request: there is room for what calls it. */
static void test_a_small_stack_is_enough(void **state)
{
#ifdef GUILDFORD_SANITIZE
	const size_t bytes = 4 * 32 * 1024;
#else
	const size_t bytes = 32 * 1024;
#endif
	struct small small = { .mem = *state, .rc = -1 };

	coro_setup(bytes, 1);
	assert_int_equal(coro_start(on_small_stack, &small), 0);
	coro_cleanup();
	assert_int_equal(small.rc, OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_issued_comes_back),
		cmocka_unit_test(test_others_can_verify),
		cmocka_unit_test(test_the_example_of_the_rfc),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_other_algorithms_and_keys),
		cmocka_unit_test(test_key_confusion),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_swapped_header),
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_times_near_now),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_a_retired_key_verifies_nothing),
		cmocka_unit_test(test_a_small_stack_is_enough),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
