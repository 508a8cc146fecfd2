/* SPDX-License-Identifier: Apache-2.0 */
/* Notes in the audit trail what requests do (OWASP ASVS 5.0 V16.2.1: when, where, who, what). Called by crud.c and by the
 * services' own actions, inside their transactions: see audit_add(). */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include <jansson.h>
#include "api/request.h"
#include "base/attr.h"
#include "store/audit.h"

/* An event of which the request fills who, from where and its id; what is the caller's to add, before audit_add(). */
struct audit_event audit_begin(const struct request *r);
/* Notes an action, "session:revoke", on the row `id` (a UUID) of a resource; both may be NULL. `before` and `after` are
 * objects of the fields that changed, or NULL; secrets and what a person may have erased do not belong in them. Fails as
 * audit_add() does; waits only outside of a transaction. */
int audit_request(struct request *r, const char *action, const char *resource, const char *id,
		  json_t *before, json_t *after) MUST_USE;
/* Notes what the request's verb ("update") did to a row of its route's resource: the fields in which `before` (NULL: there
 * was none) and `after`, whole representations, differ. Fails as audit_request() does. */
int audit_change(struct request *r, const char *verb, json_t *before, json_t *after) MUST_USE;
/* Notes that rows of the route's resource were read, where its table wants that (resource.audited_reads): `id` is the row's, or
 * that of the parent whose rows were. Fails as audit_request() does; waits. */
int audit_read(struct request *r, const char *verb, const char *id) MUST_USE;

#endif
