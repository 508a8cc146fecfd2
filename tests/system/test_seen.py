# SPDX-License-Identifier: Apache-2.0
"""Seen from outside: health, metrics, the log line of a request, Server-Timing."""

import json
import os
import pathlib
import re
import signal
import uuid

import httpx
import pytest

from conftest import ADMIN, TOKEN, Server, run, wait_for
from test_http import Wire


@pytest.fixture(scope="module")
def server():
    s = Server(workers=2)
    places = pathlib.Path(s.data) / "places.csv"
    places.write_text("source_id,name,primary_category,other_categories\n" + "".join(f"{i},Place {i:03},pub,restaurant|cafe\n" for i in range(110)))
    assert run("import", "csv", places, data=s.data).returncode == 0
    for i in range(0, 110, 10):
        s.call("POST", f"/v1/businesses/place-{i:03}/inspections", {"scheme": "fhrs", "rating": str(i % 6), "date": "2024-01-02"}, 201)
    yield s
    s.stop()


# Health

def processes_of_cluster(server):
    postmaster = server.postmaster()
    children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def test_health(server):
    live, ready = server.http.get("/livez"), server.http.get("/readyz")
    assert live.status_code == ready.status_code == 200
    assert live.json() == {"success": True, "data": {"status": "ok"}}
    assert ready.json() == {"success": True, "data": {"status": "ok", "database": "ok"}}
    assert live.headers["cache-control"] in ("no-cache", "no-store")


def test_a_database_that_does_not_answer_is_seen_and_named(server):
    frozen = processes_of_cluster(server)
    try:
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        assert server.http.get("/livez").status_code == 200, "the process itself is well"
        reply = server.http.get("/readyz")
        assert reply.status_code == 503 and int(reply.headers["retry-after"]) >= 1
        assert reply.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert [d["field"] for d in reply.json()["error"]["details"]] == ["database"]
        assert server.http.get("/metrics").status_code == 200
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: server.http.get("/readyz").status_code == 200)
    assert server.get("/v1/businesses", limit=1)["data"]


# Metrics

SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.]+(?:e[+-]?\d+)?|\+Inf|NaN)$')


def metrics(server, client=None):
    """The exposition text 0.0.4, read strictly: {(name, ((label, value), ...)): number}, and the types of the families."""
    reply = (client or server.http).get("/metrics")
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert reply.text.endswith("\n")
    samples, kinds, family = {}, {}, None
    for line in reply.text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in kinds, f"{family} comes in two places"
            assert len(line.split(" ", 3)[3]) > 5
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and kind in ("counter", "gauge", "histogram")
            kinds[name] = kind
        else:
            name, labels, value = SAMPLE.match(line).groups()
            base = re.sub("_(bucket|sum|count)$", "", name) if kinds[family] == "histogram" else name
            assert base == family, line
            key = (name, tuple(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels or "")))
            assert key not in samples, line
            samples[key] = float(value)
    for name, kind in kinds.items():
        assert (kind == "counter") == name.endswith("_total"), name
    return samples, kinds


def answered(samples, route, status=None):
    """Requests of a route, of a status or of all."""
    return sum(n for (name, labels), n in samples.items() if name == "guildford_http_requests_total" and dict(labels)["route"] == route
               and (status is None or dict(labels)["status"] == str(status)))


def test_metrics_are_all_there(server):
    samples, kinds = metrics(server)
    names = {name for name, _ in samples}
    for wanted in ("http_requests_in_flight", "database_wait_seconds_total", "database_seconds_total", "database_connections",
                   "worker_restarts_total", "database_statements_total", "connections"):
        assert f"guildford_{wanted}" in names
    assert kinds["guildford_http_request_duration_seconds"] == "histogram"
    assert samples[("guildford_http_requests_in_flight", ())] >= 1, "this one"
    assert samples[("guildford_database_connections", ())] >= 2
    assert samples[("guildford_database_seconds_total", ())] > 0


def test_requests_are_counted_at_once_whoever_answers(server):
    before, _ = metrics(server)
    route = "GET /v1/businesses/{id}"
    one = server.get("/v1/businesses", limit=1)["data"][0]
    for i in range(40):
        with httpx.Client(base_url=server.url) as client:  # a connection each, so that both workers get some
            assert client.get(f"/v1/businesses/{one['id'] if i % 2 else 'none'}").status_code == (200 if i % 2 else 404)
            now, _ = metrics(server, client)
            assert answered(now, route) - answered(before, route) == i + 1
    assert answered(now, route, 200) - answered(before, route, 200) == 20
    assert answered(now, route, 404) - answered(before, route, 404) == 20
    statements = ("guildford_database_statements_total", ())
    assert now[statements] - before[statements] >= 40


