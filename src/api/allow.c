/* SPDX-License-Identifier: Apache-2.0 */
/* May this caller do this? What no row allows is denied. */
#include "api/route.h"
#include "api/steps.h"
#include "base/config.h"
#include "base/banned.h"

int allow_check(struct request *r, enum allow needed)
{
	if (needed == ANYONE || (needed == ADMIN && r->caller.is == ADMIN))
		return OK;
	if (needed == ADMIN && !config.admin_token[0])
		return fail(
			r, E_FORBIDDEN,
			"What only an admin may do is switched off: GUILDFORD_ADMIN_TOKEN is not set");
	if (needed == ADMIN)
		return fail(r, E_UNAUTHORIZED, "Send Authorization: Bearer with the admin token");
	return fail(r, E_FORBIDDEN, NULL);
}

int step_allow(struct request *r)
{
	return r->route ? allow_check(r, r->route->allow) : OK; /* no route: OPTIONS */
}
