/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of passwords: which are taken, hashes that hold and go stale, the work of an unknown address, what is wiped. Argon2
 * is real, and slow under the sanitizers, so there are few hashes. */
#include "test.h"
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io/loop.h"
#include "io/offload.h"

static int verified;
static const char *volatile seen; /* what was hashed, on a stack */
static char seen_copy[100];

static int count_verify(const char *str, const char *passwd, unsigned long long len)
{
	verified++;
	seen = passwd;
	memcpy(seen_copy, passwd, len + 1);
	return crypto_pwhash_argon2id_str_verify(str, passwd, len);
}

#define crypto_pwhash_argon2id_str_verify count_verify
#include "auth/password.c"
#undef crypto_pwhash_argon2id_str_verify

static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const char good[] = "correct horse battery staple";

static int start(void **state)
{
	char why[200];

	return new_memory(state) || secret_setup(hex, "", why, sizeof(why));
}

static void test_which_are_taken(void **state)
{
	static const struct {
		const char *password;
		bool taken;
	} rows[] = {
		{ "correct horse battery staple", true },
		{ "        ", true }, /* no rules of composition */
		{ "83719462", true },
		{ "caf\xc3\xa9 au lait", true },
		{ "guildford cathedral bells", true },
		{ "ann bakes on fridays", true },
		{ "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
		  true },
		{ "", false },
		{ "7 chars", false },
		{ "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
		  false },
		{ "broken \xff utf8", false },
		{ "password", false },
		{ "PassWord1", false },
		{ "iloveyou", false },
		{ "qwertyuiop", false },
		{ "12345678", false },
		{ "!qaz2wsx", false }, /* the first of the table */
		{ "guildford1", false },
		{ "Guildford2026!", false },
		{ "2026-GUILDFORD-2026", false },
		{ "guildfordsurrey", false },
		{ "events guildford 1", false },
		{ "AdminAdmin!", false },
		{ "ann.baker@example.com", false },
		{ "Ann.Baker@Example.Com", false },
		{ "ann.baker", false },
		{ "ANN.BAKER1999", false },
		{ "example.com", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_bool(!password_problem(*state, rows[i].password, "ann.baker@example.com"),
			    rows[i].taken, rows[i].password);
	assert_null(password_problem(*state, "ann.baker99", ""));
}

static void test_the_towns_own_name(void **state)
{
	assert_null(password_problem(*state, "godalming2026", ""));
	config.town = "Godalming";
	assert_non_null(password_problem(*state, "godalming2026", ""));
	assert_null(password_problem(*state, "godalming herons", ""));
	config.town = NULL;
}

static void test_lengths_are_in_characters(void **state)
{
	char *longest = talloc_strdup(*state, "");

	for (int i = 0; i < PASSWORD_MAX; i++)
		longest = talloc_strdup_append(longest, "\xf0\x9f\x8d\xb0");
	assert_null(password_problem(*state, longest, "a@example.com"));
	assert_string_equal(password_problem(*state, talloc_asprintf(*state, "%s.", longest), ""),
			    "must have at most 128 characters");
	assert_string_equal(password_problem(*state, "short", ""),
			    "must have at least 8 characters");
}

static void test_the_list_is_sorted_and_long(void **state)
{
	(void)state;
	assert_true(common_passwords_count >= 3000);
	for (size_t i = 0; i < common_passwords_count; i++) {
		assert_true(strlen(common_passwords[i]) >= PASSWORD_MIN);
		expect_bool(is_common(common_passwords[i]), true, common_passwords[i]);
	}
}

static int hash_and_verify(struct task *t, void *arg)
{
	char *hash, *other;
	bool right = false, stale = true;

	(void)arg;
	assert_int_equal(password_hash(t, good, &hash), OK);
	assert_int_equal(password_hash(t, good, &other), OK);
	assert_string_not_equal(hash, other);
	assert_int_equal(strncmp(hash, "1$argon2id$v=19$m=19456,t=2,p=1$", 32), 0);
	assert_true(strlen(hash) < PASSWORD_HASH_MAX);
	assert_int_equal(password_verify(t, hash, good, &right, &stale), OK);
	assert_true(right);
	assert_false(stale);
	assert_int_equal(password_verify(t, hash, "correct horse battery stapl", &right, &stale),
			 OK);
	assert_false(right);
	/* the pepper is another key's: the database alone is of no use */
	assert_int_equal(crypto_pwhash_argon2id_str_verify(hash + 1, good, strlen(good)), -1);
	return OK;
}

static void test_a_hash_holds(void **state)
{
	(void)state;
	assert_int_equal(task_run(hash_and_verify, NULL, NULL, 0), OK);
}

/* As it was stored when the parameters were lower. */
static int verify_an_old_one(struct task *t, void *arg)
{
	struct work work = { 0 };
	bool right = false, stale = false;

	(void)arg;
	add_pepper(&work, good);
	assert_int_equal(crypto_pwhash_argon2id_str(work.text, work.peppered, strlen(work.peppered),
						    1, PASSWORD_MEMORY / 2),
			 0);
	assert_int_equal(
		password_verify(t, talloc_asprintf(t->mem, "1%s", work.text), good, &right, &stale),
		OK);
	assert_true(right);
	assert_true(stale);
	assert_int_equal(password_verify(t, talloc_asprintf(t->mem, "1%s", work.text), "wrong",
					 &right, &stale),
			 OK);
	assert_false(right);
	assert_false(stale);
	return OK;
}

static void test_old_parameters_are_stale(void **state)
{
	(void)state;
	assert_int_equal(task_run(verify_an_old_one, NULL, NULL, 0), OK);
}

static int verify_what_is_no_hash(struct task *t, void *arg)
{
	static const char *const hashes[] = {
		"",
		"1",
		"2$argon2id$v=19$m=19456,t=2,p=1$x$y",
		"1$argon2id$v=19$m=19456,t=2,p=1$x",
		"$argon2id$v=19$m=19456,t=2,p=1$Z3VpbGRmb3JkZ3VpbGRmbw$bm9ib2R5J3Mgbm9ib2R5J3Mgbm9ib2R5J3Mgbm9ib2Q",
		"1$2b$12$abcdefghijklmnopqrstuv",
	};
	bool right = true, stale = true;

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		expect_bool(password_verify(t, hashes[i], good, &right, &stale) == E_INTERNAL, true,
			    hashes[i]);
		assert_non_null(t->failure.cause);
		task_forgive(t);
	}
	assert_int_equal(
		password_verify(t, talloc_asprintf(t->mem, "1%0200d", 1), good, &right, &stale),
		E_INTERNAL);
	assert_true(right && stale);
	return OK;
}

static void test_what_is_no_hash(void **state)
{
	(void)state;
	assert_int_equal(task_run(verify_what_is_no_hash, NULL, NULL, 0), OK);
}

static int verify_nobodys(struct task *t, void *arg)
{
	char *hash;
	bool right, stale;
	int before;

	(void)arg;
	assert_int_equal(password_hash(t, good, &hash), OK);
	before = verified;
	assert_int_equal(password_verify(t, hash, "wrong", &right, &stale), OK);
	assert_int_equal(verified, before + 1);
	/* the same function with the same parameters as today's hashes, as often */
	assert_int_equal(password_dummy(t, good), OK);
	assert_int_equal(verified, before + 2);
	return t->failure.code;
}

static void test_nobody_costs_the_same(void **state)
{
	(void)state;
	assert_int_equal(task_run(verify_nobodys, NULL, NULL, 0), OK);
}

static int pass_the_deadline(struct task *t, void *arg)
{
	bool right = true, stale = true;
	char *hash = NULL;

	(void)arg;
	t->deadline = 1;
	assert_int_equal(password_hash(t, good, &hash), E_TIMEOUT);
	assert_null(hash);
	task_forgive(t);
	assert_int_equal(password_dummy(t, good), E_TIMEOUT);
	assert_true(right && stale);
	return OK;
}

/* As a worker does it, whose hasher ends with it. Last of all: this process stays a worker. */
static void test_by_a_hasher(void **state)
{
	int before = verified, status;
	pid_t pid;

	(void)state;
	assert_int_equal(offload_open(1), 0);
	pid = fork();
	if (pid == 0)
		_exit(offload_serve(password_work));
	offload_join(1, 1, 1);
	assert_int_equal(task_run(hash_and_verify, NULL, NULL, 0), OK);
	assert_int_equal(task_run(verify_what_is_no_hash, NULL, NULL, 0), OK);
	assert_int_equal(task_run(pass_the_deadline, NULL, NULL, 0), OK);
	assert_int_equal(verified, before);
	offload_close();
	loop_close();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What goes back to the worker has no digest in it. */
static void test_the_digest_stays(void **state)
{
	struct work work = { .kind = MAKE };

	(void)state;
	add_pepper(&work, good);
	assert_int_equal(strlen(work.peppered), 43);
	password_work(&work);
	assert_int_equal(work.rc, 0);
	assert_true(sodium_is_zero((const unsigned char *)work.peppered, sizeof(work.peppered)));
}

/* Looks below its own frame, at what password_verify() has left there. */
static int look_for_the_digest(struct task *t, void *arg)
{
	int *left = arg, rc = password_dummy(t, good);
	const char *volatile place = seen;

	for (size_t i = 0; seen_copy[i]; i++)
		*left += place[i] == seen_copy[i];
	return rc;
}

static void test_the_digest_is_wiped(void **state)
{
	int left = 0;

	(void)state;
	assert_int_equal(task_run(look_for_the_digest, &left, NULL, 0), OK);
	assert_int_equal(strlen(seen_copy), 43);
	/* a few bytes may be equal by chance, where later frames have been */
	assert_in_range(left, 0, 4);
}

enum { POOL = 32768 };

/* In a pool, what was freed can still be looked at. */
static bool pool_holds(const char *pool, const char *text)
{
	for (const char *c = pool; c < pool + POOL - 1000; c++)
		if (memcmp(c, text, strlen(text)) == 0)
			return true;
	return false;
}

static void test_lower_case_is_wiped(void **state)
{
	char *pool = talloc_pool(*state, POOL);

	assert_null(password_problem(pool, "Wiped Out Completely", "Kept@Example.com"));
	assert_true(pool_holds(pool, "kept"));
	assert_false(pool_holds(pool, "out completely"));
	talloc_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_are_taken),
		cmocka_unit_test(test_the_towns_own_name),
		cmocka_unit_test(test_lengths_are_in_characters),
		cmocka_unit_test(test_the_list_is_sorted_and_long),
		cmocka_unit_test(test_a_hash_holds),
		cmocka_unit_test(test_old_parameters_are_stale),
		cmocka_unit_test(test_what_is_no_hash),
		cmocka_unit_test(test_nobody_costs_the_same),
		cmocka_unit_test(test_the_digest_is_wiped),
		cmocka_unit_test(test_lower_case_is_wiped),
		cmocka_unit_test(test_the_digest_stays),
		cmocka_unit_test(test_by_a_hasher),
	};

	return cmocka_run_group_tests(tests, start, free_memory);
}
