/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads the cursors of lists: "<digest>|<id>|<sort value>" in base64url. Called by list.c. */
#include "api/cursor.h"

#include <sodium.h>
#include <string.h>
#include "base/str.h"
#include "base/uuid.h"
#include "base/banned.h"

enum { DIGEST_TEXT = 2 * crypto_shorthash_BYTES, CURSOR_MAX = 4096 };

/* Parameters that may differ between two pages of one search. */
static bool is_of_page(const char *name)
{
	static const char *const names[] = {
		"cursor", "page", "limit", "fields", "include", "sort"
	};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void mix(const char *name, const char *value, unsigned char *digest)
{
	static const unsigned char key[crypto_shorthash_KEYBYTES] = "cursor";
	unsigned char hash[crypto_shorthash_BYTES];
	char *text = talloc_asprintf(NULL, "%s=%s", name, value);

	crypto_shorthash(hash, (const unsigned char *)text, strlen(text), key);
	for (size_t i = 0; i < sizeof(hash); i++)
		digest[i] ^= hash[i];
	talloc_free(text);
}

/* The search as a number: its parameters in any order. */
static void search_digest(struct request *r, const char *sort_name, char text[DIGEST_TEXT + 1])
{
	unsigned char digest[crypto_shorthash_BYTES] = { 0 };

	mix("path", r->path, digest);
	mix("sort", sort_name, digest);
	for (int i = 0; i < r->query_count; i++)
		if (!is_of_page(r->query[i].name))
			mix(r->query[i].name, r->query[i].value, digest);
	sodium_bin2hex(text, DIGEST_TEXT + 1, digest, sizeof(digest));
}

const char *cursor_make(struct request *r, const char *sort_name, const char *sort, const char *id)
{
	char digest[DIGEST_TEXT + 1];
	const char *plain;

	search_digest(r, sort_name, digest);
	plain = talloc_asprintf(MEM(r), "%s|%s|%s", digest, id, sort);
	return str_base64url(MEM(r), plain, strlen(plain));
}

/* "<digest>", "<id>" and "<sort value>", each with its NUL; NULL when it was never a cursor. */
static const char *take_apart(struct request *r, const char *text)
{
	unsigned char *data;
	size_t len;
	char *plain;

	if (strlen(text) > CURSOR_MAX ||
	    !str_from_base64url(MEM(r), text, strlen(text), &data, &len))
		return NULL;
	plain = talloc_strndup(MEM(r), (const char *)data, len);
	if (strlen(plain) != len || len < DIGEST_TEXT + UUID_TEXT_SIZE + 1 ||
	    !str_is_utf8(plain, len) || plain[DIGEST_TEXT] != '|' ||
	    plain[DIGEST_TEXT + UUID_TEXT_SIZE] != '|')
		return NULL;
	plain[DIGEST_TEXT] = plain[DIGEST_TEXT + UUID_TEXT_SIZE] = '\0';
	return uuid_is(plain + DIGEST_TEXT + 1) ? plain : NULL;
}

bool cursor_is_of(struct request *r, const char *sort_name, const char *text)
{
	const char *plain = take_apart(r, text);
	char digest[DIGEST_TEXT + 1];

	search_digest(r, sort_name, digest);
	return plain && strcmp(digest, plain) == 0;
}

int cursor_read(struct request *r, const char *sort_name, const char *text, struct cursor *cursor)
{
	const char *plain = take_apart(r, text);

	if (!plain)
		return task_problem(&r->task, "cursor", "is not a cursor of this API");
	if (!cursor_is_of(r, sort_name, text))
		return task_problem(&r->task, "cursor",
				    "belongs to another search; begin again without it");
	*cursor = (struct cursor) { .id = plain + DIGEST_TEXT + 1,
				    .sort = plain + DIGEST_TEXT + UUID_TEXT_SIZE + 1 };
	return OK;
}
