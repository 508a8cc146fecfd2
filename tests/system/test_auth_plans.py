# SPDX-License-Identifier: Apache-2.0
"""No request about accounts scans a table, and no job does: as test_plans.py, with 100,000 people and what hangs on them."""

import itertools

import pytest

from conftest import Server, wait_for
from people import PASSWORD, Person, mail_for, token_in, totp
from test_plans import SETTINGS, Watch

TIMES = 6  # prepared statements may change their plan from the sixth time on
numbers = itertools.count(1)

FILL = """
    set session_replication_role = replica;
    create temporary table someone as select gen_random_uuid() as id, n from generate_series(1, 100000) n;
    insert into auth.person (id, email, name, email_verified_at, status, created_at)
        select id, 'somebody-' || n || '@example.org', 'Somebody ' || n, now(), case when n % 5000 = 0 then 'suspended' else 'active' end,
            now() - n * interval '1 minute' from someone;
    insert into auth.session (id, person_id, expires_at, revoked_at)
        select id, id, now() + interval '80 days', case when n % 3 = 0 then now() end from someone;
    insert into auth.refresh_token (digest, session_id, expires_at, used_at)
        select id, id, now() + interval '20 days', case when n % 2 = 0 then now() end from someone;
    insert into auth.api_key (id, person_id, name, prefix, digest, scopes) select id, id, 'key', 'gk_', id, '{}' from someone;
    insert into auth.identity (id, person_id, provider, subject) select id, id, 'google', id from someone;
    insert into auth.person_role (person_id, role_id) select s.id, r.id from someone s, auth.role r where r.slug = 'moderator';
    insert into auth.recovery_code (person_id, digest) select id, 'x' from someone;
    insert into auth.login_failure (address_digest, failures, failing_since) select id, 1, now() from someone;
    insert into auth.request (id, purpose, email, done_at) select id, 'forgotten', 'somebody-' || n || '@example.org', now() from someone;
    insert into auth.email_change (id, person_id, email, expires_at) select id, id, 'x@example.org', now() + interval '1 hour' from someone;
    insert into auth.one_time_token (digest, purpose, person_id, change_id, expires_at)
        select id, 'change_email_old', id, id, now() + interval '1 hour' from someone;
    insert into auth.revocation (transaction, kind, subject_id) select '1', 'session', id from someone where n <= 2000;
    insert into platform.relation (person_id, relation, resource, resource_id) select id, 'owner', 'business', id from someone;
    insert into platform.mail (id, template, recipient, sent_at) select id, 'erased', 'x@example.org', now() from someone;
    update auth.person set erase_at = now() where email like 'somebody-9999_@example.org';
    update auth.refresh_token set expires_at = now() - interval '1 day' where digest like '00%';
    update platform.mail set sent_at = now() - interval '31 days' where id::text like '00%';
    update platform.job set next_at = '-infinity';
    analyze;
"""


@pytest.fixture(scope="module")
def town():
    server = Server(workers=1)
    try:
        server.database(FILL)
        server.database("load 'auto_explain';" + "".join(f"alter database guildford set {s};" for s in SETTINGS))
        server.stop(remove=False)
        server = Server(data=server.data, workers=1)  # all jobs are due
        yield server
    finally:
        server.stop()


def ask(watch, person, method, path, json=None, status=None):
    """As that person, or as nobody."""
    reply = watch.server.http.request(method, path, json=json, headers=person.headers if person else {})
    assert reply.status_code == status if status else reply.status_code < 300, reply.text
    watch.judge(f"{method} {path}", 1000)
    return reply.json().get("data")


def test_jobs(town):
    """What they ask again and again, and what they do: the first test, for it reads all that is in the log."""
    watch = Watch(town)
    watch.log.seek(0)
    wait_for(lambda: town.database("select count(*) from platform.job where name in ('erase_due', 'erase_expired', 'mail_clean_up') "
                                   "and ended_at > (select pg_postmaster_start_time()) and failures = 0") == [["3"]])
    watch.verdict()
    assert town.database("select status from auth.person where email like 'somebody-9999_@example.org'") == []
    assert watch.seen > 20


def test_a_scan_would_be_seen(town):
    watch = Watch(town)
    town.database("select count(*) from auth.person where name = 'nobody'")
    assert watch.report()[0].startswith("Seq Scan of person")


def test_signing_in_and_out(town):
    person = Person(town)
    watch = Watch(town)
    for _ in range(TIMES):
        ask(watch, None, "POST", "/v1/auth/login", {"email": person.address, "password": "a wrong password"}, 401)
        ask(watch, None, "POST", "/v1/auth/login", {"email": "nobody@example.org", "password": "a wrong password"}, 401)
        person.sign_in()
        token = person.tokens["refresh_token"]
        for _ in range(2):
            token = ask(watch, None, "POST", "/v1/auth/refresh", {"refresh_token": token})["refresh_token"]
        ask(watch, None, "POST", "/v1/auth/refresh", {"refresh_token": "x"}, 401)
        ask(watch, person, "POST", "/v1/auth/reauthenticate", {"password": PASSWORD})
        ask(watch, person, "GET", "/v1/auth/sessions")
        ask(watch, person, "DELETE", "/v1/auth/sessions")
        ask(watch, person, "DELETE", f"/v1/auth/sessions/{person.tokens['session_id']}")
    watch.verdict()
    assert watch.seen > TIMES * 20


