# SPDX-License-Identifier: Apache-2.0
"""The audit trail: what each write leaves in it, who may read it, how it is filtered, and that changing it shows."""

import datetime
import json
import re
import subprocess

import pytest

from conftest import ADMIN, ADMIN_ID, Server, key_digest, key_text, run

EVENTS = "/v1/audit-events"
NARROW = key_text("NARROWED", "n" * 43)


@pytest.fixture(scope="module")
def server():
    s = Server(workers=1)
    yield s
    s.stop()


def events(server, **params):
    return server.call("GET", EVENTS, params=params).json()["data"]


def verify(server, *args):
    return run("audit", "verify", *args, data=server.data)


def mark(done):
    """Position and digest that verify printed."""
    assert done.returncode == 0, done.stderr
    return re.fullmatch(r"\d+ events? verified; position (\d+) digest ([0-9a-f]{64})\n", done.stdout).groups()


def test_a_business_leaves_its_life(server):
    made = server.call("POST", "/v1/businesses", {"name": "The Noted", "address": {"lines": ["1 High Street"], "postcode": "GU1 3AA"}}, 201,
                       headers={"X-Request-Id": "create-1"}).json()["data"]
    path = f"/v1/businesses/{made['id']}"
    server.call("PATCH", path, {"phone": "+441483444333", "address": {"postcode": "GU1 3AB"}})
    server.call("PATCH", path, {"phone": "+441483444333"})
    server.call("PUT", path, {"name": "The Replaced", "slug": "the-noted"})
    gone = server.call("DELETE", path).json()["data"]["deleted_at"]
    server.call("POST", path + "/restore")
    restored, removed, replaced, same, updated, created = events(server, resource_id=made["id"])

    assert created["action"] == "business:create" and created["resource"] == "business"
    assert (created["request_id"], created["address"], created["actor_kind"]) == ("create-1", "127.0.0.1", "key")
    assert (created["actor_id"], created["key_id"], created["session_id"]) == (ADMIN_ID, ADMIN_ID, None)
    assert created["before"] is None
    after = {k: v for k, v in made.items() if v is not None and k != "updated_at"}
    assert {k: created["after"][k] for k in after if k != "address"} == {k: v for k, v in after.items() if k != "address"}
    assert created["after"]["address"]["postcode"] == "GU1 3AA"
    assert updated["action"] == "business:update"
    assert updated["before"] == {"address": {"postcode": "GU1 3AA"}, "phone": None}
    assert updated["after"] == {"address": {"postcode": "GU1 3AB"}, "phone": "+441483444333"}
    assert (same["action"], same["before"], same["after"]) == ("business:update", None, None)
    assert replaced["action"] == "business:replace" and replaced["before"]["name"] == "The Noted"
    assert replaced["after"]["name"] == "The Replaced" and replaced["before"]["phone"] == "+441483444333"
    assert (removed["action"], removed["before"], removed["after"]) == ("business:remove", {"deleted_at": None}, {"deleted_at": gone})
    assert (restored["action"], restored["before"], restored["after"]) == ("business:restore", {"deleted_at": gone}, {"deleted_at": None})
    assert server.call("GET", f"{EVENTS}/{created['id']}").json()["data"] == created


def test_every_resource_is_noted(server):
    category = server.call("POST", "/v1/categories", {"name": "Noted"}, 201).json()["data"]
    place = server.create(name="Inspected")
    inspection = server.call("POST", f"/v1/businesses/{place['id']}/inspections", {"scheme": "fhrs", "rating": "5"}, 201).json()["data"]
    assert [e["action"] for e in events(server, resource_id=category["id"])] == ["category:create"]
    noted = events(server, resource_id=inspection["id"])[0]
    assert noted["action"] == "inspection:create" and noted["after"]["business_id"] == place["id"]


