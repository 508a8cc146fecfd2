/* SPDX-License-Identifier: Apache-2.0 */
/* Words and places: each filter checks its value and adds a condition that an index answers. Some look into the database
 * first. Called by list.c through the tables of filters. */
#include "api/find.h"

#include <string.h>
#include "api/query.h"
#include "base/str.h"
#include "model/place.h"
#include "store/memo.h"
#include "base/banned.h"

enum { RADIUS_NARROW = 2000 };

/* The query is made first and given as a constant: so the planner knows how common its words are. */
int find_q(struct request *r, struct select *s, const char *value)
{
	const char *rows = select_rows(s);
	struct pg_rows *made;
	int query, rc;

	if (!value[0] || str_length_utf8(value, strlen(value)) > FIND_Q_MAX)
		return task_problem(&r->task, "q", "must have 1 to %d characters", FIND_Q_MAX);
	rc = pg_query_long(&r->task, &made,
			   talloc_asprintf(MEM(r), "select %s.search_query($1), " MEMO_SNAPSHOT,
					   s->resource->service),
			   PG_PARAMS(value));
	if (rc)
		return rc;
	query = select_param(s, pg_value(made, 0, 0));
	select_where(s, "%s.search @@ $%d::tsquery", rows, query);
	s->relevance = talloc_asprintf(MEM(r), "ts_rank(%s.search, $%d::tsquery)", rows, query);
	s->snapshot = pg_value(made, 0, 1);
	s->one_word = !strchr(pg_value(made, 0, 0), '&');
	return OK;
}

struct ball {
	const char *centre, *chord;
	long long radius;
};

static const char *cube_sql(struct select *s, int centre, int chord)
{
	return talloc_asprintf(s->mem, "%s.position <@ cube_enlarge($%d::cube, $%d::float8, 3)",
			       select_rows(s), centre, chord);
}

/* To the planner every cube is small. Where many rows stand in one it is only asked for if the order needs it: else
 * the order's index, or that of another condition, finds a page sooner. */
static int where_in_cube(struct request *r, struct select *s, const struct ball *ball, int centre,
			 int chord)
{
	const char *sort = query_text(r, "sort");
	bool broad = s->narrow_near;
	struct select probe;
	const char *cube;

	if (!broad && (select_has_hits(s) || ball->radius > RADIUS_NARROW)) {
		int at, reach, rc;

		select_probe(&probe, s);
		at = select_param(&probe, ball->centre);
		reach = select_param(&probe, ball->chord);
		select_where(&probe, "%s", cube_sql(&probe, at, reach));
		rc = select_is_broad(r, &probe, &broad);
		if (rc)
			return rc;
	}
	cube = cube_sql(s, centre, chord);
	if (!broad)
		select_where(s, "%s", cube);
	else
		s->alone = cube;
	if (broad && sort && strcmp(sort, "-distance") == 0)
		select_page_where(s, cube);
	return OK;
}

int find_near(struct request *r, struct select *s, const char *value)
{
	int centre, chord, rc, before = s->conditions;
	double point[2];
	struct ball ball;

	rc = query_int(r, "radius", 1, FIND_RADIUS_MAX, FIND_RADIUS_MAX, &ball.radius);
	if (!place_read_point(MEM(r), value, point))
		return task_problem(
			&r->task, "near",
			"must be latitude,longitude in degrees such as 51.2362,-0.5704");
	if (rc)
		return rc;
	ball.centre = place_cube(MEM(r), point);
	ball.chord = place_chord(MEM(r), ball.radius);
	centre = select_param(s, ball.centre);
	chord = select_param(s, ball.chord);
	s->distance = talloc_asprintf(MEM(r), "%s.position <-> $%d::cube", select_rows(s), centre);
	s->farness = talloc_asprintf(MEM(r),
				     "%s.position <-> cube(array[-cube_ll_coord($%d::cube, 1), "
				     "-cube_ll_coord($%d::cube, 2), -cube_ll_coord($%d::cube, 3)])",
				     select_rows(s), centre, centre, centre);
	s->extra = talloc_asprintf(MEM(r), "%.17g * asin(least(1, (%s) / %.17g)) as distance_m",
				   2 * PLACE_EARTH_M, s->distance, 2 * PLACE_EARTH_M);
	s->extra_name = "distance_m";
	select_where(s, "%s <= $%d::float8", s->distance, chord);
	rc = where_in_cube(r, s, &ball, centre, chord);
	if (rc || s->narrow_near) {
		s->quick_conditions += before == s->quick_conditions;
		return rc;
	}
	if (!select_has_hits(s) && ball.radius <= RADIUS_NARROW) {
		s->quick_sort = s->distance;
		s->quick_conditions = s->conditions - before;
	}
	return OK;
}

int find_radius(struct request *r, struct select *s, const char *value)
{
	(void)s;
	(void)value;
	if (!query_text(r, "near"))
		return task_problem(&r->task, "radius", "needs the parameter \"near\"");
	return OK;
}

/* Parameters for the edges of a box; those of the 180th meridian only for one that lies across it. */
static void add_edges(struct select *s, const double *edge, int *param)
{
	for (int i = WEST; i <= NORTH; i++)
		param[i] = select_param(s, talloc_asprintf(s->mem, "%.17g", edge[i]));
	if (edge[WEST] <= edge[EAST])
		return;
	param[LAST_EAST] = select_param(s, "180");
	param[FIRST_WEST] = select_param(s, "-180");
}

/* To the planner every box is small, as every cube is. */
int find_bbox(struct request *r, struct select *s, const char *value)
{
	int param[EDGES], rc = OK;
	bool broad = s->narrow;
	struct select probe;
	double edge[4];

	if (!place_read_box(MEM(r), value, edge))
		return task_problem(&r->task, "bbox",
				    "must be west,south,east,north in degrees such as "
				    "-0.60,51.22,-0.55,51.25");
	if (!broad) {
		select_probe(&probe, s);
		add_edges(&probe, edge, param);
		select_where(&probe, "%s",
			     place_in_box(MEM(r), select_rows(s), edge, param, false));
		rc = select_is_broad(r, &probe, &broad);
	}
	if (rc)
		return rc;
	add_edges(s, edge, param);
	select_where(s, "%s", place_in_box(MEM(r), select_rows(s), edge, param, broad));
	if (broad && !s->narrow)
		s->alone = place_in_box(MEM(r), select_rows(s), edge, param, false);
	return OK;
}
