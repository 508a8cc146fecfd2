# SPDX-License-Identifier: Apache-2.0
"""Lists of businesses: search, filters, order, pages by number and by cursor, totals, links, suggestions."""

import math
import random
import re

import pytest

from conftest import ADMIN

PLACES = [
    ("Starbucks", "cafe", 51.2362, -0.5704, "GU1 3AA", {"wifi": "free"}, 2),
    ("Café Mila", "cafe", 51.1860, -0.6150, "GU7 1HX", {"wifi": "free", "dogs": "yes"}, 2),
    ("The Boatman", "pub", 51.2332, -0.5755, "GU1 3XJ", {"dogs": "yes", "outdoor_seating": True}, 2),
    ("The Boileroom", "music-venue", 51.2420, -0.5690, "GU1 4LS", {}, 1),
    ("G Live", "theatre", 51.2390, -0.5672, "GU1 2AA", {"wheelchair": "yes"}, 3),
    ("Guildford Cathedral", "worship", 51.2410, -0.5896, "GU2 7UP", {}, None),
    ("Royal Surrey Hospital", "hospital", 51.2411, -0.6080, "GU2 7XX", {}, None),
    ("The Works", "gifts", 51.2360, -0.5710, "GU1 3DY", {"payment": ["cash", "card"]}, 1),
    ("Ten Miles Inn", "pub", 51.3300, -0.5700, "GU10 1AB", {}, 4),
]


@pytest.fixture(scope="module")
def town(server):
    for name, category, lat, lng, postcode, attributes, price in PLACES:
        server.create(name=name, primary_category=category, location={"lat": lat, "lng": lng},
                      address={"postcode": postcode, "locality": "Guildford"}, attributes=attributes, price_level=price)
    return server


def names(server, **params):
    return [b["name"] for b in server.get("/v1/businesses", **params)["data"]]


@pytest.mark.parametrize("q, first", [
    ("starbucks", "Starbucks"), ("starbuks", "Starbucks"), ("STARBUCK", "Starbucks"), ("cafe mila", "Café Mila"),
    ("the works", "The Works"), ("cathedrl", "Guildford Cathedral"), ("hospitals", "Royal Surrey Hospital"),
    ("boatmann", "The Boatman"), ("boatamn", "The Boatman"), ("muesic venue", "The Boileroom"), ("wroks", "The Works"), ("boat", "The Boatman"), ("gu2 7up", "Guildford Cathedral")])
def test_text_search(town, q, first):
    assert names(town, q=q)[0] == first


def test_every_word_must_match(town):
    assert names(town, q="boatman hospital") == []
    assert names(town, q="xyzzyplugh") == []
    assert names(town, q="'\"():*&|!<->\\") == []


def test_category_includes_those_below(town):
    assert set(names(town, category="food")) == {"Starbucks", "Café Mila", "The Boatman", "Ten Miles Inn"}
    assert set(names(town, category="pub,theatre")) == {"The Boatman", "G Live", "Ten Miles Inn"}
    assert names(town, category="no-such") == []


def haversine(lat1, lng1, lat2, lng2):
    p, q = math.radians(lat1), math.radians(lat2)
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(lng2 - lng1) / 2) ** 2
    return 2 * 6371008.8 * math.asin(math.sqrt(h))


@pytest.mark.parametrize("radius", [100, 500, 1000, 2000, 10000])
def test_radius_is_hard(town, radius):
    hits = town.get("/v1/businesses", near="51.2362,-0.5704", radius=radius)["data"]
    want = sorted((haversine(51.2362, -0.5704, lat, lng), name) for name, _, lat, lng, *_ in PLACES)
    want = [(d, n) for d, n in want if d <= radius]
    assert [h["name"] for h in hits] == [n for _, n in want]
    for hit, (distance, _) in zip(hits, want):
        assert abs(hit["distance_m"] - distance) < 0.1
    far = names(town, near="51.2362,-0.5704", radius=radius, sort="-distance")
    assert far == [h["name"] for h in hits][::-1]


