# SPDX-License-Identifier: Apache-2.0
"""Businesses, one at a time: create, read, replace, patch, delete, restore, entity tags, duplicates."""

import concurrent.futures
import re

import pytest

from conftest import ADMIN, Server

FULL = {
    "name": "The Boatman", "description": "Riverside pub\nwith a garden", "status": "operational",
    "phone": "01483 568024", "email": "hello@boatman.example", "website": "https://boatman.example/menu?a=1",
    "price_level": 2,
    "address": {"lines": ["Millbrook"], "locality": "Guildford", "region": "Surrey", "postcode": "gu13xj", "country": "GB"},
    "location": {"lat": 51.2332, "lng": -0.5755}, "time_zone": "Europe/London",
    "primary_category": "pub", "other_categories": ["restaurant", "bar"],
    "attributes": {"dogs": "yes", "wifi": "free", "payment": ["cash", "card"], "takeaway": False},
    "source": "hand", "source_id": "1", "verified": True,
}


def test_everything_goes_round(server):
    made = server.create(**FULL)
    want = {**FULL, "phone": "+441483568024", "address": {**FULL["address"], "postcode": "GU1 3XJ"}}
    for key, value in want.items():
        assert made[key] == value, key
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made["id"])
    assert made["slug"] == "the-boatman"
    assert made["deleted_at"] is None and made["inspection_rating"] is None
    assert server.get(f"/v1/businesses/{made['id']}")["data"] == made
    assert server.get("/businesses/the-boatman")["data"] == made


def test_create_says_where(server):
    reply = server.call("POST", "/v1/businesses", {"name": "Somewhere"}, 201)
    assert reply.headers["location"] == f"/v1/businesses/{reply.json()['data']['id']}"
    assert server.http.get(reply.headers["location"]).json()["data"]["name"] == "Somewhere"


def test_slugs_are_made_free(server):
    first = server.create(name="Café Über Straße", address={"locality": "Guildford"})
    second = server.create(name="Cafe uber strasse", address={"locality": "Guildford"})
    third = server.create(name="Café Über Straße", address={"locality": "Guildford"})
    assert first["slug"] == "cafe-uber-strasse"
    assert second["slug"] == "cafe-uber-strasse-guildford"
    assert third["slug"] == "cafe-uber-strasse-3"
    nameless = server.create(name="寿司")
    assert re.fullmatch(r"business(-\d+)?", nameless["slug"])


def test_all_problems_at_once(server):
    reply = server.call("POST", "/v1/businesses", {
        "name": " ", "phone": "123", "email": "nobody", "website": "ftp://x", "price_level": 9, "status": "open",
        "address": {"postcode": "GU1", "country": "England", "lines": ["a"] * 5}, "location": {"lat": 91, "lng": "x"},
        "time_zone": "Mars/Olympus", "attributes": {"dogs": "perhaps", "payment": ["cash", 1, "shells"], "moat": True},
        "other_categories": ["Not A Slug", "pub", None],
        "verified": "yes", "id": "x", "nonsense": 1}, 400)
    assert set(server.details(reply)) == {
        "name", "phone", "email", "website", "price_level", "status", "address.postcode", "address.country",
        "address.lines", "location.lat", "location.lng", "time_zone", "attributes.dogs", "attributes.payment.1",
        "attributes.payment.2", "attributes.moat", "other_categories.0", "other_categories.2", "verified", "id", "nonsense"}


