-- Finding events: a read model with a row per occurrence, so that every list is a range of an index. Triggers keep it in the
-- transaction of each change, whoever writes.

create extension if not exists pg_trgm with schema public;
create extension if not exists fuzzystrmatch with schema public;

-- English stems without stop words: "The Works" must stay findable by its name.
create text search dictionary event.english_stem (template = snowball, language = english);
create text search configuration event.town (copy = english);
alter text search configuration event.town
	alter mapping for asciiword, asciihword, hword_asciipart, hword, hword_part, word
	with public.unaccent, event.english_stem;

-- What something is found by: its title first, then what it is, where it is and who makes it, then what is said of it.
create function event.search_text(title text, summary text, description text, venue_name text, venue_address text,
	organiser_name text, categories text[]) returns tsvector
language sql immutable parallel safe
return setweight(to_tsvector('event.town', platform.fold(coalesce(title, ''))), 'A')
	|| setweight(to_tsvector('event.town', platform.fold(coalesce(array_to_string(categories, ' '), '') || ' '
		|| coalesce(venue_name, '') || ' ' || coalesce(organiser_name, ''))), 'B')
	|| setweight(to_tsvector('event.town', platform.fold(coalesce(summary, '') || ' ' || coalesce(venue_address, ''))), 'C')
	|| setweight(to_tsvector('event.town', platform.fold(coalesce(description, ''))), 'D');

-- Columns that the database or a job works out count no version up: these, and those of 0001.
create or replace function event.touch() returns trigger
language plpgsql as $$
declare
	own constant text[] := '{title_sort,name_sort,position,search,popularity,past,materialised_until}';
begin
	if to_jsonb(new) - own is distinct from to_jsonb(old) - own then
		new.version := old.version + 1;
		new.updated_at := clock_timestamp();
	end if;
	return new;
end $$;

alter table event.event add column search tsvector not null generated always as (event.search_text(title, summary,
	description, venue_name, venue_address, organiser_name, categories)) stored;

-- Lists are in the order of the occurrences.
drop index event.event_starts, event.event_title, event.event_created, event.event_updated;

-- How many more can come: of the capacity, its own or its event's.
alter table event.occurrence add column places_left integer;

create function event.count_places() returns trigger
language plpgsql as $$
begin
	new.places_left := greatest(0, coalesce(new.capacity, (select capacity from event.event where id = new.event_id))
		- new.going);
	return new;
end $$;
create trigger occurrence_places before insert or update of capacity, going on event.occurrence
	for each row execute function event.count_places();

create function event.capacity_changed() returns trigger
language plpgsql as $$
begin
	update event.occurrence set places_left = greatest(0, new.capacity - going)
	where event_id = new.id and capacity is null;
	return null;
end $$;
create trigger event_capacity after update of capacity on event.event
	for each row when (new.capacity is distinct from old.capacity) execute function event.capacity_changed();

-- past: ended a while ago. A job says so, and a list by popularity need not read what nobody can go to any more.
alter table event.occurrence
	add column popularity integer not null generated always as (going + maybe) stored,
	add column past boolean not null default false;
create index occurrence_popularity on event.occurrence (popularity, id);
create index occurrence_popular on event.occurrence (popularity, id) where not past;
create index occurrence_current on event.occurrence (ends_at) where not past;

create function event.not_past() returns trigger
language plpgsql as $$
begin
	new.past := false;
	return new;
end $$;
create trigger occurrence_moved before update of ends_at on event.occurrence
	for each row when (old.past and new.ends_at > old.ends_at) execute function event.not_past();

-- Read model: each occurrence as lists find it, what it has not of its own taken from its event.
create table event.listing (
	id		uuid primary key references event.occurrence (id) on delete cascade,
	event_id	uuid not null,
	starts_at	timestamptz not null,
	-- its end; of an occurrence without a duration a moment after its start
	until		timestamptz not null,
	-- 0: at most 26 hours (a day of the clock change is all day), 1: at most 32 days, 2: longer. What goes on at a given
	-- time began at most so long before.
	span		smallint not null,
	-- in public lists from this moment on; null: never
	listed_from	timestamptz,
	-- words that filters ask for: category:music, status:cancelled, free, paid, online, accessible:hearing_loop, language:en
	facets		text[] not null,
	price		integer, -- the cheapest place in pence; 0: free; null: not known
	age_min		smallint,
	age_max		smallint,
	organiser_id	uuid, -- a business or a person
	venue_id	uuid, -- a business
	location_lat	double precision,
	location_lng	double precision,
	position	public.cube,
	search		tsvector not null,
	deleted_at	timestamptz,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);
