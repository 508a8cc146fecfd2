/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET of a collection: filters, sorting, pages by number or by cursor, totals, Link headers. The SQL is put together
 * from the resource's tables; a condition comes from a field's FILTER flag or a filter's own function. Called as a
 * route's function.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "api/audit.h"
#include "api/crud.h"
#include "api/cursor.h"
#include "api/include.h"
#include "model/values.h"
#include "api/query.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/scope.h"
#include "api/select.h"
#include "api/shape.h"
#include "api/total.h"
#include "model/types.h"
#include "base/str.h"
#include "store/memo.h"
#include "base/banned.h"

enum {
	LIMIT_DEFAULT = 20,
	LIMIT_MAX = 100,
	OFFSET_MAX = 10000,
	ANY_OF_MAX = 50,
	LINKS_MAX = 16384,
	RANKED_MAX = 15000,
	QUICK_MAX = 500,
	KEPT_MIN = 500
};

struct list {
	const struct resource *resource;
	const struct shape *shape;
	const struct shape *hit; /* of what an item is besides, NULL */
	struct included included;
	struct select select;
	long long page, limit;
	const char *cursor;    /* as given, NULL */
	const char *sort_name; /* "-name" */
	const char *sort_sql;
	const char *id_sql; /* the tie-break */
	bool descending;
	bool by_distance, by_relevance;
	bool broad; /* too many match to be ranked */
	bool quick; /* short enough a statement to be pipelined */
	struct total total;
	struct pg_rows *rows;
	int count; /* rows on this page */
	bool more; /* there are rows after it */
};

/* ?field=value or ?field=a,b: equal to it, or to any of them. */
static int filter_field(struct request *r, struct select *s, const struct field *field,
			const char *text)
{
	const struct type_row *type = &types[field->type];
	const char *checked[ANY_OF_MAX];
	const char *problem = NULL;
	char **parts;
	int n = str_split(MEM(r), text, ',', ANY_OF_MAX, &parts);

	if (n < 0)
		return task_problem(&r->task, field->name, "takes at most %d values", ANY_OF_MAX);
	for (int i = 0; i < n; i++) {
		checked[i] = type_check_text(MEM(r), field, parts[i], &problem);
		if (!checked[i])
			return task_problem(&r->task, field->name, "%s", problem);
	}
	if (n == 1)
		select_where(s, "t.%s = $%d::%s", field_column(MEM(r), field),
			     select_param(s, checked[0]), type->cast);
	else
		select_where(s, "t.%s = any ($%d::%s[])", field_column(MEM(r), field),
			     select_param(s, pg_array(MEM(r), checked, n)), type->cast);
	return OK;
}

int list_conditions(struct request *r, struct select *s)
{
	if (s->resource->list)
		(void)s->resource->list(r, s); /* problems are collected in the task */
	for (const struct filter *f = s->resource->filters; f && f->name; f++) {
		const char *value = query_text(r, f->name);

		if (value && f->apply)
			f->apply(r, s, value);
	}
	for (const struct field *f = s->resource->fields; f->name; f++) {
		const char *value = (f->flags & FILTER) ? query_text(r, f->name) : NULL;

		if (value)
			filter_field(r, s, f, value);
	}
	return r->task.failure.code;
}

static const struct sort *default_search_sort(struct request *r, const struct resource *resource)
{
	for (const struct sort *x = resource->sorts; x && x->name; x++)
		if (x->needs && !x->only_asked && query_text(r, x->needs))
			return x;
	return NULL;
}

static int sort_by_search(struct request *r, struct list *l, const struct sort *sort, bool reversed)
{
	if (sort->sql) {
		l->descending = sort->descending != reversed;
		l->sort_sql = sort->sql;
		return OK;
	}
	if (!query_text(r, sort->needs))
		return task_problem(&r->task, "sort", "\"%s\" needs the parameter \"%s\"",
				    sort->name, sort->needs);
	l->descending = sort->descending != reversed;
	l->sort_sql = l->select.relevance;
	l->by_relevance = strcmp(sort->needs, "q") == 0;
	if (strcmp(sort->needs, "near") == 0) {
		/* the index gives the nearest first: the farthest are the nearest to the other side of the earth */
		l->sort_sql = l->descending ? l->select.farness : l->select.distance;
		/* among few rows it would go on beyond them: they are read and sorted */
		if (l->select.narrow_near)
			l->sort_sql = talloc_asprintf(MEM(r), "(%s) + 0", l->sort_sql);
		l->descending = false;
		l->by_distance = true;
	}
	return OK;
}