@pytest.mark.parametrize("body, field", [
    ({}, "name"),
    ({"name": None}, "name"),
    ({"name": 5}, "name"),
    ({"name": "x" * 161}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "x", "description": "y" * 5001}, "description"),
    ({"name": "x", "location": {"lat": 51.2}}, "location.lng"),
    ({"name": "x", "source": "a"}, "source_id"),
    ({"name": "x", "primary_category": "no-such"}, "primary_category"),
    ({"name": "x", "other_categories": ["pub", "no-such"]}, "other_categories"),
    ({"name": "x", "address": "High Street"}, "address"),
    ({"name": "x", "attributes": {"moat": "yes"}}, "attributes.moat"),
    ({"name": "x", "attributes": {"payment": "cash"}}, "attributes.payment"),
    ({"name": "x", "attributes": ["wifi"]}, "attributes"),
    ({"name": "x", "website": "https://bank.example:x@elsewhere.example/"}, "website"),
    ({"name": "x", "website": "https://bank.example:123456/"}, "website"),
    ({"name": "x", "address": {"postcode": "79098", "country": None}}, "address.postcode"),
    ({"name": "x", "address": {"country": "UK"}}, "address.country"),
    ({"name": "x", "address": {"country": "XX"}}, "address.country"),
    ({"name": "x", "created_at": "2020-01-01T00:00:00Z"}, "created_at"),
    ({"name": "x", "slug": "Not-A-Slug"}, "slug"),
])
def test_bad_fields_are_named(server, body, field):
    assert field in server.details(server.call("POST", "/v1/businesses", body, 400))


def test_limits_hold_exactly(server):
    assert server.create(name="x" * 160, description="é" * 5000)["description"] == "é" * 5000


@pytest.mark.parametrize("given, kept", [
    ("gu1 3aa", "GU1 3AA"), ("GU13AA", "GU1 3AA"), ("ec1a1bb", "EC1A 1BB"), (" w1a 0ax ", "W1A 0AX")])
def test_postcodes_are_normalised(server, given, kept):
    assert server.create(name=f"Spelt {given}", address={"postcode": given})["address"]["postcode"] == kept


def test_a_foreign_postcode_is_left_alone(server):
    made = server.create(name="Freiburg office", address={"postcode": "79098", "country": "DE"})
    assert made["address"]["postcode"] == "79098"


def test_duplicates_name_the_other(server):
    first = server.create(name="Tillings", address={"postcode": "GU5 9AB"})
    reply = server.call("POST", "/v1/businesses", {"name": "tillings", "address": {"postcode": "gu59ab"}}, 409)
    assert reply.json()["error"]["code"] == "DUPLICATE"
    assert first["id"] in reply.json()["error"]["message"]
    server.create(name="Tillings", address={"postcode": "GU5 9AD"})
    imported = server.create(name="One", source="s", source_id="7")
    reply = server.call("POST", "/v1/businesses", {"name": "Two", "source": "s", "source_id": "7"}, 409)
    assert imported["id"] in reply.json()["error"]["message"]
    other = server.create(name="Other", address={"postcode": "GU5 9AB"})
    server.call("PATCH", f"/v1/businesses/{other['id']}", {"name": "TILLINGS"}, 409)
    server.call("POST", "/v1/businesses", {"name": "x", "slug": first["slug"]}, 409)
    server.call("DELETE", f"/v1/businesses/{first['id']}")
    server.create(name="Tillings", address={"postcode": "GU5 9AB"})


@pytest.mark.parametrize("same", [
    {"address": {"postcode": "GU6 8AA"}}, {"source": "race", "source_id": "1"}, {"slug": "race-slug"}, {}])
def test_of_many_at_once_one_is_created(server, same):
    def create(n):
        body = {"name": f"Raced {n}" if "source" in same or "slug" in same else f"Raced {sorted(same)}", **same}
        return server.http.post("/v1/businesses", json=body, headers=ADMIN)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(create, range(8)))
    made = [r.json()["data"] for r in replies if r.status_code == 201]
    refused = [r.json()["error"] for r in replies if r.status_code == 409]
    assert len(made) + len(refused) == 8
    assert len(made) == (1 if same else 8) and len({b["slug"] for b in made}) == len(made)
    for error in refused:
        assert error["code"] == "DUPLICATE"
        assert "slug" in same or made[0]["id"] in error["message"]


