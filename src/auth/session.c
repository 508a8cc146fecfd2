/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: begun by login.c and oauth.c, refreshed, listed and ended here. See session.h for the rules. */
#include "auth/session.h"

#include <sodium.h>
#include <string.h>
#include "api/audit.h"
#include "api/reply.h"
#include "api/shape.h"
#include "api/steps.h"
#include "auth/auth.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "store/jwt.h"
#include "store/mail.h"
#include "store/session_cache.h"
#include "base/banned.h"

enum { DEVICE_MAX = 300, LISTED_MAX = 200 };

_Static_assert((int)LISTED_MAX <= (int)SESSION_CACHE_MAX,
	       "one round trip reads all that are listed");

/* What a device calls itself: anything, so only what is printable and short is kept. */
static const char *device_of(struct request *r)
{
	const char *agent = http_header_get(r->http, "user-agent");
	char *device = agent ? str_cut(MEM(r), agent, DEVICE_MAX) : NULL;

	if (!device || !str_is_utf8(device, strlen(device)) ||
	    str_has_control(device, strlen(device), false))
		return NULL;
	return device;
}

static int add_refresh_token(struct request *r, const char *session_id, const char *token)
{
	struct pg_rows *rows;

	return pg_query(&r->task, &rows,
			"insert into auth.refresh_token (digest, session_id, expires_at) "
			"select $1, id, least(clock_timestamp() + interval '30 days', expires_at) "
			"from auth.session where id = $2",
			PG_PARAMS(secret_digest(MEM(r), "refresh token", token), session_id));
}

int session_begin(struct request *r, const char *person_id, const char **session_id,
		  const char **refresh_token)
{
	char *id = talloc_size(MEM(r), UUID_TEXT_SIZE);
	struct pg_rows *rows;
	int rc;

	uuid_new(id);
	rc = pg_query(&r->task, &rows,
		      "insert into auth.session (id, person_id, device, address, expires_at) "
		      "select $1, id, $3, $4, clock_timestamp() + interval '90 days' "
		      "from auth.person where id = $2 and status = 'active' for share",
		      PG_PARAMS(id, person_id, device_of(r), r->client));
	if (rc)
		return rc;
	if (pg_affected(rows) == 0)
		return fail(r, E_UNAUTHORIZED, NULL);
	*session_id = id;
	*refresh_token = secret_token(MEM(r));
	return add_refresh_token(r, id, *refresh_token);
}

/* All that an access token says, as the database knows it now. */
static int read_claims(struct request *r, const char *session_id, struct jwt_claims *claims,
		       const char **expires)
{
	struct pg_rows *rows;
	char **roles;
	long long number;
	int n, rc = pg_query(
		       &r->task, &rows,
		       "select s.person_id, p.generation, floor(extract(epoch from s.shown_at))::bigint, "
		       "coalesce((select string_agg(slug, ',') from (select o.slug from auth.person_role x "
		       "join auth.role o on o.id = x.role_id and o.deleted_at is null "
		       "where x.person_id = p.id order by o.slug limit 8) y), ''), s.expires_at "
		       "from auth.session s join auth.person p on p.id = s.person_id "
		       "where s.id = $1 and s.revoked_at is null and s.expires_at > clock_timestamp() "
		       "and p.status = 'active'",
		       PG_PARAMS(session_id));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_UNAUTHORIZED, "The session is over; sign in again");
	memset(claims, 0, sizeof(*claims));
	snprintf(claims->sub, sizeof(claims->sub), "%s", pg_value(rows, 0, 0));
	snprintf(claims->sid, sizeof(claims->sid), "%s", session_id);
	if (str_to_int(pg_value(rows, 0, 1), 1, INT32_MAX, &number))
		claims->generation = (int)number;
	if (str_to_int(pg_value(rows, 0, 2), 0, INT64_MAX, &number))
		claims->auth_time = number;
	n = pg_value(rows, 0, 3)[0]
		    ? str_split(MEM(r), pg_value(rows, 0, 3), ',', JWT_ROLES_MAX, &roles)
		    : 0;
	for (int i = 0; i < n; i++)
		snprintf(claims->roles[claims->role_count++], JWT_ROLE_SIZE, "%s", roles[i]);
	*expires = pg_value(rows, 0, 4);
	return OK;
}

