-- The jobs process: which job runs where, so that none runs twice at once over all nodes, and the mails that wait.

-- A job that runs holds a lease until its own deadline has passed: one that was killed is free again by then.
create table platform.job (
	name		text primary key check (name ~ '^[a-z_]{1,40}$'),
	holder		text,
	lease_until	timestamptz not null default '-infinity',
	next_at		timestamptz not null default '-infinity',
	started_at	timestamptz,
	ended_at	timestamptz,
	failures	integer not null default 0
);

-- A mail is waiting, sent (sent_at) or dead (failed_at). What its template is filled with may be a one-time link: sealed
-- under the program's key, and wiped when it is sent.
create table platform.mail (
	id		uuid primary key,
	template	text not null check (template ~ '^[a-z_]{1,40}$'),
	recipient	text not null check (octet_length(recipient) between 3 and 254),
	sealed		text,
	attempts	integer not null default 0,
	next_attempt_at	timestamptz not null default clock_timestamp(),
	sent_at		timestamptz,
	failed_at	timestamptz,
	last_error	text check (octet_length(last_error) <= 1000),
	created_at	timestamptz not null default clock_timestamp(),
	check (sent_at is null or failed_at is null),
	check ((sealed is null) = (sent_at is not null))
);
create index mail_waiting on platform.mail (next_attempt_at) where sent_at is null and failed_at is null;
create index mail_sent on platform.mail (sent_at) where sent_at is not null;
create index mail_dead on platform.mail (failed_at) where failed_at is not null;