def test_patch_is_a_merge_patch(server):
    made = server.create(**{**FULL, "name": "Patch me", "source_id": "2"})
    path = f"/v1/businesses/{made['id']}"
    patched = server.call("PATCH", path, {"phone": None, "address": {"region": None, "locality": "Woking"}},
                          headers={"Content-Type": "application/merge-patch+json"}).json()["data"]
    assert patched["phone"] is None and patched["email"] == made["email"]
    assert patched["address"] == {**made["address"], "region": None, "locality": "Woking"}
    attributes = server.call("PATCH", path, {"attributes": {"dogs": None, "vegan": "yes"}}).json()["data"]["attributes"]
    assert attributes == {**{k: v for k, v in made["attributes"].items() if k != "dogs"}, "vegan": "yes"}
    assert server.call("PATCH", path, {"attributes": {"payment": ["cheque"]}}).json()["data"]["attributes"]["payment"] == ["cheque"]
    whole = server.call("PATCH", path, {"attributes": None, "other_categories": None, "status": None, "address": None}).json()["data"]
    assert whole["attributes"] == {} and whole["other_categories"] == [] and whole["status"] == "operational"
    assert whole["address"] == {"lines": [], "locality": None, "region": None, "postcode": None, "country": "GB"}
    assert server.call("PATCH", path, {"location": None}).json()["data"]["location"] is None
    assert "name" in server.details(server.call("PATCH", path, {"name": None}, 400))
    assert server.call("PATCH", path, {}).json()["data"]["slug"] == made["slug"]


def test_what_a_person_wrote_is_remembered(server):
    made = server.create(name="Remembered", address={"lines": ["1 High Street"], "locality": "Guildford"})
    path = f"/v1/businesses/{made['id']}"

    def edited():
        return server.database(f"select array_to_string(edited_fields, ' ') from business.business where id = '{made['id']}'")[0][0].split()

    server.database(f"update business.business set edited_fields = '{{}}' where id = '{made['id']}'")
    server.call("PATCH", path, {"phone": "01483 444333", "address": {"locality": "Guildford"}, "name": "Remembered"})
    assert edited() == ["phone"]
    server.call("PATCH", path, {"address": {"lines": None}})
    assert edited() == ["address.lines", "phone"]
    server.call("PUT", path, {"name": "Remembered"})
    assert edited() == ["address.lines", "address.locality", "phone"]


def test_put_replaces(server):
    made = server.create(**{**FULL, "name": "Replace me", "source_id": "3"})
    put = server.call("PUT", f"/v1/businesses/{made['id']}", {"name": "Replaced"}).json()["data"]
    assert put["id"] == made["id"] and put["slug"] == made["slug"] and put["created_at"] == made["created_at"]
    assert put["phone"] is None and put["attributes"] == {} and put["verified"] is False and put["status"] == "operational"
    assert "name" in server.details(server.call("PUT", f"/v1/businesses/{made['id']}", {"phone": None}, 400))
    # what was read can be sent back as it is
    again = server.call("PUT", f"/v1/businesses/{made['id']}", put).json()["data"]
    assert again == put


def test_delete_is_soft_and_restore_brings_back(server):
    made = server.create(name="Short-lived")
    path = f"/v1/businesses/{made['id']}"
    gone = server.call("DELETE", path, status=200).json()["data"]
    assert gone["id"] == made["id"] and gone["deleted_at"].endswith("Z")
    assert server.http.get(path).status_code == 404
    assert server.http.get("/v1/businesses/short-lived").status_code == 404
    server.call("PATCH", path, {"name": "x"}, 404)
    server.call("DELETE", path, status=404)
    refused = server.http.get("/v1/businesses", params={"deleted": "with"})
    assert refused.status_code == 401 and refused.headers["www-authenticate"].startswith("Bearer")
    only = server.call("GET", "/v1/businesses?deleted=only&limit=100").json()["data"]
    assert made["id"] in [b["id"] for b in only]
    assert all(b["deleted_at"] for b in only)
    assert server.call("GET", path + "?deleted=with").json()["data"]["deleted_at"] == gone["deleted_at"]
    back = server.call("POST", path + "/restore").json()["data"]
    assert back["deleted_at"] is None
    assert server.get(path)["data"]["name"] == "Short-lived"
    server.call("POST", path + "/restore")


