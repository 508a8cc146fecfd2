-- What's on: events, their occurrences, their categories. The wall time of an event and its rule are the truth; occurrences are
-- made from them by the program (src/event/), 18 months ahead, with rows that keep their ids while their event lives.

create schema event;

-- Every change of a row counts its version up; a write that changes nothing leaves the row as it was. Generated columns
-- are not computed yet and stay out of it.
create function event.touch() returns trigger
language plpgsql as $$
begin
	if to_jsonb(new) - '{title_sort,name_sort,position,materialised_until}'::text[]
	    is distinct from to_jsonb(old) - '{title_sort,name_sort,position,materialised_until}'::text[] then
		new.version := old.version + 1;
		new.updated_at := clock_timestamp();
	end if;
	return new;
end $$;

create table event.event_category (
	id		uuid primary key default platform.uuid_v7(),
	slug		text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 80),
	name		text not null check (length(name) between 1 and 80),
	description	text check (length(description) <= 500),
	name_sort	text collate "C" not null generated always as (platform.fold(name)) stored,
	version		integer not null default 1,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	deleted_at	timestamptz
);
create index event_category_name on event.event_category (name_sort, id) include (deleted_at);
create index event_category_created on event.event_category (created_at, id);
create index event_category_updated on event.event_category (updated_at, id);
create trigger event_category_touch before update on event.event_category
	for each row execute function event.touch();

create table event.event (
	id			uuid primary key default platform.uuid_v7(),
	title			text not null check (length(title) between 1 and 160),
	summary			text check (length(summary) <= 300),
	description		text check (length(description) <= 10000),
	status			text not null default 'draft' check (status in
				('draft', 'published', 'cancelled', 'postponed', 'rescheduled')),
	rescheduled_to		uuid references event.event (id),
	visibility		text not null default 'public' check (visibility in ('public', 'unlisted', 'private')),
	published_at		timestamptz,
	categories		text[] not null default '{}' check (cardinality(categories) <= 5),
	image_url		text check (length(image_url) <= 2000),
	image_alt		text check (length(image_alt) <= 300),
	organiser_business_id	uuid,
	organiser_person_id	uuid,
	organiser_name		text check (length(organiser_name) <= 160),
	venue_business_id	uuid,
	venue_name		text check (length(venue_name) <= 160),
	venue_address		text check (length(venue_address) <= 700),
	venue_postcode		text check (length(venue_postcode) <= 12),
	location_lat		double precision check (location_lat between -90 and 90),
	location_lng		double precision check (location_lng between -180 and 180),
	online_url		text check (length(online_url) <= 2000),
	price_free		boolean,
	price_from		integer check (price_from between 0 and 10000000),
	price_to		integer check (price_to between 0 and 10000000),
	price_ticket_url	text check (length(price_ticket_url) <= 2000),
	age_min			smallint check (age_min between 0 and 120),
	age_max			smallint check (age_max between 0 and 120),
	accessibility		jsonb not null default '{}' check (jsonb_typeof(accessibility) = 'object'),
	language		text check (length(language) <= 35),
	capacity		integer check (capacity between 1 and 1000000),
	rsvp_mode		text not null default 'none' check (rsvp_mode in ('none', 'open', 'approval', 'external')),
	rsvp_closes_before	integer check (rsvp_closes_before between 0 and 525600),
	rsvp_url		text check (length(rsvp_url) <= 2000),
	rsvp_guests_max		smallint not null default 0 check (rsvp_guests_max between 0 and 20),
	starts_local		timestamp not null,
	ends_local		timestamp not null,
	time_zone		text not null default 'Europe/London' check (length(time_zone) <= 64),
	all_day			boolean not null default false,
	rrule			text check (length(rrule) <= 500),
	rdate			timestamp[] not null default '{}' check (cardinality(rdate) <= 200),
	exdate			timestamp[] not null default '{}' check (cardinality(exdate) <= 200),
	starts_at		timestamptz not null,
	ends_at			timestamptz,
	uid			text not null check (length(uid) between 1 and 255),
	sequence		integer not null default 0,
	split_from		uuid references event.event (id),
	source			text check (length(source) <= 200),
	source_id		text check (length(source_id) <= 255),
	-- What a person has written since the import: an import leaves these fields alone.
	edited_fields		text[] not null default '{}',
	-- Up to when occurrences have been made.
	materialised_until	timestamptz,
	title_sort		text collate "C" not null generated always as (platform.fold(title)) stored,
	position		public.cube generated always as (platform.position(location_lat, location_lng)) stored,
	version			integer not null default 1,
	created_at		timestamptz not null default clock_timestamp(),
	updated_at		timestamptz not null default clock_timestamp(),
	deleted_at		timestamptz,
	check (ends_local >= starts_local),
	check ((location_lat is null) = (location_lng is null)),
	check ((source is null) = (source_id is null)),
	check (price_from <= price_to),
	check (age_min <= age_max)
);
create unique index event_source on event.event (source, source_id) where deleted_at is null;
create index event_uid on event.event (uid);
create index event_starts on event.event (starts_at, id) include (deleted_at);
create index event_title on event.event (title_sort, id) include (deleted_at);
create index event_created on event.event (created_at, id) include (deleted_at);
create index event_updated on event.event (updated_at, id) include (deleted_at);
create index event_venue on event.event (venue_business_id) where venue_business_id is not null;
create index event_organiser_business on event.event (organiser_business_id) where organiser_business_id is not null;
create index event_organiser_person on event.event (organiser_person_id) where organiser_person_id is not null;
create index event_split on event.event (split_from) where split_from is not null;
create index event_rescheduled on event.event (rescheduled_to) where rescheduled_to is not null;
-- What the job looks for: series whose occurrences do not reach far enough.
create index event_horizon on event.event (materialised_until) where rrule is not null and deleted_at is null;
create trigger event_touch before update on event.event
	for each row execute function event.touch();

