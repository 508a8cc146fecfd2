# SPDX-License-Identifier: Apache-2.0
"""No request scans a table: at 100,000 businesses every statement of every kind of request is planned with an index, and
what its plan touches is bounded. PostgreSQL itself tells: auto_explain logs the plan, with rows counted, of each statement
that the program sends, those inside functions and triggers included.

A statement may touch PAGE rows of a table; one that counts (to 10,001 matches) or skips (page=500) reads on until it has as
many, so COUNT. A scan of the whole table by any road, an index too, would be 100,000."""

import itertools
import json
import re
import sys

import pytest

from conftest import ROOT, Server, wait_for

sys.path.insert(0, str(ROOT / "bench"))
import generate  # noqa: E402

BUSINESSES = 100_000
SMALL = 300
PAGE = 25_000
COUNT = 80_000
TABLES = {"business", "business_category", "listing", "inspection", "word", "audit_event", "person", "session", "refresh_token", "api_key", "identity",
          "person_role", "recovery_code", "login_failure", "request", "email_change", "one_time_token", "revocation", "relation", "mail", "event",
          "occurrence", "event_category", "reply"}
LOGGED = re.compile(rb"duration: [\d.]+ ms  plan:\n(\t\{\n(?:\t.*\n)*?\t\}\n)")
SETTINGS = ("session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0", "auto_explain.log_format = json",
            "auto_explain.log_analyze = on", "auto_explain.log_timing = off", "auto_explain.log_nested_statements = on")

# Of each filter something common, something rare, and something that is not there.
FILTERS = {
    "q": ["the", "smiht bakery", "xyzzyplugh"],
    "category": ["food", "museum", "no-such", "food,retail", "museum,theatre"],
    "near": ["51.2362,-0.5704", "51.2362,-0.5704&radius=1000", "40,10"],
    "bbox": ["-3,50,2,53", "-0.58,51.23,-0.56,51.24", "100,10,110,20", "170,-80,-170,80"],
    "postcode": ["GU", "GU1 3", "ZZ9"],
    "price_level": ["1,4", "2"],
    "status": ["operational", "opening_soon", "temporarily_closed,opening_soon"],
    "attributes": ["payment:card", "wifi:free,dogs:yes", "vegan:only"],
    "inspection_min": ["0", "5"],
    "source": ["bench", "rare", "nowhere"],
    "verified": ["false", "true"],
    "deleted": ["with", "only"],
}
SORTS = ["name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"]


class Town(generate.Town):
    """The benchmark's town with more kinds of sources and attributes."""

    def business(self, n, ms):
        row, inspection = super().business(n, ms)
        row["source"] = "rare" if n % 2000 == 0 else "fhrs" if n % 3 == 0 else "bench"
        return row, inspection

    def attributes(self):
        draw, out = self.rnd.random, {}
        for name, value, share in (("wifi", "free", 0.3), ("dogs", "yes", 0.2), ("wheelchair", "yes", 0.3), ("vegan", "only", 0.0002)):
            if draw() < share:
                out[name] = value
        if draw() < 0.5:
            out["payment"] = ["cash", "card"] if draw() < 0.8 else ["card"]
        return json.dumps(out)


class Watch:
    """Sends requests and collects what is wrong with the plans of their statements."""

    def __init__(self, server):
        self.server, self.problems, self.seen, self.text = server, {}, 0, b""
        self.log = open(f"{server.data}/postgres.log", "rb")
        self.log.seek(0, 2)

    def call(self, method, path, json=None, status=None, limit=PAGE):
        reply = self.server.call(method, path, json, status)
        self.judge(f"{method} {path}", limit)
        return reply

    def logged(self):
        """The plans logged since the last call. One that is half written, a job's, waits for the next call: the request's
        own are whole, as PostgreSQL logs a statement before it answers."""
        self.text += self.log.read()
        end = 0
        for found in LOGGED.finditer(self.text):
            end = found.end()
            yield json.loads(found[1].replace(b"\n\t", b"\n"))
        self.text = self.text[end:]

    def judge(self, request, limit):
        for plan in self.logged():
            statement = " ".join(plan["Query Text"].split())
            if statement.startswith("explain "):  # planned and not run
                continue
            self.seen += 1
            for problem in self.wrong(plan["Plan"], statement, limit):
                self.problems.setdefault((problem[0], statement), f"{problem[1]:,} rows by {request[:200]}")

    def wrong(self, plan, statement, limit):
        return scans(plan, COUNT if statement.startswith("select count(*)") else limit)

    def report(self, limit=PAGE):
        self.judge("the last request", limit)
        return [f"{problem}, {request}\n  in {statement}" for (problem, statement), request in self.problems.items()]

    def verdict(self, limit=PAGE):
        report = self.report(limit)
        if report:
            pytest.fail("\n".join(report), pytrace=False)


