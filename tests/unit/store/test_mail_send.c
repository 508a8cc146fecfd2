/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what sending decides by itself: back-off and TLS. What servers say is in tests/system/test_mail.py. */
#include "test.h"
#include "store/mail_send.c"

static void test_back_off_doubles_up_to_six_hours(void **state)
{
	static const int minutes[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360 };

	(void)state;
	for (int i = 0; i < (int)COUNT_OF(minutes); i++)
		assert_int_equal(backoff_of(i + 1), minutes[i] * 60);
	assert_int_equal(backoff_of(1000000), 6 * 3600);
}

static void test_auto_wants_tls_but_on_this_machine(void **state)
{
	static const struct {
		const char *url;
		bool here;
	} rows[] = {
		{ "smtp://127.0.0.1", true },
		{ "smtp://127.0.0.1:25", true },
		{ "smtp://user:pass@localhost:25/name", true },
		{ "smtp://LOCALHOST", true },
		{ "smtp://[::1]:25", true },
		{ "smtp://mail.example.org:587", false },
		{ "smtp://localhost.example.org", false },
		{ "smtp://127.0.0.1.example.org", false },
		{ "smtp://localhost:25@mail.example.org", false },
		{ "smtp://127.0.0.1@mail.example.org/localhost", false },
		{ "smtp://mail.example.org/@localhost", false },
	};

	(void)state;
	config.smtp_tls = "auto";
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		config.smtp_url = rows[i].url;
		expect_bool(tls_of_settings() == SMTP_TLS_OFF, rows[i].here, rows[i].url);
		expect_bool(tls_of_settings() == SMTP_TLS_REQUIRED, !rows[i].here, rows[i].url);
	}
	config.smtp_tls = "required";
	config.smtp_url = "smtp://127.0.0.1";
	assert_int_equal(tls_of_settings(), SMTP_TLS_REQUIRED);
	config.smtp_tls = "opportunistic";
	assert_int_equal(tls_of_settings(), SMTP_TLS_OPPORTUNISTIC);
	config.smtp_tls = "off";
	config.smtp_url = "smtp://mail.example.org";
	assert_int_equal(tls_of_settings(), SMTP_TLS_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_off_doubles_up_to_six_hours),
		cmocka_unit_test(test_auto_wants_tls_but_on_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