def test_what_is_refused_is_not_noted(server):
    before = events(server, limit=1)[0]
    server.call("POST", "/v1/businesses", {"name": ""}, 400)
    server.call("POST", "/v1/categories", {"name": "x", "slug": "pub"}, 409)
    server.call("DELETE", "/v1/categories/food", status=409)
    assert server.http.post("/v1/businesses", json={"name": "x"}).status_code == 401
    assert events(server, limit=1)[0] == before


def test_only_who_may_reads_and_nobody_writes(server):
    one = f"{EVENTS}/{events(server, limit=1)[0]['id']}"
    server.database(f"insert into auth.api_key (id, person_id, name, prefix, digest, scopes) values (gen_random_uuid(), '{ADMIN_ID}', "
                    f"'narrow', 'gk_', '{key_digest(NARROW)}', '{{business:*}}')")
    assert server.call("GET", EVENTS, status=403, headers={"Authorization": f"Bearer {NARROW}"}).json()["error"]["message"].endswith("audit_event:read")
    for path in (EVENTS, one):
        assert server.http.get(path).status_code == 401
        assert server.http.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    for method, path in [("POST", EVENTS), ("PUT", one), ("PATCH", one), ("DELETE", one)]:
        assert server.call(method, path, {"action": "x:y"}, 405).headers["allow"] == "GET, HEAD, OPTIONS"
    assert server.call("GET", EVENTS + "/019363f1-27a5-7c1b-8a5e-5f0c2c9e1a01", status=404)


def test_filters(server):
    first = server.create(name="Filtered one")
    middle = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    second = server.create(name="Filtered two")
    server.call("DELETE", f"/v1/businesses/{second['id']}")

    def mine(**params):
        return [e["action"] for e in events(server, **params) if e["resource_id"] in (first["id"], second["id"])]
    assert mine() == ["business:remove", "business:create", "business:create"]
    assert mine(sort="created_at", limit=100) == ["business:create", "business:create", "business:remove"]
    assert mine(action="business:remove") == ["business:remove"]
    assert mine(action="business:remove,business:create", resource_id=second["id"]) == ["business:remove", "business:create"]
    assert mine(since=middle) == ["business:remove", "business:create"] and mine(until=middle) == ["business:create"]
    assert mine(resource="category") == [] and len(mine(resource="business")) == 3
    assert mine(actor_id=first["id"]) == [] and len(mine(actor_id=ADMIN_ID)) == 3
    for name in ("since", "until"):
        assert name in server.details(server.call("GET", EVENTS, params={name: "yesterday"}, status=400))
    assert "actor_id" in server.details(server.call("GET", EVENTS, params={"actor_id": "x"}, status=400))


