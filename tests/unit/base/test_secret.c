/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the secret key: from the setting, from a file that is made, and what is sealed with it. */
#include "test.h"
#include "base/secret.c"

static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void test_a_key_is_64_digits(void **state)
{
	char why[200];

	(void)state;
	assert_int_equal(secret_setup(hex, "", why, sizeof(why)), 0);
	assert_int_equal(secret_setup("0011", "", why, sizeof(why)), -1);
	assert_non_null(strstr(why, "64 hexadecimal digits"));
	assert_int_equal(
		secret_setup("zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "",
			     why, sizeof(why)),
		-1);
}

static void test_a_file_is_made_once(void **state)
{
	char folder[] = "/tmp/gt-secret-XXXXXX", path[100], why[200];
	unsigned char first[32], second[32];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(secret_setup("", folder, why, sizeof(why)), 0);
	secret_derive("totp", first);
	assert_int_equal(secret_setup(hex, folder, why, sizeof(why)), 0);
	assert_int_equal(secret_setup("", folder, why, sizeof(why)), 0);
	secret_derive("totp", second);
	assert_memory_equal(first, second, sizeof(first));
	snprintf(path, sizeof(path), "%s/secret.key", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(secret_setup("", folder, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "must hold 64"));
	unlink(path);
	rmdir(folder);
	assert_int_equal(secret_setup("", "/nonexistent/folder", why, sizeof(why)), -1);
}

static void test_sealed_texts_open_for_their_purpose_only(void **state)
{
	char why[200], *text, *other, *opened;
	size_t len;

	assert_int_equal(secret_setup(hex, "", why, sizeof(why)), 0);
	text = secret_seal(*state, "totp", "secret\0more", 11);
	other = secret_seal(*state, "totp", "secret\0more", 11);
	assert_string_not_equal(text, other);
	opened = secret_open(*state, "totp", text, &len);
	assert_non_null(opened);
	assert_int_equal(len, 11);
	assert_memory_equal(opened, "secret\0more", 12);
	assert_null(secret_open(*state, "mail", text, &len));
	text[30] = text[30] == 'A' ? 'B' : 'A';
	assert_null(secret_open(*state, "totp", text, &len));
	assert_null(secret_open(*state, "totp", "", &len));
	assert_null(secret_open(*state, "totp", "not base64!", &len));
}

static void test_digests_and_tokens(void **state)
{
	char why[200];

	assert_int_equal(secret_setup(hex, "", why, sizeof(why)), 0);
	assert_string_equal(secret_digest(*state, "reset", "a"),
			    secret_digest(*state, "reset", "a"));
	assert_string_not_equal(secret_digest(*state, "reset", "a"),
				secret_digest(*state, "verify", "a"));
	assert_int_equal(strlen(secret_digest(*state, "reset", "a")), 64);
	assert_int_equal(strlen(secret_token(*state)), 43);
	assert_string_not_equal(secret_token(*state), secret_token(*state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_is_64_digits),
		cmocka_unit_test(test_a_file_is_made_once),
		cmocka_unit_test(test_sealed_texts_open_for_their_purpose_only),
		cmocka_unit_test(test_digests_and_tokens),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