def test_paths_without_v1_count_with_the_others_and_unknown_ones_are_one(server):
    before, _ = metrics(server)
    server.http.get("/businesses")
    for i in range(5):
        server.http.get(f"/nothing/{uuid.uuid4()}")
    now, _ = metrics(server)
    assert answered(now, "GET /v1/businesses") - answered(before, "GET /v1/businesses") == 1
    routes = {dict(labels).get("route") for name, labels in now if name == "guildford_http_requests_total"}
    assert not any("/nothing" in r for r in routes), "a label per unknown path would fill the memory"
    new = {r: answered(now, r, 404) - answered(before, r, 404) for r in routes}
    assert sorted(new.values())[-1] == 5


def test_histograms_add_up(server):
    server.http.get("/v1/businesses")
    samples, _ = metrics(server)
    name = "guildford_http_request_duration_seconds"
    routes = {dict(labels)["route"] for n, labels in samples if n == f"{name}_count"}
    assert "GET /v1/businesses" in routes
    for route in routes:
        buckets = [(dict(labels)["le"], n) for (m, labels), n in samples.items() if m == f"{name}_bucket" and dict(labels)["route"] == route]
        bounds = [float(le.replace("+Inf", "inf")) for le, _ in buckets]
        counts = [n for _, n in buckets]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf")
        assert 0.2 in bounds, "the contract's 200 ms"
        assert counts == sorted(counts)
        count, total = samples[(f"{name}_count", (("route", route),))], samples[(f"{name}_sum", (("route", route),))]
        assert counts[-1] == count == answered(samples, route)
        finite = [b for b in bounds if b != float("inf")]
        least = sum(n * low for n, low in zip([b - a for a, b in zip([0] + counts, counts)], [0] + finite))
        assert total >= least * 0.99


def test_a_dead_worker_is_counted_and_takes_no_number_along(server):
    before, _ = metrics(server)
    os.kill(server.workers()[0], signal.SIGKILL)
    restarts = ("guildford_worker_restarts_total", ())

    def again():
        try:
            with httpx.Client(base_url=server.url, timeout=10) as client:
                return metrics(server, client)[0][restarts] == before[restarts] + 1 and len(server.workers()) == 2
        except httpx.HTTPError:
            return False
    wait_for(again)
    server.http.close()
    server.http = httpx.Client(base_url=server.url, timeout=30)
    wait_for(lambda: server.http.get("/readyz").status_code == 200)
    now, kinds = metrics(server)
    for (name, labels), n in before.items():
        if kinds.get(name) == "counter":
            assert now[(name, labels)] >= n, name
    assert now[("guildford_connections", ())] <= 5, "those of the dead are gone"
    assert now[("guildford_database_connections_leased", ())] == 0


# The log

FIELDS = {"time", "level", "request_id", "method", "route", "status", "bytes", "peer", "client", "statements", "ms"}


def log_lines(server):
    lines = [line for line in server.log_text().split("\n") if line and not re.match(r"==\d+==WARNING: ASan", line)]
    return [json.loads(line) for line in lines]


def line_of(server, request_id):
    """The one line of a request. Lines are written in batches: wait."""
    found = []

    def there():
        found[:] = [line for line in log_lines(server) if line.get("request_id") == request_id]
        return found
    wait_for(there)
    assert len(found) == 1, found
    return found[0]


def ask(server, method, path, **more):
    """A request with an id of its own: the reply, and its line in the log."""
    number = f"t-{uuid.uuid4()}"
    more["headers"] = {**more.get("headers", {}), "X-Request-Id": number}
    reply = server.http.request(method, path, **more)
    assert reply.headers["x-request-id"] == number
    return reply, line_of(server, number)


@pytest.mark.parametrize("method, path, more, status, route, error", [
    ("GET", "/v1/businesses?limit=2", {}, 200, "/v1/businesses", None),
    ("GET", "/businesses/none", {}, 404, "/v1/businesses/{id}", "NOT_FOUND"),
    ("GET", "/nowhere", {}, 404, None, "NOT_FOUND"),
    ("GET", "/v1/businesses?limit=x", {}, 400, "/v1/businesses", "VALIDATION_ERROR"),
    ("POST", "/v1/businesses", {"json": {"name": "x"}}, 401, "/v1/businesses", "UNAUTHORIZED"),
    ("POST", "/v1/businesses", {"json": {"name": "Logged"}, "headers": ADMIN}, 201, "/v1/businesses", None),
    ("HEAD", "/v1/categories", {}, 200, "/v1/categories", None), ("GET", "/livez", {}, 200, "/livez", None)])
