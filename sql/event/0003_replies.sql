-- Who comes: replies to occurrences, the line of those who wait for a place, and what people are to be told of it. Whoever gives
-- or frees places holds the occurrence's row, so that no place is given twice; triggers keep its counts, and hand on what is
-- freed, in the same transaction (docs/decisions/0024-places.md).

-- Counts change with each reply. They are no edit: who changes the occurrence need not have seen the last of them.
alter table event.occurrence add column counts_version integer not null default 1;

create or replace function event.touch() returns trigger
language plpgsql as $$
declare
	own constant text[] := '{title_sort,name_sort,position,search,popularity,past,materialised_until,going,waiting,maybe,'
		'places_left,counts_version}';
begin
	if to_jsonb(new) - own is distinct from to_jsonb(old) - own then
		new.version := old.version + 1;
		new.updated_at := clock_timestamp();
	end if;
	return new;
end $$;

-- Without a limit it is null: greatest() passes nulls over, so it must be asked first.
create function event.places(capacity integer, going integer) returns integer
language sql immutable
return case when capacity is not null then greatest(0, capacity - going) end;

-- A reply changes counts and nothing else, a thousand of them in a minute: it need not be looked for what else is other.
drop trigger occurrence_touch on event.occurrence;
create trigger occurrence_touch before update on event.occurrence
	for each row when ((new.going, new.waiting, new.maybe) is not distinct from (old.going, old.waiting, old.maybe))
	execute function event.touch();

create or replace function event.count_places() returns trigger
language plpgsql as $$
begin
	new.places_left := event.places(
		coalesce(new.capacity, (select capacity from event.event where id = new.event_id)), new.going);
	if tg_op = 'UPDATE' then
		new.counts_version := old.counts_version + 1;
	end if;
	return new;
end $$;
drop trigger occurrence_places on event.occurrence;
create trigger occurrence_places before insert or update of capacity, going, waiting, maybe, event_id on event.occurrence
	for each row execute function event.count_places();

create or replace function event.capacity_changed() returns trigger
language plpgsql as $$
begin
	update event.occurrence set places_left = event.places(new.capacity, going), counts_version = counts_version + 1
	where event_id = new.id and capacity is null;
	return null;
end $$;

update event.occurrence set going = going;

create sequence event.reply_line;

-- One person's (or household's) answer. going and offered hold places, one for each who comes; requested waits for an
-- organiser, waiting for a place.
create table event.reply (
	id		uuid primary key default platform.uuid_v7(),
	occurrence_id	uuid not null references event.occurrence (id),
	event_id	uuid not null, -- the occurrence's
	-- somebody with an account, or a mail address that was confirmed; neither when it was forgotten
	person_id	uuid,
	email		text check (length(email) <= 254),
	name		text not null check (length(name) between 1 and 100),
	status		text not null check (status in
			('going', 'maybe', 'declined', 'requested', 'refused', 'waiting', 'offered', 'lapsed')),
	guests		smallint not null default 0 check (guests between 0 and 20),
	note		text check (length(note) <= 500),
	-- does who replied want to hear what organisers announce?
	announcements	boolean not null default true,
	code		text not null check (code ~ '^[0-9A-Z]{8}$'), -- shown at the door
	line		bigint, -- order of those who wait
	offered_at	timestamptz,
	checked_in_at	timestamptz,
	version		integer not null default 1,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	deleted_at	timestamptz,
	check ((status = 'waiting') = (line is not null)),
	check ((status = 'offered') = (offered_at is not null)),
	check (checked_in_at is null or status = 'going'),
	check (person_id is null or email is null)
);
create unique index reply_of_person on event.reply (occurrence_id, person_id) where person_id is not null;
create unique index reply_of_address on event.reply (occurrence_id, lower(email)) where email is not null;
create unique index reply_code on event.reply (occurrence_id, code);
create index reply_waiting on event.reply (occurrence_id, line) where status = 'waiting';
create index reply_offered on event.reply (offered_at) where status = 'offered';
create index reply_event on event.reply (event_id, created_at, id) include (deleted_at);
create index reply_person on event.reply (person_id) where person_id is not null;
create index reply_address on event.reply (lower(email)) where email is not null;
create index reply_by_mail on event.reply (created_at) where email is not null;
create trigger reply_touch before update on event.reply
	for each row execute function event.touch();

