/* SPDX-License-Identifier: Apache-2.0 */
/* The query parameters of a list of businesses that are not simply a field: search, category, place, attributes. Each
 * checks its value and adds a condition that an index answers. Some look into the database first: they wait. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "api/query.h"
#include "api/request.h"
#include "api/shape.h"
#include "model/types.h"
#include "base/formats.h"
#include "base/str.h"
#include "business/business.h"
#include "store/memo.h"
#include "model/values.h"
#include "base/banned.h"

#define EARTH_RADIUS_M 6371008.8 /* the mean radius that the column `position` is made with */

enum {
	Q_MAX = 200,
	CATEGORIES_MAX = 20,
	ATTRIBUTES_MAX = 10,
	RADIUS_MAX = 100000,
	RADIUS_NARROW = 2000,
	SLUG_MAX = 80
};

/* The query is made first and given as a constant: so the planner knows how common its words are. */
static int filter_q(struct request *r, struct select *s, const char *value)
{
	struct pg_rows *rows;
	int query, rc;

	if (!value[0] || str_length_utf8(value, strlen(value)) > Q_MAX)
		return task_problem(&r->task, "q", "must have 1 to %d characters", Q_MAX);
	rc = pg_query_long(&r->task, &rows, "select business.search_query($1), " MEMO_SNAPSHOT,
			   PG_PARAMS(value));
	if (rc)
		return rc;
	query = select_param(s, pg_value(rows, 0, 0));
	select_where(s, "t.search @@ $%d::tsquery", query);
	s->relevance = talloc_asprintf(MEM(r), "ts_rank(t.search, $%d::tsquery)", query);
	s->snapshot = pg_value(rows, 0, 1);
	s->one_word = !strchr(pg_value(rows, 0, 0), '&');
	return OK;
}

static const struct way_in by_category = {
	.from = "business.listing l left join business.business t on t.id = l.business_id",
	.deleted_at = "l.deleted_at",
	.id = "l.business_id",
	.sort = "l.name_sort",
	.instead_of = "t.name_sort",
};

/* Any of some: few businesses are looked up, many are met in the order of the list. */
static int filter_categories(struct request *r, struct select *s, const char *slugs)
{
	struct select probe;
	bool broad;
	int rc;

	select_init(&probe, MEM(r), s->resource);
	probe.way_in = &by_category;
	select_where(&probe, "l.category = any ($%d::text[])", select_param(&probe, slugs));
	rc = select_is_broad(r, &probe, &broad);
	if (rc)
		return rc;
	select_where(
		s,
		broad ? "t.id in (select business_id from business.listing where category = any ($%d::text[]))"
		      : "t.id = any (array(select business_id from business.listing where category = any ($%d::text[])))",
		select_param(s, slugs));
	return OK;
}

static int filter_category(struct request *r, struct select *s, const char *value)
{
	char **slugs;
	int n = str_split(MEM(r), value, ',', CATEGORIES_MAX, &slugs);

	if (n < 0)
		return task_problem(&r->task, "category", "takes at most %d slugs", CATEGORIES_MAX);
	for (int i = 0; i < n; i++)
		if (!str_is_slug(slugs[i], SLUG_MAX))
			return task_problem(&r->task, "category", "\"%.80s\" is not a slug",
					    slugs[i]);
	if (n > 1)
		return filter_categories(r, s, pg_array(MEM(r), (const char *const *)slugs, n));
	s->way_in = &by_category;
	select_page_where(s, "t.id = l.business_id"); /* an inner join from here on */
	select_where(s, "l.category = $%d", select_param(s, slugs[0]));
	s->quick_sort = by_category.sort;
	s->quick_conditions = 1;
	return OK;
}

/* Reads "a,b,..." into n numbers. */
static bool read_numbers(struct request *r, const char *text, int n, double *numbers)
{
	char **parts;

	if (str_split(MEM(r), text, ',', n, &parts) != n)
		return false;
	for (int i = 0; i < n; i++)
		if (!str_to_double(parts[i], &numbers[i]))
			return false;
	return true;
}

static double radians(double degrees)
{
	return degrees * M_PI / 180;
}

static const char *number_text(struct request *r, double value)
{
	return talloc_asprintf(MEM(r), "%.17g", value);
}

struct ball {
	const char *centre; /* as the column `position` holds it */
	const char *chord;
	long long radius;
	int centre_param, chord_param;
};

