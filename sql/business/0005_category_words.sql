-- "Restaurants" is searched for, and mistyped, like any name: categories teach their words to the search as well. The
-- slug has the word that the name's plural hides.

create function business.category_words() returns trigger
language plpgsql as $$
begin
	insert into business.word (word)
		select w from business.words(concat_ws(' ', new.name, new.slug)) w order by w on conflict do nothing;
	return null;
end $$;
create trigger category_words after insert or update of name, slug on business.category
	for each row execute function business.category_words();

insert into business.word (word)
	select distinct w from business.category c, business.words(concat_ws(' ', c.name, c.slug)) w
	on conflict do nothing;
