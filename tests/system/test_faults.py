# SPDX-License-Identifier: Apache-2.0
"""What must hold when things break: workers killed, PostgreSQL restarted, SIGTERM under load, everything killed."""

import json
import os
import random
import resource
import shutil
import signal
import socket
import threading
import time

import httpx
import pytest

from conftest import ADMIN, Server, lives, run, wait_for


class Load:
    """Threads that ask and write until told to stop, and note every answer."""

    def __init__(self, server, threads=4, write=True):
        self.server, self.statuses, self.errors, self.created = server, [], [], []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i, write and i % 2 == 0)) for i in range(threads)]
        for t in self.threads:
            t.start()

    def ask(self, http, i, write):
        if not write:
            return http.get("/v1/businesses", params={"limit": 5})
        return http.post("/v1/businesses", json={"name": f"Load {i} {random.random()}"}, headers=ADMIN)

    def work(self, i, write):
        http = httpx.Client(base_url=self.server.url, timeout=20)
        while not self.stopping.is_set():
            try:
                reply = self.ask(http, i, write)
            except httpx.HTTPError as error:
                with self.lock:
                    self.errors.append(repr(error))
                http.close()
                http = httpx.Client(base_url=self.server.url, timeout=20)
                time.sleep(0.02)
                continue
            with self.lock:
                self.statuses.append(reply.status_code)
                if reply.status_code == 201:
                    self.created.append(reply.json()["data"]["id"])
        http.close()

    def answered(self, status):
        with self.lock:
            return self.statuses.count(status)

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join()


def assert_all_there(server, ids):
    """No acknowledged write is lost."""
    assert ids
    stored = {row[0] for row in server.database("select id from business.business")}
    assert set(ids) <= stored


