# SPDX-License-Identifier: Apache-2.0
"""Every route by every kind of caller, against a table of what each must be answered. A route without a row fails."""

import re

import pytest

from conftest import ADMIN_ID, Server, run, wait_for
from people import Person, bearer, sign_in

CALLERS = ["nobody", "member", "owner", "manager", "moderator", "admin", "key", "key_without", "revoked"]
# One letter for each caller in that order: "." may (it is neither 401 nor 403), "1" 401, "3" 403, "4" 404. `manager` is one
# of another business; `key` is the owner's with all the scopes the owner can give, `key_without` has one that does not matter.
ANYONE = "........1"
SIGNED_IN = "1.....331"
STAFF = "1333..331"
ADMINS = "13333.331"
# of what is about one's own and looks up an id: another's is not there
TABLE = {
    "live": ANYONE, "ready": ANYONE, "metrics": ANYONE, "openapi": ANYONE, "jwks": ANYONE,
    "register": ANYONE, "resend": ANYONE, "verify": ANYONE, "login": ANYONE, "refresh": ANYONE,
    "password_forgotten": ANYONE, "password_reset": ANYONE, "email_confirm": ANYONE,
    "logout": SIGNED_IN, "reauthenticate": SIGNED_IN, "session_list": SIGNED_IN, "session_end_others": SIGNED_IN, "session_end": SIGNED_IN,
    "password_change": SIGNED_IN, "email_change": SIGNED_IN, "totp_begin": SIGNED_IN, "totp_confirm": SIGNED_IN, "totp_end": SIGNED_IN,
    "recovery_codes": SIGNED_IN, "me_get": SIGNED_IN, "me_update": SIGNED_IN, "me_erase": SIGNED_IN, "me_restore": SIGNED_IN, "me_export": SIGNED_IN,
    "oauth_begin": ANYONE, "oauth_callback": ANYONE, "oauth_exchange": ANYONE, "oauth_complete": ANYONE,
    "identity_link": SIGNED_IN, "identity_begin": SIGNED_IN, "identity_unlink": SIGNED_IN,
    "relation_list": "13.33.331", "relation_grant": "13.33.331", "relation_revoke": "14.44.331",
    "api_key_list": SIGNED_IN, "api_key_create": SIGNED_IN, "api_key_rotate": SIGNED_IN, "api_key_revoke": SIGNED_IN,
    "role_list": ADMINS, "role_get": ADMINS, "role_create": ADMINS, "role_replace": ADMINS, "role_update": ADMINS, "role_remove": ADMINS,
    "role_restore": ADMINS,
    "person_list": STAFF, "person_get": STAFF, "person_replace": ADMINS, "person_update": ADMINS,
    "person_grant": ADMINS, "person_revoke": ADMINS, "person_sign_out": ADMINS,
    "audit_event_list": ADMINS, "audit_event_get": ADMINS,
    "category_list": ANYONE, "category_get": ANYONE, "category_create": STAFF, "category_replace": STAFF, "category_update": STAFF,
    "category_remove": STAFF, "category_restore": STAFF,
    "business_suggest": ANYONE, "business_list": ANYONE, "business_get": ANYONE, "business_create": "1......31",
    "business_replace": "13.3...31", "business_update": "13.3...31", "business_remove": "13.3...31", "business_restore": "13.3...31",
    "inspection_list": ANYONE, "inspection_get": ANYONE, "inspection_create": STAFF, "inspection_replace": STAFF, "inspection_update": STAFF,
    "inspection_remove": STAFF, "inspection_restore": STAFF,
    "event_category_list": ANYONE, "event_category_get": ANYONE, "event_category_create": STAFF, "event_category_replace": STAFF,
    "event_category_update": STAFF, "event_category_remove": STAFF, "event_category_restore": STAFF,
    "event_list": ANYONE, "event_get": ANYONE, "event_create": "1......31", "event_replace": "13.3...31", "event_update": "13.3...31",
    "event_remove": "13.3...31", "event_restore": "13.3...31", "occurrence_list": ANYONE, "occurrence_get": ANYONE,
    "occurrence_update": "13.3...31",
    "event_calendar": ANYONE, "event_news": ANYONE, "event_calendar_one": ANYONE,
    "reply_own": SIGNED_IN, "reply_put": SIGNED_IN, "reply_by_mail": ANYONE, "reply_confirm": ANYONE, "reply_by_token": ANYONE,
    "reply_list": "13.3...31", "reply_get": "13.3...31", "reply_csv": "13.3...31", "reply_decide": "13.3...31", "reply_check_in": "13.3...31",
    "reply_announce": "13.3...31", "my_replies": SIGNED_IN, "my_calendar": SIGNED_IN, "my_calendar_make": SIGNED_IN, "my_calendar_end": SIGNED_IN,
    "my_calendar_feed": ANYONE,
}
# What ends sessions, or more, of its caller or of others: it gets people of its own.
ENDING = {"logout", "session_end_others", "me_erase", "password_change", "totp_confirm", "person_sign_out", "person_replace", "person_update"}


