/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/openapi.json: the description of the API, made once per worker. */
#include "gateway/describe.h"
#include "api/reply.h"
#include "gateway/gateway.h"
#include "base/banned.h"

enum { DOCUMENT_MAX = 4 << 20 };

int openapi_get(struct request *r)
{
	static struct buf document;

	if (!document.len) {
		buf_init(&document, NULL, DOCUMENT_MAX);
		describe_openapi(&document);
	}
	return reply_plain(r, 200, "application/json; charset=utf-8", document.data, document.len);
}
