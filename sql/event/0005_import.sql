-- Events from calendars of others: what an import knows of those that it took, and calendars that are followed.

create table event.imported (
	event_id	uuid primary key references event.event (id) on delete cascade,
	-- of the entry as it was taken; while it is the same, there is nothing to do. Null: it is looked at each time.
	digest		text,
	sequence	integer not null, -- SEQUENCE and LAST-MODIFIED of that
	modified	timestamptz,
	-- It was not in the calendar any more, with times ahead, and was cancelled for it.
	vanished_at	timestamptz,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);

-- A row for each calendar of GUILDFORD_CALENDARS; the job asks each when it is its time.
create table event.calendar (
	source		text primary key check (length(source) <= 200),
	host		text not null,
	etag		text check (length(etag) <= 1000), -- of what was taken last
	last_modified	text check (length(last_modified) <= 1000),
	-- infinity: it is in no node's list any more
	next_at		timestamptz not null default clock_timestamp(),
	taken_at	timestamptz, -- when it was last read whole
	failures	integer not null default 0, -- since then
	problem		text,
	report		text, -- what was not taken as it is, the last time
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);

-- edited: changed by a person. An import leaves those alone, as it does an event's edited_fields; what is changed already, people
-- have changed.
alter table event.occurrence add column edited boolean not null default false;
alter table event.occurrence disable trigger occurrence_touch;
update event.occurrence set edited = true where changed;
alter table event.occurrence enable trigger occurrence_touch;

-- What an import says of single occurrences: {recurrence, starts, ends, status, title, ...} each, as src/event/ical_entry.c makes
-- them. An occurrence of which nothing is said any more is again as its event, unless it is over. Gives how many are other now,
-- and which there are not: within the time for which occurrences are made, and beyond.
create function event.import_changes(of_event uuid, changes jsonb, out changed integer, out missing timestamp[],
	out later timestamp[])
language plpgsql as $$
declare
	e event.event;
	again integer;
begin
	select * into e from event.event where id = of_event;
	with wanted as (
		select o.id, c.starts, c.ends, event.instant(c.starts, e.time_zone) as starts_at,
			greatest(event.instant(c.starts, e.time_zone), event.instant(c.ends, e.time_zone)) as ends_at,
			c.status, c.title, c.description, c.venue_name, c.venue_address, c.venue_postcode, c.location_lat,
			c.location_lng, c.online_url, m.moved, m.moved or c.status <> 'scheduled' or coalesce(c.title, c.description,
				c.venue_name, c.venue_address, c.venue_postcode, c.location_lat::text, c.online_url) is not null as is_other
		from jsonb_to_recordset(changes) c (recurrence timestamp, starts timestamp, ends timestamp, status text, title text,
			description text, venue_name text, venue_address text, venue_postcode text, location_lat double precision,
			location_lng double precision, online_url text)
		join event.occurrence o on o.event_id = of_event and o.recurrence_local = c.recurrence and o.deleted_at is null
			and not o.edited,
		lateral (select c.starts <> c.recurrence or c.ends - c.starts <> e.ends_local - e.starts_local as moved) m)
	update event.occurrence o set (starts_local, ends_local, starts_at, ends_at, status, title, description, venue_name, venue_address,
		venue_postcode, location_lat, location_lng, online_url, moved, changed, sequence)
		= (w.starts, w.ends, w.starts_at, w.ends_at, w.status, w.title, w.description, w.venue_name, w.venue_address,
		w.venue_postcode, w.location_lat, w.location_lng, w.online_url, w.moved, w.is_other, o.sequence + 1)
	from wanted w
	where o.id = w.id and (o.starts_local, o.ends_local, o.starts_at, o.ends_at, o.status, o.title, o.description, o.venue_name,
		o.venue_address, o.venue_postcode, o.location_lat, o.location_lng, o.online_url, o.moved, o.changed)
		is distinct from (w.starts, w.ends, w.starts_at, w.ends_at, w.status, w.title, w.description, w.venue_name, w.venue_address,
		w.venue_postcode, w.location_lat, w.location_lng, w.online_url, w.moved, w.is_other);
	get diagnostics changed = row_count;
	update event.occurrence o set (starts_local, ends_local, starts_at, ends_at, status, title, description, venue_name, venue_address,
		venue_postcode, location_lat, location_lng, online_url, moved, changed, sequence)
		= (recurrence_local, recurrence_local + (e.ends_local - e.starts_local), event.instant(recurrence_local, e.time_zone),
		greatest(event.instant(recurrence_local, e.time_zone),
			event.instant(recurrence_local + (e.ends_local - e.starts_local), e.time_zone)),
		'scheduled', null, null, null, null, null, null, null, null, false, false, o.sequence + 1)
	where o.event_id = of_event and o.changed and not o.edited and o.deleted_at is null and o.ends_at > now()
	and o.recurrence_local not in (select (c ->> 'recurrence')::timestamp from jsonb_array_elements(changes) c);
	get diagnostics again = row_count;
	changed := changed + again;
	select array_agg(x.at order by x.at) filter (where x.at <= x.horizon), array_agg(x.at order by x.at) filter (where x.at > x.horizon)
		into missing, later
	from (select (c ->> 'recurrence')::timestamp as at, (now() + interval '18 months') at time zone e.time_zone as horizon
		from jsonb_array_elements(changes) c) x
	where x.at > (now() - interval '40 days') at time zone e.time_zone
	and not exists (select from event.occurrence o where o.event_id = of_event and o.recurrence_local = x.at and o.deleted_at is null);
end $$;

-- Cancels what is not in a calendar any more though there are times ahead of it, the last one counts: events of the source that are
-- none of `present`, were not written since `since` by another import, and whose status is nobody's own. Gives how many.
create function event.import_vanished(of_source text, present text[], since timestamptz) returns integer
language plpgsql as $$
declare
	gone uuid[];
begin
	gone := array(
		select e.id from event.event e join event.imported i on i.event_id = e.id
		where e.source = of_source and e.deleted_at is null and e.status in ('published', 'postponed') and i.vanished_at is null
		and i.updated_at < since and not 'status' = any (e.edited_fields)
		and (e.ends_at is null or e.ends_at > now()
			or exists (select from event.occurrence o where o.event_id = e.id and o.deleted_at is null and o.ends_at > now()))
		and e.source_id not in (select unnest(present))
		order by e.id for no key update of e);
	update event.event set status = 'cancelled', sequence = sequence + 1 where id = any (gone);
	update event.imported set vanished_at = clock_timestamp(), updated_at = clock_timestamp() where event_id = any (gone);
	return cardinality(gone);
end $$;
