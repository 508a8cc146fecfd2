/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How lists of events are found: by the rows of event.listing, one per occurrence, in the order of their starts. Each filter
 * checks its value and adds a condition on them that an index answers. Called by api/list.c.
 */
#include "event/find.h"

#include <ctype.h>
#include <string.h>
#include "api/crud.h"
#include "api/find.h"
#include "api/query.h"
#include "api/scope.h"
#include "base/str.h"
#include "base/time.h"
#include "event/event.h"
#include "event/window.h"
#include "base/banned.h"

enum {
	ANY_OF_MAX = 20,
	NARROW_DAYS = 9,
	NARROW_NEAR_DAYS = 31,
	PENCE_MAX = 10000000,
	AGE_MAX = 120
};

static const struct way_in by_any_order = {
	.from = "event.listing l",
	.joins = " join event.event t on t.id = l.event_id join event.occurrence h on h.id = l.id",
	.columns = "l.id, l.event_id, l.starts_at, l.position",
	.deleted_at = "l.deleted_at",
	.id = "l.id",
	.sort = "l.starts_at",
};

/* What goes on at a time began at most so long before as its span says. */
static const struct way_in *by_start(TALLOC_CTX *mem, int from)
{
	struct way_in *way_in = talloc_memdup(mem, &by_any_order, sizeof(*way_in));

	way_in->ranges = talloc_asprintf(
		mem,
		"(values (0, $%d::timestamptz - interval '26 hours'), (1, $%d::timestamptz - interval '32 days'), "
		"(2, timestamptz '-infinity')) s (span, since)",
		from, from);
	way_in->in_range = "l.span = s.span and l.starts_at > s.since";
	return way_in;
}

static bool sorts_by(struct request *r, const char *name)
{
	const char *sort = query_text(r, "sort");

	return strcmp(sort ? sort + (sort[0] == '-') : event_resource.default_sort, name) == 0;
}

/* What is popular and over is of no use, and of the coming ones the index has the most popular first. */
static void keep_to_coming(struct request *r, struct select *s, const struct window *w, int64_t now)
{
	if (sorts_by(r, "popularity") && w->from >= now - 60)
		select_page_where(s, "not h.past");
}

int event_list(struct request *r, struct select *s)
{
	int64_t now = (int64_t)(time_unix_ms() / 1000);
	struct window w;
	int from, rc;

	s->way_in = &by_any_order;
	rc = window_read(&r->task, query_text(r, "when"), query_text(r, "from"),
			 query_text(r, "to"), now, &w);
	if (rc)
		return rc;
	from = select_param(s, window_text(MEM(r), w.from));
	select_where(s, "l.until > $%d::timestamptz", from);
	if (w.to)
		select_where(s, "l.starts_at < $%d::timestamptz",
			     select_param(s, window_text(MEM(r), w.to)));
	s->narrow = w.to && w.to - w.from <= NARROW_DAYS * 86400;
	s->narrow_near = w.to && w.to - w.from <= NARROW_NEAR_DAYS * 86400;
	if (s->narrow || (s->narrow_near && query_text(r, "near")) || sorts_by(r, "starts_at"))
		s->way_in = by_start(MEM(r), from);
	s->quick_sort = "l.starts_at";
	s->quick_conditions = s->conditions;
	keep_to_coming(r, s, &w, now);
	return OK;
}

/* "a,b" as facets "category:a", "category:b": any of them, or all. */
static int where_facets(struct request *r, struct select *s, const char *name, const char *prefix,
			const char *value, bool all)
{
	const char *facets[ANY_OF_MAX];
	char **words;
	int n = str_split(MEM(r), value, ',', ANY_OF_MAX, &words);

	if (n < 0)
		return task_problem(&r->task, name, "takes at most %d words", ANY_OF_MAX);
	for (int i = 0; i < n; i++)
		facets[i] = talloc_asprintf(MEM(r), "%s:%s", prefix, words[i]);
	select_where(s, "l.facets %s $%d::text[]", all ? "@>" : "&&",
		     select_param(s, pg_array(MEM(r), facets, n)));
	return OK;
}

