/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start reading here: what happens to every request, in order. After the first step that does not return OK only those
 * run that run always, and the failure it recorded is rendered; replying and logging happen to all.
 */
#include "api/pipeline.h"

#include <assert.h>
#include <string.h>
#include "api/reply.h"
#include "api/route.h"
#include "api/shape.h"
#include "api/steps.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/time.h"
#include "base/uuid.h"
#include "base/banned.h"

static const struct {
	const char *name;
	int (*step)(struct request *r);
	bool always; /* also when an earlier one has failed: what fails counts, too */
} steps[] = {
	{ "accept", step_accept,
	  false }, /* accept.c: can we answer in a form that the caller takes? */
	{ "route", step_route, false },	     /* route.c: what is asked for? */
	{ "identify", step_identify, true }, /* gateway/identify.c: who is asking? */
	{ "limit", step_limit, true },	     /* gateway/limit.c: not too often? */
	{ "allow", step_allow, false },	     /* allow.c: may they? */
	{ "input", step_input, false },	     /* input.c: is what they sent well-formed? */
	{ "act", step_act, false },	     /* act.c: do it */
};

_Static_assert(COUNT_OF(steps) <= STEPS_MAX, "a request has a time for each step");

/* A row that names a limit means one that there is. */
static void check_limits(void)
{
	for (int i = 0; i < route_count(); i++) {
		const struct action *action = route_first()[i].action;

		assert(!action || !action->limit || limit_exists(action->limit));
	}
}

void api_setup(void)
{
	route_setup();
	check_limits();
	shape_setup();
}

/* A caller's id is taken when it cannot harm a log or a header: letters, digits and -_.:/+= only. */
static void choose_id(struct request *r)
{
	const char *given = http_header_get(r->http, "x-request-id");
	size_t len =
		given ? strspn(given,
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=")
		      : 0;

	if (len > 0 && len <= REQUEST_ID_MAX && given[len] == '\0')
		memcpy(r->id, given, len + 1);
	else
		uuid_new(r->id);
}

static struct request *begin(struct http_exchange *x)
{
	struct request *r = talloc_zero(x->mem, struct request);

	r->http = x;
	r->path = "";
	r->task.mem = x->mem;
	/* from now, when all of it is here: a client may take longer than that to send it */
	r->task.deadline = time_monotonic_us() + (uint64_t)config.request_timeout * 1000;
	choose_id(r);
	client_find(r);
	return r;
}

static void finish(struct request *r)
{
	uint64_t total = time_monotonic_us() - r->http->started_us;

	if (buf_full(&r->http->body_out)) {
		task_forgive(&r->task);
		fail(r, E_INTERNAL,
		     "The answer is larger than it may be; ask for fewer rows or fields");
		buf_init(&r->http->body_out, MEM(r), 65536);
		buf_clear(&r->http->head);
	}
	if (r->task.failure.code)
		reply_failure(r);
	assert(r->http->status);
	cors_reply(r);
	limit_reply(r);
	reply_headers(r);
	access_log_timing(r, total);
	metric_request(r->route ? r->route->number : 0, r->http->status, total);
	if (config.access_log)
		access_log_write(r, total);
}

void pipeline_handle(struct http_exchange *x)
{
	struct request *r = begin(x);
	uint64_t before = time_monotonic_us();
	bool failed = false;

	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		uint64_t now;

		if (failed && !steps[i].always)
			continue;
		if (steps[i].step(r) != OK)
			failed = true;
		now = time_monotonic_us();
		r->step_us[i] = now - before;
		before = now;
	}
	finish(r);
}

const char *pipeline_step_name(int i)
{
	return i < (int)COUNT_OF(steps) ? steps[i].name : NULL;
}