int session_reply(struct request *r, const char *session_id, const char *refresh_token)
{
	struct jwt_claims claims;
	const char *expires = "";
	char *token;
	int rc = read_claims(r, session_id, &claims, &expires);

	if (!rc)
		rc = jwt_issue(&r->task, &claims, &token);
	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_object(&r->json);
	writer_member(&r->json, "access_token", token);
	writer_member(&r->json, "token_type", "Bearer");
	writer_key(&r->json, "expires_in");
	writer_int(&r->json, JWT_LIFE);
	if (refresh_token)
		writer_member(&r->json, "refresh_token", refresh_token);
	writer_member(&r->json, "session_id", session_id);
	writer_key(&r->json, "session_expires_at");
	shape_write_time(&r->json, expires, strlen(expires));
	writer_object_end(&r->json);
	return reply_end(r);
}

/* The one token that can follow: who has the parent has it, and the database has neither. */
static char *child_of(struct request *r, const char *parent)
{
	unsigned char key[SECRET_KEY_BYTES], child[32];

	secret_derive("refresh child", key);
	crypto_generichash(child, sizeof(child), (const unsigned char *)parent, strlen(parent), key,
			   sizeof(key));
	sodium_memzero(key, sizeof(key));
	return str_base64url(MEM(r), child, sizeof(child));
}

struct refresh {
	const char *token;
	const char *session_id, *child; /* NULL: it was refused */
};

static int tell_of_theft(struct request *r, const char *email, const char *device)
{
	char time[TIME_TEXT_MAX];

	time_format(time_unix_ms(), time);
	return mail_queue(&r->task, "session_theft", email,
			  MAIL_VALUES({ "device", device ? device : "-" }, { "time", time }));
}

static int end_family(struct request *r, const struct pg_rows *found)
{
	const char *session_id = pg_value(found, 0, 0), *person_id = pg_value(found, 0, 3);
	struct audit_event event = audit_begin(r);
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"update auth.session set revoked_at = clock_timestamp(), revoked_why = 'theft' "
		"where id = $1 and revoked_at is null",
		PG_PARAMS(session_id));

	if (rc || pg_affected(rows) == 0)
		return rc;
	session_cache_forget(&r->task, &session_id, 1);
	event.action = "session:theft";
	event.actor_id = person_id;
	event.resource = "session";
	event.resource_id = session_id;
	rc = audit_add(&r->task, &event);
	return rc ? rc : tell_of_theft(r, pg_value(found, 0, 4), pg_value(found, 0, 6));
}

/* The token's row is locked, so that of many at once one makes the child and the others find it made. */
static int rotate(struct request *r, void *arg)
{
	struct refresh *refresh = arg;
	const char *digest = secret_digest(MEM(r), "refresh token", refresh->token);
	struct pg_rows *rows, *done;
	int rc = pg_query(
		&r->task, &rows,
		"select s.id, t.used_at is not null, "
		"t.used_at < clock_timestamp() - interval '10 seconds', s.person_id, p.email, "
		"s.revoked_at is null and s.expires_at > clock_timestamp() and "
		"t.expires_at > clock_timestamp() and p.status = 'active', s.device "
		"from auth.refresh_token t join auth.session s on s.id = t.session_id "
		"join auth.person p on p.id = s.person_id where t.digest = $1 for update of t",
		PG_PARAMS(digest));

	if (rc || pg_count(rows) == 0 || pg_value(rows, 0, 5)[0] != 't')
		return rc;
	if (pg_value(rows, 0, 1)[0] == 't' && pg_value(rows, 0, 2)[0] == 't')
		return end_family(r, rows);
	refresh->child = child_of(r, refresh->token);
	refresh->session_id = pg_value(rows, 0, 0);
	if (pg_value(rows, 0, 1)[0] == 't')
		return OK;
	rc = pg_query(
		&r->task, &done,
		"with used as (update auth.refresh_token set used_at = clock_timestamp() where digest = $1) "
		"update auth.session set last_seen_at = clock_timestamp(), address = $3 where id = $2",
		PG_PARAMS(digest, refresh->session_id, r->client));
	return rc ? rc : add_refresh_token(r, refresh->session_id, refresh->child);
}

int auth_refresh(struct request *r)
{
	struct refresh refresh = { .token = input_text(r, "refresh_token") };
	int rc = act_in_transaction(r, rotate, &refresh);

	if (rc)
		return rc;
	if (!refresh.child)
		return fail(r, E_UNAUTHORIZED, "The refresh token is not valid; sign in again");
	return session_reply(r, refresh.session_id, refresh.child);
}

