#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/revoked.py [ROUNDS]: how long an access token outlives its session (docs/decisions/0017). Two nodes of two workers
on one database; a person signs in, a connection to each worker shows the token in turn, and the session is ended at one
of the nodes. Prints the time from the sending of that DELETE, and from its answer, to the first refusal at each worker."""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("GUILDFORD_BINARY", str(ROOT / "build/release/guildford"))
sys.path.insert(0, str(ROOT / "tests/system"))

import httpx

from conftest import Server
from people import bearer, register, sign_in

WORKERS = 2
PAUSE = 0.005  # between two looks at one worker


def worker_of(client, server):
    """Which process has accepted the client's connection: the one whose descriptors have the socket's other end."""
    reply = client.get("/livez")
    port = reply.extensions["network_stream"].get_extra_info("client_addr")[1]
    listed = subprocess.run(["ss", "-tnpH", "state", "established", f"sport = :{server.port} and dport = :{port}"],
                            capture_output=True, text=True, check=True).stdout
    return int(listed.split("pid=")[1].split(",")[0])


def connections(server):
    """A connection to each worker of a node."""
    found = {}
    while len(found) < WORKERS:
        client = httpx.Client(base_url=server.url, timeout=30)
        pid = worker_of(client, server)
        if pid in found:
            client.close()
        else:
            found[pid] = client
    return list(found.values())


def one_round(ending_at, clients, address):
    """Ends a session; how long each worker went on taking its token, from the DELETE and from its answer."""
    time.sleep(random.random())  # else each round would begin just after the workers have asked
    tokens = sign_in(ending_at, address)
    for client in clients:
        assert client.get("/v1/me", headers=bearer(tokens)).status_code == 200
    begun = time.monotonic()
    reply = ending_at.http.delete(f"/v1/auth/sessions/{tokens['session_id']}", headers=bearer(tokens))
    answered = time.monotonic()
    assert reply.status_code == 200, reply.text
    refused = {}
    while len(refused) < len(clients):
        for i, client in enumerate(clients):
            if i not in refused and client.get("/v1/me", headers=bearer(tokens)).status_code == 401:
                refused[i] = time.monotonic()
        time.sleep(PAUSE)
    return [(when - begun, when - answered) for when in refused.values()]


def main(rounds):
    first = Server(workers=WORKERS)
    socket = first.postmaster_file()[4]
    second = Server(workers=WORKERS, DATABASE_URL=f"postgresql:///guildford?host={socket}&user=guildford")
    try:
        address = register(first)
        clients = connections(first) + connections(second)
        times = [t for i in range(rounds) for t in one_round((first, second)[i % 2], clients, address)]
    finally:
        second.stop()
        first.stop()
    for name, column in (("DELETE sent", 0), ("DELETE answered", 1)):
        ms = [t[column] * 1000 for t in times]
        print(f"{name} to first refusal, {len(ms)} times: median {statistics.median(ms):.0f} ms, maximum {max(ms):.0f} ms")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
