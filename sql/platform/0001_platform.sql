-- What all services share: who stands in which relation to which thing. People and things are known by their ids only,
-- for they live in the services' own schemas. Mail, audit trail and keys follow in files of their own.

create schema platform;

create table platform.relation (
	id		uuid primary key default gen_random_uuid(),
	person_id	uuid not null,
	relation	text not null check (relation in ('owner', 'manager', 'staff', 'organiser')),
	resource	text not null check (resource ~ '^[a-z_]{1,40}$'),
	resource_id	uuid not null,
	granted_by	uuid,
	created_at	timestamptz not null default clock_timestamp(),
	unique (resource, resource_id, person_id, relation)
);
create index relation_person on platform.relation (person_id, resource, resource_id);
