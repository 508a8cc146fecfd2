# SPDX-License-Identifier: Apache-2.0
"""Rate limits: exact over all workers and nodes, told in headers, and by the address of whoever stands before a proxy."""

import collections
import concurrent.futures
import itertools
import re
import time

import httpx
import pytest
from conftest import ADMIN, Server
from with_redis import Redis

LIMITED = {"GUILDFORD_LIMITS": "on", "GUILDFORD_TRUSTED_PROXIES": "127.0.0.0/8"}
PATIENT = {"GUILDFORD_REDIS_TIMEOUT": "10000"}  # of a busy machine: nothing here is about its absence
READ = "/v1/categories?limit=1"
addresses = itertools.count(1)


def someone():
    """Headers of a client who has not asked before."""
    n = next(addresses)
    return {"X-Forwarded-For": f"198.51.{n // 250}.{n % 250 + 1}"}


def ask_many(servers, count, headers, path=READ, threads=16):
    """Statuses of that many requests, at the same time, on connections of their own."""
    def ask(i):
        return httpx.get(servers[i % len(servers)].url + path, headers=headers, timeout=60).status_code

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return collections.Counter(pool.map(ask, range(count)))


@pytest.fixture(scope="module")
def redis():
    r = Redis()
    yield r
    r.stop()


@pytest.fixture(scope="module")
def nodes(redis):
    """Two nodes of two workers that share a Redis."""
    both = [Server(REDIS_URL=redis.url, **LIMITED, **PATIENT) for _ in range(2)]
    yield both
    for s in both:
        s.stop()


@pytest.fixture(scope="module")
def alone():
    """A node without Redis."""
    s = Server(**LIMITED)
    yield s
    s.stop()


@pytest.fixture
def fresh(redis):
    """The callers start anew: the admin is one and the same in all tests."""
    redis.ask("FLUSHALL")


def test_an_authenticated_caller_has_100_over_all_workers_and_nodes(nodes, fresh):
    assert ask_many(nodes, 130, ADMIN) == {200: 100, 429: 30}


def test_an_anonymous_address_has_20_over_all_workers_and_nodes(nodes):
    assert ask_many(nodes, 50, someone()) == {200: 20, 429: 30}


def test_without_redis_the_node_counts(alone):
    assert ask_many([alone], 50, someone()) == {200: 20, 429: 30}
    assert ask_many([alone], 130, ADMIN) == {200: 100, 429: 30}
    text = alone.http.get("/metrics").text
    assert "\nguildford_limits_degraded 0\n" in text  # nobody has asked for Redis
    assert '\nguildford_limits_rejected_total{policy="authenticated"} 30\n' in text
    assert '\nguildford_limits_rejected_total{policy="anonymous"} 30\n' in text


def test_every_answer_says_how_the_caller_stands(nodes):
    caller = someone()
    http = nodes[0].http
    tag = http.get(READ, headers=caller).headers["ETag"]
    answers = [
        http.get(READ, headers={**caller, "If-None-Match": tag}),
        http.get("/v1/nowhere", headers=caller),
        http.get("/v1/businesses/nobody", headers=caller),
        http.get("/v1/categories?nonsense=1", headers=caller),
        http.get(READ, headers={**caller, "Accept": "text/html"}),
        http.delete("/v1/categories", headers=caller),
        http.post("/v1/categories", headers=caller, json={}),
        http.get(READ, headers={**caller, "Authorization": "Bearer wrong"}),
        http.get(READ, headers={**caller, "Authorization": "Basic wrong"}),
        http.head(READ, headers=caller),
        http.options(READ, headers=caller),
    ]
    assert [a.status_code for a in answers] == [304, 404, 404, 400, 406, 405, 401, 401, 401, 200, 204]
    for i, a in enumerate(answers):
        assert a.headers["RateLimit-Policy"] == '"anonymous";q=20;w=60'
        assert re.fullmatch(rf'"anonymous";r={18 - i};t=(60|[1-5]?\d)', a.headers["RateLimit"])
        assert a.headers["X-RateLimit-Limit"] == "20"
        assert a.headers["X-RateLimit-Remaining"] == str(18 - i)
        assert 1 <= int(a.headers["X-RateLimit-Reset"]) <= 60


def test_an_authenticated_callers_mistakes_are_his_own(nodes, fresh):
    gone = nodes[0].http.get("/v1/nowhere", headers={**ADMIN, **someone()})
    assert gone.status_code == 404 and gone.headers["RateLimit-Policy"] == '"authenticated";q=100;w=60'


