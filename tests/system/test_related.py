# SPDX-License-Identifier: Apache-2.0
"""Categories (a tree) and inspections (nested below a business)."""

import concurrent.futures

from conftest import ADMIN


def test_the_taxonomy_covers_a_town(server):
    first = server.get("/v1/categories", limit=100)
    assert first["meta"]["pagination"]["total"] >= 80
    top = server.get("/v1/categories", parent="food", limit=100)["data"]
    assert {"restaurant", "cafe", "pub"} <= {c["slug"] for c in top}
    assert all(c["parent"] == "food" for c in top)


def test_a_category_lives(server):
    made = server.call("POST", "/v1/categories", {"name": "Zoos & aquaria", "parent": "leisure"}, 201).json()["data"]
    assert made["slug"] == "zoos-aquaria"
    server.call("POST", "/v1/categories", {"name": "x", "slug": "zoos-aquaria"}, 409)
    server.call("POST", "/v1/categories", {"name": "x", "parent": "no-such"}, 409)
    assert server.call("PATCH", "/v1/categories/zoos-aquaria", {"name": "Zoos"}).json()["data"]["name"] == "Zoos"
    server.call("PATCH", "/v1/categories/leisure", {"parent": "zoos-aquaria"}, 409)
    server.call("PATCH", "/v1/categories/leisure", {"parent": "leisure"}, 409)
    server.call("DELETE", "/v1/categories/leisure", status=409)
    server.call("DELETE", "/v1/categories/zoos-aquaria")
    assert server.http.get("/v1/categories/zoos-aquaria").status_code == 404


def test_nothing_hangs_on_a_deleted_category(server):
    server.call("POST", "/v1/categories", {"name": "Windmills", "parent": "culture"}, 201)
    server.call("POST", "/v1/categories", {"name": "Tower mills", "parent": "windmills"}, 201)
    server.call("DELETE", "/v1/categories/tower-mills")
    server.call("DELETE", "/v1/categories/windmills")
    assert "deleted" in server.call("POST", "/v1/categories", {"name": "x", "parent": "windmills"}, 409).json()["error"]["message"]
    server.call("PATCH", "/v1/categories/museum", {"parent": "windmills"}, 409)
    server.call("POST", "/v1/categories/tower-mills/restore", status=409)
    assert "primary_category" in server.details(server.call("POST", "/v1/businesses", {"name": "x", "primary_category": "windmills"}, 400))
    server.call("POST", "/v1/categories/windmills/restore")
    server.call("POST", "/v1/categories/tower-mills/restore")


def test_the_tree_has_eight_levels(server):
    for n in range(1, 9):
        server.call("POST", "/v1/categories", {"name": f"Level {n}", "parent": f"level-{n - 1}" if n > 1 else None}, 201)
    server.call("POST", "/v1/categories", {"name": "Level 9", "parent": "level-8"}, 409)
    made = server.create(name="At the bottom", primary_category="level-8")
    assert [b["id"] for b in server.get("/v1/businesses", category="level-1")["data"]] == [made["id"]]
    server.call("PATCH", "/v1/categories/level-1", {"parent": "level-8"}, 409)
    server.call("PATCH", "/v1/categories/level-1", {"parent": "food"}, 409)
    server.call("PATCH", "/v1/categories/level-5", {"parent": "food"})
    assert server.get("/v1/businesses", category="level-4")["data"] == []


def test_two_moves_at_once_make_no_loop(server):
    for n in range(5):
        one, two = (server.call("POST", "/v1/categories", {"name": f"{side} {n}"}, 201).json()["data"]["slug"] for side in ("Left", "Right"))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda pair: server.http.patch(f"/v1/categories/{pair[0]}", json={"parent": pair[1]}, headers=ADMIN),
                                 [(one, two), (two, one)]))
        assert sorted(reply.status_code for reply in done) == [200, 409], [reply.text for reply in done]


def test_a_category_that_moves_takes_its_businesses_along(server):
    server.call("POST", "/v1/categories", {"name": "Ice rinks", "parent": "leisure"}, 201)
    made = server.create(name="Frozen", primary_category="ice-rinks")
    assert server.get("/v1/businesses", category="leisure")["meta"]["pagination"]["total"] == 1
    server.call("PATCH", "/v1/categories/ice-rinks", {"parent": "culture"})
    assert server.get("/v1/businesses", category="leisure")["data"] == []
    assert [b["id"] for b in server.get("/v1/businesses", category="culture")["data"]] == [made["id"]]
    server.call("DELETE", "/v1/categories/ice-rinks", status=409)
    server.call("PATCH", "/v1/categories/ice-rinks", {"name": "Skating"})
    assert [b["id"] for b in server.get("/v1/businesses", q="skating")["data"]] == [made["id"]]


def test_inspections(server):
    business = server.create(name="Inspected")
    path = f"/v1/businesses/{business['id']}/inspections"
    old = server.call("POST", path, {"scheme": "fhrs", "rating": "2", "date": "2019-01-31"}, 201).json()["data"]
    assert old["rating_value"] == 2 and old["business_id"] == business["id"]
    server.call("POST", path, {"scheme": "fhrs", "rating": "5", "date": "2021-03-01", "hygiene_score": 0}, 201)
    server.call("POST", path, {"scheme": "fhrs", "rating": "AwaitingInspection"}, 201)
    ratings = [i["rating"] for i in server.get(path)["data"]]
    assert ratings == ["5", "2", "AwaitingInspection"]
    assert server.get(f"/v1/businesses/{business['id']}")["data"]["inspection_rating"] == 5
    assert server.get("/v1/businesses", inspection_min=5)["data"][0]["id"] == business["id"]
    assert server.get(f"{path}/{old['id']}")["data"] == old
    server.call("PATCH", f"{path}/{old['id']}", {"date": "2022-01-01"})
    assert server.get(f"/v1/businesses/{business['id']}")["data"]["inspection_rating"] == 2
    server.call("DELETE", f"{path}/{old['id']}")
    assert server.get(f"/v1/businesses/{business['id']}")["data"]["inspection_rating"] == 5


def test_inspections_belong_to_their_business(server):
    one, two = server.create(name="One"), server.create(name="Two")
    made = server.call("POST", f"/v1/businesses/{one['id']}/inspections", {"scheme": "fhrs", "rating": "1"}, 201).json()["data"]
    assert server.http.get(f"/v1/businesses/{two['id']}/inspections/{made['id']}").status_code == 404
    assert server.http.get("/v1/businesses/no-such/inspections").status_code == 404
    assert server.get(f"/v1/businesses/{one['slug']}/inspections")["data"][0]["id"] == made["id"]


def test_bad_inspections(server):
    business = server.create(name="Badly inspected")
    reply = server.call("POST", f"/v1/businesses/{business['id']}/inspections",
                        {"scheme": "stars", "date": "2021-02-30", "hygiene_score": -1, "rating_value": 3}, 400)
    assert set(server.details(reply)) == {"scheme", "rating", "date", "hygiene_score", "rating_value"}
