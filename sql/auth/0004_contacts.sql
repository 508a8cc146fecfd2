-- Accounts publish how their people are called and reached.

create function auth.publish_contact() returns trigger
language plpgsql as $$
begin
	if new.status <> 'active' or new.deleted_at is not null or new.email is null then
		delete from platform.contact where person_id = new.id;
		return null;
	end if;
	insert into platform.contact (person_id, name, email) values (new.id, new.name, new.email)
	on conflict (person_id) do update set name = excluded.name, email = excluded.email, updated_at = clock_timestamp();
	return null;
end $$;
create trigger person_contact after insert or update of name, email, status, deleted_at on auth.person
	for each row execute function auth.publish_contact();

insert into platform.contact (person_id, name, email)
select id, name, email from auth.person where status = 'active' and deleted_at is null and email is not null;

-- Moderators see who comes, as organisers do.
update auth.role set permissions = permissions || '{reply:*}'
	where slug = 'moderator' and built_in and not permissions @> '{reply:*}';