/* On the sphere a radius is a ball around the point: the straight distance through it (the chord) is what the index
 * compares, and what the order by distance follows. */
static struct ball ball_around(struct request *r, double lat, double lng, long long radius)
{
	double chord = 2 * EARTH_RADIUS_M * sin((double)radius / (2 * EARTH_RADIUS_M));

	lat = radians(lat);
	lng = radians(lng);
	return (struct ball) {
		.centre = talloc_asprintf(
			MEM(r), "(%.17g,%.17g,%.17g)", EARTH_RADIUS_M * cos(lat) * cos(lng),
			EARTH_RADIUS_M * cos(lat) * sin(lng), EARTH_RADIUS_M * sin(lat)),
		.chord = number_text(r, chord),
		.radius = radius,
	};
}

static const char *cube_sql(struct select *s, int centre, int chord)
{
	return talloc_asprintf(s->mem, "t.position <@ cube_enlarge($%d::cube, $%d::float8, 3)",
			       centre, chord);
}

/* To the planner every cube is small. Where many businesses stand in one it is only asked for if the order needs it: else
 * the order's index, or that of another condition, finds a page sooner. */
static int where_in_cube(struct request *r, struct select *s, const struct ball *ball)
{
	const char *sort = query_text(r, "sort");
	struct select probe;
	bool broad = false;
	const char *cube;

	if (ball->radius > RADIUS_NARROW) {
		int centre, chord, rc;

		select_init(&probe, MEM(r), s->resource);
		centre = select_param(&probe, ball->centre);
		chord = select_param(&probe, ball->chord);
		select_where(&probe, "%s", cube_sql(&probe, centre, chord));
		rc = select_is_broad(r, &probe, &broad);
		if (rc)
			return rc;
	}
	cube = cube_sql(s, ball->centre_param, ball->chord_param);
	if (!broad)
		select_where(s, "%s", cube);
	else
		s->alone = cube;
	if (broad && sort && strcmp(sort, "-distance") == 0)
		select_page_where(s, cube);
	return OK;
}

static int filter_near(struct request *r, struct select *s, const char *value)
{
	double place[2];
	long long radius;
	struct ball ball;
	int centre, rc, before = s->conditions;

	rc = query_int(r, "radius", 1, RADIUS_MAX, RADIUS_MAX, &radius);
	if (!read_numbers(r, value, 2, place) || fabs(place[0]) > 90 || fabs(place[1]) > 180)
		return task_problem(
			&r->task, "near",
			"must be latitude,longitude in degrees such as 51.2362,-0.5704");
	if (rc)
		return rc;
	ball = ball_around(r, place[0], place[1], radius);
	ball.centre_param = centre = select_param(s, ball.centre);
	ball.chord_param = select_param(s, ball.chord);
	s->distance = talloc_asprintf(MEM(r), "t.position <-> $%d::cube", centre);
	s->farness = talloc_asprintf(MEM(r),
				     "t.position <-> cube(array[-cube_ll_coord($%d::cube, 1), "
				     "-cube_ll_coord($%d::cube, 2), -cube_ll_coord($%d::cube, 3)])",
				     centre, centre, centre);
	s->extra = talloc_asprintf(MEM(r), "%.17g * asin(least(1, (%s) / %.17g)) as distance_m",
				   2 * EARTH_RADIUS_M, s->distance, 2 * EARTH_RADIUS_M);
	s->extra_name = "distance_m";
	select_where(s, "%s <= $%d::float8", s->distance, ball.chord_param);
	rc = where_in_cube(r, s, &ball);
	if (rc || radius > RADIUS_NARROW)
		return rc;
	s->quick_sort = s->distance;
	s->quick_conditions = s->conditions - before;
	return OK;
}

static int filter_radius(struct request *r, struct select *s, const char *value)
{
	(void)s;
	(void)value;
	if (!query_text(r, "near"))
		return task_problem(&r->task, "radius", "needs the parameter \"near\"");
	return OK;
}

enum { WEST, SOUTH, EAST, NORTH, LAST_EAST, FIRST_WEST, EDGES };

/* Parameters for the edges of a box; those of the 180th meridian only for one that lies across it. */
static void add_edges(struct request *r, struct select *s, const double *edge, int *param)
{
	for (int i = WEST; i <= NORTH; i++)
		param[i] = select_param(s, number_text(r, edge[i]));
	if (edge[WEST] <= edge[EAST])
		return;
	param[LAST_EAST] = select_param(s, "180");
	param[FIRST_WEST] = select_param(s, "-180");
}