def test_a_slug_means_the_live_one_then_the_last_deleted(server):
    made = []
    for n in range(3):
        made.append(server.create(name="Phoenix inn", description=str(n)))
        server.call("DELETE", f"/v1/businesses/{made[n]['id']}")
    assert server.call("GET", "/v1/businesses/phoenix-inn?deleted=with").json()["data"]["id"] == made[2]["id"]
    live = server.create(name="Phoenix inn", description="live")
    assert server.call("GET", "/v1/businesses/phoenix-inn?deleted=with").json()["data"]["id"] == live["id"]
    assert server.call("GET", "/v1/businesses/phoenix-inn?deleted=only").json()["data"]["id"] == made[2]["id"]


def test_a_time_is_spelt_the_same_everywhere(server):
    # microseconds that end in 0 come one time in ten
    for n in range(40):
        made = server.create(name=f"Spelt {n}")
        gone = server.call("DELETE", f"/v1/businesses/{made['id']}").json()["data"]["deleted_at"]
        assert server.call("GET", f"/v1/businesses/{made['id']}?deleted=only").json()["data"]["deleted_at"] == gone


def test_restore_does_not_make_a_duplicate(server):
    first = server.create(name="Twin Bakery", slug="twin-one", address={"postcode": "GU1 1AA"})
    server.call("DELETE", f"/v1/businesses/{first['id']}")
    second = server.create(name="Twin bakery", address={"postcode": "GU1 1AA"})
    reply = server.call("POST", f"/v1/businesses/{first['id']}/restore", status=409)
    assert reply.json()["error"]["code"] == "DUPLICATE" and second["id"] in reply.json()["error"]["message"]
    first = server.create(name="Sourced one", slug="sourced-one", source="twins", source_id="1")
    server.call("DELETE", f"/v1/businesses/{first['id']}")
    second = server.create(name="Sourced two", source="twins", source_id="1")
    reply = server.call("POST", f"/v1/businesses/{first['id']}/restore", status=409)
    assert second["id"] in reply.json()["error"]["message"]


def test_a_slug_given_that_is_taken_names_its_owner(server):
    owner = server.create(name="Slug holder")
    other = server.create(name="Slug wisher")
    for method, path in [("POST", "/v1/businesses"), ("PATCH", f"/v1/businesses/{other['id']}"), ("PUT", f"/v1/businesses/{other['id']}")]:
        reply = server.call(method, path, {"name": "Slug wisher", "slug": owner["slug"]}, 409)
        assert owner["id"] in reply.json()["error"]["message"]


def test_restore_does_not_take_a_slug_away(server):
    first = server.create(name="Slug owner")
    server.call("DELETE", f"/v1/businesses/{first['id']}")
    second = server.create(name="Slug owner")
    assert second["slug"] == first["slug"]
    server.call("POST", f"/v1/businesses/{first['id']}/restore", status=409)


