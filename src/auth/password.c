/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords; see password.h. The password itself is only read, where the request is: a digest of it under the pepper is
 * made at once, and that is what a hasher gets. Nothing is copied but the digest, which is wiped.
 */
#include "auth/password.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "auth/common_passwords.h"
#include "base/config.h"
#include "base/secret.h"
#include "base/str.h"
#include "io/offload.h"
#include "base/banned.h"

enum { VERSION = '1', BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING, WORDS_MAX = 32 };

_Static_assert(PASSWORD_HASH_MAX == crypto_pwhash_STRBYTES + 1, "a version and libsodium's text");

/* Too easily guessed here (ASVS 5.0 6.1.2), with whatever digits and signs around them. In lower case; a word that is the
 * beginning of another one is fine. */
static const char *const context_words[] = {
	"guildford", "surrey",	   "stoughton", "merrow",    "burpham",	  "onslow",
	"england",   "town",	   "local",	"business",  "directory", "events",
	"event",     "account",	   "admin",	"moderator", "member",	  "user",
	"password",  "passphrase", "secret",	"welcome",   "login",	  "letmein",
};

static int compare_words(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

static bool is_common(const char *lower)
{
	return bsearch(lower, common_passwords, common_passwords_count, sizeof(char *),
		       compare_words) != NULL;
}

/* ASCII only, as the list is. */
static char *to_lower(TALLOC_CTX *mem, const char *text)
{
	char *lower = talloc_strdup(mem, text);

	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return lower;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c & 0x80);
}

/* Marks where one can come to from position `at` by a word. */
static void step_by_word(const char *text, const char *word, size_t at, char *reached)
{
	size_t len = strlen(word);

	if (len > 0 && strncmp(text + at, word, len) == 0)
		reached[at + len] = 2;
}

/* Can `text` be cut into words, digits and signs, with one word at least? From each position that can be come to, all that
 * may follow: 1 is without a word so far, 2 with one. */
static bool is_built_of(TALLOC_CTX *mem, const char *text, const char *const *words, size_t count)
{
	size_t len = strlen(text);
	char *reached = talloc_zero_size(mem, len + 1);

	reached[0] = 1;
	for (size_t at = 0; at < len; at++) {
		if (!reached[at])
			continue;
		if (!is_letter(text[at]) && reached[at + 1] < reached[at])
			reached[at + 1] = reached[at];
		for (size_t i = 0; i < count; i++)
			step_by_word(text, words[i], at, reached);
	}
	return reached[len] == 2;
}

/* The address, its local part and its domain are words as well. */
static bool is_guessed_from(TALLOC_CTX *mem, const char *lower, const char *email)
{
	const char *words[WORDS_MAX];
	char *address = to_lower(mem, email), *at = strrchr(address, '@');
	size_t count = COUNT_OF(context_words);

	memcpy(words, context_words, sizeof(context_words));
	words[count++] = to_lower(mem, config.town ? config.town : "");
	words[count++] = talloc_strdup(mem, address);
	if (at) {
		*at = '\0';
		words[count++] = address;
		words[count++] = at + 1;
	}
	return is_built_of(mem, lower, words, count);
}

const char *password_problem(TALLOC_CTX *mem, const char *password, const char *email)
{
	size_t len = strlen(password), characters;
	TALLOC_CTX *own;
	const char *problem = NULL;
	char *lower;

	if (!str_is_utf8(password, len))
		return "must be UTF-8 text";
	characters = str_length_utf8(password, len);
	if (characters < PASSWORD_MIN)
		return "must have at least 8 characters";
	if (characters > PASSWORD_MAX)
		return "must have at most 128 characters";
	own = talloc_new(mem);
	lower = to_lower(own, password);
	if (is_common(lower))
		problem = "is one of the most common passwords; choose another";
	else if (is_guessed_from(own, lower, email))
		problem = "is too easily guessed from your address or this site; choose another";
	sodium_memzero(lower, len);
	talloc_free(own);
	return problem;
}

enum kind { MAKE, HOLD_AGAINST };

/* What a hasher gets: no password, and no pointer. */
struct work {
	enum kind kind;
	char peppered[sodium_base64_ENCODED_LEN(crypto_generichash_BYTES, BASE64)];
	char text[crypto_pwhash_STRBYTES]; /* libsodium's */
	int rc, error;
};

