-- Every category in the planner's list of the most common, so that it knows one that has no businesses for what it is.
alter table business.listing alter column category set statistics 1000;
analyze business.listing;
