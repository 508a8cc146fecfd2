/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 document of everything in the tables. */
#ifndef GATEWAY_DESCRIBE_H
#define GATEWAY_DESCRIBE_H

#include "base/buf.h"

/* Appends the document as JSON; the routes must have been set up. Nothing waits. */
void describe_openapi(struct buf *out);

#endif
