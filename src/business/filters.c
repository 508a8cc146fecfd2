/* SPDX-License-Identifier: Apache-2.0 */
/* The query parameters of a list of businesses that are not simply a field: search, category, place, attributes. Each
 * checks its value and adds a condition that an index answers. Nothing waits. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "api/query.h"
#include "api/request.h"
#include "api/shape.h"
#include "api/types.h"
#include "base/str.h"
#include "business/business.h"
#include "base/banned.h"

#define EARTH_RADIUS_M 6371008.8 /* the mean radius that the column `position` is made with */

enum { Q_MAX = 200, CATEGORIES_MAX = 20, ATTRIBUTES_MAX = 10, RADIUS_MAX = 100000, SLUG_MAX = 80 };

static int filter_q(struct request *r, struct select *s, const char *value)
{
	if (!value[0] || str_length_utf8(value, strlen(value)) > Q_MAX)
		return task_problem(&r->task, "q", "must have 1 to %d characters", Q_MAX);
	/* in the FROM, where it is computed once and not for each row */
	select_join(s, "cross join business.search_query($%d) as sought (query)",
		    select_param(s, value));
	select_where(s, "t.search @@ sought.query");
	s->relevance = "ts_rank(t.search, sought.query)";
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
	if (n == 1)
		/* name_sort is joined too, so that the list's order is the index's */
		select_join(
			s,
			"join business.listing l on l.business_id = t.id and l.name_sort = t.name_sort "
			"and l.category = $%d",
			select_param(s, slugs[0]));
	else
		select_where(
			s,
			"t.id in (select business_id from business.listing where category = any ($%d::text[]))",
			select_param(s, sql_array(MEM(r), (const char *const *)slugs, n)));
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

/* On the sphere a radius is a ball around the point: the straight distance through it (the chord) is what the index
 * compares, and what the order by distance follows. */
static int filter_near(struct request *r, struct select *s, const char *value)
{
	double place[2];
	long long radius;
	int centre, chord;

	if (!read_numbers(r, value, 2, place) || fabs(place[0]) > 90 || fabs(place[1]) > 180)
		return task_problem(
			&r->task, "near",
			"must be latitude,longitude in degrees such as 51.2362,-0.5704");
	if (query_int(r, "radius", 1, RADIUS_MAX, RADIUS_MAX, &radius))
		return E_VALIDATION;
	centre = select_param(
		s, talloc_asprintf(MEM(r), "(%.17g,%.17g,%.17g)",
				   EARTH_RADIUS_M * cos(radians(place[0])) * cos(radians(place[1])),
				   EARTH_RADIUS_M * cos(radians(place[0])) * sin(radians(place[1])),
				   EARTH_RADIUS_M * sin(radians(place[0]))));
	chord = select_param(
		s, number_text(r, 2 * EARTH_RADIUS_M * sin((double)radius / (2 * EARTH_RADIUS_M))));
	s->distance = talloc_asprintf(MEM(r), "t.position <-> $%d::cube", centre);
	s->extra = talloc_asprintf(MEM(r), "%.17g * asin(least(1, (%s) / %.17g)) as distance_m",
				   2 * EARTH_RADIUS_M, s->distance, 2 * EARTH_RADIUS_M);
	s->extra_name = "distance_m";
	select_where(s,
		     "t.position <@ cube_enlarge($%d::cube, $%d::float8, 3) and %s <= $%d::float8",
		     centre, chord, s->distance, chord);
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

static const char *box_sql(struct request *r, int west, int south, int east, int north)
{
	return talloc_asprintf(
		MEM(r),
		"point(t.location_lng, t.location_lat) <@ box(point($%d::float8, $%d::float8), "
		"point($%d::float8, $%d::float8))",
		west, south, east, north);
}

static int filter_bbox(struct request *r, struct select *s, const char *value)
{
	double edge[4];
	int n[4];

	if (!read_numbers(r, value, 4, edge) || fabs(edge[0]) > 180 || fabs(edge[2]) > 180 ||
	    fabs(edge[1]) > 90 || fabs(edge[3]) > 90 || edge[1] > edge[3])
		return task_problem(&r->task, "bbox",
				    "must be west,south,east,north in degrees such as "
				    "-0.60,51.22,-0.55,51.25");
	for (int i = 0; i < 4; i++)
		n[i] = select_param(s, number_text(r, edge[i]));
	if (edge[0] <= edge[2])
		select_where(s, "%s", box_sql(r, n[0], n[1], n[2], n[3]));
	else /* across the 180th meridian: both sides of it (RFC 7946 section 5.2) */
		select_where(s, "%s or %s", box_sql(r, n[0], n[1], select_param(s, "180"), n[3]),
			     box_sql(r, select_param(s, "-180"), n[1], n[2], n[3]));
	return OK;
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
	whole = postcode_normalise(MEM(r), prefix);
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