def test_guessing_tokens_uses_up_the_addresss_quota(nodes):
    caller = someone()
    assert ask_many(nodes, 30, {**caller, "Authorization": "Bearer a-guess"}) == {401: 20, 429: 10}
    assert nodes[0].http.get(READ, headers=caller).status_code == 429
    assert nodes[1].http.get("/v1/nowhere", headers=caller).status_code == 429


def test_a_refusal(nodes):
    caller = someone()
    ask_many(nodes, 20, caller)
    reply = nodes[0].http.get(READ, headers=caller)
    assert reply.status_code == 429 and reply.reason_phrase == "Too Many Requests"
    error = reply.json()["error"]
    assert error["code"] == "RATE_LIMITED" and error["details"] == [] and error["request_id"]
    assert 1 <= int(reply.headers["Retry-After"]) <= 61
    assert reply.headers["RateLimit"].startswith('"anonymous";r=0;t=')
    problem = nodes[1].http.get(READ, headers={**caller, "Accept": "application/problem+json"})
    assert problem.headers["Content-Type"] == "application/problem+json"
    body = problem.json()
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert body["violated-policies"] == ["anonymous"] and body["status"] == 429


def test_a_refusal_does_not_count_and_the_wait_is_exact(nodes):
    """The quota of the first second comes back a minute later, however often it was asked for meanwhile."""
    caller = someone()
    begun = time.monotonic()
    assert ask_many(nodes, 20, caller) == {200: 20}
    time.sleep(20)
    assert ask_many(nodes, 10, caller) == {429: 10}
    reply = nodes[0].http.get(READ, headers=caller)
    assert reply.status_code == 429
    time.sleep(int(reply.headers["Retry-After"]))
    reply = nodes[1].http.get(READ, headers=caller)
    assert reply.status_code == 200 and time.monotonic() - begun >= 60


def test_what_is_free(nodes):
    caller = someone()
    for path in ("/livez", "/readyz", "/metrics"):
        for _ in range(10):
            reply = nodes[0].http.get(path, headers=caller)
            assert reply.status_code == 200 and "RateLimit" not in reply.headers
    preflight = {**caller, "Origin": "https://town.example", "Access-Control-Request-Method": "GET"}
    assert "RateLimit" not in nodes[0].http.options(READ, headers=preflight).headers
    assert nodes[0].http.get(READ, headers=caller).headers["X-RateLimit-Remaining"] == "19"


def test_addresses_behind_proxies(nodes):
    def left(**headers):
        return nodes[0].http.get(READ, headers=headers).headers["X-RateLimit-Remaining"]

    assert left(Forwarded='for="[2001:db8:7:7::1]:99"') == "19"
    assert left(Forwarded='for="[2001:db8:7:7:ffff::2]"') == "18"  # the same /64
    assert left(Forwarded='for="[2001:db8:7:8::1]"') == "19"
    # what stands left of a stranger is the stranger's own word
    assert left(Forwarded='for=1.2.3.4, for="[2001:db8:7:7::1]"') == "17"
    assert '"client":"2001:db8:7:7::1"' in nodes[0].log_text()
    assert '"peer":"127.0.0.1"' in nodes[0].log_text()


def test_pages_of_other_origins_may_read_the_headers(folder):
    s = Server(data=folder, GUILDFORD_CORS_ORIGINS="*", **LIMITED)
    try:
        exposed = s.http.get(READ, headers={"Origin": "https://town.example"}).headers["Access-Control-Expose-Headers"]
        for name in ("RateLimit", "RateLimit-Policy", "Retry-After", "X-RateLimit-Remaining"):
            assert name in exposed.split(", ")
    finally:
        s.stop(remove=False)


def test_quotas_are_settings_and_off_is_off(folder, redis):
    s = Server(data=folder, GUILDFORD_LIMIT_ANONYMOUS="3", **{**LIMITED, **PATIENT, "REDIS_URL": redis.url})
    try:
        assert ask_many([s], 10, someone()) == {200: 3, 429: 7}
    finally:
        s.stop(remove=False)
    s = Server(data=folder, GUILDFORD_LIMITS="off")
    try:
        assert "RateLimit" not in s.http.get(READ).headers
    finally:
        s.stop(remove=False)


@pytest.mark.parametrize("name, value", [("GUILDFORD_TRUSTED_PROXIES", "10.0.0.0/33"), ("REDIS_URL", "http://127.0.0.1"),
                                         ("REDIS_URL", "redis://127.0.0.1:none"), ("GUILDFORD_LIMIT_ANONYMOUS", "0")])
def test_bad_settings_stop_the_start(folder, name, value):
    s = Server(data=folder, ready=False, **{name: value})
    assert s.process.wait(timeout=40) == 2
    assert name in s.log_text()
    s.stop(expect=2, remove=False)
