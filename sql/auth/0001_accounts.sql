-- Accounts: people, how they show who they are, their sessions and keys, and the roles that say what they may do. What is
-- secret is here only as a digest (tokens), hashed (passwords) or sealed (second factors): see base/secret.h.

create schema auth;

create function auth.touch() returns trigger
language plpgsql as $$
begin
	if new is distinct from old then
		new.version := old.version + 1;
		new.updated_at := clock_timestamp();
	end if;
	return new;
end $$;

-- What a role may do, as patterns: "*", "business:*", "business:update". People hold `member` without a row.
create table auth.role (
	id		uuid primary key default gen_random_uuid(),
	slug		text not null check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 40),
	description	text check (length(description) <= 500),
	permissions	text[] not null default '{}' check (cardinality(permissions) <= 100),
	built_in	boolean not null default false,
	version		integer not null default 1,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	deleted_at	timestamptz,
	constraint role_built_in check (not built_in or deleted_at is null)
);
create unique index role_slug on auth.role (slug) where deleted_at is null;
create index role_order on auth.role (slug, id) include (deleted_at);
create trigger touch before update on auth.role for each row execute function auth.touch();

insert into auth.role (slug, description, permissions, built_in) values
	('member', 'Everybody with a confirmed address.', '{business:create}', true),
	('moderator', 'Keeps the directory in order.',
		'{business:*,category:*,inspection:*,person:read}', true),
	('admin', 'May do everything.', '{*}', true);

create table auth.person (
	id		uuid primary key,
	email		text check (length(email) <= 254),
	name		text not null check (length(name) between 1 and 100),
	status		text not null default 'active' check (status in ('active', 'suspended', 'erased')),
	email_verified_at timestamptz,
	password_hash	text,
	totp_secret	text,
	totp_confirmed_at timestamptz,
	totp_last_step	bigint not null default 0,
	generation	integer not null default 1,
	erase_at	timestamptz,
	version		integer not null default 1,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	deleted_at	timestamptz,
	check (status = 'erased' or email is not null)
);
create unique index person_email on auth.person (lower(email));
create index person_order on auth.person (created_at, id) include (deleted_at);
create index person_email_order on auth.person (email, created_at, id) include (deleted_at);
create index person_status on auth.person (status, created_at, id) include (deleted_at);
create index person_erase on auth.person (erase_at) where erase_at is not null;

-- Failed sign-ins by address, whether somebody has it or not: that both are noted alike is what keeps the answer from
-- telling. The key is a digest of the address.
create table auth.login_failure (
	address_digest	text primary key,
	failures	integer not null,
	failing_since	timestamptz not null,
	locked_until	timestamptz
);
create index login_failure_since on auth.login_failure (failing_since);

-- What somebody without a session has asked for by an address: to register, to confirm once more, a new password. A job
-- looks whose address it is and sends the mail, so that the answer takes the same time for all.
create table auth.request (
	id		uuid primary key,
	purpose		text not null check (purpose in ('register', 'resend', 'forgotten')),
	email		text not null check (length(email) <= 254),
	name		text,
	password_hash	text,
	created_at	timestamptz not null default clock_timestamp(),
	done_at		timestamptz
);
create index request_open on auth.request (created_at) where done_at is null;
create index request_email on auth.request (lower(email), purpose, created_at);
create index request_created on auth.request (created_at);

create table auth.person_role (
	person_id	uuid not null references auth.person,
	role_id		uuid not null references auth.role,
	granted_by	uuid,
	created_at	timestamptz not null default clock_timestamp(),
	primary key (person_id, role_id)
);
create index person_role_role on auth.person_role (role_id);

-- An account elsewhere that signs its owner in here, by the provider's own name for them.
create table auth.identity (
	id		uuid primary key,
	person_id	uuid not null references auth.person,
	provider	text not null check (provider in ('google', 'facebook')),
	subject		text not null check (length(subject) between 1 and 255),
	email		text,
	created_at	timestamptz not null default clock_timestamp(),
	unique (provider, subject)
);
create index identity_person on auth.identity (person_id);

-- A sign-in that goes on. Its refresh tokens are one family; it ends after 90 days whatever happens.
create table auth.session (
	id		uuid primary key,
	person_id	uuid not null references auth.person,
	device		text check (length(device) <= 300),
	address		inet,
	created_at	timestamptz not null default clock_timestamp(),
	last_seen_at	timestamptz not null default clock_timestamp(),
	shown_at	timestamptz not null default clock_timestamp(),
	expires_at	timestamptz not null,
	revoked_at	timestamptz,
	revoked_why	text
);
create index session_person on auth.session (person_id, created_at);
create index session_expires on auth.session (expires_at);

