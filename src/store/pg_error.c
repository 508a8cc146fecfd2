/* SPDX-License-Identifier: Apache-2.0 */
/* SQLSTATE to our codes (PostgreSQL documentation, appendix A): the only place that knows both. */
#include <string.h>
#include "base/log.h"
#include "base/metrics.h"
#include "store/pg_conn.h"
#include "base/banned.h"

/* The first row whose beginning fits decides. */
static const struct {
	const char *sqlstate;
	enum error_code code;
	int retry_after;
	const char *message;
} rows[] = {
	{ "23", E_CONFLICT, 0, "It conflicts with what is stored" },
	{ "22P02", E_BAD_REQUEST, 0, "A value is not of the type that is expected" },
	{ "22P05", E_BAD_REQUEST, 0, "A text holds a character that cannot be stored" },
	{ "22003", E_BAD_REQUEST, 0, "A number is out of range" },
	{ "22007", E_BAD_REQUEST, 0, "A date or time is not valid" },
	{ "22008", E_BAD_REQUEST, 0, "A date or time is out of range" },
	{ "22009", E_BAD_REQUEST, 0, "A time zone is out of range" },
	{ "22021", E_BAD_REQUEST, 0, "A text is not valid UTF-8 or holds a NUL" },
	{ "40", E_CONFLICT, 1, "Somebody else changed it at the same moment; try again" },
	{ "55P03", E_CONFLICT, 1, "Somebody else is changing it; try again" },
	{ "57014", E_TIMEOUT, 0, "The database took too long" },
	{ "57", E_UNAVAILABLE, 1, NULL },
	{ "53", E_UNAVAILABLE, 1, NULL },
	{ "08", E_UNAVAILABLE, 1, NULL },
	{ "25006", E_UNAVAILABLE, 1, NULL },
	{ "", E_INTERNAL, 0, NULL },
};

int pg_fail(struct task *t, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	size_t i = 0;

	if (!sqlstate)
		sqlstate = "08000"; /* libpq's own failure: the connection */
	while (strncmp(sqlstate, rows[i].sqlstate, strlen(rows[i].sqlstate)) != 0)
		i++;
	metric_add(METRIC_DB_ERRORS, 1);
	if (t->failure.code)
		return t->failure.code;
	task_fail(t, rows[i].code, rows[i].message ? "%s" : NULL, rows[i].message);
	t->failure.retry_after = rows[i].retry_after;
	t->failure.sqlstate = talloc_strdup(t->mem, sqlstate);
	t->failure.cause = talloc_asprintf(t->mem, "%s %s", sqlstate,
					   message ? message : PQresultErrorMessage(result));
	if (constraint)
		t->failure.constraint = talloc_strdup(t->mem, constraint);
	if (rows[i].code == E_INTERNAL)
		log_error("database: %s", t->failure.cause);
	return rows[i].code;
}
