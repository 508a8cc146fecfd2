/* SPDX-License-Identifier: Apache-2.0 */
/* A request in memory, as the steps of the pipeline get it: no socket, no database. */
#ifndef TESTS_UNIT_WITH_REQUEST_H
#define TESTS_UNIT_WITH_REQUEST_H

#include <stdio.h>
#include "api/query.h"
#include "api/request.h"
#include "api/route.h"

/* A fresh one; target and method may be looked at by what is tested. Its memory is a child of `mem`. */
static inline struct request *new_request(TALLOC_CTX *mem, enum http_method method,
					  const char *target)
{
	struct http_exchange *x = talloc_zero(mem, struct http_exchange);
	struct request *r = talloc_zero(x, struct request);

	x->mem = x;
	x->method = method;
	x->method_name = method_text(method);
	x->target = target;
	buf_init(&x->head, x, 65536);
	buf_init(&x->body_out, x, 1 << 20);
	r->http = x;
	r->path = "";
	r->task.mem = x;
	snprintf(r->id, sizeof(r->id), "test");
	return r;
}

/* GET of a target whose path and query have been taken apart. */
static inline struct request *get_request(TALLOC_CTX *mem, const char *target)
{
	struct request *r = new_request(mem, METHOD_GET, target);

	assert_int_equal(query_parse(r), OK);
	return r;
}

static inline void set_header(struct request *r, const char *name, const char *value)
{
	assert_true(r->http->header_count < HTTP_HEADERS_MAX);
	r->http->headers[r->http->header_count++] = (struct http_header) { .name = name,
									   .value = value };
}

/* The first reply header of that name, NULL when there is none. */
static inline const char *reply_header(struct request *r, const char *name)
{
	const char *head = r->http->head.data ? buf_text(&r->http->head) : "";
	const char *start = talloc_asprintf(MEM(r), "%s: ", name);

	for (const char *line = head; *line; line = strstr(line, "\r\n") + 2)
		if (strncmp(line, start, strlen(start)) == 0)
			return talloc_strndup(MEM(r), line + strlen(start),
					      strcspn(line + strlen(start), "\r"));
	return NULL;
}

/* What was found wrong with a field, NULL when nothing was. */
static inline const char *problem_of(const struct request *r, const char *field)
{
	const struct failure *f = &r->task.failure;

	for (int i = 0; i < f->problem_count; i++)
		if (strcmp(f->problems[i].field, field) == 0)
			return f->problems[i].message;
	return NULL;
}

#endif