def test_each_request_has_a_line(server, method, path, more, status, route, error):
    reply, line = ask(server, method, path, **more)
    assert reply.status_code == line["status"] == status
    assert line.keys() == FIELDS | ({"error"} if error else set())
    assert line["method"] == method and line["route"] == route and line.get("error") == error
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) and line["level"] == "info"
    assert line["peer"].startswith("127.0.0.1")
    if method != "HEAD" and "content-encoding" not in reply.headers:
        assert line["bytes"] == len(reply.content)
    steps = [v for k, v in line["ms"].items() if k not in ("total", "db")]
    assert all(v >= 0 for v in line["ms"].values()) and sum(steps) <= line["ms"]["total"] + 0.1
    assert line["ms"]["db"] <= line["ms"]["total"] and (line["ms"]["db"] > 0) == (line["statements"] > 0)


def test_server_timing_says_what_the_log_says(server):
    reply, line = ask(server, "GET", "/v1/businesses?include=categories")
    timing = dict(re.fullmatch(r"([a-z]+);dur=(\d+\.\d+)", part).groups() for part in reply.headers["server-timing"].split(", "))
    assert {name: float(value) for name, value in timing.items()} == line["ms"]
    assert {"route", "identify", "allow", "input", "act", "db", "total"} <= timing.keys()


def test_the_log_holds_no_secrets(server):
    hidden = [TOKEN, "wrong-bearer-token-1", "secret-in-a-query", "secret-in-a-path", "secret-in-a-body", "secret-in-a-cookie", "secret-user"]
    number = "secrets-1"
    server.http.get("/v1/businesses?q=secret-in-a-query&fields=secret-in-a-query")
    server.http.get("/v1/businesses/secret-in-a-path?token=secret-in-a-query", headers={"Cookie": "s=secret-in-a-cookie"})
    server.http.get("/secret-in-a-path")
    server.http.get("/v1/businesses", headers={"Authorization": "Bearer wrong-bearer-token-1"})
    server.http.get("/v1/businesses", headers={"Authorization": "Basic secret-user"})
    server.call("POST", "/v1/businesses", {"name": "secret-in-a-body", "nonsense": "secret-in-a-body"}, 400)
    server.http.get("/livez", headers={"X-Request-Id": number})
    for wire in (b"GET /v1/secret-in-a-path HTTP/1.1\r\nAuthorization: Bearer secret-user\r\n\r\n", b"secret-in-a-body\r\n\r\n"):
        with Wire(server, wire) as w:
            w.reply()
    line_of(server, number)
    server.http.get("/livez", headers={"X-Request-Id": number + "b"})
    line_of(server, number + "b")
    text = server.log_text()
    assert [word for word in hidden if word in text] == []


def test_nobody_writes_lines_of_their_own(server):
    forged = '{"level":"forged"}'
    quoted = forged.encode().replace(b'"', b"%22")
    for path in (b"/%0a" + quoted, b"/v1/businesses/%0d%0a" + quoted, b"/v1/businesses?q=%0a" + quoted, b"/" + forged.encode()):
        for method in (b"GET", b"FORGED", b'{"x"'):
            with Wire(server, method + b" " + path + b" HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\"\\\t" + forged.encode() + b"\r\nConnection: close\r\n\r\n") as w:
                w.reply()
    ask(server, "GET", "/livez")
    lines = log_lines(server)  # each is a JSON object
    assert all(line["level"] in ("debug", "info", "warn", "error") for line in lines)
    assert all(re.fullmatch(r"[A-Za-z0-9_.:/+=-]+", line["request_id"]) for line in lines if "request_id" in line)


def test_without_the_access_log_nothing_is_written_per_request(server):
    s = Server(data=server.data, workers=1, GUILDFORD_ACCESS_LOG="off")
    try:
        assert s.http.get("/livez", headers={"X-Request-Id": "unlogged-1"}).status_code == 200
        assert "server-timing" in s.http.get("/livez").headers
    finally:
        s.stop(remove=False)
    assert "unlogged-1" not in server.log_text()


@pytest.mark.parametrize("params", [
    {"include": "categories,inspections"}, {"include": "categories,inspections", "q": "place"}, {"include": "categories", "category": "food"},
    {"include": "categories,inspections", "sort": "-updated_at"}, {}])
def test_a_hundred_rows_take_no_more_statements_than_one(server, params):
    counts = {}
    for limit in (1, 100):
        reply, line = ask(server, "GET", "/v1/businesses", params={**params, "limit": limit})
        assert len(reply.json()["data"]) == limit
        counts[limit] = line["statements"]
    # page, total and two relations; a search is understood first, and counts in passing, but one word's matches are estimated
    assert 0 < counts[100] <= counts[1] <= (5 if "q" in params else 4), counts


def test_one_row_is_one_statement(server):
    one = server.get("/v1/businesses", limit=1)["data"][0]
    for name in (one["id"], one["slug"]):
        assert ask(server, "GET", f"/v1/businesses/{name}")[1]["statements"] == 1
    assert ask(server, "GET", "/v1/openapi.json")[1]["statements"] == 0
