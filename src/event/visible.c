/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a caller may know of. Everybody: those that are published, in lists only public ones. Moderators, and who
 * has a relation to the event or to the business that organises it: all. */
#include "api/request.h"
#include "api/steps.h"
#include "event/event.h"
#include "base/banned.h"

static const char *relations(TALLOC_CTX *mem, int person, bool listed)
{
	return talloc_asprintf(
		mem,
		"exists (select from platform.relation x where x.person_id = $%d and "
		"((x.resource = 'event' and x.resource_id = %s) or "
		"(x.resource = 'business' and x.resource_id = %s "
		"and x.relation = any (string_to_array('" EVENT_BUSINESS_ORGANISERS "', '|')))))",
		person, listed ? "l.event_id" : "t.id",
		listed ? "l.organiser_id" : "t.organiser_business_id");
}

void event_visible(struct request *r, struct select *s, bool item)
{
	const char *seen = item ? "t.visibility in ('public', 'unlisted') and t.status <> 'draft' "
				  "and (t.published_at is null or t.published_at <= now())"
				: "l.listed_from <= now()";

	if (allow_has(r, permission_find("event:moderate")))
		return;
	if (r->caller.person_id[0])
		seen = talloc_asprintf(
			s->mem, "(%s) or %s", seen,
			relations(s->mem, select_param(s, r->caller.person_id), !item));
	select_where(s, "%s", seen);
}
