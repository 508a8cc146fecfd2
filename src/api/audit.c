/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its event in the audit trail: who is calling, from where, and what is other than before. */
#include "api/audit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "api/route.h"
#include "model/values.h"
#include "base/banned.h"

/* The one place that knows who a caller is to the audit trail. */
static void fill_actor(const struct request *r, struct audit_event *event)
{
	static const char *const kinds[] = {
		[CALLER_NOBODY] = "nobody", [CALLER_PERSON] = "person", [CALLER_KEY] = "key"
	};
	const struct principal *caller = &r->caller;

	event->actor_kind = kinds[caller->is];
	event->actor_id = caller->person_id[0] ? caller->person_id : NULL;
	event->session_id = caller->session_id[0] ? caller->session_id : NULL;
	event->key_id = caller->key_id[0] ? caller->key_id : NULL;
}

struct audit_event audit_begin(const struct request *r)
{
	struct audit_event event = { .request_id = r->id };

	if (r->client && r->client[0])
		event.address = r->client;
	fill_actor(r, &event);
	return event;
}

/* NULL for what says nothing. */
static const char *text_of(struct request *r, json_t *object)
{
	char *text, *copy;

	if (!object || json_object_size(object) == 0)
		return NULL;
	text = json_dumps(object, JSON_COMPACT);
	copy = talloc_strdup(MEM(r), text);
	free(text);
	return copy;
}

int audit_request(struct request *r, const char *action, const char *resource, const char *id,
		  json_t *before, json_t *after)
{
	struct audit_event event = audit_begin(r);

	event.action = action;
	event.resource = resource;
	event.resource_id = id;
	event.before = text_of(r, before);
	event.after = text_of(r, after);
	return audit_add(&r->task, &event);
}

/* The event has a time of its own. */
static bool says_nothing(const char *key)
{
	return strcmp(key, "updated_at") == 0;
}

/* Puts into `changed` what of `of` is other in `than`: of objects within, their members. What is absent is null. */
static void differ(json_t *of, json_t *than, json_t *changed, int depth)
{
	const char *key;
	json_t *value;

	assert(depth < 10); /* as deep as a resource's table goes */
	json_object_foreach(of, key, value)
	{
		json_t *other = json_object_get(than, key);

		if (says_nothing(key) || json_equal(value, other) ||
		    (json_is_null(value) && !other))
			continue;
		if (json_is_object(value) && json_is_object(other)) {
			json_t *inner = json_object();

			differ(value, other, inner, depth + 1);
			if (json_object_size(inner) > 0)
				json_object_set(changed, key, inner);
			json_decref(inner);
		} else {
			json_object_set(changed, key, value);
		}
	}
}

/* That it was changed may be kept, what it was may not (GDPR article 17). */
static void leave_out_personal(const struct resource *resource, json_t *changed)
{
	for (const struct field *f = resource->fields; f->name; f++)
		if ((f->flags & PERSONAL) && json_object_get(changed, f->name))
			json_object_set_new(changed, f->name, json_string("(personal)"));
}

int audit_change(struct request *r, const char *verb, json_t *before, json_t *after)
{
	const char *name = r->route->resource->name;
	json_t *was = json_keep(MEM(r), json_object()), *is = json_keep(MEM(r), json_object());

	differ(before, after, was, 0);
	differ(after, before, is, 0);
	leave_out_personal(r->route->resource, was);
	leave_out_personal(r->route->resource, is);
	return audit_request(r, talloc_asprintf(MEM(r), "%s:%s", name, verb), name,
			     json_string_value(json_object_get(after, "id")), was, is);
}

int audit_read(struct request *r, const char *verb, const char *id)
{
	const struct resource *resource = r->route->resource;

	if (!resource->audited_reads)
		return OK;
	return audit_request(r, talloc_asprintf(MEM(r), "%s:%s", resource->name, verb),
			     strcmp(verb, "list") == 0 ? resource->parent_resource->name
						       : resource->name,
			     id, NULL, NULL);
}