def test_pages(server):
    for i in range(7):
        server.create(name=f"Paged {i}")
    whole, cursor = [], None
    while True:
        page = server.call("GET", EVENTS, params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        whole += page["data"]
        cursor = page["meta"]["pagination"]["next_cursor"]
        if not cursor:
            break
    assert len(whole) == page["meta"]["pagination"]["total"] == len({e["id"] for e in whole})
    assert [e["created_at"] for e in whole] == sorted((e["created_at"] for e in whole), reverse=True)


def test_an_import_is_one_event(server, tmp_path):
    file = tmp_path / "shops.csv"
    file.write_text("source_id,name\n1,Imported one\n2,Imported two\n3,\n")
    assert run("import", "csv", file, "--dry-run", data=server.data).returncode == 0
    assert events(server, action="business:import") == []
    done = run("import", "csv", file, "--map", "source_id=source_id,name=name", data=server.data)
    assert done.returncode == 0, done.stderr
    event, = events(server, action="business:import")
    assert (event["actor_kind"], event["address"], event["resource_id"]) == ("program", None, None)
    assert event["detail"] == {"source": "csv:shops", "format": "csv", "whole": True, "read": 3, "created": 2, "updated": 0,
                               "unchanged": 0, "gone": 0, "rejected": 1}


def test_verify_goes_on_from_a_kept_position(server):
    first = mark(verify(server))
    assert int(first[0]) == int(server.database("select count(*) from platform.audit_event")[0][0])
    assert mark(verify(server)) == first
    server.create(name="Later")
    done = verify(server, "--from", first[0], "--digest", first[1])
    assert done.stdout.startswith("1 event verified; ") and int(mark(done)[0]) == int(first[0]) + 1
    wrong = verify(server, "--from", first[0], "--digest", "0" * 64)
    assert wrong.returncode == 1 and f"Position {first[0]}: the digest is not the one that was kept" in wrong.stderr


def test_the_trail_is_exported(server):
    lines = [json.loads(line) for line in run("audit", "export", data=server.data).stdout.splitlines()]
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    position, digest = mark(verify(server))
    assert (lines[-1]["position"], lines[-1]["digest"]) == (int(position), digest)
    assert {"id", "action", "actor_kind", "before", "after", "seq", "transaction"} <= lines[0].keys()
    since = lines[-3]["created_at"].replace("+00:00", "Z")
    later = [json.loads(line) for line in run("audit", "export", "--since", since, data=server.data).stdout.splitlines()]
    assert later == lines[-3:]


def test_the_database_refuses_changes(server):
    for statement in ("update platform.audit_event set action = 'x:y'", "delete from platform.audit_seal", "truncate platform.audit_event"):
        with pytest.raises(AssertionError, match="append-only"):
            server.database(statement)


def test_tampering_is_found(server):
    position, _ = mark(verify(server))
    off = "".join(f"alter table platform.{t} {{0}} trigger {t}_refuse;" for t in ("audit_event", "audit_seal"))
    event = server.database("select event_id, action from platform.audit_seal s join platform.audit_event e on e.id = event_id where position = 2")[0]
    server.database(off.format("disable") + f"update platform.audit_event set action = 'business:other' where id = '{event[0]}'")
    found = verify(server)
    assert found.returncode == 1 and f"Position 2: the event {event[0]} was changed" in found.stderr
    assert found.stdout.startswith("1 event verified; position 1 digest ")
    server.database(f"update platform.audit_event set action = '{event[1]}' where id = '{event[0]}'")
    assert mark(verify(server))[0] == position
    # the end of both tables: only a kept position tells
    _, digest = mark(verify(server))
    server.database("delete from platform.audit_event where id = (select event_id from platform.audit_seal order by position desc limit 1);"
                    "delete from platform.audit_seal where position = (select max(position) from platform.audit_seal);" + off.format("enable always"))
    assert mark(verify(server))[0] == str(int(position) - 1)
    kept = verify(server, "--from", position, "--digest", digest)
    assert kept.returncode == 1 and f"Position {position}: the seal is missing" in kept.stderr


def test_a_dump_is_verified_where_it_is_restored(server, tmp_path):
    """Another cluster counts transactions anew: what is written there is sealed behind what came with the dump."""
    server.create(name="Not sealed yet")
    kept = mark(verify(server))
    server.create(name="In the dump, unsealed")
    dump = tmp_path / "town.dump"
    subprocess.run(["pg_dump", "-Fc", "-h", f"{server.data}/socket", "-U", "guildford", "-f", str(dump), "guildford"], check=True)
    other = Server(workers=1)
    try:
        subprocess.run(["pg_restore", "--clean", "--if-exists", "--single-transaction", "-h", f"{other.data}/socket", "-U", "guildford",
                        "-d", "guildford", str(dump)], check=True)
        other.create(name="Afterwards")
        assert int(mark(verify(other))[0]) == int(kept[0]) + 2
        done = verify(other, "--from", kept[0], "--digest", kept[1])
        assert done.stdout.startswith("2 events verified; ")
        assert other.http.get(EVENTS, headers=ADMIN).json()["data"][0]["after"]["name"] == "Afterwards"
    finally:
        other.stop()