static const struct field *field_named(const struct field *fields, const char *name)
{
	for (const struct field *f = fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static int filter_category(struct request *r, struct select *s, const char *value)
{
	return where_facets(r, s, "category", "category", value, false);
}

static int filter_status(struct request *r, struct select *s, const char *value)
{
	const char *choices = field_named(event_resource.fields, "status")->choices;
	char **words;
	int n = str_split(MEM(r), value, ',', ANY_OF_MAX, &words);

	for (int i = 0; i < n; i++)
		if (!str_is_choice(choices, words[i]))
			return task_problem(&r->task, "status", "must be of %s", choices);
	return where_facets(r, s, "status", "status", value, false);
}

static int filter_accessible(struct request *r, struct select *s, const char *value)
{
	const struct field *known = field_named(event_resource.fields, "accessibility")->members;
	char **words;
	int n;

	if (strcmp(value, "true") == 0)
		value = "wheelchair";
	n = str_split(MEM(r), value, ',', ANY_OF_MAX, &words);
	for (int i = 0; i < n; i++)
		if (!field_named(known, words[i]))
			return task_problem(&r->task, "accessible",
					    "\"%.40s\" is no name of accessibility", words[i]);
	return where_facets(r, s, "accessible", "accessible", value, true);
}

static int filter_language(struct request *r, struct select *s, const char *value)
{
	char *lower = talloc_strdup(MEM(r), value);

	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return where_facets(r, s, "language", "language", lower, false);
}

static bool read_flag(struct request *r, const char *name, const char *value, bool *yes)
{
	*yes = strcmp(value, "true") == 0;
	if (*yes || strcmp(value, "false") == 0)
		return true;
	return task_problem(&r->task, name, "must be true or false") == OK;
}

static int filter_free(struct request *r, struct select *s, const char *value)
{
	bool yes;

	if (read_flag(r, "free", value, &yes))
		select_where(s, "l.facets @> $%d::text[]",
			     select_param(s, yes ? "{free}" : "{paid}"));
	return r->task.failure.code;
}

static int filter_online(struct request *r, struct select *s, const char *value)
{
	bool yes;

	if (read_flag(r, "online", value, &yes))
		select_where(s, "%sl.facets @> $%d::text[]", yes ? "" : "not ",
			     select_param(s, "{online}"));
	return r->task.failure.code;
}

static int filter_price_max(struct request *r, struct select *s, const char *value)
{
	long long pence;

	(void)value;
	if (query_int(r, "price_max", 0, PENCE_MAX, 0, &pence))
		return E_VALIDATION;
	select_where(s, "l.price <= $%d::integer",
		     select_param(s, talloc_asprintf(MEM(r), "%lld", pence)));
	return OK;
}

static int filter_age(struct request *r, struct select *s, const char *value)
{
	long long age;
	int param;

	(void)value;
	if (query_int(r, "age", 0, AGE_MAX, 0, &age))
		return E_VALIDATION;
	param = select_param(s, talloc_asprintf(MEM(r), "%lld", age));
	select_where(s,
		     "(l.age_min is null or l.age_min <= $%d::smallint) and "
		     "(l.age_max is null or l.age_max >= $%d::smallint)",
		     param, param);
	return OK;
}

static int where_id(struct request *r, struct select *s, const char *name, const char *column,
		    const char *value)
{
	if (!uuid_is(value))
		return task_problem(&r->task, name, "must be a UUID");
	select_where(s, "l.%s = $%d::uuid", column, select_param(s, value));
	return OK;
}

static int filter_organiser(struct request *r, struct select *s, const char *value)
{
	return where_id(r, s, "organiser", "organiser_id", value);
}

static int filter_venue(struct request *r, struct select *s, const char *value)
{
	return where_id(r, s, "venue", "venue_id", value);
}

/* Those to which the caller, or a business of theirs, has a relation. */
static int filter_mine(struct request *r, struct select *s, const char *value)
{
	int person;
	bool yes;

	if (!read_flag(r, "mine", value, &yes) || !yes)
		return r->task.failure.code;
	if (!r->caller.person_id[0])
		return fail(r, E_UNAUTHORIZED, "Sign in to see which events are yours");
	person = select_param(s, r->caller.person_id);
	select_where(
		s,
		"l.event_id = any (array(select x.resource_id from platform.relation x "
		"where x.person_id = $%d::uuid and x.resource = 'event' union "
		"select o.id from platform.relation x join event.event o on o.organiser_business_id = x.resource_id "
		"where x.person_id = $%d::uuid and x.resource = 'business' "
		"and x.relation = any (string_to_array('" EVENT_BUSINESS_ORGANISERS "', '|'))))",
		person, person);
	return OK;
}

/* A condition of ours on rows l as the same on rows e. */
static const char *on_others(TALLOC_CTX *mem, const char *sql)
{
	char *copy = talloc_strdup(mem, sql);

	for (char *c = copy; *c; c++)
		if (c[0] == 'l' && c[1] == '.' &&
		    (c == copy || (!isalnum((unsigned char)c[-1]) && c[-1] != '_')))
			*c = 'e';
	return copy;
}

/* Each event once: no occurrence that is found comes before this one. The last of the filters, for it needs the others. */
static int filter_collapse(struct request *r, struct select *s, const char *value)
{
	if (strcmp(value, "series") != 0)
		return task_problem(&r->task, "collapse", "must be series");
	s->distinct = "l.event_id";
	select_page_where(
		s,
		talloc_asprintf(
			MEM(r),
			"not exists (select from event.listing e%s and e.event_id = l.event_id and "
			"(e.starts_at, e.id) < (l.starts_at, l.id)%s)",
			on_others(MEM(r), buf_text(&s->where)),
			query_text(r, "deleted") ? "" : " and e.deleted_at is null"));
	return OK;
}

int event_find_ids(struct request *r, int limit, struct pg_rows **rows)
{
	struct select s;
	int rc, n;

	select_init(&s, MEM(r), &event_resource);
	rc = list_conditions(r, &s);
	if (!rc)
		rc = scope_deleted(r, &s);
	if (rc)
		return rc;
	scope_visible(r, &s, false);
	if (!s.way_in->ranges)
		return task_problem(&r->task, "sort", "can only be starts_at");
	n = select_param(&s, talloc_asprintf(MEM(r), "%d", limit));
	return pg_query_long(
		&r->task, rows,
		talloc_asprintf(
			MEM(r),
			"select x.event_id as id from (select distinct on (l.event_id) l.event_id, l.starts_at, l.id "
			"from %s%s order by l.event_id, l.starts_at, l.id) x order by x.starts_at, x.id limit $%d",
			s.narrow_near ? select_from(&s) : s.way_in->from, buf_text(&s.where), n),
		s.param_count, s.params);
}

#define WORDS "{\"type\":\"string\"}"
#define FLAG  "{\"type\":\"boolean\"}"
#define ID    "{\"type\":\"string\",\"format\":\"uuid\"}"

const struct filter event_filters[] = {
	{ .name = "when",
	  .schema =
		  "{\"type\":\"string\",\"enum\":[\"today\",\"tonight\",\"tomorrow\",\"weekend\",\"next_7_days\"]}",
	  .example = "\"weekend\"",
	  .doc = "By the town's clock, from now on: tonight is from 17:00 to 04:00, the weekend from Friday 17:00 to the end of Sunday." },
	{ .name = "from",
	  .schema = WORDS,
	  .example = "\"2026-11-28\"",
	  .doc = "What has not ended by then, a date of the town or an RFC 3339 date-time; without it, by now." },
	{ .name = "to",
	  .schema = WORDS,
	  .example = "\"2026-11-29\"",
	  .doc = "What begins before then: on that date at the latest, or before that date-time." },
	{ .name = "q",
	  .schema = "{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}",
	  .example = "\"farmers markt\"",
	  .apply = find_q,
	  .doc = "Words of title, category, venue, organiser, summary or description; all must match, typing errors are forgiven." },
	{ .name = "category",
	  .schema = WORDS,
	  .example = "\"music\"",
	  .apply = filter_category,
	  .doc = "Slug of an event category; a comma list means any of them." },
	FIND_PLACE,
	{ .name = "free",
	  .schema = FLAG,
	  .example = "true",
	  .apply = filter_free,
	  .doc = "Those that are known to cost nothing; false: something." },
	{ .name = "price_max",
	  .schema = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":10000000}",
	  .example = "1000",
	  .apply = filter_price_max,
	  .doc = "The cheapest place costs at most so many pence; what is free, too." },
	{ .name = "accessible",
	  .schema = WORDS,
	  .example = "\"wheelchair,hearing_loop\"",
	  .apply = filter_accessible,
	  .doc = "Names from `accessibility` that must all hold; true means wheelchair, which is then yes and not limited." },
	{ .name = "online",
	  .schema = FLAG,
	  .example = "true",
	  .apply = filter_online,
	  .doc = "Those that can be followed online, or not." },
	{ .name = "organiser",
	  .schema = ID,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a12\"",
	  .apply = filter_organiser,
	  .doc = "Id of the business or person that organises it." },
	{ .name = "venue",
	  .schema = ID,
	  .example = "\"019363f1-27a5-7c1b-8a5e-5f0c2c9e1a12\"",
	  .apply = filter_venue,
	  .doc = "Id of the business where it takes place." },
	{ .name = "status",
	  .schema = WORDS,
	  .example = "\"cancelled\"",
	  .apply = filter_status,
	  .doc = "Of the occurrence, else of its event: a comma list of draft, published, cancelled, postponed, rescheduled. Without it all that may be seen, the cancelled ones as well." },
	{ .name = "language",
	  .schema = WORDS,
	  .example = "\"en\"",
	  .apply = filter_language,
	  .doc = "BCP 47 tags, any of them; en means en-GB as well." },
	{ .name = "age",
	  .schema = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":120}",
	  .example = "8",
	  .apply = filter_age,
	  .doc = "For somebody of this age." },
	{ .name = "mine",
	  .schema = FLAG,
	  .example = "false",
	  .apply = filter_mine,
	  .doc = "Only those that the caller organises, drafts included." },
	{ .name = "collapse",
	  .schema = "{\"type\":\"string\",\"enum\":[\"series\"]}",
	  .example = "\"series\"",
	  .apply = filter_collapse,
	  .doc = "Each event once, with its next occurrence that is found, instead of one item per occurrence." },
	{ 0 },
};