create index listing_start on event.listing (span, starts_at, id) include (until, listed_from, deleted_at);
create index listing_event on event.listing (event_id, starts_at, id) include (until, listed_from, deleted_at);
create index listing_organiser on event.listing (organiser_id, starts_at, id) where organiser_id is not null;
create index listing_venue on event.listing (venue_id, starts_at, id) where venue_id is not null;
create index listing_price on event.listing (price) where price is not null;
create index listing_deleted on event.listing (starts_at, id) where deleted_at is not null;
-- Without the list of pending entries, which every search would have to read through.
create index listing_facets on event.listing using gin (facets) with (fastupdate = off);
create index listing_search on event.listing using gin (search) with (fastupdate = off);
create index listing_position on event.listing using gist (position, tstzrange(starts_at, until)) include (id);
create index listing_point on event.listing using gist (point(location_lng, location_lat), tstzrange(starts_at, until));

-- What holds of one may be asked for: a wheelchair gets in, there is a hearing loop.
create function event.facets(e event.event, status text, online boolean) returns text[]
language sql stable parallel safe
return array_remove(array(select 'category:' || c from unnest(e.categories) c)
	|| array(select 'accessible:' || key from jsonb_each_text(e.accessibility) where value in ('yes', 'true'))
	|| array['status:' || status,
		case when e.price_free or e.price_to = 0 then 'free'
			when not e.price_free or e.price_from > 0 or e.price_to > 0 then 'paid' end,
		case when online then 'online' end,
		'language:' || lower(e.language),
		case when position('-' in e.language) > 0 then 'language:' || lower(split_part(e.language, '-', 1)) end],
	null);

-- An occurrence that has a place has its own: nothing of the event's place holds for it.
create view event.to_list as
select o.id, o.event_id, o.starts_at, greatest(o.ends_at, o.starts_at + interval '1 microsecond') as until,
	(case when o.ends_at <= o.starts_at + interval '26 hours' then 0
		when o.ends_at <= o.starts_at + interval '32 days' then 1 else 2 end)::smallint as span,
	case when e.status <> 'draft' and e.visibility = 'public' then coalesce(e.published_at, '-infinity') end as listed_from,
	event.facets(e, case when e.status = 'published' and o.status <> 'scheduled' then o.status else e.status end,
		coalesce(o.online_url, e.online_url) is not null) as facets,
	case when e.price_free or e.price_to = 0 then 0 else coalesce(e.price_from, e.price_to) end as price,
	e.age_min, e.age_max,
	coalesce(e.organiser_business_id, e.organiser_person_id) as organiser_id,
	case when elsewhere then o.venue_business_id else e.venue_business_id end as venue_id,
	case when elsewhere then o.location_lat else e.location_lat end as location_lat,
	case when elsewhere then o.location_lng else e.location_lng end as location_lng,
	case when elsewhere then platform.position(o.location_lat, o.location_lng) else e.position end as position,
	case when elsewhere or coalesce(o.title, o.summary, o.description) is not null then
		event.search_text(coalesce(o.title, e.title), coalesce(o.summary, e.summary), coalesce(o.description, e.description),
			case when elsewhere then o.venue_name else e.venue_name end,
			case when elsewhere then o.venue_address else e.venue_address end, e.organiser_name, e.categories)
		else e.search end as search,
	coalesce(e.deleted_at, o.deleted_at) as deleted_at
from event.occurrence o join event.event e on e.id = o.event_id,
	lateral (select o.venue_business_id is not null or o.venue_name is not null or o.location_lat is not null) m (elsewhere);

create function event.list_made() returns trigger
language plpgsql as $$
begin
	insert into event.listing (id, event_id, starts_at, until, span, listed_from, facets, price, age_min, age_max, organiser_id,
		venue_id, location_lat, location_lng, position, search, deleted_at)
	select v.* from event.to_list v where v.id = any (array(select id from made));
	return null;
end $$;
create trigger occurrence_list after insert on event.occurrence
	referencing new table as made for each statement execute function event.list_made();

-- Of an event or of an occurrence that has changed: its rows that are not so any more.
create function event.list_changed() returns trigger
language plpgsql as $$
declare
	changed uuid[] := case when tg_table_name = 'event' then array(select id from event.occurrence where event_id = new.id)
		else array[new.id] end;
