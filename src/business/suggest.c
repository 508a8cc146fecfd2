/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/businesses/suggest?q=: what somebody who types may mean. Names that begin so come first, then those that have
 * the words, the last one perhaps unfinished or misspelt. */
#include <string.h>
#include "api/query.h"
#include "api/reply.h"
#include "base/str.h"
#include "business/business.h"
#include "base/banned.h"

enum { Q_MAX = 80, LIMIT_DEFAULT = 8, LIMIT_MAX = 20 };

const struct filter suggest_parameters[] = {
	{ .name = "q",
	  .required = true,
	  .schema = "{\"type\":\"string\",\"minLength\":1,\"maxLength\":80}",
	  .example = "\"boat\"",
	  .doc = "What was typed so far." },
	{ .name = "limit",
	  .schema = "{\"type\":\"integer\",\"minimum\":1,\"maximum\":20,\"default\":8}",
	  .example = "8",
	  .doc = "How many at most." },
	{ 0 },
};

/* Of the words' matches 200 are ranked: with so many, more letters will come. */
static const char suggest_sql[] =
	"with asked (folded, query) as materialized (select business.fold($1), business.search_query($1) || "
	"coalesce((nullif(plainto_tsquery('business.town', business.fold($1))::text, '') || ':*')::tsquery, '')), "
	"begins as (select b.* from asked, lateral (select id, slug, name, address_locality, primary_category, 1.0::real as rank, "
	"name_sort from business.business where deleted_at is null and folded <> '' and name_sort >= folded "
	"and name_sort < folded || chr(1114109) order by name_sort, id limit $2) b), "
	"holds as (select h.* from asked, lateral (select id, slug, name, address_locality, primary_category, "
	"ts_rank(search, query) as rank, name_sort from (select * from business.business where deleted_at is null "
	"and search @@ query limit 200) m order by rank desc, name_sort, id limit $2) h "
	"where not exists (select from begins where begins.id = h.id)) "
	"select id, slug, name, address_locality, primary_category from "
	"(select 1 as part, * from begins union all select 2, * from holds) s order by part, rank desc, name_sort, id limit $2";

static const char *const keys[] = { "id", "slug", "name", "locality", "primary_category" };

int business_suggest(struct request *r)
{
	const char *given = query_text(r, "q");
	const char *q = given ? str_trim(talloc_strdup(MEM(r), given)) : "";
	struct pg_rows *rows;
	long long limit;
	int rc = query_int(r, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit);

	if (!q[0] || str_length_utf8(q, strlen(q)) > Q_MAX)
		rc = task_problem(&r->task, "q", "must have 1 to %d characters", Q_MAX);
	if (rc)
		return rc;
	rc = pg_query(&r->task, &rows, suggest_sql,
		      PG_PARAMS(q, talloc_asprintf(MEM(r), "%lld", limit)));
	if (rc)
		return rc;
	reply_begin(r, 200);
	writer_array(&r->json);
	for (int i = 0; i < pg_count(rows); i++) {
		writer_object(&r->json);
		for (int k = 0; k < (int)COUNT_OF(keys); k++) {
			writer_key(&r->json, keys[k]);
			writer_string(&r->json, pg_value(rows, i, k));
		}
		writer_object_end(&r->json);
	}
	writer_array_end(&r->json);
	return reply_end(r);
}
