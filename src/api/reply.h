/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies: the contract's envelope, rows to JSON, entity tags (RFC 9110 section 8.8.3), and the rendering of failures
 * (the same envelope, or RFC 9457).
 */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/request.h"
#include "api/shape.h"
#include "base/attr.h"
#include "store/pg.h"

/* Opens {"success":true,"data": for the caller to write one value through r->json; reply_end() closes the envelope. */
void reply_begin(struct request *r, int status);
/* Closes the envelope. */
int reply_end(struct request *r);
/* A whole reply of {"status": text}, and its schema for an action. */
int reply_status(struct request *r, int status, const char *text);
#define REPLY_STATUS_SCHEMA                                                                        \
	"{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"string\"}}}"
/* A whole reply of one row of the shape's columns. */
int reply_row(struct request *r, int status, const struct shape *shape, const struct pg_rows *rows,
	      int row);
/* A whole reply that is not the envelope. `type` is the media type; the text is copied. */
int reply_plain(struct request *r, int status, const char *type, const char *text, size_t len);
/* Renders the recorded failure. */
void reply_failure(struct request *r);
/* Sets the ETag of the finished body, and turns the reply into a 304 when If-None-Match has it. `version` is the row's,
 * NULL for a list; a whole representation is tagged by version and shape, anything else by its bytes. */
void reply_tag(struct request *r, const char *version, const struct shape *shape);
/* Do If-Match and If-None-Match let a write to a row of this version pass? E_PRECONDITION_FAILED otherwise. A row that is
 * not there is E_NOT_FOUND before that: RFC 9110 section 13.2.1. */
int reply_check_match(struct request *r, const char *version) MUST_USE;
/* Does If-None-Match hold the tag of this version in its whole shape? Then the reply is made a 304 and true returned. */
bool reply_not_modified(struct request *r, const char *version, const struct shape *shape);
/* Headers that every reply carries. */
void reply_headers(struct request *r);

#endif
