/* SPDX-License-Identifier: Apache-2.0 */
/* When an event takes place: its times and rule are checked, its first start and last end worked out, its occurrences made.
 * Called by rules.c before a write and by api/crud.c after it, inside the transaction. */
#include "api/request.h"
#include "event/event.h"
#include "store/pg.h"
#include "base/banned.h"

static void set(struct values *v, const char *name, const char *text)
{
	struct value *value = values_get(v, name);

	value->set = true;
	value->text = text;
}

int event_check_when(struct request *r, struct values *v, json_t *old)
{
	struct pg_rows *rows;
	const char *zone = values_after(MEM(r), v, old, "time_zone");
	int rc = pg_query(&r->task, &rows,
			  "select $1::timestamp at time zone coalesce($3, 'Europe/London'), "
			  "$2::timestamp at time zone coalesce($3, 'Europe/London')",
			  PG_PARAMS(values_after(MEM(r), v, old, "starts_local"),
				    values_after(MEM(r), v, old, "ends_local"), zone));

	if (rc)
		return rc;
	set(v, "starts_at", pg_value(rows, 0, 0));
	set(v, "ends_at", pg_value(rows, 0, 1));
	return OK;
}

int event_after_write(struct request *r, json_t *old, json_t *row)
{
	struct pg_rows *rows;

	if (old)
		return OK;
	return pg_query(
		&r->task, &rows,
		"insert into event.occurrence (event_id, recurrence_local, starts_local, ends_local, starts_at, ends_at) "
		"select id, starts_local, starts_local, ends_local, starts_at, ends_at from event.event where id = $1",
		PG_PARAMS(json_string_value(json_object_get(row, "id"))));
}
