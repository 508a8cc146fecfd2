/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway service: what stands in front of all others, and the routes that are about the program itself. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "model/resource.h"

extern const struct service gateway_service;

/* audit.c */
extern const struct resource audit_event_resource;

/* health.c */
int health_live(struct request *r) MUST_USE;
int health_ready(struct request *r) MUST_USE;
/* metrics.c */
int metrics_get(struct request *r) MUST_USE;
/* openapi.c */
int openapi_get(struct request *r) MUST_USE;
/* jwks.c */
int jwks_get(struct request *r) MUST_USE;

#endif
