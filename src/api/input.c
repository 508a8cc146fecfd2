/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a write as JSON; model/values.c holds it against the resource's fields. JSON is refused when it nests deeper
 * than any of our resources before jansson sees it: its recursion runs on a small stack.
 */
#include <string.h>
#include "api/query.h"
#include "api/request.h"
#include "api/route.h"
#include "api/steps.h"
#include "model/values.h"
#include "base/str.h"
#include "base/banned.h"

enum { JSON_DEPTH_MAX = 8 };

int input_parse(struct request *r, const char *text, size_t len, json_t **body)
{
	json_error_t error;
	json_t *value;

	if (len == 0)
		return fail(r, E_BAD_REQUEST, "A JSON object is expected in the body");
	if (str_json_depth(text, len) > JSON_DEPTH_MAX)
		return fail(r, E_BAD_REQUEST, "The JSON nests deeper than %d levels",
			    JSON_DEPTH_MAX);
	/* a NUL comes as far as its field's check, which names the field */
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!value)
		return fail(r, E_BAD_REQUEST,
			    "The body cannot be read as JSON: line %d, column %d: %s", error.line,
			    error.column, error.text);
	*body = json_keep(MEM(r), value);
	if (!json_is_object(value))
		return fail(r, E_BAD_REQUEST, "The body must be a JSON object");
	return OK;
}

const char *input_text(const struct request *r, const char *name)
{
	return values_get(r->values, name)->text;
}

/* The media type without parameters, lower case. */
static const char *media_type(struct request *r)
{
	const char *type = http_header_get(r->http, "content-type");
	char *bare;

	if (!type)
		return NULL;
	bare = str_trim(talloc_strndup(MEM(r), type, strcspn(type, ";")));
	for (char *c = bare; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	return bare;
}

static int check_media_type(struct request *r)
{
	bool merge = r->route->operation == OP_UPDATE;
	const char *type = media_type(r);

	if (type && (strcmp(type, "application/json") == 0 ||
		     (merge && strcmp(type, "application/merge-patch+json") == 0)))
		return OK;
	if (merge)
		http_header_add(r->http, "Accept-Patch",
				"application/merge-patch+json, application/json");
	return fail(r, E_UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json%s",
		    merge ? " or application/merge-patch+json" : "");
}

int step_input(struct request *r)
{
	int rc;

	if (!r->route)
		return OK;
	query_check_known(r);
	/* whoever reads the values of its query tells all its problems at once */
	if (r->route->operation == OP_LIST || r->route->operation == OP_GET)
		return OK;
	if (r->task.failure.code || !route_takes_body(r->route))
		return r->task.failure.code;
	rc = check_media_type(r);
	if (!rc)
		rc = input_parse(r, r->http->body, r->http->body_len, &r->body);
	if (rc || !r->route->action)
		return rc;
	return input_check(&r->task, r->route->action->takes, r->body, true, NULL, &r->values);
}
