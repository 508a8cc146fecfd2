/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: every worker's numbers, summed. */
#include "api/reply.h"
#include "api/route.h"
#include "base/metrics.h"
#include "gateway/gateway.h"
#include "gateway/limit.h"
#include "base/banned.h"

enum { METRICS_MAX = 4 << 20 };

int metrics_get(struct request *r)
{
	struct buf text;

	buf_init(&text, MEM(r), METRICS_MAX);
	metrics_print(&text, route_label);
	metrics_print_rejected(&text, limit_name);
	return reply_plain(r, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
}
