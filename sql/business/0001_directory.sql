-- The directory: categories, businesses, inspections, and the read models that make every list an index range.
-- Triggers keep the read models (business_category, listing, word, and the search and inspection columns) in the same
-- transaction as the truth, whoever writes.

create extension if not exists unaccent with schema public;
create extension if not exists pg_trgm with schema public;
create extension if not exists fuzzystrmatch with schema public;
create extension if not exists cube with schema public;

create schema business;

-- Text as it is compared and sorted: lower case, without accents or apostrophes.
create function business.fold(text) returns text
language sql immutable strict parallel safe
return translate(lower(public.unaccent('public.unaccent', $1)), '''`’‘', '');

-- RFC 9562 version 7; the program makes its own, this is for rows born in SQL.
create function business.uuid_v7() returns uuid
language sql volatile parallel safe
return encode(
	set_bit(set_bit(
		overlay(uuid_send(gen_random_uuid())
			placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
			from 1 for 6),
		52, 1), 53, 1), 'hex')::uuid;

-- English stems without stop words: "The Works" must stay findable by its name.
create text search dictionary business.english_stem (template = snowball, language = english);
create text search configuration business.town (copy = english);
alter text search configuration business.town
	alter mapping for asciiword, asciihword, hword_asciipart, hword, hword_part, word
	with public.unaccent, business.english_stem;

-- Every change of a row counts its version up; a write that changes nothing leaves the row as it was. Generated columns
-- are not computed yet and stay out of it.
create function business.touch() returns trigger
language plpgsql as $$
begin
	if to_jsonb(new) - 'name_sort' is distinct from to_jsonb(old) - 'name_sort' then
		new.version := old.version + 1;
		new.updated_at := clock_timestamp();
	end if;
	return new;
end $$;

create table business.category (
	id		uuid primary key default business.uuid_v7(),
	slug		text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 80),
	name		text not null check (length(name) between 1 and 80),
	description	text check (length(description) <= 500),
	parent		text references business.category (slug),
	name_sort	text collate "C" not null generated always as (business.fold(name)) stored,
	version		integer not null default 1,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	deleted_at	timestamptz,
	check (parent <> slug)
);
create index category_name on business.category (name_sort, id) include (deleted_at);
create index category_parent on business.category (parent);
create index category_created on business.category (created_at, id);
create index category_updated on business.category (updated_at, id);
create trigger category_touch before update on business.category
	for each row execute function business.touch();

-- A category and all above it. Eight levels are more than any town needs and end a loop.
create function business.category_line(text) returns setof text
language sql stable strict parallel safe as $$
	with recursive line (slug, parent, depth) as (
		select slug, parent, 1 from business.category where slug = $1
		union all
		select c.slug, c.parent, l.depth + 1
		from line l join business.category c on c.slug = l.parent where l.depth < 8
	)
	select slug from line
$$;

create table business.business (
	id			uuid primary key default business.uuid_v7(),
	name			text not null check (length(name) between 1 and 160),
	slug			text not null check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 120),
	description		text check (length(description) <= 5000),
	status			text not null default 'operational' check (status in
				('operational', 'temporarily_closed', 'permanently_closed', 'opening_soon')),
	phone			text check (phone ~ '^\+[1-9][0-9]{6,14}$'),
	email			text check (length(email) <= 254),
	website			text check (length(website) <= 2000),
	price_level		smallint check (price_level between 1 and 4),
	address_lines		text[] not null default '{}' check (cardinality(address_lines) <= 4),
	address_locality	text check (length(address_locality) <= 100),
	address_region		text check (length(address_region) <= 100),
	address_postcode	text check (length(address_postcode) <= 12),
	address_country		text not null default 'GB' check (address_country ~ '^[A-Z]{2}$'),
	location_lat		double precision check (location_lat between -90 and 90),
	location_lng		double precision check (location_lng between -180 and 180),
	time_zone		text not null default 'Europe/London' check (length(time_zone) <= 64),
	primary_category	text,
	other_categories	text[] not null default '{}' check (cardinality(other_categories) <= 10),
	attributes		jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
	source			text check (length(source) <= 40),
	source_id		text check (length(source_id) <= 100),
	verified		boolean not null default false,
	-- What a person has written since the import: an import leaves these fields alone.
	edited_fields		text[] not null default '{}',
	-- The newest numeric inspection rating (see inspection_latest).
	inspection_rating	smallint,
	name_sort		text collate "C" not null generated always as (business.fold(name)) stored,
	-- The place on the sphere in metres (mean radius 6,371,008.8 m), so that a radius is a cube range and the distance
	-- order an index order. Written out, for a generated column must not depend on a search_path.
	position		public.cube generated always as (case when location_lat is not null then
				public.cube(array[
				6371008.8 * cos(radians(location_lat)) * cos(radians(location_lng)),
				6371008.8 * cos(radians(location_lat)) * sin(radians(location_lng)),
				6371008.8 * sin(radians(location_lat))]) end) stored,
	search			tsvector not null default '',
	version			integer not null default 1,
	created_at		timestamptz not null default clock_timestamp(),
	updated_at		timestamptz not null default clock_timestamp(),
	deleted_at		timestamptz,
	check ((location_lat is null) = (location_lng is null)),
	check ((source is null) = (source_id is null))
);
create unique index business_slug on business.business (slug) where deleted_at is null;
create unique index business_source on business.business (source, source_id) where deleted_at is null;
create index business_source_all on business.business (source, source_id);
create index business_name on business.business (name_sort, id) include (deleted_at);
create index business_created on business.business (created_at, id) include (deleted_at);
create index business_updated on business.business (updated_at, id) include (deleted_at);
create index business_deleted on business.business (deleted_at) where deleted_at is not null;
create index business_postcode on business.business (address_postcode text_pattern_ops, name_sort);
create index business_price on business.business (price_level, name_sort, id);
create index business_status on business.business (status, name_sort, id);
create index business_inspection on business.business (inspection_rating, name_sort, id) where inspection_rating is not null;
create index business_verified on business.business (verified, name_sort, id);
create index business_attributes on business.business using gin (attributes jsonb_path_ops);
-- With what a page of neighbours and their number need, so that both are read from the index alone.
create index business_position on business.business using gist (position) include (id, deleted_at);
create index business_point on business.business using gist (point(location_lng, location_lat));
-- Without the list of pending entries, which every search would have to read through.
create index business_search on business.business using gin (search) with (fastupdate = off);

-- The normalised relation behind primary_category and other_categories: foreign keys live here.
create table business.business_category (
	business_id	uuid not null references business.business (id) on delete cascade,
	category	text not null references business.category (slug),
	position	smallint not null, -- 0: the primary one
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	primary key (business_id, category)
);
create index business_category_category on business.business_category (category);

-- Read model: each business under each of its categories and all above them, in name order.
create table business.listing (
	category	text not null,
	name_sort	text collate "C" not null,
	business_id	uuid not null references business.business (id) on delete cascade,
	deleted_at	timestamptz,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	primary key (business_id, category)
);
create index listing_category on business.listing (category, name_sort, business_id) include (deleted_at);

-- Read model: the words of names and places, for typing errors and beginnings of words.
create table business.word (
	word		text collate "C" primary key,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);
create index word_similar on business.word using gin (word public.gin_trgm_ops) with (fastupdate = off);

create function business.words(text) returns setof text
language sql immutable strict parallel safe as $$
	select distinct w from regexp_split_to_table(business.fold($1), '[^[:alnum:]]+') w where length(w) between 2 and 40
$$;

-- What a business is found by: its name first, then its categories, its place, its description.
create function business.business_search_text(b business.business) returns tsvector
language sql stable parallel safe as $$
	select setweight(to_tsvector('business.town', business.fold(b.name)), 'A')
	    || setweight(to_tsvector('business.town', coalesce((
		select string_agg(business.fold(c.name), ' ') from business.category c
		where c.slug = b.primary_category or c.slug = any (b.other_categories)), '')), 'B')
	    || setweight(to_tsvector('business.town', business.fold(concat_ws(' ', b.address_locality,
		array_to_string(b.address_lines, ' '), b.address_postcode))), 'C')
	    || setweight(to_tsvector('business.town', business.fold(coalesce(b.description, ''))), 'D')
$$;

create function business.business_before() returns trigger
language plpgsql as $$
begin
	if tg_op = 'INSERT' or (new.name, new.description, new.primary_category, new.other_categories, new.address_lines,
	    new.address_locality, new.address_postcode) is distinct from (old.name, old.description, old.primary_category,
	    old.other_categories, old.address_lines, old.address_locality, old.address_postcode) then
		new.search := business.business_search_text(new);
	end if;
	if tg_op = 'UPDATE' then
		-- generated columns are not computed yet: whatever is assigned here is only for the comparison
		new.name_sort := old.name_sort;
		new.position := old.position;
		if new is distinct from old then
			new.version := old.version + 1;
			new.updated_at := clock_timestamp();
		end if;
	end if;
	return new;
end $$;
create trigger business_before before insert or update on business.business
	for each row execute function business.business_before();

create function business.business_after() returns trigger
language plpgsql as $$
begin
	if tg_op = 'UPDATE' and (new.name, new.primary_category, new.other_categories, new.deleted_at, new.address_locality)
	    is not distinct from (old.name, old.primary_category, old.other_categories, old.deleted_at, old.address_locality) then
		return null;
	end if;
	if tg_op = 'UPDATE' then
		delete from business.business_category where business_id = new.id;
		delete from business.listing where business_id = new.id;
	end if;
	insert into business.business_category (business_id, category, position)
		select new.id, c.category, min(c.n) - 1
		from unnest(array_prepend(new.primary_category, new.other_categories)) with ordinality c (category, n)
		where c.category is not null group by c.category;
	insert into business.listing (category, name_sort, business_id, deleted_at)
		select distinct l, new.name_sort, new.id, new.deleted_at
		from business.business_category bc, business.category_line(bc.category) l
		where bc.business_id = new.id;
	-- A lookup for each word: as NOT EXISTS it would be planned as a join that reads all words.
	insert into business.word (word)
		select w from business.words(concat_ws(' ', new.name, new.address_locality)) w
		where (select k.word from business.word k where k.word = w) is null
		order by w on conflict do nothing;
	return null;
end $$;
create trigger business_after after insert or update on business.business
	for each row execute function business.business_after();

-- A category that moves, is renamed or goes: what hangs on it follows, or the change is refused.
create function business.category_after() returns trigger
language plpgsql as $$
declare
	below uuid[];
begin
	if new.deleted_at is not null and old.deleted_at is null and (
	    exists (select 1 from business.category c where c.parent = new.slug and c.deleted_at is null)
	    or exists (select 1 from business.business_category bc join business.business b on b.id = bc.business_id
		where bc.category = new.slug and b.deleted_at is null)) then
		raise exception using errcode = 'check_violation', constraint = 'category_in_use',
			message = 'category is in use';
	end if;
	if new.parent is distinct from old.parent then
		if new.slug in (select l from business.category_line(new.parent) l) then
			raise exception using errcode = 'check_violation', constraint = 'category_loop',
				message = 'category would be above itself';
		end if;
		select array_agg(business_id) into below from business.listing where category = new.slug;
		delete from business.listing where business_id = any (below);
		insert into business.listing (category, name_sort, business_id, deleted_at)
			select distinct l, b.name_sort, b.id, b.deleted_at
			from business.business b join business.business_category bc on bc.business_id = b.id,
				business.category_line(bc.category) l
			where b.id = any (below);
	end if;
	if new.name is distinct from old.name then
		update business.business b set search = business.business_search_text(b)
		where id in (select business_id from business.business_category where category = new.slug);
	end if;
	return null;
end $$;
create trigger category_after after update on business.category
	for each row execute function business.category_after();

create table business.inspection (
	id			uuid primary key default business.uuid_v7(),
	business_id		uuid not null references business.business (id),
	scheme			text not null check (scheme in ('fhrs', 'fhis')),
	rating			text not null check (length(rating) between 1 and 40),
	rating_value		smallint check (rating_value between 0 and 5),
	date			date,
	hygiene_score		smallint check (hygiene_score between 0 and 50),
	structural_score	smallint check (structural_score between 0 and 50),
	confidence_score	smallint check (confidence_score between 0 and 50),
	version			integer not null default 1,
	created_at		timestamptz not null default clock_timestamp(),
	updated_at		timestamptz not null default clock_timestamp(),
	deleted_at		timestamptz
);
create index inspection_business on business.inspection (business_id, date desc nulls first, id);
create index inspection_created on business.inspection (created_at, id);
create index inspection_date on business.inspection (date, id);
create trigger inspection_touch before update on business.inspection
	for each row execute function business.touch();

create function business.inspection_latest() returns trigger
language plpgsql as $$
begin
	update business.business b set inspection_rating = (
		select i.rating_value from business.inspection i
		where i.business_id = new.business_id and i.deleted_at is null and i.rating_value is not null
		order by i.date desc nulls last, i.id desc limit 1)
	where b.id = new.business_id;
	return null;
end $$;
create trigger inspection_latest after insert or update on business.inspection
	for each row execute function business.inspection_latest();

-- A slug that no live business has: the wish, the wish with the place, then numbers. The lock makes two at once differ.
create function business.free_slug(wish text, place text, own uuid) returns text
language plpgsql as $$
declare
	base text := coalesce(nullif(left(wish, 100), ''), 'business');
	candidate text := base;
	n integer := 1;
begin
	perform pg_advisory_xact_lock(hashtextextended(base, 7));
	loop
		exit when not exists (select 1 from business.business
			where slug = candidate and deleted_at is null and id is distinct from own);
		n := n + 1;
		candidate := case when n = 2 and coalesce(place, '') <> '' then left(base || '-' || place, 110)
			else left(base, 100) || '-' || n end;
	end loop;
	return candidate;
end $$;

-- The live business that is the same as one to be written: by source and source_id, or by name and postcode. The lock
-- makes two at once see each other. Nulls are not asked for.
create function business.duplicate_of(new_name text, postcode text, new_source text, new_source_id text, own uuid)
returns uuid
language plpgsql as $$
declare
	found_id uuid;
begin
	if new_source is not null and new_source_id is not null then
		select id into found_id from business.business where source = new_source and source_id = new_source_id
			and deleted_at is null and id is distinct from own;
	end if;
	if found_id is null and new_name is not null and postcode is not null then
		perform pg_advisory_xact_lock(hashtextextended(business.fold(new_name) || ' ' || postcode, 11));
		select id into found_id from business.business where address_postcode = postcode
			and name_sort = business.fold(new_name) and deleted_at is null and id is distinct from own limit 1;
	end if;
	return found_id;
end $$;

-- The words of a search. A word that the town's names know stands for itself; another also stands for the known words
-- that it begins or that it may be a misspelling of (one letter in five, two in longer ones).
create function business.search_query(q text) returns tsquery
language plpgsql stable as $$
declare
	result tsquery := ''::tsquery;
	part tsquery;
	w text;
	k text;
begin
	for w in select x from regexp_split_to_table(business.fold(q), '[^[:alnum:]]+') x where x <> '' limit 12 loop
		part := plainto_tsquery('business.town', w);
		if length(w) >= 3 and not exists (select 1 from business.word where word = w) then
			for k in (select word from business.word where word >= w and word < w || chr(1114109) limit 8)
				union
				(select word from business.word
				where word operator(public.%) w and length(word) between length(w) - 2 and length(w) + 2
				and public.levenshtein_less_equal(word, w, 2) <= case when length(w) <= 5 then 1 else 2 end
				order by public.levenshtein(word, w), word limit 5) loop
				part := part || plainto_tsquery('business.town', k);
			end loop;
		end if;
		result := result && part;
	end loop;
	return result;
end $$;
