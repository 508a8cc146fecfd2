-- Somebody's own calendar: a component for each occurrence that they come to, or may come to, or wait for; from a month ago on.
-- The columns are those of calendar_components().
create function event.reply_components(person uuid) returns table (
	uid text, sequence integer, status text, title text, text text, place text, lat double precision, lng double precision,
	contact text, categories text, online_url text, replaced_by text, id uuid, created text, updated text, time_zone text,
	all_day boolean, starts text, ends text, rrule text, rdate text, exdate text, recurrence text)
language sql stable as $$
	select o.id || '@guildford', e.sequence + o.sequence,
		case when e.status in ('cancelled', 'rescheduled', 'draft') or o.status = 'cancelled' or o.deleted_at is not null
				or e.deleted_at is not null then 'CANCELLED'
			when r.status = 'going' and e.status = 'published' and o.status = 'scheduled' then 'CONFIRMED'
			else 'TENTATIVE' end,
		coalesce(o.title, e.title),
		event.plain(concat_ws(E'\n\n', coalesce(o.summary, e.summary), coalesce(o.description, e.description))),
		case when elsewhere then concat_ws(', ', o.venue_name, o.venue_address, o.venue_postcode)
			else concat_ws(', ', e.venue_name, e.venue_address, e.venue_postcode) end,
		case when elsewhere then o.location_lat else e.location_lat end,
		case when elsewhere then o.location_lng else e.location_lng end,
		e.organiser_name, null, coalesce(o.online_url, e.online_url), null, e.id, event.ical_instant(r.created_at),
		event.ical_instant(greatest(e.updated_at, o.updated_at, r.updated_at)), e.time_zone, e.all_day,
		event.ical_time(o.starts_local), event.ical_time(o.ends_local), null, null, null, null
	from event.reply r
	join event.occurrence o on o.id = r.occurrence_id
	join event.event e on e.id = o.event_id
	cross join lateral (select coalesce(o.venue_business_id::text, o.venue_name, o.venue_address, o.venue_postcode,
		o.location_lat::text) is not null as elsewhere) m
	where r.person_id = person and r.status in ('going', 'maybe', 'waiting', 'offered', 'requested')
	and o.ends_at > now() - interval '31 days'
	order by o.id
$$;