static void sort_on_way_in(struct list *l)
{
	const struct way_in *way_in = l->select.way_in;

	if (!way_in || !way_in->instead_of || strcmp(l->sort_sql, way_in->instead_of) != 0)
		return;
	l->sort_sql = way_in->sort;
	l->id_sql = way_in->id;
}

static bool sort_by_field(struct request *r, struct list *l, const char *name)
{
	for (const struct field *f = l->resource->fields; f->name; f++) {
		if (!(f->flags & SORT) || strcmp(f->name, name) != 0)
			continue;
		l->sort_sql = f->sort_sql
				      ? f->sort_sql
				      : talloc_asprintf(MEM(r), "t.%s", field_column(MEM(r), f));
		sort_on_way_in(l);
		return true;
	}
	return false;
}

static int choose_sort(struct request *r, struct list *l)
{
	const char *asked = query_text(r, "sort");
	const struct sort *search = asked ? NULL : default_search_sort(r, l->resource);
	const char *name;

	l->sort_name = asked ? asked : search ? search->name : l->resource->default_sort;
	l->id_sql = select_has_hits(&l->select) ? l->select.way_in->id : "t.id";
	l->descending = l->sort_name[0] == '-';
	name = l->sort_name + l->descending;
	for (const struct sort *x = l->resource->sorts; x && x->name; x++)
		if (strcmp(x->name, name) == 0)
			return sort_by_search(r, l, x, l->descending);
	if (sort_by_field(r, l, name))
		return OK;
	return task_problem(&r->task, "sort", "cannot sort by \"%.60s\"", name);
}

/* To rank, every match must be read. Of one word that so many have (here the planner's estimate is good), rank says little:
 * they come in the list's own order, of which a page is found by reading few, and are not counted either. */
static int avoid_ranking(struct request *r, struct list *l)
{
	const char *order = l->resource->default_sort, *broad;
	bool falls = order[0] == '-', reversed = l->sort_name[0] == '-';
	int rc;

	if (!l->by_relevance || !l->select.one_word)
		return OK;
	/* estimates change: a cursor goes on in the order that it came from */
	broad = talloc_asprintf(MEM(r), "broad %s", l->sort_name);
	if (l->cursor && !cursor_is_of(r, broad, l->cursor))
		return OK;
	rc = total_estimate(&l->total, r);
	l->broad = l->cursor || l->total.count > RANKED_MAX;
	if (rc || !l->broad) {
		l->total.estimated = false;
		return rc;
	}
	l->by_relevance = false;
	l->descending = falls != reversed;
	l->sort_name = broad;
	return sort_by_field(r, l, order + falls) ? OK : fail(r, E_INTERNAL, NULL);
}

static int read_paging(struct request *r, struct list *l)
{
	int rc = query_int(r, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &l->limit);

	if (rc)
		return rc;
	l->cursor = query_text(r, "cursor");
	if (l->cursor && query_text(r, "page"))
		return task_problem(&r->task, "page", "cannot be given together with \"cursor\"");
	rc = query_int(r, "page", 1, INT_MAX, 1, &l->page);
	if (!rc && l->page > OFFSET_MAX / l->limit)
		return task_problem(&r->task, "page",
				    "reaches to %lld with this limit; beyond, follow next_cursor",
				    OFFSET_MAX / l->limit);
	return rc;
}

static int add_cursor(struct request *r, struct list *l)
{
	struct select *s = &l->select;
	struct cursor cursor;
	int rc, sort, id;

	if (!l->cursor)
		return OK;
	rc = cursor_read(r, l->sort_name, l->cursor, &cursor);
	if (rc)
		return rc;
	sort = select_param(s, cursor.sort);
	id = select_param(s, cursor.id);
	select_where(s, "(%s, %s) %c ($%d, $%d::uuid)", l->sort_sql, l->id_sql,
		     l->descending ? '<' : '>', sort, id);
	return OK;
}

/* Is an index's range the whole work, and the page not deep in it? */
static bool is_quick(const struct list *l)
{
	const struct select *s = &l->select;

	return s->quick_sort && s->conditions == s->quick_conditions && l->sort_sql &&
	       strcmp(l->sort_sql, s->quick_sort) == 0 && l->page * l->limit <= QUICK_MAX;
}