def test_other_filters(town):
    assert set(names(town, bbox="-0.58,51.23,-0.56,51.24")) == {"Starbucks", "The Boatman", "G Live", "The Works"}
    assert names(town, bbox="179,-10,-179,10") == []
    assert set(names(town, postcode="GU1")) == {"Starbucks", "The Boatman", "The Boileroom", "G Live", "The Works"}
    assert set(names(town, postcode="gu1 3")) == {"Starbucks", "The Boatman", "The Works"}
    assert names(town, postcode="gu2 7up") == ["Guildford Cathedral"]
    assert len(names(town, postcode="GU")) == len(PLACES)
    assert set(names(town, price_level="1,4")) == {"The Boileroom", "The Works", "Ten Miles Inn"}
    assert names(town, attributes="wifi:free,dogs:yes") == ["Café Mila"]
    assert names(town, attributes="outdoor_seating:yes") == ["The Boatman"]
    assert names(town, attributes="payment:cash") == ["The Works"]
    assert names(town, status="permanently_closed") == []
    assert len(names(town, status="operational,opening_soon")) == len(PLACES)
    assert names(town, source="nowhere") == []
    assert names(town, q="boatman", category="pub", near="51.2362,-0.5704", radius=1000, price_level=2) == ["The Boatman"]


def test_order(town):
    by_name = names(town, sort="name")
    assert by_name == sorted(by_name, key=lambda n: n.lower().replace("é", "e"))
    assert names(town, sort="-name") == by_name[::-1]
    assert names(town, sort="created_at") == [p[0] for p in PLACES]
    assert names(town, sort="-updated_at")[0] == "Ten Miles Inn"


@pytest.mark.parametrize("params, field", [
    ({"sort": "colour"}, "sort"), ({"sort": "distance"}, "sort"), ({"sort": "relevance"}, "sort"),
    ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"limit": "ten"}, "limit"), ({"page": 0}, "page"),
    ({"page": 501}, "page"), ({"near": "51.2"}, "near"), ({"near": "91,0"}, "near"), ({"near": "nan,0"}, "near"),
    ({"radius": 5}, "radius"), ({"near": "51,0", "radius": 100001}, "radius"), ({"bbox": "1,2,3"}, "bbox"),
    ({"bbox": "0,52,1,51"}, "bbox"), ({"postcode": "%"}, "postcode"), ({"price_level": "cheap"}, "price_level"),
    ({"status": "open"}, "status"), ({"attributes": "moat:yes"}, "attributes"), ({"attributes": "wifi"}, "attributes"),
    ({"attributes": "wifi:fast"}, "attributes"), ({"inspection_min": 6}, "inspection_min"), ({"q": ""}, "q"),
    ({"q": "x" * 201}, "q"), ({"category": "Not A Slug"}, "category"), ({"fields": "name,colour"}, "fields"),
    ({"include": "owners"}, "include"), ({"cursor": "abc"}, "cursor"), ({"colour": "red"}, "colour"),
    ({"deleted": "maybe"}, "deleted"), ({"cursor": "AAAA", "page": 2}, "page")])
def test_bad_parameters_are_named(town, params, field):
    reply = town.http.get("/v1/businesses", params=params, headers=ADMIN)
    assert reply.status_code == 400, reply.text
    assert field in town.details(reply)


def test_all_problems_of_a_query_at_once(town):
    reply = town.http.get("/v1/businesses", params={"colour": "red", "limit": 1000, "sort": "size", "bbox": "1", "fields": "id,age"})
    assert reply.status_code == 400 and set(town.details(reply)) == {"colour", "limit", "sort", "bbox", "fields"}
    reply = town.http.get("/v1/businesses", params={"near": "99,1", "radius": "wide"})
    assert reply.status_code == 400 and set(town.details(reply)) == {"near", "radius"}
    reply = town.http.get("/v1/businesses/starbucks", params={"fields": "age", "colour": "red", "include": "x"})
    assert reply.status_code == 400 and set(town.details(reply)) == {"fields", "colour", "include"}


def test_a_parameter_given_twice(town):
    assert town.http.get("/v1/businesses?q=a&q=b").status_code == 400