-- Somebody without an account has replied; it counts when the address is confirmed.
create table event.reply_request (
	digest		text primary key,
	occurrence_id	uuid not null references event.occurrence (id),
	email		text not null check (length(email) <= 254),
	name		text not null check (length(name) between 1 and 100),
	status		text not null check (status in ('going', 'maybe', 'declined')),
	guests		smallint not null,
	note		text,
	announcements	boolean not null,
	used_at		timestamptz,
	created_at	timestamptz not null default clock_timestamp()
);
create index reply_request_email on event.reply_request (lower(email), created_at);
create index reply_request_created on event.reply_request (created_at);

create table event.announcement (
	id		uuid primary key default platform.uuid_v7(),
	event_id	uuid not null references event.event (id),
	occurrence_id	uuid references event.occurrence (id), -- to those of this one only
	person_id	uuid,
	subject		text not null check (length(subject) between 1 and 120),
	text		text not null check (length(text) between 1 and 1800),
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);
create index announcement_event on event.announcement (event_id, created_at);

-- What people are to be told: a job makes mails of it, one for all that one change means to one person.
create table event.notice (
	id		bigint primary key generated always as identity,
	reply_id	uuid not null references event.reply (id) on delete cascade,
	kind		text not null check (kind in ('going', 'refused', 'waiting', 'offered', 'lapsed',
			'cancelled', 'postponed', 'back', 'moved', 'announcement')),
	was_local	timestamp, -- when it was to be
	announcement_id	uuid references event.announcement (id),
	change		xid8 not null default pg_current_xact_id(),
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);
create index notice_reply on event.notice (reply_id);

-- The secret address of somebody's own calendar: its digest.
create table event.reply_calendar (
	person_id	uuid primary key,
	digest		text not null unique,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);

-- When something takes place, in words.
create function event.when_text(local timestamp, all_day boolean) returns text
language sql stable
return to_char(local, case when all_day then 'FMDay FMDD FMMonth YYYY' else 'FMDay FMDD FMMonth YYYY, HH24:MI' end);

-- Until when replies are taken.
create function event.replies_until(o event.occurrence, e event.event) returns timestamptz
language sql stable
return o.starts_at - make_interval(mins => coalesce(e.rsvp_closes_before, 0));

-- Why none are taken; null: they are.
create function event.why_closed(o event.occurrence, e event.event) returns text
language sql volatile
return case
	when o.deleted_at is not null or e.deleted_at is not null then 'gone'
	when e.rsvp_mode in ('none', 'external') then e.rsvp_mode
	when e.status <> 'published' then e.status
	when o.status <> 'scheduled' then o.status
	when event.replies_until(o, e) <= clock_timestamp() then 'over' end;

-- Offers places that are free to those who wait, in order: who comes with more than there are places for is passed over, and
-- stays in the line.
create function event.offer_places(of_occurrence uuid) returns void
language plpgsql as $$
declare
	free integer;
	chosen uuid[] := '{}';
	k record;
begin
	select coalesce(o.places_left, 2147483647) into free from event.occurrence o join event.event e on e.id = o.event_id
	where o.id = of_occurrence and event.why_closed(o, e) is null for no key update of o;
	for k in select id, 1 + guests as places from event.reply
			where occurrence_id = of_occurrence and status = 'waiting' order by line loop
		exit when coalesce(free, 0) = 0;
		if k.places <= free then
			chosen := chosen || k.id;
			free := free - k.places;
		end if;
	end loop;
	if chosen <> '{}' then
		update event.reply set status = 'offered', line = null, offered_at = clock_timestamp() where id = any (chosen);
	end if;
end $$;

create function event.places_freed() returns trigger
language plpgsql as $$
begin
	perform event.offer_places(new.id);
	return null;
end $$;
create trigger occurrence_freed after update on event.occurrence
	for each row when (new.waiting > 0 and (new.places_left is null or new.places_left > 0))
	execute function event.places_freed();

-- Replies are taken again, or for longer.
create function event.replies_reopened() returns trigger
language plpgsql as $$
begin
	perform event.offer_places(o.id) from (select id from event.occurrence where event_id = new.id and waiting > 0
		and starts_at > clock_timestamp() order by id) o;
	return null;
end $$;
create trigger event_reopened after update of status, rsvp_mode, rsvp_closes_before on event.event
	for each row when ((new.status, new.rsvp_mode, new.rsvp_closes_before)
		is distinct from (old.status, old.rsvp_mode, old.rsvp_closes_before))
	execute function event.replies_reopened();

