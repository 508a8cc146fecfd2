/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of auth.role with their permissions, read whole: there are a handful. Called by identify.c and revoked.c. */
#include "gateway/roles.h"

#include <string.h>
#include "store/pg.h"
#include "base/banned.h"

struct role {
	const char *slug;
	struct permissions may;
};

static struct role *roles; /* a talloc array */
static int count;

void roles_clear(void)
{
	talloc_free(roles);
	roles = NULL;
	count = 0;
}

int roles_load(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select r.slug, p from auth.role r left join unnest(r.permissions) p on true "
		"where r.deleted_at is null order by r.slug",
		PG_NONE);

	if (rc)
		return rc;
	roles_clear();
	roles = talloc_zero_array(NULL, struct role, (unsigned)pg_count(rows) + 1);
	for (int i = 0; i < pg_count(rows); i++) {
		const char *slug = pg_value(rows, i, 0), *pattern = pg_value(rows, i, 1);

		if (count == 0 || strcmp(roles[count - 1].slug, slug) != 0)
			roles[count++].slug = talloc_strdup(roles, slug);
		if (pattern)
			permissions_add(&roles[count - 1].may, pattern);
	}
	return OK;
}

void roles_add(struct permissions *set, const char *slug)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(roles[i].slug, slug) != 0)
			continue;
		for (size_t k = 0; k < COUNT_OF(set->bits); k++)
			set->bits[k] |= roles[i].may.bits[k];
	}
}
