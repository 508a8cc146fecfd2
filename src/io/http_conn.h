/* SPDX-License-Identifier: Apache-2.0 */
/* One client connection, shared by the three files of the HTTP server and by nobody else. */
#ifndef IO_HTTP_CONN_H
#define IO_HTTP_CONN_H

#include <llhttp.h>
#include <stdbool.h>
#include <uv.h>
#include "base/buf.h"
#include "io/http.h"

/* What a connection waits for; each but BUSY has a deadline and a queue ordered by it. */
enum conn_state {
	CONN_IDLE,   /* for a request to begin */
	CONN_HEAD,   /* for the rest of the head */
	CONN_BODY,   /* for the rest of the body */
	CONN_BUSY,   /* for the handler */
	CONN_WRITE,  /* for the client to take the reply */
	CONN_LINGER, /* for the client to see the reply before we close (RFC 9112 section 9.6) */
	CONN_STATES
};

struct conn {
	uv_tcp_t tcp;
	enum conn_state state;
	uint64_t since_us;	  /* when it entered the state */
	struct conn *prev, *next; /* in the state's queue */
	struct http_exchange *x;  /* the request being read or served; NULL when idle */
	struct buf in;		  /* bytes read and not yet parsed */
	struct buf body;	  /* of x, child of x->mem */
	llhttp_t parser;
	char peer[48];
	bool close_after; /* close when the reply is written */
	bool closing;
	bool eof;    /* the client will send no more */
	bool queued; /* in the list of those with more input to parse */
	bool paused; /* not reading: it has sent far more than we have answered */
	struct conn *next_queued;
	size_t unwritten; /* of the reply, when it was last looked at */
	struct buf *sink; /* instead of a socket: tests and fuzzing */
	const struct http_limits *limits;
	http_handler_fn *handler;
};

/* http_parse.c: takes as many bytes as make requests that can be served now; keeps the rest in c->in. */
void conn_take(struct conn *c, const char *data, size_t len);
/* Goes on with what is in c->in, after a reply. */
void conn_continue(struct conn *c);
/* Answers what has been read so far with a refusal and closes the connection after it. */
void conn_refuse(struct conn *c, enum error_code code, const char *why);

/* http_write.c: writes the filled reply of c->x; called on the coroutine's stack. */
void conn_reply(struct conn *c);

/* http.c */
void conn_enter(struct conn *c, enum conn_state state);
void conn_close(struct conn *c);
/* Closes it while busy, when the handler has nothing more to say or never will: lets go of the exchange as well. */
void conn_drop(struct conn *c);
/* The reply is written: the next request, or the end. */
void conn_written(struct conn *c);
bool http_is_draining(void);

#endif
