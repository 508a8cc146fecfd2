/* SPDX-License-Identifier: Apache-2.0 */
/* The route's function. A writing one runs in one transaction: committed on OK, rolled back otherwise. */
#include "api/reply.h"
#include "api/route.h"
#include "api/steps.h"
#include "store/pg.h"
#include "base/banned.h"

static int act_options(struct request *r)
{
	const char *allowed = route_allowed(r);

	http_header_add(r->http, "Allow",
			allowed ? allowed : "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	r->http->status = 204;
	return OK;
}

static int act_read(struct request *r)
{
	int rc = r->route->act(r);

	if (!rc && r->route->action && r->route->action->tagged)
		reply_tag(r, NULL, NULL);
	return rc;
}

struct transaction {
	struct request *r;
	int (*fn)(struct request *r, void *arg);
	void *arg;
	int rc; /* of fn */
};

static int run(struct task *t, void *arg)
{
	struct transaction *x = arg;

	(void)t;
	x->rc = x->fn(x->r, x->arg);
	return x->rc;
}

int act_in_transaction(struct request *r, int (*fn)(struct request *r, void *arg), void *arg)
{
	struct transaction x = { .r = r, .fn = fn, .arg = arg };
	int rc = pg_transaction(&r->task, run, &x);

	if (rc && !x.rc)
		buf_clear(&r->http->head); /* its Location and ETag are of what is not there */
	return rc;
}

static int act_write(struct request *r, void *arg)
{
	(void)arg;
	return r->route->act(r);
}

int step_act(struct request *r)
{
	if (!r->route)
		return act_options(r);
	return r->route->writes ? act_in_transaction(r, act_write, NULL) : act_read(r);
}
