/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One's own account: GET, PATCH, DELETE /v1/me, the export of one's data and its erasure (GDPR articles 15, 17, 20). Erasure
 * waits 30 days, in which it can be taken back; then erase.c takes out what says who the person was.
 */
#include <string.h>
#include "api/audit.h"
#include "model/permission.h"
#include "api/reply.h"
#include "api/shape.h"
#include "auth/account.h"
#include "auth/auth.h"
#include "auth/session.h"
#include "store/mail.h"
#include "base/banned.h"

enum { EXPORT_MAX = 32 << 20 };

static const char me_sql[] =
	"select p.id, p.email, p.name, p.totp_confirmed_at is not null, p.erase_at, p.created_at, "
	"coalesce((select json_agg(o.slug order by o.slug) from auth.person_role x join auth.role o on o.id = x.role_id "
	"where x.person_id = p.id and o.deleted_at is null), '[]'), "
	"coalesce((select json_agg(json_build_object('id', i.id, 'provider', i.provider, 'email', i.email) "
	"order by i.provider) from auth.identity i where i.person_id = p.id), '[]'), p.password_hash is not null "
	"from auth.person p where p.id = $1";

static void write_permissions(struct request *r)
{
	writer_key(&r->json, "permissions");
	writer_array(&r->json);
	for (int i = 0; permission_name(i); i++)
		if (permissions_have(&r->caller.granted, i))
			writer_string(&r->json, permission_name(i));
	writer_array_end(&r->json);
}

int auth_me(struct request *r)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, me_sql, PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	if (pg_count(rows) == 0)
		return fail(r, E_UNAUTHORIZED, "The session is over; sign in again");
	reply_begin(r, 200);
	writer_object(&r->json);
	writer_member(&r->json, "id", pg_value(rows, 0, 0));
	writer_member(&r->json, "email", pg_value(rows, 0, 1));
	writer_member(&r->json, "name", pg_value(rows, 0, 2));
	writer_key(&r->json, "roles");
	writer_raw(&r->json, pg_value(rows, 0, 6), pg_length(rows, 0, 6));
	write_permissions(r);
	writer_key(&r->json, "identities");
	writer_raw(&r->json, pg_value(rows, 0, 7), pg_length(rows, 0, 7));
	writer_key(&r->json, "has_password");
	writer_bool(&r->json, pg_value(rows, 0, 8)[0] == 't');
	writer_key(&r->json, "second_factor");
	writer_bool(&r->json, pg_value(rows, 0, 3)[0] == 't');
	shape_write_time_of(&r->json, "erase_at", rows, 0, 4);
	shape_write_time_of(&r->json, "created_at", rows, 0, 5);
	writer_object_end(&r->json);
	return reply_end(r);
}

int auth_me_update(struct request *r)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, "update auth.person set name = $2 where id = $1",
			  PG_PARAMS(r->caller.person_id, input_text(r, "name")));

	if (!rc)
		rc = audit_request(r, "person:update", "person", r->caller.person_id, NULL, NULL);
	return rc ? rc : auth_me(r);
}

int auth_me_erase(struct request *r)
{
	struct pg_rows *rows, *keys;
	int rc = pg_query(
		&r->task, &rows,
		"update auth.person set erase_at = clock_timestamp() + interval '30 days' where id = $1 "
		"returning email, to_char(erase_at, 'FMDD FMMonth YYYY')",
		PG_PARAMS(r->caller.person_id));

	if (!rc)
		rc = session_end_others(&r->task, r->caller.person_id, NULL, "erasure");
	if (!rc)
		rc = pg_query(
			&r->task, &keys,
			"update auth.api_key set deleted_at = clock_timestamp() where person_id = $1 "
			"and deleted_at is null",
			PG_PARAMS(r->caller.person_id));
	if (!rc)
		rc = audit_request(r, "person:plan_erasure", "person", r->caller.person_id, NULL,
				   NULL);
	if (!rc)
		rc = mail_queue(&r->task, "erasure_planned", pg_value(rows, 0, 0),
				MAIL_VALUES({ "date", pg_value(rows, 0, 1) },
					    { "link", mail_page(MEM(r), "sign-in", NULL) }));
	return rc ? rc : reply_status(r, 202, "planned");
}

