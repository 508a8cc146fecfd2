/* SPDX-License-Identifier: Apache-2.0 */
/* Identities: from a profile to a person, linked and unlinked; see oauth_identity.h. */
#include "auth/oauth_identity.h"

#include <string.h>
#include "api/audit.h"
#include "api/reply.h"
#include "auth/account.h"
#include "auth/auth.h"
#include "auth/oauth_code.h"
#include "auth/oauth_pkce.h"
#include "auth/oauth_return.h"
#include "base/config.h"
#include "store/mail.h"
#include "base/banned.h"

static int note(struct request *r, const char *action, const char *person_id,
		const struct oauth_provider *provider)
{
	struct audit_event event = audit_begin(r);

	event.action = action;
	event.actor_kind = "person";
	event.actor_id = event.resource_id = person_id;
	event.resource = "person";
	event.detail = talloc_asprintf(MEM(r), "{\"provider\":\"%s\"}", provider->name);
	return audit_add(&r->task, &event);
}

/* Adds the identity unless there is one; `owner` is whose it is then, and `added` whether it was added. Of two at once the
 * second waits and finds the first one's. */
static int add(struct request *r, const struct oauth_provider *provider, const char *person_id,
	       const char *subject, const char *email, const char **owner, bool *added)
{
	char id[UUID_TEXT_SIZE];
	struct pg_rows *rows;
	int rc;

	uuid_new(id);
	rc = pg_query(
		&r->task, &rows,
		"insert into auth.identity (id, person_id, provider, subject, email) "
		"values ($1, $2, $3, $4, $5) on conflict (provider, subject) do update "
		"set email = coalesce(excluded.email, auth.identity.email) returning id, person_id",
		PG_PARAMS(id, person_id, provider->name, subject, email));
	if (rc)
		return rc;
	*added = strcmp(pg_value(rows, 0, 0), id) == 0;
	*owner = pg_value(rows, 0, 1);
	return OK;
}

int identity_link(struct request *r, const struct oauth_provider *provider, const char *person_id,
		  const char *subject, const char *email)
{
	const char *owner;
	struct pg_rows *rows;
	bool added;
	int rc = add(r, provider, person_id, subject, email, &owner, &added);

	if (rc)
		return rc;
	if (strcmp(owner, person_id) != 0)
		return fail(r, E_CONFLICT, "This account at %s signs somebody else in here",
			    provider->title);
	if (!added)
		return OK;
	rc = pg_query(&r->task, &rows, "select email from auth.person where id = $1",
		      PG_PARAMS(person_id));
	if (!rc)
		rc = note(r, "identity:link", person_id, provider);
	return rc ? rc
		  : mail_queue(&r->task, "new_identity", pg_value(rows, 0, 0),
			       MAIL_VALUES({ "provider", provider->title }));
}

/* Whose identity it is, or who has this verified address. */
static int look(struct request *r, const struct oauth_provider *provider,
		const struct oauth_profile *profile, struct pg_rows **rows)
{
	return pg_query(
		&r->task, rows,
		"select p.id, p.status = 'active', p.totp_confirmed_at is not null, i.id is not null "
		"from auth.person p left join auth.identity i on i.person_id = p.id and i.provider = $1 "
		"and i.subject = $2 where i.id is not null or lower(p.email) = lower($3) "
		"order by i.id is null limit 1",
		PG_PARAMS(provider->name, profile->subject,
			  profile->email_verified ? profile->email : NULL));
}

/* Nobody says that the address is theirs: it is asked by mail, as in any registration, and so is one that has an account. */
static int ask_by_mail(struct request *r, const struct oauth_provider *provider,
		       const struct oauth_profile *profile)
{
	const struct account_request q = { .purpose = "register",
					   .email = profile->email,
					   .name = profile->name,
					   .provider = provider->name,
					   .subject = profile->subject };

	return account_ask(&r->task, &q);
}

/* The true owner has come: what others have begun with the address, and their passwords, must not come into being. */
static int create(struct request *r, const struct oauth_provider *provider,
		  const struct oauth_profile *profile, struct identity_found *found)
{
	const char *owner, *person_id;
	struct pg_rows *rows;
	bool added;
	int rc = account_create(&r->task, profile->email, profile->name, NULL, &person_id);

	if (rc)
		return rc;
	rc = pg_query(&r->task, &rows, "delete from auth.request where lower(email) = lower($1)",
		      PG_PARAMS(profile->email));
	if (!rc)
		rc = note(r, "person:create", person_id, provider);
	if (!rc)
		rc = add(r, provider, person_id, profile->subject, profile->email, &owner, &added);
	if (!rc)
		rc = note(r, "identity:link", person_id, provider);
	*found = (struct identity_found) { IDENTITY_KNOWN, person_id, false };
	return rc;
}

