-- What other services may know of a business: its row in platform.place.

create function business.publish_place() returns trigger
language plpgsql as $$
begin
	if tg_op = 'UPDATE' and (new.name, new.address_lines, new.address_locality, new.address_postcode, new.location_lat,
	    new.location_lng, new.deleted_at) is not distinct from (old.name, old.address_lines, old.address_locality,
	    old.address_postcode, old.location_lat, old.location_lng, old.deleted_at) then
		return null;
	end if;
	insert into platform.place as p (resource, id, name, address, postcode, location_lat, location_lng, deleted_at)
	values ('business', new.id, new.name, nullif(concat_ws(', ', variadic new.address_lines || new.address_locality), ''),
		new.address_postcode, new.location_lat, new.location_lng, new.deleted_at)
	on conflict (resource, id) do update set (name, address, postcode, location_lat, location_lng, deleted_at, updated_at)
		= (excluded.name, excluded.address, excluded.postcode, excluded.location_lat, excluded.location_lng,
		excluded.deleted_at, clock_timestamp());
	return null;
end $$;

insert into platform.place (resource, id, name, address, postcode, location_lat, location_lng, deleted_at)
select 'business', id, name, nullif(concat_ws(', ', variadic address_lines || address_locality), ''), address_postcode,
	location_lat, location_lng, deleted_at
from business.business;

create trigger business_place after insert or update on business.business
	for each row execute function business.publish_place();
