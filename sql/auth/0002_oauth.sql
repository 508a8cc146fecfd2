-- Sign-in with an account elsewhere: what has begun and not come back, and the codes that front ends exchange for tokens.
-- Tokens are here as digests; what must be read again is sealed: see base/secret.h.

create table auth.oauth_state (
	digest		text primary key,
	kind		text not null check (kind in ('ticket', 'state')),
	provider	text not null check (provider in ('google', 'facebook')),
	browser_digest	text,
	person_id	uuid references auth.person on delete cascade,
	code_challenge	text not null,
	return_to	text not null,
	verifier	text,
	nonce		text,
	expires_at	timestamptz not null,
	constraint oauth_state_whole check (kind = 'ticket' and person_id is not null
		or kind = 'state' and browser_digest is not null and verifier is not null and nonce is not null)
);
create index oauth_state_expires on auth.oauth_state (expires_at);
create index oauth_state_person on auth.oauth_state (person_id);

-- `sign_in` gives tokens, `second_factor` gives them with a code of the account's, `link` adds the identity to its person.
create table auth.oauth_code (
	digest		text primary key,
	kind		text not null check (kind in ('sign_in', 'second_factor', 'link')),
	provider	text not null check (provider in ('google', 'facebook')),
	person_id	uuid not null references auth.person on delete cascade,
	code_challenge	text not null,
	subject		text check (length(subject) between 1 and 255),
	email		text check (length(email) <= 254),
	expires_at	timestamptz not null,
	constraint oauth_code_whole check ((kind = 'link') = (subject is not null))
);
create index oauth_code_expires on auth.oauth_code (expires_at);
create index oauth_code_person on auth.oauth_code (person_id);

-- A registration with an account elsewhere that does not vouch for its address: the mail's link confirms it.
alter table auth.request
	add column provider text check (provider in ('google', 'facebook')),
	add column subject text check (length(subject) between 1 and 255),
	add constraint request_identity check ((provider is null) = (subject is null));
