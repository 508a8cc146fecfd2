-- Members add events as they add businesses; moderators keep them in order.

update auth.role set permissions = permissions || '{event:create}'
	where slug = 'member' and built_in and not permissions @> '{event:create}';
update auth.role set permissions = permissions || '{event:*,event_category:*}'
	where slug = 'moderator' and built_in and not permissions @> '{event:*}';