-- going, waiting and maybe of occurrences are what their replies say.
create function event.count_replies() returns trigger
language plpgsql as $$
begin
	if tg_op = 'INSERT' then
		update event.occurrence o set going = o.going + d.going, waiting = o.waiting + d.waiting, maybe = o.maybe + d.maybe
		from (select occurrence_id,
			coalesce(sum(1 + guests) filter (where status in ('going', 'offered')), 0) as going,
			coalesce(sum(1 + guests) filter (where status in ('waiting', 'requested')), 0) as waiting,
			coalesce(sum(1 + guests) filter (where status = 'maybe'), 0) as maybe
			from after group by occurrence_id) d
		where o.id = d.occurrence_id and (d.going, d.waiting, d.maybe) <> (0, 0, 0);
	else
		update event.occurrence o set going = o.going + d.going, waiting = o.waiting + d.waiting, maybe = o.maybe + d.maybe
		from (select occurrence_id,
			coalesce(sum(n) filter (where status in ('going', 'offered')), 0) as going,
			coalesce(sum(n) filter (where status in ('waiting', 'requested')), 0) as waiting,
			coalesce(sum(n) filter (where status = 'maybe'), 0) as maybe
			from (select occurrence_id, status, 1 + guests as n from after
				union all select occurrence_id, status, -1 - guests from before) x
			group by occurrence_id) d
		where o.id = d.occurrence_id and (d.going, d.waiting, d.maybe) <> (0, 0, 0);
	end if;
	return null;
end $$;
create trigger reply_made after insert on event.reply referencing new table as after
	for each statement execute function event.count_replies();
create trigger reply_changed after update on event.reply referencing old table as before new table as after
	for each statement execute function event.count_replies();

create function event.tell_reply() returns trigger
language plpgsql as $$
begin
	insert into event.notice (reply_id, kind) values (new.id, new.status);
	return null;
end $$;
create trigger reply_tell_made after insert on event.reply
	for each row when (new.status in ('going', 'waiting')) execute function event.tell_reply();
create trigger reply_tell after update of status on event.reply
	for each row when (new.status <> old.status and new.status in ('going', 'refused', 'waiting', 'offered', 'lapsed'))
	execute function event.tell_reply();

-- Those who count on an occurrence.
create function event.tell_all(of_occurrence uuid, kind text, was timestamp) returns void
language sql as $$
	insert into event.notice (reply_id, kind, was_local)
	select id, $2, $3 from event.reply
	where occurrence_id = $1 and status in ('going', 'maybe', 'requested', 'waiting', 'offered')
$$;

-- Replies stay with their occurrence when a series is cut in two; who counts on it hears what has become of it.
create function event.occurrence_changed() returns trigger
language plpgsql as $$
declare
	kind text := case
		when new.deleted_at is not null and old.deleted_at is null and old.status <> 'cancelled' then 'cancelled'
		when new.status in ('cancelled', 'postponed') and new.status <> old.status then new.status
		when new.status = 'scheduled' and (old.status <> 'scheduled' or old.deleted_at is not null) then 'back'
		when new.status = 'scheduled' and new.deleted_at is null and (new.starts_at, new.ends_at, new.venue_business_id,
			new.venue_name, new.venue_address, new.location_lat, new.location_lng, new.online_url)
			is distinct from (old.starts_at, old.ends_at, old.venue_business_id,
			old.venue_name, old.venue_address, old.location_lat, old.location_lng, old.online_url) then 'moved' end;
begin
	if new.event_id <> old.event_id then
		update event.reply set event_id = new.event_id where occurrence_id = new.id;
	end if;
	if kind is not null and greatest(old.ends_at, new.ends_at) > clock_timestamp()
		and (select status from event.event where id = new.event_id) in ('published', 'postponed') then
		perform event.tell_all(new.id, kind, old.starts_local);
	end if;
	return null;
end $$;
create trigger occurrence_changed after update on event.occurrence
	for each row when ((new.event_id, new.status, new.deleted_at, new.starts_at, new.ends_at, new.venue_business_id, new.venue_name,
		new.venue_address, new.location_lat, new.location_lng, new.online_url)
		is distinct from (old.event_id, old.status, old.deleted_at, old.starts_at, old.ends_at, old.venue_business_id, old.venue_name,
		old.venue_address, old.location_lat, old.location_lng, old.online_url))
	execute function event.occurrence_changed();