static int use(struct request *r, const struct oauth_provider *provider,
	       const struct oauth_profile *profile, const struct pg_rows *rows,
	       struct identity_found *found)
{
	const char *person_id = pg_value(rows, 0, 0);

	*found = (struct identity_found) { IDENTITY_KNOWN, person_id,
					   pg_value(rows, 0, 2)[0] == 't' };
	if (pg_value(rows, 0, 1)[0] != 't')
		found->outcome = IDENTITY_SUSPENDED;
	if (found->outcome == IDENTITY_SUSPENDED || pg_value(rows, 0, 3)[0] == 't')
		return OK;
	return identity_link(r, provider, person_id, profile->subject, profile->email);
}

int identity_settle(struct request *r, const struct oauth_provider *provider,
		    const struct oauth_profile *profile, struct identity_found *found)
{
	struct pg_rows *rows;
	int rc = look(r, provider, profile, &rows);

	if (rc)
		return rc;
	if (pg_count(rows) > 0)
		return use(r, provider, profile, rows, found);
	*found = (struct identity_found) { .outcome = profile->email ? IDENTITY_UNCONFIRMED
								     : IDENTITY_NO_ADDRESS };
	if (!profile->email_verified)
		return profile->email ? ask_by_mail(r, provider, profile) : OK;
	rc = create(r, provider, profile, found);
	if (rc != E_DUPLICATE)
		return rc;
	/* somebody made it just now */
	task_forgive(&r->task);
	rc = look(r, provider, profile, &rows);
	if (rc || pg_count(rows) == 0)
		return rc ? rc : fail(r, E_CONFLICT, NULL);
	return use(r, provider, profile, rows, found);
}

/* POST /v1/auth/identities/{id}, the id being the name of a provider: where the signed-in person goes to show the account that is to be linked. */
int auth_identity_begin(struct request *r)
{
	struct oauth_state state = { .provider = oauth_provider_find(path_text(r, "id")),
				     .person_id = r->caller.person_id,
				     .code_challenge = input_text(r, "code_challenge"),
				     .return_to = oauth_return_url(MEM(r),
								   input_text(r, "return_to")) };
	const char *ticket;
	int rc;

	if (!state.provider)
		return fail(r, E_NOT_FOUND, "There is no such provider");
	if (!pkce_is_challenge(MEM(r), state.code_challenge))
		task_problem(&r->task, "code_challenge", OAUTH_CHALLENGE_PROBLEM);
	if (!state.return_to)
		task_problem(&r->task, "return_to", OAUTH_RETURN_PROBLEM);
	if (r->task.failure.code)
		return r->task.failure.code;
	rc = oauth_ticket_make(&r->task, &state, &ticket);
	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_object(&r->json);
	writer_member(&r->json, "url",
		      talloc_asprintf(MEM(r), "%s/v1/auth/oauth/%s?ticket=%s", config.public_url,
				      state.provider->name, ticket));
	writer_object_end(&r->json);
	return reply_end(r);
}

/* DELETE /v1/auth/identities/{id}. The person's row is locked, so that of two at once one is the last. */
int auth_identity_unlink(struct request *r)
{
	const char *id = path_text(r, "id");
	struct pg_rows *rows, *gone;
	int rc;

	if (!uuid_is(id))
		return fail(r, E_NOT_FOUND, "There is no such identity");
	rc = pg_query(
		&r->task, &rows,
		"select password_hash is not null or (select count(*) from auth.identity where person_id = $1) > 1 "
		"from auth.person where id = $1 for update",
		PG_PARAMS(r->caller.person_id));
	if (!rc)
		rc = pg_query(&r->task, &gone,
			      "delete from auth.identity where id = $1 and person_id = $2 "
			      "returning provider",
			      PG_PARAMS(id, r->caller.person_id));
	if (rc)
		return rc;
	if (pg_count(gone) == 0)
		return fail(r, E_NOT_FOUND, "There is no such identity");
	if (pg_count(rows) == 0 || pg_value(rows, 0, 0)[0] != 't')
		return fail(r, E_CONFLICT,
			    "It is the only way to sign in: set a password first, by a mail of "
			    "POST /v1/auth/password/forgotten");
	rc = audit_request(r, "identity:unlink", "person", r->caller.person_id, NULL, NULL);
	return rc ? rc : reply_status(r, 200, "unlinked");
}
