/* SPDX-License-Identifier: Apache-2.0 */
/* The signing keys of this process; see keys.h. Called by store/jwt.c, gateway/jwks.c and cli/. */
#include "store/keys.h"

#include <rhonabwy.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "base/log.h"
#include "base/secret.h"
#include "base/time.h"
#include "base/writer.h"
#include "io/loop.h"
#include "store/jwt_cache.h"
#include "store/pg.h"
#include "base/banned.h"

enum {
	KEYS_MAX = 16,
	FRESH_US = 60000000, /* a set older than that is read again */
	AGAIN_US = 1000000,  /* but not sooner than that after the last time */
	REFRESH_WAIT_US = 1000000,
	JWKS_MAX = 16384,
	NUMBER_TEXT = 43, /* 32 bytes as base64url */
	TRIES = 20	  /* one in a hundred fails */
};

/* "gkeys" in ASCII: who makes a key holds this lock, so that created_at is their order. */
#define LOCK_KEY "444234987891"
#define PURPOSE	 "signing key"
#define AT_ONCE                                                                                    \
	"2 seconds" /* twice AGAIN_US: whoever meets the key may read the set by then, and finds it */
#define LATER	    "305 seconds" /* the max-age of the JWK set, and a little */
#define TOKENS_LIFE "16 minutes"

struct key {
	char kid[KEYS_KID_MAX + 1];
	json_t *private_key, *public_key;
	uint64_t signs_us, retires_us; /* time_monotonic_us() */
};

struct joiner {
	struct waiter waiter;
	bool listed;
	struct joiner *prev, *next;
};

static struct key_set {
	struct key keys[KEYS_MAX]; /* the newest first */
	int count;
	uint64_t started_us;	/* when the last reading began ... */
	uint64_t loaded_us;	/* ... and when the last good one did; 0: never */
	bool loading;		/* somebody is reading now ... */
	struct joiner *joiners; /* ... and these wait for it */
} set;

static void setup_library(void)
{
	static bool ready;

	if (!ready)
		r_global_init();
	ready = true;
}

static void free_key(struct key *k)
{
	json_decref(k->private_key);
	json_decref(k->public_key);
}

static bool is_live(const struct key *k)
{
	return time_monotonic_us() < k->retires_us;
}

static struct key *find_live(const char *kid)
{
	for (int i = 0; i < set.count; i++)
		if (strcmp(set.keys[i].kid, kid) == 0)
			return is_live(&set.keys[i]) ? &set.keys[i] : NULL;
	return NULL;
}

/* The members that the public may know (RFC 7518 section 6.2.1), or NULL when it is no P-256 key. */
static json_t *to_public(const json_t *jwk, const char *kid)
{
	const char *type = json_string_value(json_object_get(jwk, "kty"));
	const char *curve = json_string_value(json_object_get(jwk, "crv"));
	const char *x = json_string_value(json_object_get(jwk, "x"));
	const char *y = json_string_value(json_object_get(jwk, "y"));

	if (!type || !curve || !x || !y || strcmp(type, "EC") != 0 || strcmp(curve, "P-256") != 0 ||
	    strlen(x) != NUMBER_TEXT || strlen(y) != NUMBER_TEXT)
		return NULL;
	return json_pack("{ss ss ss ss ss ss ss}", "kty", "EC", "crv", "P-256", "x", x, "y", y,
			 "kid", kid, "use", "sig", "alg", "ES256");
}

/* A key is taken only if what its private half signs its public half verifies: so the point is on the curve (nettle
 * refuses it otherwise) and the halves belong together. */
static bool is_pair(json_t *private_key, json_t *public_key)
{
	static const unsigned char probe[] = "probe";
	bool good = false;
	jws_t *jws;
	char *text;

	if (r_jws_init(&jws) != RHN_OK)
		return false;
	r_jws_set_alg(jws, R_JWA_ALG_ES256);
	r_jws_set_payload(jws, probe, sizeof(probe));
	text = r_jws_serialize(jws, private_key, 0);
	r_jws_free(jws);
	if (!text)
		return false;
	if (r_jws_init(&jws) == RHN_OK) {
		good = r_jws_advanced_compact_parse(jws, text, R_PARSE_NONE, 0) == RHN_OK &&
		       r_jws_verify_signature(jws, public_key, 0) == RHN_OK;
		r_jws_free(jws);
	}
	r_free(text);
	return good;
}