class Town:
    """One of each kind, a business of the owner's and one that somebody else manages."""

    def __init__(self, server):
        self.server = server
        self.people = {kind: Person(server, role=kind if kind in ("moderator", "admin") else None)
                       for kind in ("member", "owner", "manager", "moderator", "admin")}
        owner = self.people["owner"]
        other = server.create(name="The other place")
        server.database(f"insert into platform.relation (person_id, relation, resource, resource_id) "
                        f"values ('{self.people['manager'].id}', 'manager', 'business', '{other['id']}')")
        self.key = self.make_key(owner, ["business:create", "business:update", "business:remove", "event:create", "event:update", "event:remove", "reply:read"])
        self.key_without = self.make_key(self.people["owner"], ["business:create"], strip=True)
        self.stranger = Person(server)

    def make_key(self, person, scopes, strip=False):
        data = person.call("POST", "/v1/api-keys", {"name": "k", "scopes": scopes}, 201).json()["data"]
        if strip:
            self.server.database(f"update auth.api_key set scopes = '{{category:read}}' where id = '{data['id']}'")
        return {"Authorization": f"Bearer {data['key']}"}

    def headers(self, caller, fresh):
        if caller == "nobody":
            return {}
        if caller == "key":
            return self.key
        if caller == "key_without":
            return self.key_without
        if caller == "revoked":
            tokens = sign_in(self.server, self.people["admin"].address)
            self.server.http.post("/v1/auth/logout", headers=bearer(tokens))
            wait_for(lambda: self.server.http.get("/v1/me", headers=bearer(tokens)).status_code == 401)
            self.revoked = bearer(tokens)
            return self.revoked
        if fresh:
            return Person(self.server, role=caller if caller in ("moderator", "admin") else None).headers
        return self.people[caller].headers

    def fresh_path(self, path, operation):
        """The path with ids of things that are there, made anew where the operation may change them."""
        server = self.server
        if "/inspections" in path:
            business = server.create(name="Inspected")
            inspection = server.call("POST", f"/v1/businesses/{business['id']}/inspections", {"scheme": "fhrs", "rating": "5"}, 201).json()["data"]
            return path.replace("{id}", business["id"]).replace("{inspection_id}", inspection["id"])
        if path.startswith("/v1/businesses/{id}"):
            business = self.people["owner"].call("POST", "/v1/businesses", {"name": "The owner's"}, 201).json()["data"]
            return path.replace("{id}", business["id"])
        if path.startswith("/v1/events/{id}"):
            event = self.people["owner"].call("POST", "/v1/events", {
                "title": "The owner's", "starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T16:00", "status": "published"}, 201).json()["data"]
            [[occurrence]] = server.database(f"select id from event.occurrence where event_id = '{event['id']}'")
            [[reply]] = server.database(f"insert into event.reply (occurrence_id, event_id, email, name, status, code) values ('{occurrence}', "
                                        f"'{event['id']}', 'bo@example.org', 'Bo', 'going', '7KQ2MX01') returning id")
            return path.replace("{id}", event["id"]).replace("{occurrence_id}", occurrence).replace("{reply_id}", reply)
        if path.startswith("/v1/categories/{id}"):
            return path.replace("{id}", "food")
        if path.startswith("/v1/relations/{id}"):
            business = self.people["owner"].call("POST", "/v1/businesses", {"name": "The owner's"}, 201).json()["data"]
            [[id]] = server.database(f"select id from platform.relation where resource_id = '{business['id']}'")
            return path.replace("{id}", id)
        if path.startswith("/v1/people/{id}"):
            return path.replace("{id}", self.stranger.id).replace("{role}", "moderator")
        return re.sub(r"\{\w+\}", "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a77", path)


@pytest.fixture(scope="module")
def town():
    server = Server(workers=1)
    yield Town(server)
    server.stop()


def routes():
    return [(row[0], row[1], row[-1]) for row in map(str.split, run("routes").stdout.splitlines())]


def test_each_route_has_a_row():
    assert {operation for _, _, operation in routes()} == set(TABLE)


def letter(status):
    return {401: "1", 403: "3", 404: "4"}.get(status, ".")


# A body that passes the check of its form and means nothing.
BODIES = {
    "relation_grant": {"resource": "business", "resource_id": None, "relation": "staff", "email": "stranger@nowhere.example"},
}