def test_pages_by_number_and_links(town):
    seen = []
    path = "/v1/businesses?limit=2&sort=name"
    while path:
        reply = town.http.get(path)
        page = reply.json()
        assert page["meta"]["pagination"]["total"] == len(PLACES)
        seen += [b["name"] for b in page["data"]]
        links = dict((rel, url) for url, rel in re.findall(r'<([^>]+)>; rel="([a-z]+)"', reply.headers["link"]))
        assert "first" in links and "last" in links
        path = links.get("next")
    assert seen == names(town, sort="name")


def walk(server, **params):
    """Every hit, page after page by cursor."""
    seen, cursor = [], None
    for _ in range(10000):
        page = server.get("/v1/businesses", **params, **({"cursor": cursor} if cursor else {}))
        seen += page["data"]
        cursor = page["meta"]["pagination"]["next_cursor"]
        if not cursor:
            return seen
    raise AssertionError("no end")


@pytest.mark.parametrize("params", [
    {"sort": "name"}, {"sort": "-name"}, {"sort": "created_at"}, {"sort": "-updated_at"},
    {"near": "51.2362,-0.5704"}, {"near": "51.2362,-0.5704", "sort": "-distance"}, {"q": "guildford"},
    {"category": "food"}, {"postcode": "GU", "sort": "name"}, {"category": "food", "q": "guildford", "sort": "name"}])
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_cursors_reach_the_end(town, params, limit):
    at_once = [b["id"] for b in town.get("/v1/businesses", limit=100, **params)["data"]]
    assert [b["id"] for b in walk(town, limit=limit, **params)] == at_once
    assert len(at_once) > 2


def test_a_cursor_belongs_to_its_search(town):
    cursor = town.get("/v1/businesses", limit=1)["meta"]["pagination"]["next_cursor"]
    reply = town.http.get("/v1/businesses", params={"cursor": cursor, "category": "pub"})
    assert reply.status_code == 400 and "another search" in town.details(reply)["cursor"]


def test_links_of_a_path_without_version_lead_on(town):
    first = town.get("/businesses", limit=4)
    reply = town.http.get("/businesses", params={"limit": 4, "cursor": first["meta"]["pagination"]["next_cursor"]})
    following = re.search(r'<([^>]+)>; rel="next"', reply.headers["link"])[1]
    assert following.startswith("/v1/businesses?")
    seen = [b["name"] for page in (first, reply.json(), town.get(following)) for b in page["data"]]
    assert seen == names(town, sort="name", limit=100)


def test_a_page_too_deep_says_how_to_go_on(town):
    reply = town.http.get("/v1/businesses", params={"page": 501})
    assert "next_cursor" in town.details(reply)["page"]


def test_distance_may_be_named_among_the_fields(town):
    found = town.get("/v1/businesses", near="51.2362,-0.5704", fields="name,distance_m")["data"]
    assert set(found[0]) == {"id", "name", "distance_m"}


def test_a_relation_named_twice_comes_once(town):
    reply = town.http.get("/v1/businesses", params={"limit": 1, "include": "categories,categories"})
    assert reply.text.count('"categories":') == 1


def test_cursors_under_inserts(town):
    """What was there all the time is given exactly once, whatever is written meanwhile."""
    before = {b["id"] for b in walk(town, limit=100)}
    draw = random.Random(1)
    seen, cursor = [], None
    for step in range(100):
        page = town.get("/v1/businesses", limit=1, sort="name", **({"cursor": cursor} if cursor else {}))
        seen += [b["id"] for b in page["data"]]
        cursor = page["meta"]["pagination"]["next_cursor"]
        if not cursor:
            break
        if step < 20:
            made = town.create(name=f"{draw.choice('abcmnoxyz')} inserted {step}")
    assert not cursor
    assert len(seen) == len(set(seen)) and before <= set(seen)
    for business in walk(town, limit=100, q="inserted"):
        town.call("DELETE", f"/v1/businesses/{business['id']}")


@pytest.fixture
def elsewhere(town):
    """Makes businesses far from the others, and takes them away again."""
    made = []

    def make(name, lat=55.0, lng=-3.0):
        made.append(town.create(name=name, location={"lat": lat, "lng": lng})["id"])
        return made[-1]
    yield make
    for key in made:
        town.call("DELETE", f"/v1/businesses/{key}")