/* The private half as JSON, NULL when it was sealed with another key. */
static json_t *open_private(TALLOC_CTX *mem, const char *sealed)
{
	size_t len;
	char *text = secret_open(mem, PURPOSE, sealed, &len);
	json_t *jwk = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (text)
		sodium_memzero(text, len);
	return jwk;
}

/* Fills a key from its texts; returns NULL, or what is wrong with them. */
static const char *read_key(TALLOC_CTX *mem, struct key *k, const char *kid, const char *sealed,
			    const char *public_text)
{
	json_t *given;

	*k = (struct key) { 0 };
	if (strlen(kid) > KEYS_KID_MAX)
		return "its name is too long";
	memcpy(k->kid, kid, strlen(kid) + 1);
	k->private_key = open_private(mem, sealed);
	if (!k->private_key)
		return "it was sealed with another secret key";
	given = json_loads(public_text, JSON_REJECT_DUPLICATES, NULL);
	k->public_key = to_public(given, kid);
	json_decref(given);
	if (k->public_key && is_pair(k->private_key, k->public_key))
		return NULL;
	free_key(k);
	return "its halves are no pair of P-256";
}

/* A time of the database's, given as microseconds from now. */
static uint64_t from_now(const char *text)
{
	long long us = text ? strtoll(text, NULL, 10) : 0;
	uint64_t now = time_monotonic_us();

	if (!text)
		return UINT64_MAX;
	return us < 0 && (uint64_t)-us > now ? 0 : now + (uint64_t)us;
}

static bool has(const struct key *keys, int count, const char *kid)
{
	for (int i = 0; i < count; i++)
		if (strcmp(keys[i].kid, kid) == 0)
			return true;
	return false;
}

/* What was verified with a key that went before its tokens died is not to be trusted: somebody took it out. */
static void install(const struct key *keys, int count)
{
	for (int i = 0; i < set.count; i++) {
		if (!has(keys, count, set.keys[i].kid) && is_live(&set.keys[i]))
			jwt_cache_clear();
		free_key(&set.keys[i]);
	}
	memcpy(set.keys, keys, sizeof(*keys) * (size_t)count);
	set.count = count;
}

static int read_rows(struct task *t, struct pg_rows **rows)
{
	return pg_query(
		t, rows,
		"select kid, private_key, public_key::text, "
		"(extract(epoch from signs_at - clock_timestamp()) * 1000000)::bigint, "
		"(extract(epoch from retired_at - clock_timestamp()) * 1000000)::bigint "
		"from platform.signing_key where retired_at is null or retired_at > clock_timestamp() "
		"order by created_at desc, kid limit 16",
		PG_NONE);
}

static int take_rows(struct task *t, const struct pg_rows *rows)
{
	struct key fresh[KEYS_MAX];
	int count = 0;

	for (int i = 0; i < pg_count(rows) && count < KEYS_MAX; i++) {
		const char *kid = pg_value(rows, i, 0);
		const char *why = read_key(t->mem, &fresh[count], kid, pg_value(rows, i, 1),
					   pg_value(rows, i, 2));

		if (why) {
			log_warn("signing key %s is not used: %s", kid, why);
			continue;
		}
		fresh[count].signs_us = from_now(pg_value(rows, i, 3));
		fresh[count].retires_us = from_now(pg_value(rows, i, 4));
		count++;
	}
	if (count == 0)
		return task_fail(
			t, E_CONFLICT,
			"The signing keys in the database were sealed with another secret key: set "
			"GUILDFORD_SECRET_KEY to that one (all nodes need the same) or, if it is lost, "
			"run guildford keys rotate --lost");
	install(fresh, count);
	return OK;
}

/* In the open transaction, under the lock: a key that signs after that interval. */
static int insert_key(struct task *t, const char *kid, const char *private_text,
		      const char *public_text, const char *after)
{
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"insert into platform.signing_key (kid, private_key, public_key, created_at, signs_at) "
		"values ($1, $2, $3::jsonb, clock_timestamp(), clock_timestamp() + $4::interval)",
		PG_PARAMS(kid, secret_seal(t->mem, PURPOSE, private_text, strlen(private_text)),
			  public_text, after));
}

