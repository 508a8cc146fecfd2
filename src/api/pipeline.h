/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline: what happens to every request, in order. The steps are listed in pipeline.c; start reading there. Those
 * that guard all services are declared here and implemented in gateway/.
 */
#ifndef API_PIPELINE_H
#define API_PIPELINE_H

#include "api/request.h"
#include "base/attr.h"
#include "io/http.h"

/* Builds the routes and what is derived from the tables. Call once, after config_load(), before workers are forked. */
void api_setup(void);
/* Serves one exchange; an http_handler_fn. waits */
void pipeline_handle(struct http_exchange *x);

/* Name of step number i in order, NULL past the last: for timings. */
const char *pipeline_step_name(int i);

/* gateway/client.c: sets r->client and r->client_block, from the peer and what trusted proxies say of it. */
void client_find(struct request *r);
/* gateway/identify.c: finds out who is calling. Also runs when an earlier step has failed. waits */
int step_identify(struct request *r) MUST_USE;
/* gateway/limit.c: may they ask again already? Counts every request, also one that an earlier step has failed (bad
 * credentials, no such path). E_RATE_LIMITED, in place of any earlier failure. waits */
int step_limit(struct request *r) MUST_USE;
/* Is there a policy of this name? */
bool limit_exists(const char *name);
/* The headers that say how the caller stands. */
void limit_reply(struct request *r);
/* gateway/cors.c: the CORS headers of a reply (Fetch standard), preflights included. */
void cors_reply(struct request *r);
/* gateway/access_log.c: what is told about an answered request, the Server-Timing header and the log line. No secrets: no
 * query string, no headers but the request id, no bodies. */
void access_log_timing(struct request *r, uint64_t total_us);
void access_log_write(struct request *r, uint64_t total_us);

#endif