def scans(node, most):
    """What a plan reads that it should not: a table without an index, or too much of one."""
    table = node.get("Relation Name")
    if table in TABLES and "Actual Loops" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        rows = node["Actual Loops"] * (node["Actual Rows"] + removed)
        index = f" by {node['Index Name']}" if "Index Name" in node else ""
        if rows > (SMALL if node["Node Type"] == "Seq Scan" else most):
            yield f"{node['Node Type']} of {table}{index}", rows
    for below in node.get("Plans", ()):
        yield from scans(below, most)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    server = Server(workers=1)
    try:
        fill(server, tmp_path_factory.mktemp("questions"))
        server.database("load 'auto_explain';" + "".join(f"alter database guildford set {s};" for s in SETTINGS)
                        + "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'guildford' and pid <> pg_backend_pid()")
        wait_for(lambda: server.http.get("/readyz").status_code == 200)
        yield server
    finally:
        server.stop()


def fill(server, folder):
    db = generate.Database(f"host={server.data}/socket user=guildford dbname=guildford")
    plain, generate.Town = generate.Town, Town
    try:
        generate.load(db, BUSINESSES, 7, folder)
    finally:
        generate.Town = plain
    generate.fill(db)
    db.run("""
        update business.business set deleted_at = now() where source_id like '%77';
        update business.inspection set deleted_at = now() where rating_value = 0 and hygiene_score = 10;
        analyze;""")


def words(params):
    return "&".join(f"{name}={value}" for name, value in params.items() if value)


def sorts(*filters):
    return SORTS + ["distance", "-distance"] * ("near" in filters) + ["relevance", "-relevance"] * ("q" in filters)


def ask_list(watch, path="/v1/businesses", limit=PAGE, **params):
    """The first page and the one that its cursor leads to."""
    page = watch.call("GET", f"{path}?{words(params)}", limit=limit).json()["meta"]["pagination"]
    if page["next_cursor"]:
        watch.call("GET", f"{path}?{words(params)}&cursor={page['next_cursor']}", limit=limit)


def test_a_scan_would_be_seen(town):
    watch = Watch(town)
    town.database("select count(*) from business.business where description = 'nothing'")
    assert watch.report()[0].startswith("Seq Scan of business, 100,000 rows")
    watch = Watch(town)
    town.database("set enable_seqscan = off; set enable_bitmapscan = off; "
                  "select id from business.business where length(name_sort) > 1000 order by name_sort")
    assert watch.report()[0].startswith("Index Only Scan of business by business_name, 100,000 rows")


def test_each_order(town):
    watch = Watch(town)
    for sort in SORTS:
        for _ in range(7):  # prepared statements may change their plan from the sixth time on
            ask_list(watch, sort=sort)
        watch.call("GET", f"/v1/businesses?sort={sort}&page=500", limit=COUNT)
        watch.call("GET", f"/v1/businesses?sort={sort}&limit=100&page=100&fields=name&include=categories,inspections", limit=COUNT)
    watch.verdict()
    assert watch.seen > len(SORTS) * 14


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_in_each_order(town, name):
    watch = Watch(town)
    for sort in [None, *sorts(name)]:
        for value in FILTERS[name]:
            ask_list(watch, limit=whole(name, value), **{name: value, "sort": sort})
    watch.verdict()
    assert watch.seen > 14


def whole(name, value):
    """What must be ranked must be read: all that has a common word."""
    return COUNT if name == "q" and value == "the" else PAGE


@pytest.mark.parametrize("first", list(FILTERS)[:-1])
def test_two_filters_together(town, first):
    watch = Watch(town)
    turn = itertools.count()
    for second in list(FILTERS)[list(FILTERS).index(first) + 1:]:
        orders = [None, *sorts(first, second)]
        for one, other in itertools.product(FILTERS[first][:3], FILTERS[second][:2]):
            limit = max(whole(first, one), whole(second, other))
            ask_list(watch, limit=limit, **{first: one, second: other, "sort": orders[next(turn) % len(orders)]})
    watch.verdict()
    assert watch.seen > 8


def test_three_filters_together(town):
    watch = Watch(town)
    for q, category, near in itertools.product(FILTERS["q"], FILTERS["category"], FILTERS["near"]):
        ask_list(watch, limit=whole("q", q), q=q, category=category, near=near, status="operational")
    watch.verdict()


