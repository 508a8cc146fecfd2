# SPDX-License-Identifier: Apache-2.0
"""Redis killed, paused and started again under load: nobody notices but by a metric, and the limits hold on each node."""

import collections
import threading
import time

import httpx
import pytest
from conftest import ADMIN, Server, wait_for
from test_limits import LIMITED, READ, ask_many, someone
from with_redis import Redis


@pytest.fixture
def redis():
    r = Redis()
    yield r
    r.stop()


@pytest.fixture
def server(redis):
    s = Server(REDIS_URL=redis.url, GUILDFORD_LIMIT_AUTHENTICATED="1000000", **LIMITED)
    yield s
    s.stop()


class Load:
    """Callers who go on asking while something happens, and what they were told."""

    def __init__(self, server, callers=6):
        self.server, self.statuses, self.slowest = server, collections.Counter(), 0.0
        self.done, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self.run) for _ in range(callers)]

    def run(self):
        with httpx.Client(base_url=self.server.url, timeout=60, headers=ADMIN) as http:
            while not self.done.is_set():
                begun = time.monotonic()
                status = http.get(READ).status_code
                with self.lock:
                    self.statuses[status] += 1
                    self.slowest = max(self.slowest, time.monotonic() - begun)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for t in self.threads:
            t.join()

    def go_on(self, count=100):
        """Until so many more have been answered."""
        wanted = sum(self.statuses.values()) + count
        wait_for(lambda: sum(self.statuses.values()) >= wanted, 60)


def degraded(server):
    return "\nguildford_limits_degraded 1\n" in server.http.get("/metrics").text


@pytest.mark.parametrize("away, back", [("kill", "start"), ("pause", "resume")])
def test_redis_goes_and_comes_back_under_load(server, redis, away, back):
    assert not degraded(server)
    before, meanwhile = someone(), someone()
    assert ask_many([server], 15, before) == {200: 15}
    with Load(server) as load:
        load.go_on()
        getattr(redis, away)()
        load.go_on()
        wait_for(lambda: degraded(server))
        # who has asked before has no quota anew, who comes now has one
        assert ask_many([server], 30, before) == {200: 5, 429: 25}
        assert ask_many([server], 30, meanwhile) == {200: 20, 429: 10}
        getattr(redis, back)()
        load.go_on()
        wait_for(lambda: not degraded(server))
        # nor when Redis is back, and knows of nothing
        assert ask_many([server], 30, before) == {429: 30}
        assert ask_many([server], 30, meanwhile) == {429: 30}
        assert ask_many([server], 30, someone()) == {200: 20, 429: 10}
        load.go_on()
    assert set(load.statuses) == {200}
    assert server.http.get("/readyz").status_code == 200


def test_start_without_redis(redis):
    redis.kill()
    s = Server(REDIS_URL=redis.url, **LIMITED)
    try:
        assert degraded(s)
        assert ask_many([s], 30, someone()) == {200: 20, 429: 10}
        redis.start()
        wait_for(lambda: not degraded(s))
        assert ask_many([s], 30, someone()) == {200: 20, 429: 10}
        assert "guildford:limit:anonymous" in redis.ask("KEYS", "*")
    finally:
        s.stop()
