/* SPDX-License-Identifier: Apache-2.0 */
/* The query of a list of businesses: every filter, sort, paging, fields, include, cursor, up to the statement. */
#include "api/list.c"

#include "fuzz.h"

/* Whatever the caller sent is a parameter: the statement is ASCII, its quotes and brackets are closed, and it asks for
 * the parameters that there are and no more. */
static void check_statement(const char *sql, int param_count)
{
	long brackets = 0, highest = 0;
	bool quoted = false;

	for (const char *c = sql; *c; c++) {
		assert(*c >= ' ' && *c <= '~' && *c != ';');
		quoted = quoted != (*c == '\'');
		if (quoted)
			continue;
		brackets += (*c == '(') - (*c == ')');
		assert(brackets >= 0);
		if (*c == '$' && strtol(c + 1, NULL, 10) > highest)
			highest = strtol(c + 1, NULL, 10);
	}
	assert(!quoted && brackets == 0);
	assert(highest == param_count);
}

static void check_list(struct request *r, struct list *l)
{
	const char *sql;

	assert(l->limit >= 1 && l->limit <= LIMIT_MAX && l->page >= 1);
	for (int i = 0; i < l->included.count; i++)
		for (int k = 0; k < i; k++)
			assert(l->included.items[i].relation != l->included.items[k].relation);
	sql = list_sql(r, l);
	check_statement(sql, l->select.param_count);
	for (int i = 0; i < l->select.param_count; i++)
		assert(str_is_utf8(l->select.params[i], strlen(l->select.params[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct request *r = fuzz_request(fuzz_target_text(mem, "/v1/businesses?", data, size));
	struct list *l = talloc_zero(mem, struct list);

	if (step_route(r) == OK)
		query_check_known(r);
	if (!r->task.failure.code && r->route) {
		l->resource = r->route->resource;
		select_init(&l->select, MEM(r), l->resource);
		if (prepare(r, l) == OK)
			check_list(r, l);
	}
	if (r->task.failure.code)
		fuzz_check_failure(&r->task);
	talloc_free(MEM(r));
	talloc_free(mem);
	return 0;
}
