/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of one-time codes: the vectors of RFC 4648, RFC 4226 and RFC 6238, the window, and that a code is good once. */
#include "test.h"
#include "auth/totp.c"

/* The key of both RFCs' vectors, "12345678901234567890". */
static const char secret[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
static const char rfc_key[] = "12345678901234567890";

static void test_base32_of_rfc_4648(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {
		{ "", "" },
		{ "f", "MY" },
		{ "fo", "MZXQ" },
		{ "foo", "MZXW6" },
		{ "foob", "MZXW6YQ" },
		{ "fooba", "MZXW6YTB" },
		{ "foobar", "MZXW6YTBOI" },
	};
	unsigned char bytes[6];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t len = strlen(rows[i].bytes);

		expect_text(to_base32(*state, (const unsigned char *)rows[i].bytes, len),
			    rows[i].text, rows[i].bytes);
		assert_int_equal(from_base32(rows[i].text, bytes, sizeof(bytes)), len);
		assert_memory_equal(bytes, rows[i].bytes, len);
	}
}

static void test_base32_that_nobody_writes(void **state)
{
	static const char *const texts[] = { "M",  "MZX",      "MZ", "MZXR",	       "my",
					     "M1", "MZXW6YQ=", "M ", "MZXW6YTBOIMZXW6" };
	unsigned char bytes[6];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		expect_bool(from_base32(texts[i], bytes, sizeof(bytes)) == -1, true, texts[i]);
}

static void test_hotp_of_rfc_4226(void **state)
{
	static const char *const codes[] = { "755224", "287082", "359152", "969429", "338314",
					     "254676", "287922", "162583", "399871", "520489" };
	char code[DIGITS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		make_code((const unsigned char *)rfc_key, 20, i, 6, code);
		assert_string_equal(code, codes[i]);
	}
}

static const struct {
	int64_t now;
	const char *code;
} rfc_6238[] = {
	{ 59, "94287082" },	    { 1111111109, "07081804" }, { 1111111111, "14050471" },
	{ 1234567890, "89005924" }, { 2000000000, "69279037" }, { 20000000000, "65353130" },
};

static void test_totp_of_rfc_6238(void **state)
{
	char code[DIGITS_MAX + 1];
	int64_t step;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rfc_6238); i++) {
		make_code((const unsigned char *)rfc_key, 20,
			  (uint64_t)(rfc_6238[i].now / TOTP_STEP), 8, code);
		assert_string_equal(code, rfc_6238[i].code);
		/* six digits are the last six of eight */
		assert_true(totp_check(secret, code + 2, rfc_6238[i].now, 0, &step));
		assert_int_equal(step, rfc_6238[i].now / TOTP_STEP);
	}
}

static void test_one_step_either_side(void **state)
{
	char code[TOTP_DIGITS + 1];
	int64_t now = 1111111111, current = now / TOTP_STEP, step = -1;

	(void)state;
	for (int64_t s = current - 3; s <= current + 3; s++) {
		bool near = s >= current - 1 && s <= current + 1;

		make_code((const unsigned char *)rfc_key, 20, (uint64_t)s, 6, code);
		assert_int_equal(totp_check(secret, code, now, 0, &step), near);
		if (near)
			assert_int_equal(step, s);
	}
}

static void test_a_code_is_good_once(void **state)
{
	char before[TOTP_DIGITS + 1], code[TOTP_DIGITS + 1], after[TOTP_DIGITS + 1];
	int64_t now = 1111111111, last = 0, step = -1;
	uint64_t current = (uint64_t)(now / TOTP_STEP);

	(void)state;
	make_code((const unsigned char *)rfc_key, 20, current - 1, 6, before);
	make_code((const unsigned char *)rfc_key, 20, current, 6, code);
	make_code((const unsigned char *)rfc_key, 20, current + 1, 6, after);
	assert_true(totp_check(secret, code, now, last, &last));
	assert_false(totp_check(secret, code, now, last, &step));
	assert_false(totp_check(secret, code, now + TOTP_STEP, last, &step));
	/* what was overtaken is not good any more either */
	assert_false(totp_check(secret, before, now, last, &step));
	assert_true(totp_check(secret, after, now, last, &last));
	assert_int_equal(last, (int64_t)current + 1);
	assert_int_equal(step, -1);
}

static void test_what_is_no_code(void **state)
{
	static const char *const codes[] = { "",       "05047",	 "0050471",	 "05047x",
					     "-50471", "+50471", "05047\n",	 "050 47",
					     "000000", "050472", "05047\xd9\xa0" };
	int64_t step = -1;

	(void)state;
	assert_true(totp_check(secret, "050 471", 1111111111, 0, &step));
	step = -1;
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		expect_bool(totp_check(secret, codes[i], 1111111111, 0, &step), false, codes[i]);
	assert_false(totp_check("", "050471", 1111111111, 0, &step));
	assert_false(totp_check("GEZDGNBVGY3TQOJQ", "050471", 1111111111, 0, &step));
	assert_false(
		totp_check("gezdgnbvgy3tqojqgezdgnbvgy3tqojq", "050471", 1111111111, 0, &step));
	assert_false(totp_check(secret, "050471", -1, 0, &step));
	assert_int_equal(step, -1);
}

static void test_secrets_and_their_uri(void **state)
{
	char *made = totp_secret(*state), code[TOTP_DIGITS + 1];
	unsigned char key[TOTP_SECRET_BYTES];
	int64_t step;

	assert_int_equal(strlen(made), 32);
	assert_string_not_equal(made, totp_secret(*state));
	assert_int_equal(from_base32(made, key, sizeof(key)), TOTP_SECRET_BYTES);
	make_code(key, sizeof(key), 40000000, 6, code);
	assert_true(totp_check(made, code, 40000000LL * TOTP_STEP, 0, &step));
	assert_string_equal(
		totp_uri(*state, secret, "ann+1@example.com"),
		"otpauth://totp/Guildford:ann%2B1%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
		"&issuer=Guildford&algorithm=SHA1&digits=6&period=30");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base32_of_rfc_4648),
		cmocka_unit_test(test_base32_that_nobody_writes),
		cmocka_unit_test(test_hotp_of_rfc_4226),
		cmocka_unit_test(test_totp_of_rfc_6238),
		cmocka_unit_test(test_one_step_either_side),
		cmocka_unit_test(test_a_code_is_good_once),
		cmocka_unit_test(test_what_is_no_code),
		cmocka_unit_test(test_secrets_and_their_uri),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