@pytest.mark.parametrize("method, path, operation", routes(), ids=[row[2] for row in routes()])
def test_each_route_by_each_caller(town, method, path, operation):
    got = ""
    for caller in CALLERS:
        where = town.fresh_path(path, operation)
        body = dict(BODIES.get(operation, {})) if method in ("POST", "PUT", "PATCH") else None
        if operation in ("relation_list", "relation_grant"):
            business = town.people["owner"].call("POST", "/v1/businesses", {"name": "The owner's"}, 201).json()["data"]
            if body is None:
                where += f"?resource=business&resource_id={business['id']}"
            else:
                body["resource_id"] = business["id"]
        reply = town.server.http.request(method, where, json=body, headers=town.headers(caller, operation in ENDING))
        assert reply.status_code < 500 or operation == "ready", reply.text
        # that an id of nothing is not found says that one may look; a public thing is never hidden
        hidden = operation == "relation_revoke"
        # a wrong password is no want of permission either
        wrong = reply.status_code == 401 and "password is wrong" in reply.text or operation == "refresh" and reply.status_code == 401 and caller != "revoked"
        got += "." if wrong or reply.status_code == 404 and not hidden else letter(reply.status_code)
        if reply.status_code in (401, 403):
            assert reply.json()["error"]["message"], "it says what was missing"
    assert got == TABLE[operation], f"{operation}: {got}"


def test_a_refusal_names_what_was_missing(town):
    business = town.people["owner"].call("POST", "/v1/businesses", {"name": "Named"}, 201).json()["data"]
    error = town.people["member"].call("PATCH", f"/v1/businesses/{business['id']}", {"name": "Mine"}, 403).json()["error"]
    assert error["message"] == "You need the permission business:update, or to be owner or manager of this business"
    reply = town.server.http.patch(f"/v1/businesses/{business['id']}", json={"name": "x"}, headers=town.key_without)
    assert reply.json()["error"]["message"] == "The API key lacks the scope business:update"
    town.people["owner"].call("DELETE", f"/v1/businesses/{business['id']}")
    town.people["member"].call("POST", f"/v1/businesses/{business['id']}/restore", status=404)
    town.people["owner"].call("POST", f"/v1/businesses/{business['id']}/restore", status=200)


def test_owners_give_relations(town):
    owner, member = town.people["owner"], town.people["member"]
    business = owner.call("POST", "/v1/businesses", {"name": "Shared"}, 201).json()["data"]
    where = f"/v1/businesses/{business['id']}"
    member.call("PATCH", where, {"description": "x"}, 403)
    owner.call("POST", "/v1/relations", {"resource": "business", "resource_id": business["id"], "relation": "staff", "email": member.address}, 201)
    member.call("PATCH", where, {"description": "x"}, 403)
    given = owner.call("POST", "/v1/relations", {"resource": "business", "resource_id": business["id"], "relation": "manager",
                                                 "email": member.address}, 201).json()["data"]
    member.call("PATCH", where, {"description": "x"}, 200)
    member.call("DELETE", where, status=403)
    listed = owner.get(f"/v1/relations?resource=business&resource_id={business['id']}")
    assert {(x["relation"], x["person_id"]) for x in listed} == {("owner", owner.id), ("staff", member.id), ("manager", member.id)}
    member.call("DELETE", f"/v1/relations/{given['id']}", status=200)
    member.call("PATCH", where, {"description": "y"}, 403)


def test_what_only_moderators_write(town):
    owner, moderator = town.people["owner"], town.people["moderator"]
    assert owner.call("POST", "/v1/businesses", {"name": "Verified", "verified": True}, 403).json()["error"]["message"].startswith("verified ")
    business = owner.call("POST", "/v1/businesses", {"name": "Unverified"}, 201).json()["data"]
    where = f"/v1/businesses/{business['id']}"
    owner.call("PATCH", where, {"verified": True}, 403)
    moderator.call("PATCH", where, {"verified": True}, 200)
    kept = owner.call("PATCH", where, {"description": "d", "verified": True}, 200).json()["data"]
    assert kept["verified"]
    whole = owner.call("PUT", where, {"name": "Unverified"}, 200).json()["data"]
    assert whole["verified"], "what one may not write stays when it is left out"


