-- Places that one service knows and others name by their id: a read model that the owning service keeps in the transaction of
-- each change, so that no service reads another's tables. And what every schema's tables need: ids, folded text, versions.

create extension if not exists unaccent with schema public;
create extension if not exists cube with schema public;

-- Text as it is compared and sorted: lower case, without accents or apostrophes.
create function platform.fold(text) returns text
language sql immutable strict parallel safe
return translate(lower(public.unaccent('public.unaccent', $1)), '''`’‘', '');

-- RFC 9562 version 7; the program makes its own, this is for rows born in SQL.
create function platform.uuid_v7() returns uuid
language sql volatile parallel safe
return encode(
	set_bit(set_bit(
		overlay(uuid_send(gen_random_uuid())
			placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
			from 1 for 6),
		52, 1), 53, 1), 'hex')::uuid;

-- Degrees as a place on the sphere in metres (mean radius 6,371,008.8 m), so that a radius is a cube range.
create function platform.position(lat double precision, lng double precision) returns public.cube
language sql immutable strict parallel safe
return public.cube(array[
	6371008.8 * cos(radians(lat)) * cos(radians(lng)),
	6371008.8 * cos(radians(lat)) * sin(radians(lng)),
	6371008.8 * sin(radians(lat))]);

create table platform.place (
	resource	text not null check (resource ~ '^[a-z_]{1,40}$'),
	id		uuid not null,
	name		text not null,
	address		text,
	postcode	text,
	location_lat	double precision,
	location_lng	double precision,
	deleted_at	timestamptz,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp(),
	primary key (resource, id)
);
