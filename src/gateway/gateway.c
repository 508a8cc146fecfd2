/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's rows: routes about the program itself, and the audit trail. */
#include "gateway/gateway.h"

#include "base/banned.h"

static const struct action actions[] = {
	{ .method = METHOD_GET,
	  .path = "/livez",
	  .allow = ANYONE,
	  .unversioned = true,
	  .free = true,
	  .name = "live",
	  .act = health_live,
	  .doc = "Is the process up? Says nothing of what it depends on.",
	  .reply_schema =
		  "{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"string\",\"examples\":[\"ok\"]}}}" },
	{ .method = METHOD_GET,
	  .path = "/readyz",
	  .allow = ANYONE,
	  .unversioned = true,
	  .free = true,
	  .name = "ready",
	  .act = health_ready,
	  .doc = "Can it serve? 200 with the state of each dependency, or 503 with the same.",
	  .reply_schema =
		  "{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"string\",\"examples\":[\"ok\"]},"
		  "\"database\":{\"type\":\"string\",\"examples\":[\"ok\"]},"
		  "\"redis\":{\"type\":\"string\",\"enum\":[\"ok\",\"away\"]}}}" },
	{ .method = METHOD_GET,
	  .path = "/metrics",
	  .allow = ANYONE,
	  .unversioned = true,
	  .free = true,
	  .name = "metrics",
	  .act = metrics_get,
	  .media_type = "text/plain",
	  .doc = "Counters, gauges and histograms of all workers, in Prometheus' text format." },
	{ .method = METHOD_GET,
	  .path = "/openapi.json",
	  .allow = ANYONE,
	  .tagged = true,
	  .name = "openapi",
	  .act = openapi_get,
	  .media_type = "application/json",
	  .doc = "This description." },
	{ .method = METHOD_GET,
	  .path = "/.well-known/jwks.json",
	  .allow = ANYONE,
	  .unversioned = true,
	  .name = "jwks",
	  .act = jwks_get,
	  .media_type = "application/json",
	  .doc = "The public keys of access tokens, as a JWK set (RFC 7517). May be kept for five minutes." },
	{ 0 },
};

static const struct resource *const resources[] = {
	&audit_event_resource,
	NULL,
};

const struct service gateway_service = {
	.name = "gateway",
	.doc = "Health, metrics, the public keys of tokens and the description of the API.",
	.resources = resources,
	.actions = actions,
};
