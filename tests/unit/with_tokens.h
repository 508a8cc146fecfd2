/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of any header and claims, signed by OpenSSL with a key of the test's own that store/keys.c holds: what it has to
 * judge comes from elsewhere. Include it after store/jwt.c and store/keys.c.
 */
#ifndef TESTS_UNIT_WITH_TOKENS_H
#define TESTS_UNIT_WITH_TOKENS_H

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>

static const char test_secret[] =
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static json_t *own_private, *own_public; /* the pair; held by `set` */
static char own_kid[KEYS_KID_MAX + 1];

/* A set of one new key that signs, which is not read from a database: not fresh, but not to be read again either. */
static inline void hold_own_key(void)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct key k = { .retires_us = UINT64_MAX };
	const char *kid;
	char why[100];

	if (secret_setup(test_secret, "", why, sizeof(why)) != 0)
		abort();
	setup_library();
	config.public_url = "http://127.0.0.1:8080";
	do
		own_private = try_pair(mem, &own_public, &kid);
	while (!own_private);
	memcpy(own_kid, kid, strlen(kid) + 1);
	memcpy(k.kid, kid, strlen(kid) + 1);
	k.private_key = own_private;
	k.public_key = own_public;
	install(&k, 1);
	set.started_us = set.loaded_us = UINT64_MAX / 2;
	talloc_free(mem);
}

static inline void number_of(const json_t *jwk, const char *name, unsigned char out[32])
{
	const char *text = json_string_value(json_object_get(jwk, name));
	TALLOC_CTX *mem = talloc_new(NULL);
	unsigned char *bytes;
	size_t len;

	if (!str_from_base64url(mem, text, strlen(text), &bytes, &len) || len != 32)
		abort();
	memcpy(out, bytes, 32);
	talloc_free(mem);
}

static inline EVP_PKEY *to_openssl(const json_t *jwk)
{
	unsigned char point[65] = { 4 }, d[32];
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	BIGNUM *number;

	number_of(jwk, "x", point + 1);
	number_of(jwk, "y", point + 33);
	number_of(jwk, "d", d);
	number = BN_bin2bn(d, sizeof(d), NULL);
	OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
	OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
	params = OSSL_PARAM_BLD_to_param(builder);
	if (EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
		abort();
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(context);
	BN_free(number);
	return key;
}

/* ES256 of the text as DER; its length. */
static inline size_t sign_der(const char *text, unsigned char der[80])
{
	EVP_PKEY *key = to_openssl(own_private);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t len = 80;

	if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(context, der, &len, (const unsigned char *)text, strlen(text)) != 1)
		abort();
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return len;
}

/* The same as r and s (RFC 7518 section 3.4). */
static inline void sign_pair(const char *text, unsigned char pair[64])
{
	unsigned char der[80];
	const unsigned char *at = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)sign_der(text, der));

	BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + 32, 32);
	ECDSA_SIG_free(sig);
}

/* The first two parts of a token, which are what is signed. */
static inline char *two_parts(TALLOC_CTX *mem, const char *header, const char *payload, size_t len)
{
	return talloc_asprintf(mem, "%s.%s", str_base64url(mem, header, strlen(header)),
			       str_base64url(mem, payload, len));
}

static inline char *sign_parts(TALLOC_CTX *mem, const char *header, const char *payload, size_t len)
{
	char *text = two_parts(mem, header, payload, len);
	unsigned char pair[64];

	sign_pair(text, pair);
	return talloc_asprintf(mem, "%s.%s", text, str_base64url(mem, pair, sizeof(pair)));
}

static inline char *good_header(TALLOC_CTX *mem)
{
	return talloc_asprintf(mem, "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
			       own_kid);
}

#endif
