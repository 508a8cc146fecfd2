/* SPDX-License-Identifier: Apache-2.0 */
/* The `services` table: what this program serves. A service is added by its row here and its folder under src/. */
#include "model/resource.h"
#include "auth/auth.h"
#include "business/business.h"
#include "event/event.h"
#include "gateway/gateway.h"
#include "base/banned.h"

const struct service *const services[] = {
	&gateway_service, &auth_service, &business_service, &event_service, NULL,
};