def test_entity_tags(server):
    made = server.create(name="Tagged")
    path = f"/v1/businesses/{made['id']}"
    reply = server.http.get(path)
    tag = reply.headers["etag"]
    assert re.fullmatch(r'"[^"]+"', tag)
    same = server.http.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert same.status_code == 304 and same.content == b"" and same.headers["etag"] == tag
    assert server.http.get(path, headers={"If-None-Match": "*"}).status_code == 304
    assert server.http.get(path, params={"fields": "name"}).headers["etag"] != tag
    server.call("PATCH", path, {"name": "Tagged again"}, headers={"If-Match": tag})
    server.call("PATCH", path, {"name": "Lost update"}, 412, headers={"If-Match": tag})
    server.call("DELETE", path, status=412, headers={"If-Match": tag})
    assert server.http.get(path, headers={"If-None-Match": tag}).status_code == 200
    listed = server.http.get("/v1/businesses", params={"limit": 1})
    again = server.http.get("/v1/businesses", params={"limit": 1}, headers={"If-None-Match": listed.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_preconditions_of_writes(server, method):
    made = server.create(name=f"Conditional {method}")
    path = f"/v1/businesses/{made['id']}"
    tag = server.http.get(path).headers["etag"]
    body = None if method == "DELETE" else {"name": made["name"]}
    for header, value in [("If-Match", f"W/{tag}"), ("If-Match", '"a", "b"'), ("If-Match", "nonsense"),
                          ("If-None-Match", "*"), ("If-None-Match", f'"a", W/{tag}')]:
        reply = server.call(method, path, body, 412, headers={header: value})
        assert reply.json()["error"]["code"] == "PRECONDITION_FAILED"
    # without a row there is nothing to hold them against
    server.call(method, "/v1/businesses/no-such-place", body, 404, headers={"If-Match": "*"})
    server.call(method, path, body, headers={"If-Match": f'"a", {tag}', "If-None-Match": '"b"'})
    if method != "DELETE":
        server.call(method, path, body, headers={"If-Match": "*"})


def test_a_304_is_the_representation_that_the_caller_has(server):
    made = server.create(name="Kept in a cache", description="long " * 400)
    path = f"/v1/businesses/{made['id']}"
    for coding in ("gzip", "identity"):
        full = server.http.get(path, headers={"Accept-Encoding": coding})
        assert full.headers["etag"].endswith('-gzip"') == (coding == "gzip")
        short = server.http.get(path, headers={"Accept-Encoding": coding, "If-None-Match": full.headers["etag"]})
        assert short.status_code == 304
        for name in ("etag", "vary", "cache-control"):
            assert short.headers[name] == full.headers[name]
        assert "Accept-Encoding" in short.headers["vary"]


def test_problems_point_into_the_body(server):
    accept = {"Accept": "application/problem+json"}
    reply = server.call("POST", "/v1/businesses", {"name": "x", "attributes": {"dogs": 1}, "a/b~c": 1}, 400, headers=accept)
    assert reply.headers["content-type"] == "application/problem+json"
    assert {e["pointer"] for e in reply.json()["errors"]} == {"/attributes/dogs", "/a~1b~0c"}
    query = server.http.get("/v1/businesses", params={"limit": 0}, headers=accept).json()
    assert query["errors"][0]["field"] == "limit" and "pointer" not in query["errors"][0]


def test_a_patch_that_changes_nothing_keeps_the_tag(server):
    made = server.create(name="Unchanged")
    path = f"/v1/businesses/{made['id']}"
    tag = server.http.get(path).headers["etag"]
    server.call("PATCH", path, {"name": "Unchanged"})
    assert server.http.get(path).headers["etag"] == tag


def test_sparse_fields(server):
    made = server.create(name="Sparse", address={"locality": "Shere"})
    path = f"/v1/businesses/{made['id']}"
    assert server.get(path, fields="name,address.locality")["data"] == {
        "id": made["id"], "name": "Sparse", "address": {"locality": "Shere"}}
    assert set(server.get(path, fields="address")["data"]["address"]) == {"lines", "locality", "region", "postcode", "country"}
    reply = server.http.get(path, params={"fields": "name,nope"})
    assert reply.status_code == 400 and "nope" in server.details(reply)["fields"]


def test_include(server):
    made = server.create(name="Included", primary_category="pub", other_categories=["bar"])
    server.call("POST", f"/v1/businesses/{made['id']}/inspections", {"scheme": "fhrs", "rating": "4", "date": "2024-05-01"}, 201)
    got = server.get(f"/v1/businesses/{made['id']}", include="categories,inspections")["data"]
    assert [c["slug"] for c in got["categories"]] == ["pub", "bar"]
    assert [i["rating_value"] for i in got["inspections"]] == [4]
    assert server.http.get("/v1/businesses", params={"include": "owners"}).status_code == 400


def test_who_may_write(server):
    for headers in ({}, {"Authorization": "Bearer wrong-token-entirely"}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}):
        reply = server.http.post("/v1/businesses", json={"name": "x"}, headers=headers)
        assert reply.status_code == 401, reply.text
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert ("invalid_token" in reply.headers["www-authenticate"]) == bool(headers)
