-- What a person has written of an inspection: an import leaves these fields alone.
alter table business.inspection add column edited_fields text[] not null default '{}';
