# SPDX-License-Identifier: Apache-2.0
"""The keys of access tokens: published, listed, rotated while the program serves, and what happens without the secret key."""

import re
import time

import pytest

from conftest import SECRET_KEY, Server, run

JWKS = "/.well-known/jwks.json"
MEMBERS = {"kty", "crv", "x", "y", "kid", "use", "alg"}


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


def kids(server):
    return [key["kid"] for key in server.http.get(JWKS).json()["keys"]]


def states(data, **env):
    """Key to state, as `keys list` says."""
    done = run("keys", "list", data=data, **env)
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()[1:]}


def test_the_set_is_public(server):
    answer = server.http.get(JWKS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert set(key) == MEMBERS
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", key[name]) for name in ("x", "y", "kid"))
    assert server.http.head(JWKS).headers["cache-control"] == "public, max-age=300"
    assert server.http.get("/v1" + JWKS).status_code == 404
    refused = server.http.get(JWKS + "?a=1")
    assert (refused.status_code, refused.headers["cache-control"]) == (400, "no-store")


def test_the_private_half_is_sealed(server):
    ((stored,),) = server.database("select private_key from platform.signing_key")
    assert re.fullmatch(r"[A-Za-z0-9_-]{200,}", stored)


def test_rotation_announces_the_new_key(server):
    before = kids(server)
    assert states(server.data) == {before[0]: "signs"}
    done = run("keys", "rotate", data=server.data, GUILDFORD_SECRET_KEY=SECRET_KEY)
    assert done.returncode == 0, done.stderr
    until = time.monotonic() + 60
    while len(kids(server)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    after = kids(server)
    assert len(after) == 2 and after[1] == before[0]
    assert states(server.data) == {after[0]: "announced", before[0]: "signs"}
    server.database("update platform.signing_key set signs_at = signs_at - interval '6 minutes'")
    assert states(server.data) == {after[0]: "signs", before[0]: "verifies"}
    server.database("update platform.signing_key set retired_at = retired_at - interval '1 hour'")
    assert states(server.data) == {after[0]: "signs", before[0]: "retired"}
    until = time.monotonic() + 60
    while len(kids(server)) > 1 and time.monotonic() < until:
        time.sleep(0.1)
    assert kids(server) == after[:1]


def test_usage(server):
    for args in ([], ["rotate", "--later"], ["list", "x"], ["rotate", "--now", "x"], ["forget"]):
        assert run("keys", *args, data=server.data).returncode == 2


def test_without_the_secret_key_it_does_not_start():
    first, second = "a" * 64, "b" * 64
    server = Server(GUILDFORD_SECRET_KEY=first)
    data, (old,) = server.data, kids(server)
    server.stop(remove=False)
    refused = run("serve", "--listen", "127.0.0.1:0", data=data, GUILDFORD_SECRET_KEY=second)
    assert refused.returncode == 1
    assert "sealed with another secret key" in refused.stderr and "keys rotate --lost" in refused.stderr
    assert first not in refused.stderr and second not in refused.stderr
    # nor may a new key take the place of those that the nodes can read
    for args in ([], ["--now"]):
        refused = run("keys", "rotate", *args, data=data, GUILDFORD_SECRET_KEY=second)
        assert refused.returncode == 1 and "sealed with another secret key" in refused.stderr
    assert states(data) == {old: "signs"}
    done = run("keys", "rotate", "--lost", data=data, GUILDFORD_SECRET_KEY=second)
    assert done.returncode == 0, done.stderr
    server = Server(data=data, GUILDFORD_SECRET_KEY=second)
    (new,) = kids(server)
    assert new != old
    server.stop()


def test_a_bad_secret_key_file_is_told():
    server = Server()
    server.stop(remove=False)
    with open(server.data + "/secret.key", "w") as file:
        file.write("short")
    refused = run("serve", "--listen", "127.0.0.1:0", data=server.data)
    assert refused.returncode == 1 and "secret.key" in refused.stderr
    server.stop()