/* A new pair, each to be freed with json_decref(); NULL when the library cannot, or when it left out a number's leading zeros,
 * which RFC 7518 section 6.2.1.2 wants and other readers miss. */
static json_t *try_pair(TALLOC_CTX *mem, json_t **public_key, const char **kid)
{
	jwk_t *private_key = NULL, *half = NULL;
	char *name = NULL;
	const char *d;

	if (r_jwk_init(&private_key) == RHN_OK && r_jwk_init(&half) == RHN_OK &&
	    r_jwk_generate_key_pair(private_key, half, R_KEY_TYPE_EC, 256, NULL) == RHN_OK)
		name = r_jwk_thumbprint(half, R_JWK_THUMB_SHA256, 0);
	*kid = name ? talloc_strdup(mem, name) : NULL;
	*public_key = name ? to_public(half, name) : NULL;
	r_free(name);
	r_jwk_free(half);
	d = json_string_value(json_object_get(private_key, "d"));
	if (*public_key && d && strlen(d) == NUMBER_TEXT)
		return private_key;
	json_decref(*public_key);
	r_jwk_free(private_key);
	return NULL;
}

/* Makes a key and writes it down; `*kid` is its name. */
static int make_key(struct task *t, const char *after, const char **kid)
{
	json_t *private_key = NULL, *public_key;
	char *private_text, *public_text;
	int rc;

	setup_library();
	for (int i = 0; i < TRIES && !private_key; i++)
		private_key = try_pair(t->mem, &public_key, kid);
	if (!private_key)
		return task_fail(t, E_INTERNAL, "No signing key could be made");
	private_text = json_dumps(private_key, JSON_COMPACT);
	public_text = json_dumps(public_key, JSON_COMPACT);
	json_decref(private_key);
	json_decref(public_key);
	rc = insert_key(t, *kid, private_text, public_text, after);
	sodium_memzero(private_text, strlen(private_text));
	r_free(private_text);
	r_free(public_text);
	return rc;
}

static int lock(struct task *t)
{
	struct pg_rows *rows;

	return pg_query(t, &rows, "select pg_advisory_xact_lock(" LOCK_KEY ")", PG_NONE);
}

/* The first key signs at once: nobody can know another. */
static int make_first(struct task *t, void *arg)
{
	struct pg_rows *rows;
	const char *kid;
	int rc = lock(t);

	(void)arg;
	if (!rc)
		rc = read_rows(t, &rows);
	if (!rc && pg_count(rows) == 0)
		rc = make_key(t, "0 seconds", &kid);
	return rc;
}

/* With a task of its own: the caller may be in a transaction that has nothing to do with it. */
static int load(struct task *caller)
{
	struct task t = { .mem = caller->mem, .deadline = caller->deadline };
	struct pg_rows *rows;
	int rc = read_rows(&t, &rows);

	setup_library();
	if (!rc && pg_count(rows) == 0) {
		rc = pg_transaction(&t, make_first, NULL);
		if (!rc)
			rc = read_rows(&t, &rows);
	}
	if (!rc)
		rc = take_rows(&t, rows);
	caller->db_us += t.db_us;
	caller->statements += t.statements;
	if (rc && !caller->failure.code)
		caller->failure = t.failure;
	return rc;
}

/* Somebody reads already: what he finds is ours, too. */
static int join(struct task *t)
{
	struct joiner j = { .listed = true };
	int rc;

	DL_APPEND(set.joiners, &j);
	rc = waiter_wait(&j.waiter, t->deadline);
	if (j.listed)
		DL_DELETE(set.joiners, &j);
	return rc ? task_fail(t, (enum error_code)rc, NULL) : OK;
}

int keys_load(struct task *t)
{
	uint64_t now = time_monotonic_us();
	int rc;

	if (set.loading)
		return join(t);
	set.loading = true;
	set.started_us = now;
	rc = load(t);
	set.loading = false;
	if (!rc)
		set.loaded_us = now;
	while (set.joiners) {
		struct joiner *j = set.joiners;

		DL_DELETE(set.joiners, j);
		j->listed = false;
		waiter_wake(&j->waiter, rc);
	}
	return rc;
}

