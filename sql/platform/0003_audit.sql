-- The audit trail: who did what, when, from where, and what it changed. An event is written in the transaction that causes
-- it; platform.audit_seal() appends it to the chain a moment later. Neither is ever changed or taken out. Why so:
-- docs/decisions/0015-the-audit-chain-is-sealed-behind.md.

create table platform.audit_event (
	id		uuid primary key,
	seq		bigint generated always as identity,
	transaction	xid8 not null default pg_current_xact_id(),
	created_at	timestamptz not null default clock_timestamp(),
	action		text not null check (action ~ '^[a-z_]+:[a-z_]+$' and length(action) <= 80),
	actor_id	uuid,
	actor_kind	text not null check (actor_kind in ('person', 'key', 'program', 'nobody')),
	key_id		uuid,
	session_id	uuid,
	address		inet,
	request_id	text check (length(request_id) <= 64),
	resource	text check (resource ~ '^[a-z_]{1,40}$'),
	resource_id	uuid,
	before		jsonb,
	after		jsonb,
	detail		jsonb,
	-- what lists ask of every resource: an event has one version and is never deleted
	version		integer not null default 1 check (version = 1),
	deleted_at	timestamptz check (deleted_at is null)
);
-- the newest first, of all or of what a filter leaves
create index audit_event_created on platform.audit_event (created_at, id) include (deleted_at);
create index audit_event_action on platform.audit_event (action, created_at, id);
create index audit_event_actor on platform.audit_event (actor_id, created_at, id) where actor_id is not null;
create index audit_event_resource on platform.audit_event (resource, created_at, id) where resource is not null;
create index audit_event_thing on platform.audit_event (resource_id, created_at, id) where resource_id is not null;

-- The chain: positions without a gap from 1 on, each digest over the one before and the event's text. A foreign key would
-- lock, and so write, each event a second time.
create table platform.audit_seal (
	position	bigint primary key check (position > 0),
	event_id	uuid not null unique,
	digest		bytea not null check (length(digest) = 32)
);

-- Events that are not in the chain yet. The trigger below puts them here, so that none is passed over: a number of theirs
-- could not tell which are sealed, for transactions commit in another order than they begin.
create table platform.audit_unsealed (
	seq		bigint primary key,
	event_id	uuid not null
);

create function platform.audit_queue() returns trigger
language plpgsql as $$
begin
	insert into platform.audit_unsealed (seq, event_id) values (new.seq, new.id);
	return null;
end $$;

create function platform.audit_refuse() returns trigger
language plpgsql as $$
begin
	raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = 'restrict_violation';
end $$;

create trigger audit_event_queue after insert on platform.audit_event
	for each row execute function platform.audit_queue();
create trigger audit_event_refuse before update or delete or truncate on platform.audit_event
	for each statement execute function platform.audit_refuse();
create trigger audit_seal_refuse before update or delete or truncate on platform.audit_seal
	for each statement execute function platform.audit_refuse();
-- not even where a session says that it only replays another server's changes
alter table platform.audit_event enable always trigger audit_event_refuse;
alter table platform.audit_seal enable always trigger audit_seal_refuse;

-- One value of an event's text: its length in bytes and itself, or "-" for null. So no two events have the same text.
create function platform.audit_part(value text) returns text
language sql immutable parallel safe
return coalesce(octet_length(value)::text || ':' || value, '-') || E'\n';

-- What the digest is over. store/audit.c puts the same together on its own to verify it.
create function platform.audit_text(e platform.audit_event) returns text
language sql stable parallel safe
return platform.audit_part((e).id::text) ||
	platform.audit_part((e).seq::text) ||
	platform.audit_part((e).transaction::text) ||
	platform.audit_part((extract(epoch from (e).created_at) * 1000000)::bigint::text) ||
	platform.audit_part((e).action) ||
	platform.audit_part((e).actor_id::text) ||
	platform.audit_part((e).actor_kind) ||
	platform.audit_part((e).key_id::text) ||
	platform.audit_part((e).session_id::text) ||
	platform.audit_part((e).address::text) ||
	platform.audit_part((e).request_id) ||
	platform.audit_part((e).resource) ||
	platform.audit_part((e).resource_id::text) ||
	platform.audit_part((e).before::text) ||
	platform.audit_part((e).after::text) ||
	platform.audit_part((e).detail::text);

-- Appends up to `most` events to the chain, in the order in which they were written as far as they have been committed,
-- and tells how many it took. One at a time: a second caller waits for the first.
create function platform.audit_seal(most integer) returns bigint
language plpgsql as $$
declare
	taken bigint := 0;
	last bigint;
	chained bytea;
	e platform.audit_event;
begin
	perform pg_advisory_xact_lock(hashtext('platform.audit_seal'));
	select position, digest into last, chained from platform.audit_seal order by position desc limit 1;
	if not found then
		last := 0;
		chained := decode(repeat('00', 32), 'hex');
	end if;
	for e in
		with next as (
			delete from platform.audit_unsealed
			where seq in (select seq from platform.audit_unsealed order by seq limit most)
			returning seq, event_id
		)
		select v.* from next n join platform.audit_event v on v.id = n.event_id
		where not exists (select from platform.audit_seal s where s.event_id = v.id)
		order by n.seq
	loop
		taken := taken + 1;
		chained := sha256(chained || convert_to(platform.audit_text(e), 'UTF8'));
		insert into platform.audit_seal (position, event_id, digest) values (last + taken, e.id, chained);
	end loop;
	return taken;
end $$;
