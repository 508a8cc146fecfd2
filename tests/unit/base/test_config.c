/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the settings: what each type takes, which source wins, what a refusal says and what it never says. */
#include "test.h"
#include "base/config.c"

enum { ARGS_MAX = 8 };

static const char secret_key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static char why[300];
static int argc;
static char *argv[ARGS_MAX + 1];

/* Loads with these arguments. */
static int load(const char *first, ...)
{
	va_list ap;

	argc = 0;
	why[0] = '\0';
	va_start(ap, first);
	for (const char *arg = first; arg; arg = va_arg(ap, const char *))
		argv[argc++] = (char *)(uintptr_t)arg;
	va_end(ap);
	argv[argc] = NULL;
	return config_load(&argc, argv, why, sizeof(why));
}

static size_t row_of(const char *env)
{
	size_t i = 0;

	while (strcmp(config_rows[i].env, env) != 0)
		i++;
	return i;
}

static int clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_rows_count; i++)
		unsetenv(config_rows[i].env);
	return 0;
}

static void test_every_default_is_good(void **state)
{
	(void)state;
	assert_int_equal(load("guildford", NULL), 0);
	assert_string_equal(config.listen, "127.0.0.1:8080");
	assert_int_equal(config.body_max, 1048576);
	for (size_t i = 0; i < config_rows_count; i++)
		assert_string_equal(config_source(i), "default");
}

static void test_flags_win_over_the_environment(void **state)
{
	(void)state;
	setenv("GUILDFORD_WORKERS", "3", 1);
	setenv("GUILDFORD_BODY_MAX", "5", 1);
	assert_int_equal(load("guildford", "--workers=7", NULL), 0);
	assert_int_equal(config.workers, 7);
	assert_int_equal(config.body_max, 5);
	assert_string_equal(config_source(row_of("GUILDFORD_WORKERS")), "flag");
	assert_string_equal(config_source(row_of("GUILDFORD_BODY_MAX")), "environment");
}

static void test_the_rest_of_the_arguments_is_the_commands_own(void **state)
{
	(void)state;
	assert_int_equal(load("import", "--data", "/d", "--dry-run", "file", "--workersx=1", "--",
			      "--data", NULL),
			 0);
	assert_string_equal(config.data, "/d");
	assert_int_equal(argc, 6);
	assert_string_equal(argv[1], "--dry-run");
	assert_string_equal(argv[3], "--workersx=1");
	assert_string_equal(argv[5], "--data");
	assert_null(argv[6]);
	assert_int_equal(load("serve", "--listen", NULL), -1);
	assert_string_equal(why, "--listen: a value is missing");
}

static void test_values(void **state)
{
	static const struct {
		const char *env, *value;
		bool good;
	} rows[] = {
		{ "GUILDFORD_WORKERS", "128", true },
		{ "GUILDFORD_WORKERS", "129", false },
		{ "GUILDFORD_WORKERS", "-1", false },
		{ "GUILDFORD_WORKERS", "", false },
		{ "GUILDFORD_WORKERS", "2x", false },
		{ "GUILDFORD_WORKERS", "99999999999999999999", false },
		{ "GUILDFORD_HEADER_MAX", "1024", true },
		{ "GUILDFORD_HEADER_MAX", "1023", false },
		{ "GUILDFORD_ACCESS_LOG", "off", true },
		{ "GUILDFORD_ACCESS_LOG", "1", true },
		{ "GUILDFORD_ACCESS_LOG", "On", false },
		{ "GUILDFORD_ACCESS_LOG", "", false },
		{ "GUILDFORD_LOG_LEVEL", "warn", true },
		{ "GUILDFORD_LOG_LEVEL", "war", false },
		{ "GUILDFORD_LOG_LEVEL", "warning", false },
		{ "GUILDFORD_LOG_LEVEL", "debug|info", false },
		{ "GUILDFORD_LOG_LEVEL", "", false },
		{ "GUILDFORD_DATA", "", false },
		{ "DATABASE_URL", "", true },
		{ "GUILDFORD_SECRET_KEY", "", true },
		{ "GUILDFORD_SECRET_KEY", "0011", false },
		{ "GUILDFORD_SECRET_KEY", secret_key, true },
		{ "GUILDFORD_LISTEN", "localhost:0", true },
		{ "GUILDFORD_LISTEN", "0.0.0.0:65535", true },
		{ "GUILDFORD_LISTEN", "[::1]:8080", true },
		{ "GUILDFORD_LISTEN", "[::]:8080", true },
		{ "GUILDFORD_LISTEN", "127.0.0.1:65536", false },
		{ "GUILDFORD_LISTEN", "127.0.0.1", false },
		{ "GUILDFORD_LISTEN", "127.0.0.1:", false },
		{ "GUILDFORD_LISTEN", ":8080", false },
		{ "GUILDFORD_LISTEN", "::1:8080", false },
		{ "GUILDFORD_LISTEN", "[]:8080", false },
		{ "GUILDFORD_LISTEN", "[127.0.0.1]:8080", false },
		{ "GUILDFORD_LISTEN", "256.0.0.1:8080", false },
		{ "GUILDFORD_LISTEN", "example.org:8080", false },
		{ "GUILDFORD_LISTEN", "127.0.0.1:+80", false },
		{ "GUILDFORD_LISTEN", "", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		clean(state);
		setenv(rows[i].env, rows[i].value, 1);
		expect_bool(load("guildford", NULL) == 0, rows[i].good, rows[i].value);
		/* a refusal begins with the setting's name */
		if (!rows[i].good)
			expect_bool(strncmp(why, rows[i].env, strlen(rows[i].env)) == 0, true, why);
	}
}

static void test_secrets_are_not_told(void **state)
{
	char text[100];

	(void)state;
	setenv("GUILDFORD_SECRET_KEY", secret_key, 1);
	assert_int_equal(load("guildford", NULL), 0);
	config_text(row_of("GUILDFORD_SECRET_KEY"), false, text, sizeof(text));
	assert_string_equal(text, "********");
	config_text(row_of("GUILDFORD_SECRET_KEY"), true, text, sizeof(text));
	assert_string_equal(text, secret_key);
	config_text(row_of("DATABASE_URL"), false, text, sizeof(text));
	assert_string_equal(text, "");
	setenv("GUILDFORD_SECRET_KEY", "too-short", 1);
	assert_int_equal(load("guildford", NULL), -1);
	assert_null(strstr(why, "too-short"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_default_is_good, clean),
		cmocka_unit_test_setup(test_flags_win_over_the_environment, clean),
		cmocka_unit_test_setup(test_the_rest_of_the_arguments_is_the_commands_own, clean),
		cmocka_unit_test_setup(test_values, clean),
		cmocka_unit_test_setup(test_secrets_are_not_told, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
