-- "muesum" is two letters from "museum" by Levenshtein's count and shares too few trigrams with it, but everybody sees what
-- is meant: a word that is not known also stands for the known ones that it is with two neighbours swapped.

create function business.swapped(w text) returns text[]
language sql immutable strict parallel safe
return (select array_agg(left(w, i - 1) || substr(w, i + 1, 1) || substr(w, i, 1) || substr(w, i + 2))
	from generate_series(1, length(w) - 1) i);

create or replace function business.search_query(q text) returns tsquery
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
				(select word from business.word where length(w) between 4 and 40
				and word = any (business.swapped(w)) limit 5)
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
