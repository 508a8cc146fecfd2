# SPDX-License-Identifier: Apache-2.0
"""Everything at once: workers, backends and the postmaster killed or frozen at random while clients write, read, ask for
much at a time and go away. STORM_SECONDS makes it longer, STORM_SEED the same again."""

import os
import random
import re
import signal
import socket
import time

import httpx

from conftest import Server, wait_for
from test_faults import Load, answers, assert_all_there

SECONDS = float(os.environ.get("STORM_SECONDS", "12"))


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill_worker(server, chance):
    pids = server.workers()
    if pids:
        kill(chance.choice(pids))


def a_backend(server, chance):
    """A process that serves one of the workers' connections; none while PostgreSQL is away."""
    try:
        postmaster = server.postmaster()
        with open(f"/proc/{postmaster}/task/{postmaster}/children") as f:
            pids = f.read().split()
        titles = {int(pid): open(f"/proc/{pid}/cmdline").read() for pid in pids}
    except (OSError, ValueError, IndexError):
        return None
    serving = [pid for pid, title in titles.items() if "guildford guildford" in title]
    return chance.choice(serving) if serving else None


def kill_backend(server, chance):
    pid = a_backend(server, chance)
    if pid:
        kill(pid)


def end_backend(server, chance):
    pid = a_backend(server, chance)
    if pid:
        kill(pid, signal.SIGTERM)


def freeze_backend(server, chance):
    pid = a_backend(server, chance)
    if pid:
        kill(pid, signal.SIGSTOP)
        time.sleep(chance.uniform(0.2, 2.5))
        kill(pid, signal.SIGCONT)


def kill_postmaster(server, chance):
    try:
        kill(server.postmaster())
    except (OSError, ValueError, IndexError):
        pass


def rude_clients(server, chance):
    asking = b"GET /v1/businesses?limit=100 HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    for _ in range(20):
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                s.sendall(asking[:chance.randrange(1, len(asking))])
                time.sleep(chance.choice([0, 0, 0.02]))
        except OSError:
            pass


def settled(server, name, value):
    try:
        text = httpx.get(server.url + "/metrics", timeout=10).text
    except httpx.HTTPError:
        return False
    found = re.search(rf"^{name} (\S+)$", text, re.M)
    return found and float(found.group(1)) == value


def test_a_storm_loses_nothing_and_leaves_nothing():
    seed = int(os.environ.get("STORM_SEED", time.time()))
    chance = random.Random(seed)
    print("STORM_SEED", seed)
    server = Server(workers=2, GUILDFORD_REQUEST_TIMEOUT="2000", GUILDFORD_STATEMENT_TIMEOUT="800")
    load = Load(server, threads=6)
    wait_for(lambda: load.answered(201) > 5)
    blows = [rude_clients] * 3 + [freeze_backend, kill_backend, end_backend, end_backend, kill_worker, kill_postmaster]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        chance.choice(blows)(server, chance)
        time.sleep(chance.uniform(0, 1))
    wait_for(lambda: answers(server), 60)
    load.stop()
    print({s: load.answered(s) for s in set(load.statuses)}, len(load.errors), "cut off")
    assert set(load.statuses) <= {200, 201, 503, 504}, set(load.statuses)
    assert_all_there(server, load.created)
    wait_for(lambda: len(server.workers()) == 2)
    wait_for(lambda: settled(server, "guildford_database_connections_leased", 0))
    wait_for(lambda: settled(server, "guildford_http_requests_in_flight", 1))  # the one that asks
    wait_for(lambda: settled(server, "guildford_connections", 1))
    server.stop()
