-- Calendars and news: what they consist of.

create index occurrence_changed on event.occurrence (event_id) where changed and deleted_at is null;

-- Times as iCalendar writes them.
create function event.ical_time(timestamp) returns text
language sql immutable strict parallel safe
return to_char($1, 'YYYYMMDD"T"HH24MISS');

create function event.ical_instant(timestamptz) returns text
language sql immutable strict parallel safe
return to_char($1 at time zone 'UTC', 'YYYYMMDD"T"HH24MISS"Z"');

create function event.ical_times(timestamp[]) returns text
language sql immutable strict parallel safe
return (select string_agg(event.ical_time(x), chr(10) order by x) from unnest($1) x);

-- Text without control characters but line breaks, and without those code points that XML has not.
create function event.plain(text) returns text
language sql immutable strict parallel safe
return translate(replace($1, E'\r\n', E'\n'), E'\r\t\uFFFE\uFFFF', E'\n ');

-- A component for each of these events and for each of their occurrences that is not as the rule says, in the order of
-- src/event/calendar.h. What was changed in the only occurrence of an event that does not recur is the event's own.
create function event.calendar_components(ids uuid[]) returns table (
	uid text, sequence integer, status text, title text, text text, place text, lat double precision, lng double precision,
	contact text, categories text, online_url text, replaced_by text, id uuid, created text, updated text, time_zone text,
	all_day boolean, starts text, ends text, rrule text, rdate text, exdate text, recurrence text)
language sql stable as $$
	select e.uid, e.sequence + coalesce(o.sequence, 0),
		case when e.status in ('cancelled', 'rescheduled') or o.status = 'cancelled' then 'CANCELLED'
			when e.status = 'published' and o.status is distinct from 'postponed' then 'CONFIRMED'
			else 'TENTATIVE' end,
		coalesce(o.title, e.title),
		event.plain(concat_ws(E'\n\n', coalesce(o.summary, e.summary), coalesce(o.description, e.description))),
		case when elsewhere then concat_ws(', ', o.venue_name, o.venue_address, o.venue_postcode)
			else concat_ws(', ', e.venue_name, e.venue_address, e.venue_postcode) end,
		case when elsewhere then o.location_lat else e.location_lat end,
		case when elsewhere then o.location_lng else e.location_lng end,
		e.organiser_name,
		(select string_agg(replace(coalesce(c.name, x.slug), ',', ' '), chr(10) order by x.n)
			from unnest(e.categories) with ordinality x (slug, n)
			left join event.event_category c on c.slug = x.slug),
		coalesce(o.online_url, e.online_url),
		(select n.uid from event.event n where n.id = e.rescheduled_to),
		e.id, event.ical_instant(e.created_at), event.ical_instant(greatest(e.updated_at, o.updated_at)),
		e.time_zone, e.all_day,
		event.ical_time(coalesce(o.starts_local, e.starts_local)), event.ical_time(coalesce(o.ends_local, e.ends_local)),
		case when o.id is null then e.rrule end,
		case when o.id is null then event.ical_times(e.rdate) end,
		case when o.id is null then event.ical_times(e.exdate) end,
		case when recurs then event.ical_time(o.recurrence_local) end
	from unnest(ids) k
	join event.event e on e.id = k
	cross join lateral (select e.rrule is not null or e.rdate <> '{}' as recurs) r
	cross join lateral (
		select c.* from event.occurrence c where c.event_id = e.id and c.changed and c.deleted_at is null
		union all
		select (null::event.occurrence).* where recurs or not exists (
			select from event.occurrence c where c.event_id = e.id and c.changed and c.deleted_at is null)) o
	cross join lateral (select coalesce(o.venue_business_id::text, o.venue_name, o.venue_address, o.venue_postcode,
		o.location_lat::text) is not null as elsewhere) m
	order by e.id, o.recurrence_local nulls first
$$;

-- The zones of these events, when the first of each begins, and a text that is another whenever one of them is.
create function event.calendar_zones(ids uuid[]) returns table (time_zone text, starts text, version text)
language sql stable as $$
	select e.time_zone, event.ical_time(min(e.starts_local)),
		md5(string_agg(concat_ws('.', e.id, e.version, (
			select string_agg(concat_ws('.', c.id, c.version), ',' order by c.id)
			from event.occurrence c where c.event_id = e.id and c.changed and c.deleted_at is null)), ',' order by e.id))
			|| coalesce((select max(c.updated_at)::text from event.event_category c), '')
	from unnest(ids) k
	join event.event e on e.id = k
	group by e.time_zone
	order by e.time_zone
$$;

-- Entries of a feed of news for these events, in their order, each with the occurrence that comes next (or, when none does,
-- came last).
create function event.news(ids uuid[]) returns table (
	id uuid, title text, summary text, status text, starts text, place text, organiser text, categories text,
	published timestamptz, updated timestamptz)
language sql stable as $$
	select e.id, coalesce(o.title, e.title), event.plain(coalesce(o.summary, e.summary, left(e.description, 300))),
		case when e.status = 'published' then o.status else e.status end,
		to_char(o.starts_local, case when e.all_day then 'FMDay FMDD FMMonth YYYY' else 'FMDay FMDD FMMonth YYYY, HH24:MI' end),
		concat_ws(', ', coalesce(o.venue_name, e.venue_name), coalesce(o.venue_address, e.venue_address)),
		e.organiser_name, array_to_string(e.categories, ','), coalesce(e.published_at, e.created_at), greatest(e.updated_at, o.updated_at)
	from unnest(ids) with ordinality k (id, n)
	join event.event e on e.id = k.id
	left join lateral (
		select o.* from event.occurrence o where o.event_id = e.id and o.deleted_at is null
		order by o.ends_at <= now(), abs(extract(epoch from o.starts_at - now())) limit 1) o on true
	order by k.n
$$;