int auth_me_restore(struct request *r)
{
	struct pg_rows *rows;
	int rc = pg_query(&r->task, &rows, "update auth.person set erase_at = null where id = $1",
			  PG_PARAMS(r->caller.person_id));

	if (!rc)
		rc = audit_request(r, "person:keep", "person", r->caller.person_id, NULL, NULL);
	return rc ? rc : reply_status(r, 200, "kept");
}

/* Everything that is here about the person, secrets excepted; what other people's rights touch is told by its id. */
static const char export_sql[] =
	"select json_build_object("
	"'person', (select json_build_object('id', id, 'email', email, 'name', name, 'created_at', created_at, "
	"'updated_at', updated_at, 'email_verified_at', email_verified_at, 'erase_at', erase_at, "
	"'second_factor', totp_confirmed_at is not null) from auth.person where id = $1), "
	"'roles', coalesce((select json_agg(json_build_object('role', o.slug, 'since', x.created_at)) from auth.person_role x "
	"join auth.role o on o.id = x.role_id where x.person_id = $1), '[]'), "
	"'identities', coalesce((select json_agg(json_build_object('provider', provider, 'subject', subject, "
	"'email', email, 'created_at', created_at)) from auth.identity where person_id = $1), '[]'), "
	"'sessions', coalesce((select json_agg(json_build_object('id', id, 'device', device, 'address', host(address), "
	"'created_at', created_at, 'last_seen_at', last_seen_at, 'revoked_at', revoked_at) order by created_at) "
	"from auth.session where person_id = $1), '[]'), "
	"'api_keys', coalesce((select json_agg(json_build_object('id', id, 'name', name, 'prefix', prefix, 'scopes', scopes, "
	"'created_at', created_at, 'expires_at', expires_at, 'last_used_at', last_used_at)) from auth.api_key "
	"where person_id = $1), '[]'), "
	"'relations', coalesce((select json_agg(json_build_object('relation', relation, 'resource', resource, "
	"'resource_id', resource_id, 'created_at', created_at)) from platform.relation where person_id = $1), '[]'), "
	"'audit_events', coalesce((select json_agg(json_build_object('action', action, 'at', created_at, "
	"'address', host(address), 'resource', resource, 'resource_id', resource_id) order by created_at) "
	"from (select * from platform.audit_event where actor_id = $1 order by created_at desc limit 10000) e), '[]')), (select email from auth.person where id = $1)";

/* The same of other services, each under its own name, before the last brace. waits */
static int add_holdings(struct request *r, struct buf *out, const char *email)
{
	for (const struct service *const *s = services; *s; s++) {
		for (const struct holding *h = (*s)->holdings; h && h->name; h++) {
			struct pg_rows *rows;
			int rc = pg_query_long(&r->task, &rows, h->export_sql,
					       PG_PARAMS(r->caller.person_id, email));

			if (rc)
				return rc;
			buf_addf(out, ", \"%s\" : ", h->name);
			buf_add(out, pg_value(rows, 0, 0), pg_length(rows, 0, 0));
		}
	}
	return OK;
}

int auth_me_export(struct request *r)
{
	struct pg_rows *rows;
	struct buf out;
	int rc = pg_query_long(&r->task, &rows, export_sql, PG_PARAMS(r->caller.person_id));

	if (rc)
		return rc;
	buf_init(&out, MEM(r), EXPORT_MAX);
	buf_add(&out, pg_value(rows, 0, 0), pg_length(rows, 0, 0) - 1);
	rc = add_holdings(r, &out, pg_value(rows, 0, 1));
	if (rc)
		return rc;
	buf_add(&out, "}", 1);
	if (buf_full(&out))
		return fail(r, E_INTERNAL, "There is more about you than fits one answer");
	http_header_add(r->http, "Content-Disposition",
			"attachment; filename=\"guildford-export.json\"");
	return reply_plain(r, 200, "application/json", buf_text(&out), out.len);
}