def test_ones_own_account(town):
    person = Person(town)
    watch = Watch(town)
    for n in range(TIMES):
        ask(watch, person, "GET", "/v1/me")
        ask(watch, person, "PATCH", "/v1/me", {"name": f"Alex {n}"})
        ask_export(watch, person)
        secret = ask(watch, person, "POST", "/v1/auth/totp")["secret"]
        ask(watch, person, "POST", "/v1/auth/totp/confirm", {"code": totp(secret)})
        ask(watch, person, "POST", "/v1/auth/totp/recovery-codes")
        ask(watch, person, "DELETE", "/v1/auth/totp")
        ask(watch, person, "POST", "/v1/auth/password/change", {"password": PASSWORD, "new_password": PASSWORD})
        ask(watch, person, "POST", "/v1/auth/email/change", {"password": PASSWORD, "email": f"other-{n}@example.org"})
        ask(watch, person, "POST", "/v1/me/restore")
    ask(watch, person, "DELETE", "/v1/me")
    watch.verdict()
    assert watch.seen > TIMES * 20


def ask_export(watch, person):
    assert watch.server.http.get("/v1/me/export", headers=person.headers).status_code == 200
    watch.judge("GET /v1/me/export", 1000)


def test_mails_and_their_links(town):
    watch = Watch(town)
    for _ in range(TIMES):
        address = f"linked-{next(numbers)}@example.org"
        ask(watch, None, "POST", "/v1/auth/register", {"email": address, "password": PASSWORD, "name": "Alex"})
        ask(watch, None, "POST", "/v1/auth/resend", {"email": address})
        ask(watch, None, "POST", "/v1/auth/verify", {"token": token_in(mail_for(town, address, "confirm"))})
        ask(watch, None, "POST", "/v1/auth/password/forgotten", {"email": address})
        ask(watch, None, "POST", "/v1/auth/password/reset", {"token": token_in(mail_for(town, address, "password")), "password": PASSWORD})
        ask(watch, None, "POST", "/v1/auth/email/confirm", {"token": "x"}, 400)
    watch.verdict()
    assert watch.seen > TIMES * 15


def test_keys_and_relations(town):
    person = Person(town)
    watch = Watch(town)
    for n in range(TIMES):
        key = ask(watch, person, "POST", "/v1/api-keys", {"name": "till", "scopes": ["business:create", "business:update"]})
        assert town.http.get("/v1/categories", headers={"Authorization": f"Bearer {key['key']}"}).status_code == 200
        ask(watch, person, "GET", "/v1/api-keys")
        ask(watch, person, "POST", f"/v1/api-keys/{key['id']}/rotate", {})
        ask(watch, person, "DELETE", f"/v1/api-keys/{key['id']}")
        place = ask(watch, person, "POST", "/v1/businesses", {"name": f"The Related Place {n}"})
        ask(watch, person, "PATCH", f"/v1/businesses/{place['slug']}", {"phone": "01483 444333"})
        ask(watch, person, "GET", f"/v1/relations?resource=business&resource_id={place['id']}")
        given = ask(watch, person, "POST", "/v1/relations",
                    {"resource": "business", "resource_id": place["id"], "relation": "staff", "email": "somebody-7@example.org"})
        ask(watch, person, "DELETE", f"/v1/relations/{given['id']}")
    watch.verdict()
    assert watch.seen > TIMES * 20


def test_what_staff_do(town):
    admin = Person(town, role="admin")
    watch = Watch(town)
    for _ in range(TIMES):
        for query in ("", "?sort=created_at", "?status=suspended", "?email=somebody-7@example.org", "?status=suspended&email=x@example.org"):
            found = ask(watch, admin, "GET", f"/v1/people{query}")
        ask(watch, admin, "GET", "/v1/roles")
        found = ask(watch, admin, "GET", "/v1/people?email=somebody-8@example.org")
        path = f"/v1/people/{found[0]['id']}"
        ask(watch, admin, "PATCH", path, {"status": "suspended"})
        ask(watch, admin, "PATCH", path, {"status": "active"})
        ask(watch, admin, "DELETE", f"{path}/roles/moderator")
        ask(watch, admin, "POST", f"{path}/roles", {"role": "moderator"})
        ask(watch, admin, "DELETE", f"{path}/sessions")
    watch.verdict()
    assert watch.seen > TIMES * 20