-- What becomes of an event becomes of its occurrences to come, but of those that have a place of their own, or do not take
-- place anyway.
create function event.event_changed() returns trigger
language plpgsql as $$
declare
	kind text := case
		when new.status in ('cancelled', 'rescheduled', 'draft') and old.status not in ('cancelled', 'rescheduled', 'draft')
			then 'cancelled'
		when new.status = 'postponed' and old.status <> 'postponed' then 'postponed'
		when new.status = 'published' and old.status <> 'published' then 'back'
		when new.status = 'published' then 'moved' end;
begin
	if kind is not null then
		perform event.tell_all(o.id, kind, o.starts_local) from event.occurrence o
		where o.event_id = new.id and o.deleted_at is null and o.ends_at > clock_timestamp() and o.status = 'scheduled'
		and (kind <> 'moved' or (o.venue_business_id is null and o.venue_name is null and o.location_lat is null));
	end if;
	return null;
end $$;
create trigger event_changed after update of status, venue_business_id, venue_name, venue_address, location_lat, location_lng, online_url
	on event.event
	for each row when (new.deleted_at is null and (new.status, new.venue_business_id, new.venue_name, new.venue_address,
		new.location_lat, new.location_lng, new.online_url) is distinct from (old.status, old.venue_business_id, old.venue_name,
		old.venue_address, old.location_lat, old.location_lng, old.online_url))
	execute function event.event_changed();

-- A reply as who gave it sees it. The place in the line counts parties.
create view event.reply_shown as
select r.id, r.event_id, r.occurrence_id, r.person_id, r.email, coalesce(o.title, e.title) as title, o.starts_local, o.ends_local,
	e.time_zone, o.starts_at, o.ends_at,
	case when e.status = 'published' then o.status else e.status end as occurrence_status,
	r.status, r.guests, r.note, r.announcements,
	case when r.status = 'going' then r.code end as code,
	case when r.status = 'waiting' then (select count(*) from event.reply x where x.occurrence_id = r.occurrence_id
		and x.status = 'waiting' and x.line <= r.line) end as place_in_line,
	r.offered_at, event.replies_until(o, e) as replies_until, r.checked_in_at, r.created_at, r.updated_at
from event.reply r join event.occurrence o on o.id = r.occurrence_id join event.event e on e.id = o.event_id;

-- Takes an answer: of the person, or of an address that was confirmed. `outcome` is ok, or why it was not taken: as why_closed() says,
-- refused, guests (so many may be brought), full or large (so many places there are).
create function event.answer(new_id uuid, of_occurrence uuid, person uuid, address text, called text, said text, more integer,
	remark text, news boolean, new_code text) returns table (outcome text, places integer, shown event.reply_shown)
language plpgsql as $$
declare
	o event.occurrence;
	e event.event;
	r event.reply;
	next text := said;
	total integer;
	free integer;
begin
	select * into o from event.occurrence where id = of_occurrence for no key update;
	select * into e from event.event where id = o.event_id;
	if person is not null then
		-- what they replied by mail before they had an account is theirs
		select * into r from event.reply where occurrence_id = of_occurrence and person_id = person
		union all select x.* from event.reply x join platform.contact c on c.person_id = person
			where x.occurrence_id = of_occurrence and lower(x.email) = lower(c.email) limit 1;
		called := coalesce(called, (select name from platform.contact where person_id = person));
	else
		select * into r from event.reply where occurrence_id = of_occurrence and lower(email) = lower(address);
	end if;
	outcome := case
		when o.id is null then 'gone'
		when r.status = 'refused' then 'refused'
		when said = 'declined' and o.ends_at > clock_timestamp() and r.id is not null then null
		else event.why_closed(o, e) end;
	total := coalesce(o.capacity, e.capacity);
	free := total - o.going + case when r.status in ('going', 'offered') then 1 + r.guests else 0 end;
	if outcome is null and said <> 'declined' and more > e.rsvp_guests_max then
		outcome := 'guests';
		free := e.rsvp_guests_max;
	elsif outcome is null and said = 'going' then
		if total < 1 + more then
			outcome := 'large';
		elsif e.rsvp_mode = 'approval' and coalesce(r.status, '') not in ('going', 'offered', 'waiting') then
			next := 'requested';
		elsif free < 1 + more then
			next := 'waiting';
			outcome := case when r.status in ('going', 'offered') then 'full' end;
		end if;
	end if;
	if outcome is not null then
		return query select outcome, case when outcome = 'large' then total else greatest(free, 0) end, null::event.reply_shown;
		return;
	end if;
	if r.id is null then
		r.id := new_id;
		insert into event.reply (id, occurrence_id, event_id, person_id, email, name, status, guests, note, announcements, code, line)
		values (new_id, o.id, o.event_id, person, case when person is null then address end, called, next,
			case when next = 'declined' then 0 else more end, remark, news, new_code,
			case when next = 'waiting' then nextval('event.reply_line') end);
	else
		update event.reply set status = next, guests = case when next = 'declined' then 0 else more end, note = remark,
			announcements = news, name = coalesce(called, name), offered_at = null,
			person_id = coalesce(person, person_id), email = case when person is null then email end,
			line = case when next = 'waiting' then coalesce(line, nextval('event.reply_line')) end,
			checked_in_at = case when next = 'going' then checked_in_at end
		where id = r.id;
	end if;
	return query select 'ok', greatest(free, 0), s from event.reply_shown s where s.id = r.id;
