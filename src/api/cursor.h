/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opaque keyset cursors: where a page ended (its last row's sort value and id) and a digest of the search that it
 * belongs to, as base64url. A cursor carries nothing that its bearer may not know, and what comes back is checked like
 * any input; so it is bound to its search, not signed.
 */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/request.h"
#include "base/attr.h"

struct cursor {
	const char *sort; /* text of the sort value */
	const char *id;
};

/* The cursor's text after a row with this sort value and id. */
const char *cursor_make(struct request *r, const char *sort_name, const char *sort, const char *id);
/* Does it belong to the request's search in this order? */
bool cursor_is_of(struct request *r, const char *sort_name, const char *text);
/* Reads one; E_VALIDATION on field "cursor" when it is damaged or belongs to another search. */
int cursor_read(struct request *r, const char *sort_name, const char *text,
		struct cursor *cursor) MUST_USE;

#endif
