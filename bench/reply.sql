-- SPDX-License-Identifier: Apache-2.0
-- The transaction of one reply, as the program sends it (src/event/answer.c, src/store/audit.c), for pgbench, all at once.
-- Variables: place (an occurrence), round, each (transactions of a client), turn (0). A colon in a text would begin one, too.
\set n :client_id * :each + :turn
\set turn :turn + 1
\startpipeline
begin;
select a.outcome, a.places, (a.shown).id, (a.shown).event_id, (a.shown).occurrence_id, (a.shown).title, (a.shown).starts_local,
	(a.shown).ends_local, (a.shown).time_zone, (a.shown).starts_at, (a.shown).occurrence_status, (a.shown).status, (a.shown).guests,
	(a.shown).note, (a.shown).announcements, (a.shown).code, (a.shown).place_in_line,
	least((a.shown).offered_at + '24 hours'::interval, case when (a.shown).offered_at is not null then (a.shown).replies_until end),
	(a.shown).replies_until, (a.shown).checked_in_at, (a.shown).created_at, (a.shown).updated_at
from event.answer((lpad(:round, 8, '0') || '-0000-7000-8000-' || lpad(:n, 12, '0'))::uuid, :place,
	('00000000-0000-7000-8000-' || lpad(:n, 12, '0'))::uuid, null, null, 'going', 0, null, true, lpad(:n, 8, '0')) a;
insert into platform.audit_event (id, action, actor_kind, actor_id, key_id, session_id, address, request_id, resource, resource_id,
	before, after, detail)
values (gen_random_uuid(), 'reply' || chr(58) || 'answer', 'person', ('00000000-0000-7000-8000-' || lpad(:n, 12, '0'))::uuid, null,
	gen_random_uuid(), '127.0.0.1', gen_random_uuid(), 'reply', (lpad(:round, 8, '0') || '-0000-7000-8000-' || lpad(:n, 12, '0'))::uuid,
	null, '{"status": "going", "guests": "0"}', null);
commit;
\endpipeline