end $$;

-- An organiser lets somebody come (be there a place; otherwise they wait) or not.
create function event.decide(of_reply uuid, said text) returns text
language plpgsql as $$
declare
	o event.occurrence;
	e event.event;
	r event.reply;
	free integer;
begin
	select * into o from event.occurrence where id = (select occurrence_id from event.reply where id = of_reply) for no key update;
	select * into e from event.event where id = o.event_id;
	select * into r from event.reply where id = of_reply;
	if r.status = said then
		return 'ok';
	end if;
	if o.ends_at <= clock_timestamp() then
		return 'over';
	end if;
	if said = 'refused' then
		update event.reply set status = said, line = null, offered_at = null, checked_in_at = null where id = of_reply;
		return 'ok';
	end if;
	if r.status in ('declined', 'maybe', 'lapsed') then
		return r.status;
	end if;
	free := coalesce(o.capacity, e.capacity) - o.going + case when r.status = 'offered' then 1 + r.guests else 0 end;
	if free < 1 + r.guests then
		if r.status = 'waiting' then
			return 'full';
		end if;
		said := 'waiting';
	end if;
	update event.reply set status = said, offered_at = null,
		line = case when said = 'waiting' then nextval('event.reply_line') end where id = of_reply;
	return 'ok';
end $$;

-- Takes back what was offered to people of an occurrence and not claimed in time; the triggers hand it on.
create function event.lapse(of_occurrence uuid, claim interval) returns void
language plpgsql as $$
begin
	perform from event.occurrence where id = of_occurrence for no key update;
	update event.reply set status = 'lapsed', offered_at = null
	where occurrence_id = of_occurrence and status = 'offered' and offered_at + claim <= clock_timestamp();
end $$;

-- Forgets who replied (GDPR article 17): by account, and by address. Occurrences are locked first, and in one order.
create function event.forget(person uuid, address text) returns void
language plpgsql as $$
declare
	theirs uuid[] := array(select id from event.reply where person_id = person
		union select id from event.reply where lower(email) = lower(address));
begin
	perform from event.occurrence where id in (select occurrence_id from event.reply where id = any (theirs))
	order by id for no key update;
	delete from event.notice where reply_id = any (theirs);
	update event.reply r set name = 'Erased', person_id = null, email = null, note = null,
		status = case when o.ends_at > clock_timestamp() then 'declined' else r.status end,
		guests = case when o.ends_at > clock_timestamp() then 0 else r.guests end,
		line = case when o.ends_at > clock_timestamp() then null else r.line end,
		offered_at = case when o.ends_at > clock_timestamp() then null else r.offered_at end,
		checked_in_at = case when o.ends_at > clock_timestamp() then null else r.checked_in_at end
	from event.occurrence o where r.id = any (theirs) and o.id = r.occurrence_id;
	delete from event.reply_request where lower(email) = lower(address);
	delete from event.reply_calendar where person_id = person;
end $$;

-- Attendees are called as they call themselves.
create function event.follow_contact() returns trigger
language plpgsql as $$
begin
	update event.reply set name = new.name where person_id = new.person_id and name <> new.name;
	return null;
end $$;
create trigger event_follow_contact after update of name on platform.contact
	for each row when (new.name <> old.name) execute function event.follow_contact();