/* Reads the query, and tells all its problems at once. Some filters look into the database to choose their conditions. */
static int prepare(struct request *r, struct list *l)
{
	int rc;

	read_paging(r, l);
	shape_from_query(r, l->resource, &l->shape);
	include_from_query(r, l->resource, &l->included);
	list_conditions(r, &l->select);
	if (l->select.conditions > 1)
		l->select.alone = NULL;
	choose_sort(r, l);
	l->quick = is_quick(l);
	l->total.quick = l->quick;
	scope_deleted(r, &l->select);
	scope_visible(r, &l->select, false);
	if (l->resource->visible)
		l->select.snapshot = NULL; /* the answer is the caller's, not the target's */
	if (r->task.failure.code)
		return r->task.failure.code;
	rc = scope_parent(r, &l->select);
	if (rc)
		return rc;
	total_prepare(&l->total, r, &l->select);
	rc = avoid_ranking(r, l);
	if (rc)
		return rc;
	if (l->select.page_where)
		buf_adds(&l->select.where, l->select.page_where);
	return add_cursor(r, l);
}

/* What a page's hits need and their conditions do not. */
static const char *joins(const struct select *s)
{
	return select_has_hits(s) ? s->way_in->joins : "";
}

/* An index knows the order by distance but not the tie-break: it gives as many as are needed, and those that are as far
 * as the last; only they are sorted. */
static const char *nearest_sql(struct request *r, struct list *l, long long offset)
{
	struct select *s = &l->select;

	return talloc_asprintf(
		MEM(r),
		"(select %s.* from %s%s order by %s fetch first ($%d::bigint) rows with ties) %s%s",
		select_rows(s), select_from(s), buf_text(&s->where), l->sort_sql,
		select_param(s, talloc_asprintf(MEM(r), "%lld", offset + l->limit + 1)),
		select_rows(s), joins(s));
}

/* The first rows of each range, of which the page is made; what belongs to a hit is joined to those of the page only. */
static const char *merged_sql(struct request *r, struct list *l, long long offset, const char *cut)
{
	struct select *s = &l->select;
	const char *direction = l->descending ? "desc" : "asc", *where = buf_text(&s->where);

	return talloc_asprintf(
		MEM(r),
		"(select l.* from %s cross join lateral (select %s from %s%s%s%s order by %s %s, %s %s limit $%d) l "
		"order by %s %s, %s %s%s) l%s",
		s->way_in->ranges, s->way_in->columns, s->way_in->from, where,
		s->where.len ? " and " : " where ", s->way_in->in_range, l->sort_sql, direction,
		l->id_sql, direction,
		select_param(s, talloc_asprintf(MEM(r), "%lld", offset + l->limit + 1)),
		l->sort_sql, direction, l->id_sql, direction, cut, joins(s));
}

/* To rank, all that matches is read: it is counted in passing, and only the page's rows are fetched whole. */
static const char *ranked_sql(struct request *r, struct list *l, const char *cut)
{
	struct select *s = &l->select;
	const char *direction = l->descending ? "desc" : "asc", *rows = select_rows(s);
	const char *again = select_has_hits(s)
				    ? s->way_in->from
				    : talloc_asprintf(MEM(r), "%s.%s t", s->resource->service,
						      s->resource->name);

	return talloc_asprintf(
		MEM(r),
		"(select %s.id, %s as rank, count(*) over () as matches from %s%s order by 2 %s, 1 %s%s) m "
		"join %s on %s.id = m.id%s",
		rows, l->sort_sql, select_from(s), buf_text(&s->where), direction, direction, cut,
		again, rows, joins(s));
}

/* The columns of hits, after those of the shape. */
static const char *hit_columns(struct request *r, const struct list *l)
{
	return l->hit ? talloc_asprintf(MEM(r), ", %s", shape_columns(MEM(r), l->hit, "h")) : "";
}