-- A wall clock's time as an instant (RFC 5545 section 3.3.5): one that the clock skips is meant by the offset before, as PostgreSQL
-- has it; one that comes twice is the first, where PostgreSQL takes the second.
create function event.instant(local timestamp, zone text) returns timestamptz
language sql stable strict parallel safe as $$
	select case when e.earlier at time zone zone = local then least(e.earlier, e.usual) else e.usual end
	from (select u.usual, (local - ((u.usual - interval '1 day') at time zone zone
			- (u.usual - interval '1 day') at time zone 'UTC')) at time zone 'UTC' as earlier
		from (select local at time zone zone as usual) u) e
$$;

-- One time at which an event takes place. recurrence_local is the wall time that the rule gave it (RECURRENCE-ID) and stays
-- when it is moved; columns that are null are as in the event.
create table event.occurrence (
	id			uuid primary key default platform.uuid_v7(),
	event_id		uuid not null references event.event (id),
	recurrence_local	timestamp not null,
	starts_local		timestamp not null,
	ends_local		timestamp not null,
	starts_at		timestamptz not null,
	ends_at			timestamptz not null,
	status			text not null default 'scheduled' check (status in ('scheduled', 'cancelled', 'postponed')),
	-- is it otherwise than the rule and the event say?
	changed			boolean not null default false,
	-- is it at a time of its own? did the rule give it once, and no longer?
	moved			boolean not null default false,
	let_go			boolean not null default false,
	title			text check (length(title) between 1 and 160),
	summary			text check (length(summary) <= 300),
	description		text check (length(description) <= 10000),
	venue_business_id	uuid,
	venue_name		text check (length(venue_name) <= 160),
	venue_address		text check (length(venue_address) <= 700),
	venue_postcode		text check (length(venue_postcode) <= 12),
	location_lat		double precision check (location_lat between -90 and 90),
	location_lng		double precision check (location_lng between -180 and 180),
	online_url		text check (length(online_url) <= 2000),
	capacity		integer check (capacity between 1 and 1000000),
	-- Places taken, those offered included; people who wait; people who may come. Kept by replies.
	going			integer not null default 0 check (going >= 0),
	waiting			integer not null default 0 check (waiting >= 0),
	maybe			integer not null default 0 check (maybe >= 0),
	sequence		integer not null default 0,
	version			integer not null default 1,
	created_at		timestamptz not null default clock_timestamp(),
	updated_at		timestamptz not null default clock_timestamp(),
	deleted_at		timestamptz,
	unique (event_id, recurrence_local),
	check (ends_local >= starts_local),
	check (ends_at >= starts_at),
	check ((location_lat is null) = (location_lng is null))
);
create index occurrence_event on event.occurrence (event_id, starts_at, id) include (deleted_at);
create trigger occurrence_touch before update on event.occurrence
	for each row execute function event.touch();

