-- What lists of a category need beyond 0001.

-- Every category in the planner's list of the most common, so that it knows one that has no businesses for what it is.
alter table business.listing alter column category set statistics 1000;
analyze business.listing;

-- ?deleted=only: the few that are deleted, without reading the category's others.
create index listing_deleted on business.listing (category, name_sort, business_id) where deleted_at is not null;