static const char *list_sql(struct request *r, struct list *l)
{
	struct select *s = &l->select;
	const char *direction = l->descending ? "desc" : "asc";
	long long offset = l->cursor ? 0 : (l->page - 1) * l->limit;
	const char *from = talloc_asprintf(MEM(r), "%s%s", select_from(s), joins(s));
	const char *where = buf_text(&s->where), *sort = l->sort_sql;
	const char *cut = talloc_asprintf(
		MEM(r), " limit $%d offset $%d",
		select_param(s, talloc_asprintf(MEM(r), "%lld", l->limit + 1)),
		select_param(s, talloc_asprintf(MEM(r), "%lld", offset)));

	if (l->by_distance) {
		from = nearest_sql(r, l, offset);
		where = "";
	}
	if (select_has_hits(s) && s->way_in->ranges && strcmp(l->sort_sql, s->way_in->sort) == 0) {
		from = merged_sql(r, l, offset, cut);
		where = cut = "";
	}
	if (l->by_relevance) {
		from = ranked_sql(r, l, cut);
		where = cut = "";
		sort = "m.rank";
	}
	return talloc_asprintf(MEM(r),
			       "select %s%s%s, (select " MEMO_SNAPSHOT
			       ") as _snapshot, %s%s%s as _sort, %s as _id "
			       "from %s%s order by %s %s, %s %s%s",
			       l->shape->columns, hit_columns(r, l),
			       l->by_relevance ? ", m.matches" : "", s->extra ? s->extra : "",
			       s->extra ? ", " : "", sort, l->id_sql, from, where, sort, direction,
			       l->id_sql, direction, cut);
}

static int fetch(struct request *r, struct list *l)
{
	const char *sql = list_sql(r, l);
	const struct select *s = &l->select;
	int rc = l->quick ? pg_query(&r->task, &l->rows, sql, s->param_count, s->params)
			  : pg_query_long(&r->task, &l->rows, sql, s->param_count, s->params);

	if (rc)
		return rc;
	l->count = pg_count(l->rows);
	l->more = l->count > l->limit;
	if (l->more)
		l->count = (int)l->limit;
	/* a first page that is not full says it all */
	if (!l->cursor && !l->more && (l->count > 0 || l->page == 1)) {
		l->total.count = (l->page - 1) * l->limit + l->count;
		l->total.estimated = false;
		return OK;
	}
	if (l->broad)
		return OK;
	if (l->by_relevance && !l->cursor && l->count > 0) {
		l->total.count = strtoll(pg_value(l->rows, 0, pg_column(l->rows, "matches")), NULL,
					 10);
		l->total.estimated = l->total.count > TOTAL_EXACT_MAX;
		return OK;
	}
	return total_fetch(&l->total, r,
			   l->count ? pg_value(l->rows, 0, pg_column(l->rows, "_snapshot")) : NULL);
}

static int column_from_end(const struct list *l, int n)
{
	return pg_columns(l->rows) - n;
}

static const char *next_cursor(struct request *r, const struct list *l)
{
	int last = l->count - 1;

	if (!l->more)
		return NULL;
	return cursor_make(r, l->sort_name, pg_value(l->rows, last, column_from_end(l, 2)),
			   pg_value(l->rows, last, column_from_end(l, 1)));
}

static void write_hit(struct writer *j, struct list *l, int i)
{
	writer_object(j);
	shape_write(l->shape, j, l->rows, i);
	if (l->hit) {
		writer_key(j, l->hit->resource->name);
		writer_object(j);
		shape_write_from(l->hit, j, l->rows, i, l->shape->count + 1);
		writer_object_end(j);
	}
	if (l->select.extra) {
		const char *text = pg_value(l->rows, i, column_from_end(l, 3));
		char rounded[40];

		snprintf(rounded, sizeof(rounded), "%.1f", text ? strtod(text, NULL) : 0.0);
		writer_key(j, l->select.extra_name);
		writer_raw(j, rounded, strlen(rounded));
	}
	include_write(&l->included, j, i);
	writer_object_end(j);
}

static void write_page(struct request *r, struct list *l, const char *cursor)
{
	struct writer *j = &r->json;

	reply_begin(r, 200);
	writer_array(j);
	for (int i = 0; i < l->count; i++)
		write_hit(j, l, i);
	writer_array_end(j);
	writer_key(j, "meta");
	writer_object(j);
	writer_key(j, "pagination");
	writer_object(j);
	if (!l->cursor) {
		writer_key(j, "page");
		writer_int(j, l->page);
	}
	writer_key(j, "limit");
	writer_int(j, l->limit);
	writer_key(j, "total");
	writer_int(j, l->total.count);
	if (l->total.estimated) {
		writer_key(j, "total_estimated");
		writer_bool(j, true);
	}
	writer_key(j, "next_cursor");
	writer_string(j, cursor);
	writer_object_end(j);
	writer_object_end(j);
}

