/* SPDX-License-Identifier: Apache-2.0 */
/* May this caller do this? What no row allows is denied. */
#include "api/route.h"
#include "api/steps.h"
#include "base/config.h"
#include "base/banned.h"

int step_allow(struct request *r)
{
	if (!r->route) /* OPTIONS */
		return OK;
	if (r->route->allow == ANYONE || (r->route->allow == ADMIN && r->caller.is == ADMIN))
		return OK;
	if (r->route->allow == ADMIN && !config.admin_token[0])
		return fail(r, E_FORBIDDEN,
			    "Writing is switched off: GUILDFORD_ADMIN_TOKEN is not set");
	if (r->route->allow == ADMIN)
		return fail(r, E_UNAUTHORIZED, "Send Authorization: Bearer with the admin token");
	return fail(r, E_FORBIDDEN, NULL);
}