def test_one_and_what_belongs_to_it(town):
    watch = Watch(town)
    hits = town.get("/v1/businesses", inspection_min=0, limit=8)["data"]
    for hit in hits:  # eight times: prepared statements
        for key in (hit["id"], hit["slug"]):
            watch.call("GET", f"/v1/businesses/{key}")
            watch.call("GET", f"/v1/businesses/{key}?include=categories,inspections")
            ask_list(watch, f"/v1/businesses/{key}/inspections", scheme="fhrs")
            for sort in ("date", "-date"):
                ask_list(watch, f"/v1/businesses/{key}/inspections", sort=sort)
    for q in ("b", "the", "the gree", "smiht", "xyzzyplugh", "cafe in guildford", "farnham bakery"):
        watch.call("GET", f"/v1/businesses/suggest?q={q}&limit=20")
    ask_list(watch, "/v1/categories")
    ask_list(watch, "/v1/categories", parent="food", sort="-created_at")
    watch.call("GET", "/v1/categories/food")
    watch.verdict()
    assert watch.seen > 50


def test_writes(town):
    watch = Watch(town)
    for n in range(7):
        fields = {"name": f"The Written Place {n}", "primary_category": "museum", "other_categories": ["theatre"],
                  "address": {"postcode": "GU1 3XJ", "locality": "Guildford"}, "location": {"lat": 51.2, "lng": -0.5},
                  "source": "written", "source_id": str(n)}
        made = watch.call("POST", "/v1/businesses", fields, 201).json()["data"]
        path = f"/v1/businesses/{made['id']}"
        watch.call("POST", "/v1/businesses", fields, 409)
        watch.call("POST", "/v1/businesses", {**fields, "source": None, "source_id": None}, 409)
        watch.call("PUT", path, {**fields, "name": f"The Replaced Place {n}"})
        watch.call("PATCH", path, {"name": f"The Changed Place {n}", "primary_category": "theatre"})
        inspection = watch.call("POST", f"{path}/inspections", {"scheme": "fhrs", "rating": "5", "date": "2026-01-01"}, 201).json()
        watch.call("PATCH", f"{path}/inspections/{inspection['data']['id']}", {"rating": "4"})
        watch.call("DELETE", f"{path}/inspections/{inspection['data']['id']}")
        watch.call("DELETE", path)
        watch.call("POST", f"{path}/restore")
    watch.verdict()


def test_changes_of_a_category(town):
    watch = Watch(town)
    watch.call("POST", "/v1/categories", {"name": "Things of the past", "parent": "culture"}, 201)
    watch.call("PATCH", "/v1/categories/museum", {"parent": "things-of-the-past"})
    watch.call("PATCH", "/v1/categories/museum", {"name": "Museums and old things"})
    watch.call("PATCH", "/v1/categories/museum", {"parent": "culture"})
    watch.call("DELETE", "/v1/categories/museum", status=409)
    watch.call("DELETE", "/v1/categories/things-of-the-past")
    watch.call("POST", "/v1/categories/things-of-the-past/restore")
    watch.verdict()


def test_the_audit_trail(town):
    """Of each filter something common, something rare, and something that is not there."""
    person, thing, nobody = (f"019363f1-27a5-7c1b-8a5e-5f0c2c9e1b0{n}" for n in range(3))
    town.database(f"""
        insert into platform.audit_event (id, created_at, action, actor_kind, actor_id, resource, resource_id)
        select gen_random_uuid(), timestamptz '2026-01-01' + n * interval '1 minute',
               case when n % 2000 = 0 then 'category:create' else 'business:update' end, 'person',
               case when n % 3 = 0 then '{person}'::uuid else gen_random_uuid() end,
               case when n % 2000 = 0 then 'category' else 'business' end,
               case when n % 1000 = 0 then '{thing}'::uuid else gen_random_uuid() end
        from generate_series(1, {BUSINESSES}) n;
        analyze platform.audit_event""")
    watch = Watch(town)
    path = "/v1/audit-events"
    filters = [{}, {"action": "business:update"}, {"action": "category:create"}, {"action": "no:such"},
               {"action": "category:create,business:update"}, {"action": "category:create,no:such"}, {"actor_id": person}, {"actor_id": nobody},
               {"resource": "business"}, {"resource": "category"}, {"resource": "nothing"}, {"resource_id": thing},
               {"resource_id": nobody}, {"resource": "business", "resource_id": thing}, {"actor_id": person, "action": "category:create"},
               {"since": "2026-02-01T00:00:00Z"}, {"until": "2026-01-02T00:00:00Z"}, {"since": "2036-01-01T00:00:00Z"},
               {"since": "2026-01-10T00:00:00Z", "until": "2026-01-11T00:00:00Z", "action": "business:update"}]
    for found in filters:
        for sort in ("", "created_at"):
            ask_list(watch, path, **found, sort=sort)
    newest = town.call("GET", path).json()["data"][0]
    watch.call("GET", f"{path}/{newest['id']}")
    watch.verdict()
    assert watch.seen > 2 * len(filters)


