/* SPDX-License-Identifier: Apache-2.0 */
/* The request's target taken apart: the decoded path and the query parameters. Nothing waits. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "api/request.h"
#include "base/attr.h"

/* Fills path, versioned and query. E_BAD_REQUEST on bad percent-escapes, NUL, ill-formed UTF-8 or too many parameters,
 * E_VALIDATION on one that is given twice, E_NOT_FOUND on an encoded slash. */
int query_parse(struct request *r) MUST_USE;
/* Notes a problem for each parameter that the route does not take. */
void query_check_known(struct request *r);
/* Whole number in [min, max]; `def` when absent; a problem when not. */
int query_int(struct request *r, const char *name, long long min, long long max, long long def,
	      long long *value) MUST_USE;

#endif
