/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to other servers over HTTP (RFC 9110) or HTTPS: one call that waits. No redirect is followed, no proxy of the
 * environment used, certificates are verified. The answer has a maximum. The caller decides what a status means: any
 * answer, 500 as well, is OK here.
 */
#ifndef IO_HTTP_CALL_H
#define IO_HTTP_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include "base/attr.h"
#include "io/http.h"
#include "io/task.h"

struct http_call {
	const char *method; /* "GET", "POST", ...; NULL: GET */
	const char *url;    /* absolute, http or https */
	const struct http_header *headers;
	int header_count;
	/* NULL: none. Without a content-type of the caller it goes as application/x-www-form-urlencoded */
	const char *body;
	size_t body_len;
	size_t answer_max; /* bytes of the answer's body */
	int timeout_ms;	   /* for all of it; the task's deadline counts, too */
	/* May we connect to this address? Asked of each before a connection to it is made, none that is open being used
	 * again: so that no name can mean another address than the one that was looked at. NULL: to any. */
	bool (*may_connect)(const struct sockaddr *address);
};

struct http_answer {
	int status;
	const char *content_type, *location, *cache_control, *etag,
		*last_modified; /* NULL when absent */
	const char *body;	/* a NUL follows; may hold NUL bytes */
	size_t body_len;
};

/* Sends the request and gives the answer, a child of the task's mem. Failures, with the cause in failure.cause:
 * E_UNAVAILABLE when nobody could or may be reached, the certificate is not good or the answer is too large, E_TIMEOUT,
 * E_INTERNAL when the call itself is malformed. waits */
int http_call(struct task *t, const struct http_call *call, struct http_answer **answer) MUST_USE;

#endif