/* As the index of points holds it, or as numbers whose spread the planner knows. */
static const char *box_sql(TALLOC_CTX *mem, const int *param, int west, int east, bool numbers)
{
	return talloc_asprintf(
		mem,
		numbers ? "t.location_lng >= $%d::float8 and t.location_lat >= $%d::float8 and "
			  "t.location_lng <= $%d::float8 and t.location_lat <= $%d::float8"
			: "point(t.location_lng, t.location_lat) <@ box(point($%d::float8, $%d::float8), "
			  "point($%d::float8, $%d::float8))",
		param[west], param[SOUTH], param[east], param[NORTH]);
}

static const char *area_sql(TALLOC_CTX *mem, const double *edge, const int *param, bool numbers)
{
	if (edge[WEST] <= edge[EAST])
		return box_sql(mem, param, WEST, EAST, numbers);
	/* across the 180th meridian: both sides of it (RFC 7946 section 5.2) */
	return talloc_asprintf(mem, "(%s) or (%s)", box_sql(mem, param, WEST, LAST_EAST, numbers),
			       box_sql(mem, param, FIRST_WEST, EAST, numbers));
}

/* To the planner every box is small, as every cube is. */
static int where_in_area(struct request *r, struct select *s, const double *edge)
{
	struct select probe;
	int param[EDGES];
	bool broad;
	int rc;

	select_init(&probe, MEM(r), s->resource);
	add_edges(r, &probe, edge, param);
	select_where(&probe, "%s", area_sql(MEM(r), edge, param, false));
	rc = select_is_broad(r, &probe, &broad);
	if (rc)
		return rc;
	add_edges(r, s, edge, param);
	select_where(s, "%s", area_sql(MEM(r), edge, param, broad));
	if (broad)
		s->alone = area_sql(MEM(r), edge, param, false);
	return OK;
}

static int filter_bbox(struct request *r, struct select *s, const char *value)
{
	double edge[4];

	if (!read_numbers(r, value, 4, edge) || fabs(edge[WEST]) > 180 || fabs(edge[EAST]) > 180 ||
	    fabs(edge[SOUTH]) > 90 || fabs(edge[NORTH]) > 90 || edge[SOUTH] > edge[NORTH])
		return task_problem(&r->task, "bbox",
				    "must be west,south,east,north in degrees such as "
				    "-0.60,51.22,-0.55,51.25");
	return where_in_area(r, s, edge);
}

/* Is it a whole outward code, "GU1" or "EC1A"? Letters, digits, and at most one letter after them. */
static bool is_outcode(const char *text)
{
	size_t letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	size_t digits = strspn(text + letters, "0123456789");
	const char *rest = text + letters + digits;

	if (letters < 1 || letters > 2 || digits < 1 || digits > 2)
		return false;
	return rest[0] == '\0' || (isupper((unsigned char)rest[0]) && rest[1] == '\0');
}