begin
	update event.listing l set (event_id, starts_at, until, span, listed_from, facets, price, age_min, age_max, organiser_id, venue_id,
		location_lat, location_lng, position, search, deleted_at, updated_at)
		= (v.event_id, v.starts_at, v.until, v.span, v.listed_from, v.facets, v.price, v.age_min, v.age_max, v.organiser_id, v.venue_id,
		v.location_lat, v.location_lng, v.position, v.search, v.deleted_at, clock_timestamp())
	from event.to_list v
	where l.id = any (changed) and v.id = l.id
	and (l.event_id, l.starts_at, l.until, l.span, l.listed_from, l.facets, l.price, l.age_min, l.age_max, l.organiser_id, l.venue_id,
		l.location_lat, l.location_lng, l.position, l.search, l.deleted_at)
	is distinct from (v.event_id, v.starts_at, v.until, v.span, v.listed_from, v.facets, v.price, v.age_min, v.age_max, v.organiser_id,
		v.venue_id, v.location_lat, v.location_lng, v.position, v.search, v.deleted_at);
	return null;
end $$;
create trigger occurrence_relist after update of event_id, starts_at, ends_at, status, title, summary, description, venue_business_id,
	venue_name, venue_address, location_lat, location_lng, online_url, deleted_at on event.occurrence
	for each row execute function event.list_changed();
create trigger event_relist after update of title, summary, description, status, visibility, published_at, categories,
	organiser_business_id, organiser_person_id, organiser_name, venue_business_id, venue_name, venue_address, location_lat,
	location_lng, online_url, price_free, price_from, price_to, age_min, age_max, accessibility, language, deleted_at
	on event.event
	for each row execute function event.list_changed();

-- The words of titles and names, for typing errors and beginnings of words.
create table event.word (
	word		text collate "C" primary key,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);
create index word_similar on event.word using gin (word public.gin_trgm_ops) with (fastupdate = off);

-- A lookup for each word: as NOT EXISTS it would be planned as a join that reads all words.
create function event.learn(text) returns void
language sql as $$
	insert into event.word (word)
	select w from (select distinct w from regexp_split_to_table(platform.fold($1), '[^[:alnum:]]+') w) x
	where length(w) between 2 and 40 and (select k.word from event.word k where k.word = w) is null
	order by w on conflict do nothing
$$;

create function event.words_of_event() returns trigger
language plpgsql as $$
begin
	perform event.learn(concat_ws(' ', new.title, new.venue_name, new.organiser_name));
	return null;
end $$;
create trigger event_words after insert or update of title, venue_name, organiser_name on event.event
	for each row execute function event.words_of_event();

create function event.words_of_occurrence() returns trigger
language plpgsql as $$
begin
	perform event.learn(concat_ws(' ', new.title, new.venue_name));
	return null;
end $$;
create trigger occurrence_words after update of title, venue_name on event.occurrence
	for each row when (coalesce(new.title, new.venue_name) is not null) execute function event.words_of_occurrence();

create function event.words_of_category() returns trigger
language plpgsql as $$
begin
	perform event.learn(new.slug);
	return null;
end $$;
create trigger event_category_words after insert or update of slug on event.event_category
	for each row execute function event.words_of_category();

create function event.swapped(w text) returns text[]
language sql immutable strict parallel safe
return (select array_agg(left(w, i - 1) || substr(w, i + 1, 1) || substr(w, i, 1) || substr(w, i + 2))
	from generate_series(1, length(w) - 1) i);

-- The words of a search. A word that is known stands for itself; another also stands for the known words that it begins or
-- that it may be a misspelling of: one letter in five, two in longer ones, two neighbours swapped.
create function event.search_query(q text) returns tsquery
language plpgsql stable as $$
declare
	result tsquery := ''::tsquery;
	part tsquery;
	w text;
	k text;
begin
	for w in select x from regexp_split_to_table(platform.fold(q), '[^[:alnum:]]+') x where x <> '' limit 12 loop
		part := plainto_tsquery('event.town', w);
		if length(w) >= 3 and not exists (select 1 from event.word where word = w) then
			for k in (select word from event.word where word >= w and word < w || chr(1114109) limit 8)
				union
				(select word from event.word where length(w) between 4 and 40
				and word = any (event.swapped(w)) limit 5)
				union
				(select word from event.word
				where word operator(public.%) w and length(word) between length(w) - 2 and length(w) + 2
				and public.levenshtein_less_equal(word, w, 2) <= case when length(w) <= 5 then 1 else 2 end
				order by public.levenshtein(word, w), word limit 5) loop
				part := part || plainto_tsquery('event.town', k);
			end loop;
		end if;
		result := result && part;
	end loop;
	return result;
end $$;

-- What is there already.
update event.occurrence set going = going;
insert into event.listing (id, event_id, starts_at, until, span, listed_from, facets, price, age_min, age_max, organiser_id,
	venue_id, location_lat, location_lng, position, search, deleted_at)
select v.* from event.to_list v;
select count(event.learn(concat_ws(' ', title, venue_name, organiser_name))) from event.event;
select count(event.learn(slug)) from event.event_category;