def freeze(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


def thaw(pids):
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def backends(server):
    return [int(row[0]) for row in server.database("select pid from pg_stat_activity where application_name like 'worker%'")]


def answers(server):
    try:
        return httpx.get(server.url + "/v1/categories", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def processor_time(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def begin_slow_create(server):
    body = b'{"name":"Slowly sent"}'
    head = (f"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nAuthorization: {ADMIN['Authorization']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    s = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    s.sendall(head + body[:5])
    time.sleep(0.3)
    return s, body[5:]


def whole_reply(s):
    reply = b""
    while chunk := s.recv(65536):
        reply += chunk
    return reply


@pytest.fixture
def server():
    s = Server(workers=2)
    yield s
    if s.process.poll() is None:
        s.stop()
    shutil.rmtree(s.data, ignore_errors=True)


def test_a_killed_worker_is_replaced(server):
    load = Load(server)
    wait_for(lambda: load.answered(201) > 5)
    for _ in range(3):
        before = set(server.workers())
        victim = before.pop()
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(server.workers()) == 2 and victim not in server.workers())
        count = load.answered(200)
        wait_for(lambda: load.answered(200) > count + 10)
    load.stop()
    assert set(load.statuses) <= {200, 201}, set(load.statuses)
    assert len(load.errors) < len(load.statuses)
    assert_all_there(server, load.created)
    metrics = server.http.get("/metrics").text
    assert "guildford_worker_restarts_total 3" in metrics


def test_a_restart_leaves_one_error_in_the_log(server):
    before = set(server.workers())
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(server.workers()) == len(before) and set(server.workers()) != before)
    wait_for(lambda: server.http.get("/readyz").status_code == 200)
    lines = [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]
    errors = [line["message"] for line in lines if line["level"] == "error"]
    assert len(errors) == 1 and errors[0].endswith("was ended by signal 9"), errors


def restarted(server, old):
    try:
        return server.postmaster() != old
    except (OSError, ValueError):
        return False


def test_postgres_restarts_in_mid_load(server):
    load = Load(server)
    wait_for(lambda: load.answered(201) > 5)
    workers = server.workers()
    old = server.postmaster()
    os.kill(old, signal.SIGKILL)
    # the supervisor starts it again; meanwhile answers are 503, never wrong and never hanging
    wait_for(lambda: restarted(server, old), 40)
    count = load.answered(201)
    wait_for(lambda: load.answered(201) > count + 5, 40)
    load.stop()
    assert set(load.statuses) <= {200, 201, 503, 504}, set(load.statuses)
    assert load.errors == []
    assert server.workers() == workers, "recovery needs no restart"
    assert_all_there(server, load.created)


def test_while_postgres_is_away(server):
    made = server.create(name="Before")
    os.kill(server.process.pid, signal.SIGSTOP)  # so that nobody starts it again
    os.kill(server.postmaster(), signal.SIGINT)
    wait_for(lambda: server.http.get("/readyz").status_code == 503)
    began = time.monotonic()
    reply = server.http.get(f"/v1/businesses/{made['id']}")
    assert reply.status_code == 503 and int(reply.headers["retry-after"]) >= 1
    assert reply.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert time.monotonic() - began < 11, "within the request's deadline"
    assert server.http.get("/livez").status_code == 200
    server.call("POST", "/v1/businesses", {"name": "During"}, 503)
    os.kill(server.process.pid, signal.SIGCONT)
    wait_for(lambda: server.http.get("/readyz").status_code == 200)
    assert server.get(f"/v1/businesses/{made['id']}")["data"] == made


def test_a_frozen_postgres_meets_deadlines(server):
    server.create(name="Before")
    server.stop(remove=False)
    again = Server(data=server.data, GUILDFORD_REQUEST_TIMEOUT="1000")
    try:
        frozen = [*backends(again), again.postmaster()]
        freeze(frozen)
        reply = again.http.get("/v1/businesses")
        assert reply.status_code in (503, 504), reply.text
        thaw(frozen)
        wait_for(lambda: again.http.get("/v1/businesses").status_code == 200)
    finally:
        again.stop()


def test_sigterm_under_load_fails_no_request(server):
    load = Load(server, threads=8)
    wait_for(lambda: load.answered(200) > 50 and load.answered(201) > 20)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=20) == 0
    load.stop()
    assert set(load.statuses) <= {200, 201}, set(load.statuses)
    broken = [e for e in load.errors if "ConnectError" not in e]
    assert broken == [], "a request was taken and not answered"
    again = Server(data=server.data)
    assert_all_there(again, load.created)
    again.stop()


def test_slow_requests_finish_while_draining(server):
    s, rest = begin_slow_create(server)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    s.sendall(rest)
    reply = whole_reply(s)
    assert reply.startswith(b"HTTP/1.1 201") and b"connection: close" in reply.lower()
    assert server.process.wait(timeout=20) == 0


def test_everything_is_killed(server):
    load = Load(server)
    wait_for(lambda: load.answered(201) > 20)
    victims = [server.process.pid, *server.workers(), server.postmaster()]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    load.stop()
    server.process.wait()
    again = Server(data=server.data)
    assert_all_there(again, load.created)
    assert again.get("/v1/businesses", limit=1)["meta"]["pagination"]["total"] >= len(load.created)
    again.stop()


def test_a_backend_that_outlives_its_postmaster_does_not_stop_the_next_start(server):
    server.create(name="Before")
    orphan = backends(server)[0]
    freeze([orphan])  # as one in recovery does, it does not see that its postmaster has gone
    for pid in [server.process.pid, server.postmaster()]:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    again = Server(data=server.data)
    assert not lives(orphan)
    assert again.get("/v1/businesses")["meta"]["pagination"]["total"] == 1
    again.stop()


def test_a_killed_supervisor_leaves_no_child(server):
    children, postmaster = server.workers() + server.hashers(), server.postmaster()
    assert len(server.hashers()) == os.cpu_count()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    wait_for(lambda: not any(lives(pid) for pid in children))
    assert lives(postmaster), "the cluster waits for whoever comes next"
    again = Server(data=server.data)
    assert again.postmaster() == postmaster
    again.stop()
    assert not lives(postmaster), "and that one stops it"


def test_a_crash_loop_backs_off(server):
    began = time.monotonic()
    restarts = 0
    while time.monotonic() - began < 5:
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
            restarts += 1
        time.sleep(0.02)
    assert restarts < 30
    wait_for(lambda: len(server.workers()) == 2)


def test_commands_join_the_running_cluster(server):
    done = run("migrate", "--status", data=server.data)
    assert done.returncode == 0 and "0 pending" in done.stdout
    assert server.http.get("/readyz").status_code == 200


REFUSE_AT_COMMIT = """
create function business.refuse() returns trigger language plpgsql as $$
begin
	raise exception using errcode = 'check_violation', message = 'not this one';
end $$;
create constraint trigger refuse after insert on business.business deferrable initially deferred
	for each row when (new.name = 'Refused at commit') execute function business.refuse()
"""


def test_a_failed_commit_answers_as_if_nothing_had_been_made(server):
    server.database(REFUSE_AT_COMMIT)
    reply = server.call("POST", "/v1/businesses", {"name": "Refused at commit"}, 409)
    assert reply.json()["error"]["code"] == "CONFLICT"
    assert reply.headers.get_list("content-type") == ["application/json; charset=utf-8"]
    assert "etag" not in reply.headers and "location" not in reply.headers
    assert server.get("/v1/businesses")["meta"]["pagination"]["total"] == 0
    server.create(name="Taken at commit")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_to_everybody_still_drains(server, number):
    """As a service manager or a terminal sends it: to the supervisor and to its workers."""
    s, rest = begin_slow_create(server)
    postmaster = server.postmaster()
    for pid in server.workers():
        os.kill(pid, number)
    time.sleep(0.3)
    server.process.send_signal(number)
    time.sleep(0.5)
    s.sendall(rest)
    assert whole_reply(s).startswith(b"HTTP/1.1 201")
    assert server.process.wait(timeout=20) == 0
    assert not lives(postmaster)


def test_a_second_signal_ends_it_at_once(server):
    s, _ = begin_slow_create(server)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=20) == 0
    assert time.monotonic() - began < 8, "not the whole time of draining"
    s.close()