_Static_assert(sizeof(struct work) <= OFFLOAD_WORK_MAX, "it is one message");

/* As base64, since bytes of a digest may be NUL and some implementations of Argon2 take a C string. */
static void add_pepper(struct work *work, const char *password)
{
	unsigned char key[SECRET_KEY_BYTES], digest[crypto_generichash_BYTES];

	secret_derive("pepper", key);
	crypto_generichash(digest, sizeof(digest), (const unsigned char *)password,
			   strlen(password), key, sizeof(key));
	sodium_bin2base64(work->peppered, sizeof(work->peppered), digest, sizeof(digest), BASE64);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(digest, sizeof(digest));
}

static void make_hash(struct work *work)
{
	work->rc = crypto_pwhash_argon2id_str(work->text, work->peppered, strlen(work->peppered),
					      PASSWORD_TIME, PASSWORD_MEMORY);
}

/* A wrong password is EINVAL; without it the text could not be read or memory was short. */
static void hold_against(struct work *work)
{
	errno = 0;
	work->rc = crypto_pwhash_argon2id_str_verify(work->text, work->peppered,
						     strlen(work->peppered));
	work->error = errno;
}

/* The digest has no need to travel back. */
void password_work(void *arg)
{
	struct work *work = arg;

	if (work->kind == MAKE)
		make_hash(work);
	else
		hold_against(work);
	sodium_memzero(work->peppered, sizeof(work->peppered));
}

/* A command has no hashers, and a loop that nobody else is on. */
static int have_done(struct task *t, struct work *work)
{
	if (offload_is_joined())
		return offload(t, work, sizeof(*work));
	password_work(work);
	return OK;
}

static int no_memory(struct task *t)
{
	task_fail(t, E_UNAVAILABLE, NULL);
	t->failure.cause = "no memory for Argon2";
	t->failure.retry_after = 1;
	return E_UNAVAILABLE;
}

static int not_ours(struct task *t)
{
	task_fail(t, E_INTERNAL, NULL);
	t->failure.cause = "a stored password is of no known form";
	return E_INTERNAL;
}

int password_hash(struct task *t, const char *password, char **hash)
{
	struct work work = { .kind = MAKE };
	int rc;

	add_pepper(&work, password);
	rc = have_done(t, &work);
	if (!rc && work.rc != 0)
		rc = no_memory(t);
	if (!rc)
		*hash = talloc_asprintf(t->mem, "%c%s", VERSION, work.text);
	sodium_memzero(&work, sizeof(work));
	return rc;
}

static int take_result(struct task *t, const struct work *work, bool *right, bool *stale)
{
	bool is_right = work->rc == 0;

	if (!is_right && work->error == ENOMEM)
		return no_memory(t);
	if (!is_right && work->error != EINVAL)
		return not_ours(t);
	*right = is_right;
	*stale = is_right && crypto_pwhash_argon2id_str_needs_rehash(work->text, PASSWORD_TIME,
								     PASSWORD_MEMORY) != 0;
	return OK;
}

int password_verify(struct task *t, const char *hash, const char *password, bool *right,
		    bool *stale)
{
	struct work work = { .kind = HOLD_AGAINST };
	size_t len = strlen(hash);
	int rc;

	if (hash[0] != VERSION || len >= PASSWORD_HASH_MAX)
		return not_ours(t);
	memcpy(work.text, hash + 1, len);
	add_pepper(&work, password);
	rc = have_done(t, &work);
	if (!rc)
		rc = take_result(t, &work, right, stale);
	sodium_memzero(&work, sizeof(work));
	return rc;
}

int password_dummy(struct task *t, const char *password)
{
	/* Of no password: salt and hash are made up. Its parameters are today's, which is all that its time depends on. */
	static const char nobodys[] = "1$argon2id$v=19$m=19456,t=2,p=1$"
				      "Z3VpbGRmb3JkZ3VpbGRmbw$"
				      "bm9ib2R5J3Mgbm9ib2R5J3Mgbm9ib2R5J3Mgbm9ib2Q";
	bool right, stale;

	return password_verify(t, nobodys, password, &right, &stale);
}
