-- The keys that access tokens are signed with (src/store/keys.c). The private half is sealed with the program's secret key,
-- so that who can read or write this table can sign nothing. Rows are deleted a day after their key was retired.

create table platform.signing_key (
	kid		text primary key check (kid ~ '^[A-Za-z0-9_-]{1,64}$'),
	private_key	text not null,
	public_key	jsonb not null,
	created_at	timestamptz not null default clock_timestamp(),
	signs_at	timestamptz not null,
	retired_at	timestamptz
);