/* GU1 means GU1 and not GU10: a whole outward code ends at the blank. Anything else is a beginning. */
static int filter_postcode(struct request *r, struct select *s, const char *value)
{
	char *prefix = str_trim(talloc_strdup(MEM(r), value));
	const char *whole;

	for (char *c = prefix; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	if (!prefix[0] || strlen(prefix) > 12 ||
	    prefix[strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -")] != '\0')
		return task_problem(&r->task, "postcode",
				    "must be a postcode or the beginning of one such as GU1 3");
	whole = format_postcode(MEM(r), prefix);
	if (whole)
		prefix = talloc_strdup(MEM(r), whole);
	else if (is_outcode(prefix))
		prefix = talloc_asprintf(MEM(r), "%s ", prefix);
	select_where(s, "t.address_postcode ~>=~ $%d and t.address_postcode ~<~ $%d",
		     select_param(s, prefix),
		     select_param(s, talloc_asprintf(MEM(r), "%s\x7f", prefix)));
	return OK;
}

static const struct field *attribute_row(const char *name)
{
	for (const struct field *f = business_resource.fields; f->name; f++)
		for (const struct field *m = f->members; m && m->name; m++)
			if (strcmp(m->name, name) == 0)
				return m;
	return NULL;
}

/* "yes" and "no" are what people write for a flag. */
static json_t *attribute_value(TALLOC_CTX *mem, const struct field *row, const char *text)
{
	const char *problem;

	if (row->type != BOOL)
		return type_check_text(mem, row, text, &problem) ? json_string(text) : NULL;
	if (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0)
		return json_true();
	return strcmp(text, "no") == 0 || strcmp(text, "false") == 0 ? json_false() : NULL;
}

static int add_attribute(struct request *r, json_t *wanted, char *pair)
{
	char *colon = strchr(pair, ':');
	const struct field *row;
	json_t *value;

	if (!colon)
		return task_problem(&r->task, "attributes",
				    "must be pairs such as wifi:free,dogs:yes");
	*colon = '\0';
	row = attribute_row(pair);
	if (!row)
		return task_problem(&r->task, "attributes", "there is no attribute \"%.40s\"",
				    pair);
	value = attribute_value(MEM(r), row, colon + 1);
	if (!value)
		return task_problem(&r->task, "attributes", "\"%.40s\" must be %s", pair,
				    row->type == BOOL ? "yes or no" : row->choices);
	if (!(row->flags & MANY)) {
		json_object_set_new(wanted, pair, value);
		return OK;
	}
	if (!json_object_get(wanted, pair))
		json_object_set_new(wanted, pair, json_array());
	json_array_append_new(json_object_get(wanted, pair), value);
	return OK;
}

static int filter_attributes(struct request *r, struct select *s, const char *value)
{
	json_t *wanted = json_keep(MEM(r), json_object());
	char **pairs, *text;
	int n = str_split(MEM(r), value, ',', ATTRIBUTES_MAX, &pairs);

	if (n < 0)
		return task_problem(&r->task, "attributes", "takes at most %d pairs",
				    ATTRIBUTES_MAX);
	for (int i = 0; i < n; i++) {
		int rc = add_attribute(r, wanted, pairs[i]);

		if (rc)
			return rc;
	}
	text = json_dumps(wanted, JSON_COMPACT);
	select_where(s, "t.attributes @> $%d::jsonb", select_param(s, talloc_strdup(MEM(r), text)));
	free(text);
	return OK;
}

static int filter_inspection_min(struct request *r, struct select *s, const char *value)
{
	long long rating;

	(void)value;
	if (query_int(r, "inspection_min", 0, 5, 0, &rating))
		return E_VALIDATION;
	select_where(s, "t.inspection_rating >= $%d::smallint",
		     select_param(s, talloc_asprintf(MEM(r), "%lld", rating)));
	return OK;
}

const struct filter business_filters[] = {
	{ .name = "q",
	  .schema = "{\"type\":\"string\",\"minLength\":1,\"maxLength\":200}",
	  .example = "\"starbuks\"",
	  .apply = filter_q,
	  .doc = "Words of name, category, place or description; all must match, typing errors are forgiven." },
	{ .name = "category",
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"food\"",
	  .apply = filter_category,
	  .doc = "Slug of a category, those below it included; a comma list means any of them." },
	{ .name = "near",
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"51.2362,-0.5704\"",
	  .apply = filter_near,
	  .doc = "latitude,longitude: each hit has its `distance_m`, the nearest come first." },
	{ .name = "radius",
	  .schema = "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100000,\"default\":100000}",
	  .example = "1000",
	  .apply = filter_radius,
	  .doc = "Metres around `near`; nothing outside is given." },
	{ .name = "bbox",
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"-0.60,51.22,-0.55,51.25\"",
	  .apply = filter_bbox,
	  .doc = "west,south,east,north in degrees." },
	{ .name = "postcode",
	  .schema = "{\"type\":\"string\",\"maxLength\":12}",
	  .example = "\"GU1 3\"",
	  .apply = filter_postcode,
	  .doc = "The beginning of a postcode; GU1 means GU1 and not GU10." },
	{ .name = "attributes",
	  .schema = "{\"type\":\"string\"}",
	  .example = "\"wifi:free,dogs:yes\"",
	  .apply = filter_attributes,
	  .doc = "Pairs that must all hold." },
	{ .name = "inspection_min",
	  .schema = "{\"type\":\"integer\",\"minimum\":0,\"maximum\":5}",
	  .example = "4",
	  .apply = filter_inspection_min,
	  .doc = "The newest rating that is a number is at least this." },
	{ 0 },
};
