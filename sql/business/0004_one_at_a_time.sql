-- What two writers at once could get past: the shape of the category tree, and a source that comes twice.

-- A category gets a parent, changes it, goes or comes back: one after the other, so that each sees the tree as it will
-- be. Eight levels are what category_line() walks: a ninth would be in no list of the first.
create function business.category_before() returns trigger
language plpgsql as $$
declare
	above integer;
	below integer;
begin
	if tg_op = 'UPDATE' and (new.parent, new.deleted_at) is not distinct from (old.parent, old.deleted_at) then
		return new;
	end if;
	perform pg_advisory_xact_lock(hashtextextended('business.category', 3));
	if new.parent is null or new.deleted_at is not null then
		return new;
	end if;
	if exists (select from business.category where slug = new.parent and deleted_at is not null) then
		raise exception using errcode = 'check_violation', constraint = 'category_parent_deleted',
			message = 'parent is deleted';
	end if;
	if tg_op = 'UPDATE' and old.slug in (select l from business.category_line(new.parent) l) then
		raise exception using errcode = 'check_violation', constraint = 'category_loop',
			message = 'category would be above itself';
	end if;
	select count(*) into above from business.category_line(new.parent);
	with recursive tree (slug, depth) as (
		select new.slug, 1
		union all
		select c.slug, t.depth + 1 from tree t join business.category c on c.parent = t.slug where t.depth < 8
	)
	select max(depth) into below from tree;
	if above + below > 8 then
		raise exception using errcode = 'check_violation', constraint = 'category_depth',
			message = 'category would be on the ninth level';
	end if;
	return new;
end $$;
create trigger category_before before insert or update on business.category
	for each row execute function business.category_before();

-- The live business that is the same as one to be written: by source and source_id, or by name and postcode. The locks
-- make two at once see each other; what the function finds after waiting for one, the statement that calls it cannot see,
-- so all that is to be told of it comes from here. Nulls are not asked for.
drop function business.duplicate_of(text, text, text, text, uuid);
create function business.duplicate_of(new_name text, postcode text, new_source text, new_source_id text, own uuid)
returns table (id uuid, name text, slug text)
language plpgsql as $$
begin
	if new_source is not null and new_source_id is not null then
		perform pg_advisory_xact_lock(hashtextextended(new_source || ' ' || new_source_id, 13));
		return query select b.id, b.name, b.slug from business.business b
			where b.source = new_source and b.source_id = new_source_id
			and b.deleted_at is null and b.id is distinct from own;
	end if;
	if not found and new_name is not null and postcode is not null then
		perform pg_advisory_xact_lock(hashtextextended(business.fold(new_name) || ' ' || postcode, 11));
		return query select b.id, b.name, b.slug from business.business b
			where b.address_postcode = postcode and b.name_sort = business.fold(new_name)
			and b.deleted_at is null and b.id is distinct from own limit 1;
	end if;
end $$;