create table auth.refresh_token (
	digest		text primary key,
	session_id	uuid not null references auth.session on delete cascade,
	issued_at	timestamptz not null default clock_timestamp(),
	expires_at	timestamptz not null,
	used_at		timestamptz
);
create index refresh_token_session on auth.refresh_token (session_id);
create index refresh_token_expires on auth.refresh_token (expires_at);

-- A new address, once both the old and the new one have said yes.
create table auth.email_change (
	id		uuid primary key,
	person_id	uuid not null references auth.person,
	email		text not null check (length(email) <= 254),
	old_confirmed_at timestamptz,
	new_confirmed_at timestamptz,
	expires_at	timestamptz not null,
	created_at	timestamptz not null default clock_timestamp()
);
create index email_change_person on auth.email_change (person_id);
create index email_change_expires on auth.email_change (expires_at);

-- What a mail's link carries: good for one purpose, once.
create table auth.one_time_token (
	digest		text primary key,
	purpose		text not null check (purpose in ('verify_email', 'reset_password', 'change_email_old', 'change_email_new')),
	person_id	uuid references auth.person,
	request_id	uuid references auth.request on delete cascade,
	change_id	uuid references auth.email_change on delete cascade,
	expires_at	timestamptz not null,
	used_at		timestamptz,
	created_at	timestamptz not null default clock_timestamp()
);
create index one_time_token_person on auth.one_time_token (person_id, purpose);
create index one_time_token_request on auth.one_time_token (request_id);
create index one_time_token_change on auth.one_time_token (change_id);
create index one_time_token_expires on auth.one_time_token (expires_at);

create table auth.recovery_code (
	person_id	uuid not null references auth.person,
	digest		text not null,
	used_at		timestamptz,
	primary key (person_id, digest)
);

create table auth.api_key (
	id		uuid primary key,
	person_id	uuid not null references auth.person,
	name		text not null check (length(name) between 1 and 100),
	prefix		text not null,
	digest		text not null unique,
	scopes		text[] not null,
	quota		integer check (quota between 1 and 1000000),
	expires_at	timestamptz,
	last_used_at	timestamptz,
	last_used_address inet,
	created_at	timestamptz not null default clock_timestamp(),
	deleted_at	timestamptz
);
create index api_key_person on auth.api_key (person_id, created_at);

-- What no worker may trust any more. Each reads this table several times a second, from the oldest transaction that was
-- open when it read last: so nothing that is committed late is missed.
create table auth.revocation (
	id		bigint primary key generated always as identity,
	transaction	xid8 not null default pg_current_xact_id(),
	kind		text not null check (kind in ('session', 'person', 'key', 'role')),
	subject_id	uuid not null,
	generation	integer,
	created_at	timestamptz not null default clock_timestamp()
);
create index revocation_transaction on auth.revocation (transaction);
create index revocation_created on auth.revocation (created_at);

create function auth.revoke_session() returns trigger
language plpgsql as $$
begin
	insert into auth.revocation (kind, subject_id) values ('session', new.id);
	return null;
end $$;
create trigger revoke after update of revoked_at on auth.session for each row
	when (old.revoked_at is null and new.revoked_at is not null) execute function auth.revoke_session();

-- Tokens of an earlier generation are refused: their owner's standing or roles have changed.
create function auth.person_changed() returns trigger
language plpgsql as $$
begin
	if new.status <> old.status then
		new.generation := old.generation + 1;
	end if;
	if new.generation <> old.generation then
		insert into auth.revocation (kind, subject_id, generation) values ('person', new.id, new.generation);
	end if;
	return new;
end $$;
create trigger changed before update on auth.person for each row execute function auth.person_changed();
create trigger touch before update on auth.person for each row execute function auth.touch();

create function auth.person_role_changed() returns trigger
language plpgsql as $$
begin
	update auth.person set generation = generation + 1 where id = coalesce(new.person_id, old.person_id);
	return null;
end $$;
create trigger changed after insert or delete on auth.person_role for each row execute function auth.person_role_changed();

create function auth.revoke_key() returns trigger
language plpgsql as $$
begin
	insert into auth.revocation (kind, subject_id) values ('key', new.id);
	return null;
end $$;
create trigger revoke after update of deleted_at, expires_at, scopes, quota on auth.api_key for each row
	execute function auth.revoke_key();

create function auth.role_changed() returns trigger
language plpgsql as $$
begin
	insert into auth.revocation (kind, subject_id) values ('role', new.id);
	return null;
end $$;
create trigger changed after insert or update on auth.role for each row execute function auth.role_changed();
