-- How people are called and where mail reaches them, for services that have something to tell them: a read model that accounts
-- keep in the transaction of each change. Who has no account any more, or may not sign in, has no row.

create table platform.contact (
	person_id	uuid primary key,
	name		text not null,
	email		text not null,
	created_at	timestamptz not null default clock_timestamp(),
	updated_at	timestamptz not null default clock_timestamp()
);
create unique index contact_email on platform.contact (lower(email));