static bool is_fresh(void)
{
	return set.loaded_us && time_monotonic_us() - set.loaded_us < FRESH_US;
}

static bool may_load(void)
{
	return set.loading || time_monotonic_us() >= set.started_us + AGAIN_US;
}

/* For who has what he needs: it does him no harm when the database is away, or slow. */
static void refresh(struct task *t)
{
	uint64_t limit = time_monotonic_us() + REFRESH_WAIT_US;
	struct task own = { .mem = t->mem, .deadline = limit };

	if (t->deadline && t->deadline < limit)
		own.deadline = t->deadline;
	if (keys_load(&own) != OK)
		log_warn("the signing keys cannot be read: those of before are used");
}

static int unavailable(struct task *t, const char *message)
{
	t->failure.retry_after = 1;
	return task_fail(t, E_UNAVAILABLE, message ? "%s" : NULL, message);
}

/* The set as it is now, give or take a second. When the last attempt was no good, we do not know. */
static int read_again(struct task *t)
{
	if (may_load())
		return keys_load(t);
	return set.loaded_us == set.started_us ? OK : unavailable(t, NULL);
}

int keys_find(struct task *t, const char *kid, json_t **public_key)
{
	struct key *k = find_live(kid);
	int rc;

	if (k && !is_fresh() && !set.loading && may_load()) {
		refresh(t);
		k = find_live(kid);
	}
	if (!k) {
		rc = read_again(t);
		if (rc)
			return rc;
		k = find_live(kid);
	}
	*public_key = k ? k->public_key : NULL;
	return OK;
}

/* With a set older than a minute we might sign with a key that retires before its token does. */
int keys_signer(struct task *t, json_t **private_key, const char **kid)
{
	int rc = is_fresh() ? OK : keys_load(t);

	if (rc)
		return rc;
	for (int i = 0; i < set.count; i++) {
		struct key *k = &set.keys[i];

		if (!is_live(k) || time_monotonic_us() < k->signs_us)
			continue;
		*private_key = k->private_key;
		*kid = k->kid;
		return OK;
	}
	return unavailable(t, "No signing key is in force yet");
}

int keys_jwks(struct task *t, const char **json)
{
	static const char *const members[] = { "kty", "crv", "x", "y", "kid", "use", "alg" };
	struct buf text;
	struct writer j;
	int rc = read_again(t);

	if (rc)
		return rc;
	buf_init(&text, t->mem, JWKS_MAX);
	writer_init(&j, &text);
	writer_object(&j);
	writer_key(&j, "keys");
	writer_array(&j);
	for (int i = 0; i < set.count; i++) {
		if (!is_live(&set.keys[i]))
			continue;
		writer_object(&j);
		for (size_t m = 0; m < COUNT_OF(members); m++) {
			const json_t *value = json_object_get(set.keys[i].public_key, members[m]);

			writer_key(&j, members[m]);
			writer_string(&j, json_string_value(value));
		}
		writer_object_end(&j);
	}
	writer_array_end(&j);
	writer_object_end(&j);
	*json = buf_text(&text);
	return OK;
}

static int retire_others(struct task *t, const char *kid)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"update platform.signing_key set retired_at = least(retired_at, "
		"(select signs_at from platform.signing_key where kid = $1) + interval '" TOKENS_LIFE
		"') where kid <> $1",
		PG_PARAMS(kid));

	if (rc)
		return rc;
	return pg_query(
		t, &rows,
		"delete from platform.signing_key where retired_at < clock_timestamp() - interval '1 day'",
		PG_NONE);
}

static int rotate(struct task *t, void *arg)
{
	const bool *at_once = arg;
	const char *kid;
	int rc = lock(t);

	if (!rc)
		rc = make_key(t, *at_once ? AT_ONCE : LATER, &kid);
	return rc ? rc : retire_others(t, kid);
}

int keys_rotate(struct task *t, bool at_once)
{
	int rc = pg_transaction(t, rotate, &at_once);

	if (!rc)
		set.loaded_us = set.started_us = 0;
	return rc;
}