def test_a_start_without_a_database_can_be_ended(folder):
    s = Server(data=folder, ready=False, DATABASE_URL="postgresql://nobody:secret-word@127.0.0.1:1/none")
    time.sleep(1)
    s.process.send_signal(signal.SIGTERM)
    assert s.process.wait(timeout=15) == 1
    assert "database" in s.log_text() and "secret-word" not in s.log_text()
    s.stop(expect=1, remove=False)


def test_a_frozen_connection_is_given_up():
    """Not each tenth second again for who is unlucky: once, and then the program has another connection."""
    server = Server(workers=1, GUILDFORD_REQUEST_TIMEOUT="2000", GUILDFORD_STATEMENT_TIMEOUT="500", GUILDFORD_DATABASE_PIPELINES="1")
    path = f"/v1/businesses/{server.create()['id']}"
    frozen = backends(server)
    freeze(frozen)
    assert server.http.get(path).status_code == 504
    wait_for(lambda: server.http.get(path).status_code == 200)
    thaw(frozen)
    server.stop()


def test_more_requests_than_it_takes_are_refused_with_503():
    server = Server(workers=1, GUILDFORD_REQUEST_TIMEOUT="5000", GUILDFORD_REQUESTS_MAX="4")
    pids = [*backends(server), server.postmaster()]
    freeze(pids)
    waiting = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(12)]
    for s in waiting:
        s.sendall(b"GET /v1/categories HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    replies = [whole_reply(s) for s in waiting]
    thaw(pids)
    full = [r for r in replies if r.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in r.lower() and b"in hand" in r]
    assert len(full) == 8, replies
    wait_for(lambda: server.http.get("/v1/categories").status_code == 200)
    server.stop()


def test_without_descriptors_it_neither_dies_nor_spins():
    server = Server(workers=1)
    worker = server.workers()[0]
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (60, 60))
    held = []
    for _ in range(80):
        held.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
    time.sleep(0.5)
    before = processor_time(worker)
    time.sleep(1)
    assert processor_time(worker) - before < 0.5
    for s in held:
        s.close()
    wait_for(lambda: answers(server))
    assert server.workers() == [worker]
    server.stop()
