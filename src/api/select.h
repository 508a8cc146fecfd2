/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SELECT being put together for a list: conditions, joins and parameters come from filters, the rest from the table.
 * Values only ever become parameters.
 */
#ifndef API_SELECT_H
#define API_SELECT_H

#include "api/request.h"
#include "model/resource.h"
#include "base/attr.h"
#include "base/buf.h"

/* A better way in than the table itself, for a list in one order: SQL of ours. */
struct way_in {
	/* "x left join t ...": not joined where nothing of t is asked, as when counting */
	const char *from;
	/* Of a list of hits (resource.hit): `from` is "schema.table l", these "join ... t ... join ... h" what belongs to its
	 * rows. All conditions are on l. */
	const char *joins;
	/* what of l its joins, sorts and extra columns need: an index may have them all */
	const char *columns;
	/* The rows are in some ranges of an index, each of them in the order of `sort`: "(values ...) s (a, b)", and which rows
	 * are in one: "l.a = s.a and l.sort > s.b". NULL: not so. */
	const char *ranges, *in_range;
	const char *deleted_at; /* its columns of the same meaning ... */
	const char *id;
	const char *sort; /* ... and that of the field's expression `instead_of` */
	const char *instead_of;
};

struct select {
	TALLOC_CTX *mem;
	const struct resource *resource;
	const struct way_in *way_in; /* NULL: the table */
	struct buf where;
	int conditions;
	const char *page_where; /* "and (...)" that only a page needs, not its count */
	const char *distinct;	/* what is counted instead of rows */
	bool narrow;		/* so few rows are left that no further condition needs an index */
	bool narrow_near;  /* ... that near needs none, for the way in has the position with them */
	const char *alone; /* adds nothing, but finds the rows when it is the only one */
	const char *quick_sort; /* an index gives a page in this order, whatever the values, ... */
	int quick_conditions;	/* ... when there are no more conditions than these */
	bool one_word;		/* the search is for one word */
	const char *snapshot;	/* the search was understood in it; NULL: none to go by */
	const char *params[PG_PARAMS_MAX];
	int param_count;
	const char *extra;	/* more columns, after the shape's: "<sql> as distance_m" */
	const char *extra_name; /* JSON name of that column */
	const char *distance;	/* SQL to sort by distance, when near is given */
	const char *farness;	/* SQL that falls as the distance grows */
	const char *relevance;	/* SQL to sort by relevance, when q is given */
	const char *parent_id;	/* of a nested resource */
};

void select_init(struct select *s, TALLOC_CTX *mem, const struct resource *resource);
/* What stands after FROM; the resource's rows are t, or those of the way in to hits l, to which nothing is joined. */
const char *select_from(const struct select *s);
/* Is it a list of hits? */
bool select_has_hits(const struct select *s);
/* The alias of the rows on which conditions are: "t" or "l". */
const char *select_rows(const struct select *s);
/* Adds a parameter and returns its number for "$n". */
int select_param(struct select *s, const char *text);
/* Adds "and (<condition>)". The format is ours, values go through select_param(). */
void select_where(struct select *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds one that only helps to find a page. */
void select_page_where(struct select *s, const char *condition);
/* Begins a statement that looks for rows of the same kind, by its own conditions: for select_is_broad(). */
void select_probe(struct select *probe, const struct select *s);
/* Do more rows meet the conditions than are worth looking up, 10,000 (of hits 1,500)? What the planner cannot guess is so
 * found out, at the price of reading that many index entries at most. waits */
int select_is_broad(struct request *r, struct select *s, bool *broad) MUST_USE;

#endif