static const char **first_column(TALLOC_CTX *mem, const struct pg_rows *rows)
{
	const char **values = talloc_array(mem, const char *, (unsigned)pg_count(rows));

	for (int i = 0; i < pg_count(rows); i++)
		values[i] = pg_value(rows, i, 0);
	return values;
}

int session_end_others(struct task *t, const char *person_id, const char *session_id,
		       const char *why)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"with unused as (delete from auth.oauth_code where person_id = $1) "
		"update auth.session set revoked_at = clock_timestamp(), revoked_why = $3 "
		"where person_id = $1 and revoked_at is null and id is distinct from $2 returning id",
		PG_PARAMS(person_id, session_id, why));

	if (!rc)
		session_cache_forget(t, first_column(t->mem, rows), pg_count(rows));
	return rc;
}

/* Ends one of the caller's own. */
static int end_one(struct request *r, const char *session_id)
{
	struct pg_rows *rows;
	int rc;

	if (!uuid_is(session_id))
		return fail(r, E_NOT_FOUND, "There is no such session");
	rc = pg_query(
		&r->task, &rows,
		"update auth.session set revoked_at = clock_timestamp(), revoked_why = 'owner' "
		"where id = $1 and person_id = $2 and revoked_at is null returning id",
		PG_PARAMS(session_id, r->caller.person_id));
	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_NOT_FOUND, "There is no such session");
	session_id = pg_value(rows, 0, 0); /* in lower case, as it is everywhere else */
	session_cache_forget(&r->task, &session_id, 1);
	rc = audit_request(r, "session:revoke", "session", session_id, NULL, NULL);
	return rc ? rc : reply_status(r, 200, "ended");
}

int auth_logout(struct request *r)
{
	return end_one(r, r->caller.session_id);
}

int auth_session_end(struct request *r)
{
	return end_one(r, path_text(r, "id"));
}

int auth_sessions_end(struct request *r)
{
	int rc = session_end_others(&r->task, r->caller.person_id, r->caller.session_id, "owner");

	if (!rc)
		rc = audit_request(r, "session:revoke_others", "person", r->caller.person_id, NULL,
				   NULL);
	return rc ? rc : reply_status(r, 200, "ended");
}

/* The row knows of the last refresh, the cache perhaps of a later request. */
static void write_session(struct request *r, const struct pg_rows *rows, int i,
			  const struct session_seen *seen)
{
	const char *id = pg_value(rows, i, 0);
	long long refreshed_ms = 0;
	bool later = str_to_int(pg_value(rows, i, 6), 0, INT64_MAX, &refreshed_ms) &&
		     seen->at_ms > (uint64_t)refreshed_ms;
	char last_seen[TIME_TEXT_MAX];

	writer_object(&r->json);
	writer_member(&r->json, "id", id);
	writer_member(&r->json, "device", pg_value(rows, i, 1));
	writer_member(&r->json, "address", later ? seen->address : pg_value(rows, i, 2));
	shape_write_time_of(&r->json, "created_at", rows, i, 3);
	writer_key(&r->json, "last_seen_at");
	if (later) {
		time_format(seen->at_ms, last_seen);
		writer_string(&r->json, last_seen);
	} else {
		shape_write_time(&r->json, pg_value(rows, i, 4), pg_length(rows, i, 4));
	}
	shape_write_time_of(&r->json, "expires_at", rows, i, 5);
	writer_key(&r->json, "current");
	writer_bool(&r->json, strcmp(id, r->caller.session_id) == 0);
	writer_object_end(&r->json);
}

int auth_sessions(struct request *r)
{
	struct session_seen *seen = talloc_array(MEM(r), struct session_seen, LISTED_MAX);
	struct pg_rows *rows;
	int rc = pg_query(
		&r->task, &rows,
		"select id, device, host(address), created_at, last_seen_at, expires_at, "
		"floor(extract(epoch from last_seen_at) * 1000)::bigint "
		"from auth.session where person_id = $1 and revoked_at is null "
		"and expires_at > clock_timestamp() order by created_at desc, id desc limit 200",
		PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	session_cache_read(&r->task, first_column(MEM(r), rows), pg_count(rows), seen);
	reply_begin(r, 200);
	writer_array(&r->json);
	for (int i = 0; i < pg_count(rows); i++)
		write_session(r, rows, i, &seen[i]);
	writer_array_end(&r->json);
	return reply_end(r);
}