static void add_link(struct request *r, struct buf *b, const char *relation, const char *name,
		     const char *value)
{
	buf_adds(b, b->len ? ", </v1" : "</v1");
	buf_adds(b, r->path);
	buf_addc(b, '?');
	for (int i = 0; i < r->query_count; i++) {
		if (strcmp(r->query[i].name, "page") == 0 ||
		    strcmp(r->query[i].name, "cursor") == 0)
			continue;
		str_percent_encode(b, r->query[i].name);
		buf_addc(b, '=');
		str_percent_encode(b, r->query[i].value);
		buf_addc(b, '&');
	}
	buf_addf(b, "%s=%s>; rel=\"%s\"", name, value, relation);
}

static void add_page_link(struct request *r, struct buf *b, const char *relation, long long page)
{
	add_link(r, b, relation, "page", talloc_asprintf(MEM(r), "%lld", page));
}

/* RFC 8288. By number while the reader counts pages and as far as they go, else by cursor. A search of several KiB has no
 * links rather than a header that no client takes. */
static const char *add_links(struct request *r, struct list *l, const char *cursor)
{
	long long last = (l->total.count + l->limit - 1) / l->limit;
	struct buf b;

	buf_init(&b, MEM(r), LINKS_MAX);
	add_page_link(r, &b, "first", 1);
	if (!l->cursor && l->page > 1)
		add_page_link(r, &b, "prev", l->page - 1);
	if (l->more && (l->cursor || (l->page + 1) * l->limit > OFFSET_MAX))
		add_link(r, &b, "next", "cursor", cursor);
	else if (l->more)
		add_page_link(r, &b, "next", l->page + 1);
	if (!l->cursor && !l->total.estimated && last > 0 && last * l->limit <= OFFSET_MAX)
		add_page_link(r, &b, "last", last);
	if (buf_full(&b)) /* a search as long as that has none */
		return "";
	http_header_add(r->http, "Link", buf_text(&b));
	return buf_text(&b);
}

/* A search that ranks many is answered again as it was, while nothing has been written: Link, line break, body. */
static bool reply_again(struct request *r, const struct list *l)
{
	const char *kept = memo_get(r->http->target, l->select.snapshot);
	size_t link = kept ? strcspn(kept, "\n") : 0;

	if (!kept)
		return false;
	if (link)
		http_header_addf(r->http, "Link", "%.*s", (int)link, kept);
	reply_plain(r, 200, "application/json; charset=utf-8", kept + link + 1,
		    strlen(kept + link + 1));
	reply_tag(r, NULL, l->shape);
	return true;
}

/* Whole answers of one snapshot only: what is included was read in later ones. */
static void keep_reply(struct request *r, const struct list *l, const char *link)
{
	const struct buf *body = &r->http->body_out;
	const char *snapshot = l->select.snapshot, *listed;

	if (!snapshot || !l->by_relevance || l->included.count || l->count == 0 ||
	    l->total.count < KEPT_MIN)
		return;
	listed = pg_value(l->rows, 0, pg_column(l->rows, "_snapshot"));
	if (!listed || strcmp(snapshot, listed) != 0)
		return;
	memo_put(r->http->target, snapshot,
		 talloc_asprintf(MEM(r), "%s\n%.*s", link, (int)body->len, body->data));
}

int crud_list(struct request *r)
{
	struct list *l = talloc_zero(MEM(r), struct list);
	const char *cursor, *link;
	int rc;

	l->resource = r->route->resource;
	l->hit = l->resource->hit ? shape_whole(l->resource->hit) : NULL;
	select_init(&l->select, MEM(r), l->resource);
	rc = prepare(r, l);
	if (rc)
		return rc;
	if (reply_again(r, l))
		return OK;
	rc = fetch(r, l);
	if (!rc)
		rc = audit_read(r, "list", l->select.parent_id);
	if (rc)
		return rc;
	rc = include_fetch(r, &l->included, l->rows, l->count, pg_column(l->rows, "id"));
	if (rc)
		return rc;
	cursor = next_cursor(r, l);
	write_page(r, l, cursor);
	link = add_links(r, l, cursor);
	reply_end(r);
	keep_reply(r, l, link);
	reply_tag(r, NULL, l->shape);
	return OK;
}