def test_totals_are_exact_to_ten_thousand_and_estimates_beyond(town):
    for params, sql in (({}, "true"), ({"category": "food"}, "id in (select business_id from business.listing where category = 'food')"),
                        ({"category": "museum"}, "id in (select business_id from business.listing where category = 'museum')"),
                        ({"status": "permanently_closed"}, "status = 'permanently_closed'"), ({"price_level": 2}, "price_level = 2"),
                        ({"bbox": "-3,50,2,53"}, "true"), ({"q": "bakery"}, "search @@ business.search_query('bakery')")):
        page = town.get("/v1/businesses", **params)["meta"]["pagination"]
        true = int(town.database(f"select count(*) from business.business where deleted_at is null and {sql}")[0][0])
        if true <= 10_000:
            assert page["total"] == true and "total_estimated" not in page, params
        else:
            assert page["total_estimated"] is True and true / 3 < page["total"] < 3 * true, (params, page, true)


def test_a_broad_word_comes_by_name(town):
    """Of one word that very many have, the list's own order is a page's work; ranking would be everyone's."""
    watch = Watch(town)
    broad = max(({"q": q} for q in ("the", "guildford", "surrey", "and")), key=lambda p: total(town, p))
    assert total(town, broad) > 15_000, "there is one"
    ask_list(watch, **broad)
    ask_list(watch, **broad, sort="-relevance")
    watch.verdict()
    names, params = [], {**broad, "limit": 100, "fields": "name"}
    for _ in range(5):
        page = town.get("/v1/businesses", **params)
        names += [(b["name"], b["id"]) for b in page["data"]]
        params["cursor"] = page["meta"]["pagination"]["next_cursor"]
    assert len(set(names)) == 500
    assert [name for name, _ in names] == [row[0] for row in town.database(
        f"select name from business.business where deleted_at is null and search @@ business.search_query('{broad['q']}') "
        "order by name_sort, id limit 500")]


@pytest.mark.parametrize("sort", ["relevance", "-relevance"])
def test_a_search_goes_on_in_its_order_when_estimates_change(town, sort):
    """What is broad is the planner's guess, and paging may last longer than that stands."""
    params = {"q": "the", "sort": sort, "limit": 100, "fields": "name"}
    assert total(town, {"q": "the"}) > 15_000
    whole, page = [], town.get("/v1/businesses", **params)
    for _ in range(3):
        whole += page["data"]
        page = town.get("/v1/businesses", **params, cursor=page["meta"]["pagination"]["next_cursor"])
    broad = town.get("/v1/businesses", **params)["meta"]["pagination"]["next_cursor"]
    town.database("delete from pg_statistic where starelid = 'business.business'::regclass and staattnum = "
                  "(select attnum from pg_attribute where attrelid = starelid and attname = 'search')")
    try:
        ranked = town.get("/v1/businesses", **params)
        assert ranked["data"] != whole[:100], "by rank now"
        assert town.get("/v1/businesses", **params, cursor=broad)["data"] == whole[100:200]
    finally:
        town.database("analyze business.business")
    assert town.get("/v1/businesses", **params)["data"] == whole[:100]
    after = town.get("/v1/businesses", **params, cursor=ranked["meta"]["pagination"]["next_cursor"])["data"]
    assert len(after) == 100 and not {b["id"] for b in after} & {b["id"] for b in ranked["data"]}


def total(town, params):
    return town.get("/v1/businesses", **params, limit=1)["meta"]["pagination"]["total"]


def test_a_search_that_was_answered_before_is_never_stale(town):
    params = {"q": "bakery", "limit": 5}
    before = town.get("/v1/businesses", **params)
    assert before["meta"]["pagination"]["total"] > 500
    again = town.http.get("/v1/businesses", params=params)
    assert again.json() == before and again.headers["Link"]
    first = before["data"][0]
    town.call("PATCH", f"/v1/businesses/{first['id']}", {"phone": "+441632960123"})
    assert town.get("/v1/businesses", **params)["data"][0]["phone"] == "+441632960123"
    town.call("DELETE", f"/v1/businesses/{first['id']}")
    after = town.get("/v1/businesses", **params)
    assert first["id"] not in [b["id"] for b in after["data"]]
    assert after["meta"]["pagination"]["total"] == before["meta"]["pagination"]["total"] - 1
    town.call("POST", f"/v1/businesses/{first['id']}/restore")