def test_roles_that_an_admin_makes(town):
    admin, member = town.people["admin"], Person(town.server)
    role = admin.call("POST", "/v1/roles", {"slug": "librarian", "permissions": ["category:*"]}, 201).json()["data"]
    admin.call("POST", "/v1/roles", {"slug": "librarian", "permissions": []}, 409)
    admin.call("POST", "/v1/roles", {"slug": "other", "permissions": ["nonsense:do"]}, 400)
    admin.call("POST", f"/v1/people/{member.id}/roles", {"role": "librarian"})
    wait_for(lambda: town.server.http.get("/v1/me", headers=member.headers).status_code == 401)
    member.sign_in()
    assert member.get("/v1/me")["roles"] == ["librarian"]
    made = member.call("POST", "/v1/categories", {"slug": "made-by-librarian", "name": "Made"}, 201).json()["data"]
    admin.call("PATCH", f"/v1/roles/{role['id']}", {"permissions": ["category:read"]}, 400)
    admin.call("PATCH", f"/v1/roles/{role['id']}", {"permissions": ["category:update"]}, 200)
    wait_for(lambda: town.server.http.post("/v1/categories", json={}, headers=member.headers).status_code == 403)
    member.call("PATCH", f"/v1/categories/{made['slug']}", {"name": "Changed"}, 200)
    admin.call("DELETE", f"/v1/people/{member.id}/roles/librarian")
    wait_for(lambda: town.server.http.get("/v1/me", headers=member.headers).status_code == 401)
    [[built_in]] = town.server.database("select id from auth.role where slug = 'member'")
    admin.call("DELETE", f"/v1/roles/{built_in}", status=409)


def test_roles_that_keep_the_town_open(town):
    admin = town.people["admin"]
    roles = {role["slug"]: role["id"] for role in admin.get("/v1/roles?limit=100")}
    assert "permissions" in admin.call("PATCH", f"/v1/roles/{roles['admin']}", {"permissions": ["business:*"]}, 400).text
    admin.call("PATCH", f"/v1/roles/{roles['admin']}", {"description": "May do everything."}, 200)
    mine = admin.call("POST", "/v1/roles", {"slug": "passing", "permissions": ["category:*"]}, 201).json()["data"]["id"]
    assert town.server.call("DELETE", f"/v1/roles/{mine}", status=403).json()["error"]["code"] == "STEP_UP_REQUIRED"
    admin.call("DELETE", f"/v1/roles/{mine}", status=200)


def test_nobody_gives_what_they_do_not_have(town):
    admin, clerk, friend = town.people["admin"], Person(town.server), Person(town.server)
    admin.call("POST", "/v1/roles", {"slug": "clerk", "permissions": ["person:*", "role:*"]}, 201)
    admin.call("POST", f"/v1/people/{clerk.id}/roles", {"role": "clerk"})
    wait_for(lambda: town.server.http.get("/v1/me", headers=clerk.headers).status_code == 401)
    clerk.sign_in()
    clerk.call("POST", f"/v1/people/{friend.id}/roles", {"role": "admin"}, 403)
    clerk.call("POST", f"/v1/people/{clerk.id}/roles", {"role": "admin"}, 403)
    clerk.call("POST", "/v1/roles", {"slug": "clerk-plus", "permissions": ["*"]}, 403)
    clerk.call("DELETE", f"/v1/people/{admin.id}/roles/admin", status=403)
    above = admin.call("POST", "/v1/roles", {"slug": "above", "permissions": ["business:*"]}, 201).json()["data"]["id"]
    clerk.call("DELETE", f"/v1/roles/{above}", status=403)
    clerk.call("POST", f"/v1/people/{friend.id}/roles", {"role": "clerk"}, 200)
    clerk.call("POST", "/v1/api-keys", {"name": "k", "scopes": ["*"]}, 400)


def test_suspension_is_immediate(town):
    person = Person(town.server)
    town.people["admin"].call("PATCH", f"/v1/people/{person.id}", {"status": "suspended"}, 200)
    wait_for(lambda: town.server.http.get("/v1/me", headers=person.headers).status_code == 401)
    assert town.server.http.post("/v1/auth/login", json={"email": person.address, "password": "seven green herons"}).status_code == 401
    town.people["admin"].call("PATCH", f"/v1/people/{person.id}", {"status": "active"}, 200)
    person.sign_in()


def test_the_audit_trail_holds_no_names(town):
    person = Person(town.server)
    town.people["admin"].call("PATCH", f"/v1/people/{person.id}", {"name": "A Name Of Old", "status": "suspended"}, 200)
    [event] = town.people["admin"].get(f"/v1/audit-events?resource=person&resource_id={person.id}")
    assert event["action"] == "person:update" and event["after"] == {"name": "(personal)", "status": "suspended"}


def test_the_admin_of_the_tests_is_one(town):
    assert town.server.call("GET", f"/v1/people/{ADMIN_ID}").json()["data"]["name"] == "The admin"
