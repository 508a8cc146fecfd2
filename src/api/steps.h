/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline's own steps, one per file, in the order in which pipeline.c lists them; step_route is in route.h. */
#ifndef API_STEPS_H
#define API_STEPS_H

#include "api/request.h"
#include "base/attr.h"

/* accept.c: the form of the answer: JSON, problem+json of errors, ld+json of things; 406 when the caller takes none of them. */
int step_accept(struct request *r) MUST_USE;
/* allow.c: may this caller do this? Deny by default. waits */
int step_allow(struct request *r) MUST_USE;
/* Has the caller this permission, by a role? E_UNAUTHORIZED or E_FORBIDDEN otherwise. */
int allow_check(struct request *r, const char *permission) MUST_USE;
/* The same by number, and nothing recorded. */
bool allow_has(const struct request *r, int permission);
/* Is the caller, by one of the relations "owner|organiser" to the resource's row `id` (a UUID, or a slug where it has them),
 * or by its related_rules' `via`, tied to it? Deleted rows count. waits */
int allow_related(struct request *r, const struct resource *resource, const char *id,
		  const char *relations, bool *related) MUST_USE;
/* Has the caller shown who they are within the last ten minutes? E_STEP_UP otherwise, and of an API key always (OWASP ASVS 5.0
 * 7.5.1). For rules that a row's `recent` cannot say. */
int allow_recent(struct request *r) MUST_USE;
/* input.c: query names, media type, the body as JSON. */
int step_input(struct request *r) MUST_USE;
/* act.c: the route's function, in a transaction when it writes. waits */
int step_act(struct request *r) MUST_USE;
/* Runs fn(r, arg) in a transaction: committed when it returns OK. For actions that wait for something else than the database,
 * a password's hash or another server, and must not hold a connection meanwhile: their row does not say `writes`. waits */
int act_in_transaction(struct request *r, int (*fn)(struct request *r, void *arg),
		       void *arg) MUST_USE;

/* Parses JSON text into *body, which lives as long as the request. For fuzzing, too. */
int input_parse(struct request *r, const char *text, size_t len, json_t **body) MUST_USE;

#endif