-- A venue or organiser that is a business carries what its business publishes; where it moves or is renamed, they follow.
create function event.follow_place() returns trigger
language plpgsql as $$
begin
	if new.resource <> 'business' then
		return null;
	end if;
	update event.event set (venue_name, venue_address, venue_postcode, location_lat, location_lng)
		= (new.name, new.address, new.postcode, new.location_lat, new.location_lng)
		where venue_business_id = new.id;
	update event.event set organiser_name = new.name where organiser_business_id = new.id;
	return null;
end $$;
create trigger event_follow after update on platform.place
	for each row execute function event.follow_place();

insert into event.event_category (slug, name, description) values
	('music', 'Music', 'Concerts, gigs, choirs and open-mic nights'),
	('classical', 'Classical music', 'Orchestras, chamber music, organ and opera'),
	('theatre', 'Theatre', 'Plays, musicals and pantomimes'),
	('comedy', 'Comedy', 'Stand-up and improvisation'),
	('dance', 'Dance', 'Performances, classes and social dances'),
	('film', 'Film', 'Screenings and festivals'),
	('art', 'Art and exhibitions', 'Galleries, open studios and private views'),
	('books', 'Books and poetry', 'Readings, book clubs and signings'),
	('talks', 'Talks and debates', 'Lectures, panels and question times'),
	('history', 'History and heritage', 'Guided visits, re-enactments and open days'),
	('markets', 'Markets and fairs', 'Street, farmers'' and craft markets, car boot sales'),
	('food-drink', 'Food and drink', 'Tastings, supper clubs and beer festivals'),
	('festivals', 'Festivals', 'Several days, several stages'),
	('family', 'Family and children', 'For children with those who look after them'),
	('teens', 'Young people', 'For those from 11 to 18'),
	('older-people', 'Older people', 'Lunch clubs, tea dances and outings'),
	('sport', 'Sport', 'Matches, races and tournaments'),
	('fitness', 'Fitness and wellbeing', 'Runs, yoga and walking groups'),
	('walks', 'Walks and outdoors', 'Rambles, cycling and nature'),
	('gardening', 'Gardens and gardening', 'Shows, swaps and open gardens'),
	('science', 'Science and technology', 'Demonstrations, hack days and star parties'),
	('classes', 'Classes and workshops', 'Crafts, languages and skills'),
	('business', 'Business and networking', 'Meet-ups, job fairs and training'),
	('charity', 'Charity and volunteering', 'Fundraisers, litter picks and repair cafés'),
	('community', 'Community', 'Street parties, swaps and neighbours'),
	('council', 'Council and public meetings', 'Committees, consultations and surgeries'),
	('faith', 'Faith and belief', 'Services, carols and gatherings'),
	('health', 'Health', 'Clinics, blood donation and support groups'),
	('games', 'Games and quizzes', 'Board games, chess and pub quizzes'),
	('nightlife', 'Nightlife', 'Clubs, DJs and late bars'),
	('seasonal', 'Seasonal', 'Christmas, Easter, Hallowe''en and bonfire night'),
	('other', 'Other', 'What fits nowhere else');