@pytest.mark.parametrize("params", [
    {"near": "55,-3", "radius": 5000}, {"near": "55,-3", "radius": 5000, "sort": "-distance"}, {"q": "twin"},
    {"q": "twin", "sort": "-relevance"}, {"near": "55,-3", "radius": 5000, "sort": "-created_at"},
    {"near": "55,-3", "q": "twin"}])
def test_cursors_under_inserts_among_equals(town, elsewhere, params):
    """As far, as relevant: only the tie-break tells them apart, while more of them come."""
    before = {elsewhere(f"Twin {n}") for n in range(11)}
    seen, cursor = [], None
    for step in range(30):
        page = town.get("/v1/businesses", limit=2, **params, **({"cursor": cursor} if cursor else {}))
        seen += [b["id"] for b in page["data"]]
        cursor = page["meta"]["pagination"]["next_cursor"]
        if not cursor:
            break
        if step < 6:
            elsewhere(f"Twin come late {step}")
    assert not cursor
    assert len(seen) == len(set(seen)) and before <= set(seen)


@pytest.mark.parametrize("sort", ["distance", "-distance", "name"])
@pytest.mark.parametrize("radius", [1, 50, 1000, 30000, 100000])
def test_the_border_of_a_radius_is_exact(town, elsewhere, radius, sort):
    def north(metres):
        return 55 + math.degrees(metres / 6371008.8)

    inside = [elsewhere(f"In {part}", lat=north(radius * part)) for part in (0, 0.5, 0.9)] + [elsewhere("In", lat=north(radius - 0.01))]
    elsewhere("Out", lat=north(radius + 0.01))
    elsewhere("Out of the cube too", lat=north(radius * 2))
    hits = town.get("/v1/businesses", near="55,-3", radius=radius, sort=sort)["data"]
    assert {h["id"] for h in hits} == set(inside)
    if sort != "name":
        assert [h["id"] for h in hits] == (inside if sort == "distance" else inside[::-1])


def test_near_across_the_180th_meridian(town, elsewhere):
    here = {elsewhere("East end", 0, 179.999), elsewhere("West end", 0, -179.999)}
    assert {b["id"] for b in town.get("/v1/businesses", near="0,180", radius=500)["data"]} == here
    assert {b["id"] for b in town.get("/v1/businesses", bbox="179.9,-1,-179.9,1")["data"]} == here


def test_totals(town):
    page = town.get("/v1/businesses", limit=1, page=2)
    assert page["meta"]["pagination"] == {"page": 2, "limit": 1, "total": len(PLACES),
                                          "next_cursor": page["meta"]["pagination"]["next_cursor"]}
    assert town.get("/v1/businesses", page=9, limit=100)["data"] == []


@pytest.mark.parametrize("q, first", [
    ("b", None), ("boa", "The Boatman"), ("the bo", "The Boatman"), ("caf", "Café Mila"), ("starbuks", "Starbucks"),
    ("royal sur", "Royal Surrey Hospital")])
def test_suggestions(town, q, first):
    found = town.get("/v1/businesses/suggest", q=q)["data"]
    assert len(found) <= 8
    if first:
        assert first in [s["name"] for s in found][:2]
        assert set(found[0]) == {"id", "slug", "name", "locality", "primary_category"}


@pytest.mark.parametrize("q", ["'", "'’`", "&", "\\", "()", "zzz zzz"])
def test_nothing_is_suggested_for_what_has_no_letters_in_common(town, q):
    assert town.get("/v1/businesses/suggest", q=q)["data"] == []


def test_blanks_around_what_was_typed_mean_nothing(town):
    assert town.get("/v1/businesses/suggest", q="  boa ")["data"] == town.get("/v1/businesses/suggest", q="boa")["data"]


def test_suggestions_refuse(town):
    assert town.http.get("/v1/businesses/suggest", params={"q": "  "}).status_code == 400
    assert town.http.get("/v1/businesses/suggest").status_code == 400
    assert town.http.get("/v1/businesses/suggest", params={"q": "x" * 81}).status_code == 400
    assert town.http.get("/v1/businesses/suggest", params={"q": "a", "limit": 21}).status_code == 400
