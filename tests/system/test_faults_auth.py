# SPDX-License-Identifier: Apache-2.0
"""What must hold of accounts when things break: Redis away, PostgreSQL and processes killed, under a load of log-ins, refreshes
and registrations. What was acknowledged is there afterwards; limits and revocations hold throughout."""

import collections
import http.client
import json
import os
import pathlib
import random
import signal
import threading
import time

import httpx
import pytest

from conftest import SECRET_KEY, Server, lives, run, wait_for
from people import PASSWORD, Person, bearer, sign_in, token_in
from smtp import Smtp
from test_faults import restarted
from test_limits import LIMITED, READ, someone
from test_mail import jobs_process
from with_redis import Redis

QUOTA = {"person": 100, "address": 20}  # of the settings, in any window of a minute


@pytest.fixture
def redis():
    r = Redis()
    yield r
    r.resume()
    r.stop()


@pytest.fixture
def smtp():
    s = Smtp()
    yield s
    s.stop()


class Crowd:
    """Threads that each do something again and again until told to stop. What breaks with a connection is done again."""

    def __init__(self):
        self.threads, self.stopping, self.failures = [], threading.Event(), []

    def add(self, act, pause=0.02):
        thread = threading.Thread(target=self.work, args=(act, pause))
        self.threads.append(thread)
        thread.start()

    def work(self, act, pause):
        try:
            while not self.stopping.is_set():
                act()
                time.sleep(pause)
        except Exception as error:  # told by the test's thread
            self.failures.append(repr(error))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for t in self.threads:
            t.join()


class Caller:
    """A person or an address that asks as fast as it can; keeps when it asked, when it was answered, and what with."""

    def __init__(self, server, kind, headers):
        self.kind, self.answers = kind, []
        self.http = httpx.Client(base_url=server.url, headers=headers, timeout=60)

    def ask(self):
        sent = time.monotonic()
        status = self.http.get(READ).status_code
        self.answers.append((sent, time.monotonic(), status))

    def count(self, status):
        return [answer[2] for answer in self.answers].count(status)

    def check(self):
        """Never more than the quota in any window. A request was granted somewhere between its being sent and answered."""
        quota = QUOTA[self.kind]
        granted = sorted((sent, answered) for sent, answered, status in self.answers if status == 200)
        for i in range(len(granted) - quota):
            some = granted[i:i + quota + 1]
            assert max(answered for _, answered in some) - some[0][0] > 60, f"{quota + 1} in less than a minute"
        assert {status for _, _, status in self.answers} == {200, 429}
        assert len(granted) > quota / 2


def newcomer(server):
    """Somebody who signs in from an address that has not asked before: the tests' own has a quota, too."""
    server.http.headers.update(someone())
    return Person(server)


def asked_by(url, headers):
    """The answer on a connection of its own, so that any worker may give it; refused tokens are counted by address."""
    with httpx.Client(timeout=60) as client:
        return client.get(url + "/v1/me", headers={**headers, **someone()}).status_code


def check_revocation(server, person):
    """Signed out, a person is refused by all workers soon: the order of it is a second."""
    assert {asked_by(server.url, person.headers) for _ in range(4)} == {200}
    server.http.headers.update(someone())
    since = time.monotonic()
    person.call("POST", "/v1/auth/logout", status=200)
    served = refused = since
    while refused - served < 1:
        for _ in range(4):
            status = asked_by(server.url, person.headers)
            assert status in (200, 401, 429), status
            if status == 200:
                served = time.monotonic()
        refused = time.monotonic()
        assert refused - since < 60
        time.sleep(0.05)
    assert served - since < 3
    assert asked_by(server.url, person.headers) == 401


def test_redis_comes_and_goes_under_load(redis):
    """In each state new callers come and the others go on: nobody sees a 5xx, nobody gets a quota twice, who has signed out is out."""
    server = Server(REDIS_URL=redis.url, workers=3, **LIMITED)
    callers = []
    try:
        people = [newcomer(server) for _ in range(15)]
        with Crowd() as crowd:
            for change in (lambda: None, redis.kill, redis.start, redis.pause, redis.resume):
                change()
                new = [Caller(server, "person", people.pop().headers) for _ in range(2)]
                new += [Caller(server, "address", someone()) for _ in range(2)]
                callers += new
                for caller in new:
                    crowd.add(caller.ask, pause=0.01)
                check_revocation(server, people.pop())
                assert newcomer(server).get("/v1/auth/sessions"), "log-ins go on"
                wait_for(lambda: all(caller.count(429) > 5 for caller in new), 120)
        assert crowd.failures == []
        for caller in callers:
            caller.check()
        assert "worker_restarts_total 0" in server.http.get("/metrics").text
    finally:
        redis.resume()
        server.stop()


def first_person(server, smtp):
    """The password's hash that the others get (people.py), when mails go to a server."""
    address = "first@example.org"
    assert server.http.post("/v1/auth/register", json={"email": address, "password": PASSWORD, "name": "First"}).status_code == 202
    wait_for(lambda: smtp.to(address), 60)
    assert server.http.post("/v1/auth/verify", json={"token": token_in(smtp.to(address)[0])}).status_code == 200
    [[server.password_hash]] = server.database(f"select password_hash from auth.person where email = '{address}'")


class Client:
    """Asks on a connection that it makes anew when it broke: None then, for nobody knows what became of the request."""

    def __init__(self, server):
        self.server, self.statuses = server, collections.Counter()
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def post(self, path, body):
        try:
            self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            reply = self.connection.getresponse()
            text = reply.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.statuses["broken"] += 1
            return None
        self.statuses[reply.status] += 1
        self.retry_after = reply.headers.get("Retry-After")
        return json.loads(text).get("data") if reply.status < 300 else None


class Family(Client):
    """A session that is refreshed again and again. What gets no answer is asked for again with the same token, which is no
    theft for ten seconds: who had to try for longer is not judged."""

    def __init__(self, server):
        super().__init__(server)
        self.tokens, self.rotations, self.since, self.late = Person(server).tokens, 0, time.monotonic(), False

    def act(self):
        if self.statuses[401]:
            return
        tokens = self.post("/v1/auth/refresh", {"refresh_token": self.tokens["refresh_token"]})
        self.late = self.late or time.monotonic() - self.since > 9
        if tokens:
            self.tokens, self.since = tokens, time.monotonic()
            self.rotations += 1


class LogIns(Client):
    def __init__(self, server):
        super().__init__(server)
        self.address, self.sessions = Person(server).address, []

    def act(self):
        tokens = self.post("/v1/auth/login", {"email": self.address, "password": PASSWORD})
        if tokens:
            self.sessions.append(tokens)


class Registrations(Client):
    numbers = iter(range(1, 1000000))

    def __init__(self, server):
        super().__init__(server)
        self.accepted = []

    def act(self):
        address = f"registration-{next(self.numbers)}@example.org"
        if self.post("/v1/auth/register", {"email": address, "password": PASSWORD, "name": "Robin"}):
            self.accepted.append(address)


def check_mails(server, smtp, addresses):
    """Each has come, once the claims and leases of the dead are over: that time is made to pass."""
    assert addresses

    def all_there():
        server.database("update platform.mail set next_attempt_at = clock_timestamp() where sent_at is null and next_attempt_at < clock_timestamp() + interval '110 s';"
                        "update platform.job set lease_until = '-infinity', next_at = '-infinity' where started_at < clock_timestamp() - interval '10 s'")
        return set(addresses) <= {to for _, [to], _ in list(smtp.messages)}

    wait_for(all_there, 120)


def check_families(server):
    assert server.database("select session_id from auth.refresh_token group by session_id having count(*) filter (where used_at is null) <> 1") == [], \
        "each token has one child, the last has none"


def check_sessions(server, ids):
    """None is lost, and each beginning is in the audit trail, whose chain is whole."""
    there = {row[0] for row in server.database("select id from auth.session where revoked_at is null")}
    noted = {row[0] for row in server.database("select resource_id from platform.audit_event where action = 'session:begin'")}
    assert set(ids) <= there and set(ids) <= noted
    done = run("audit", "verify", data=server.data, GUILDFORD_SECRET_KEY=SECRET_KEY)
    assert done.returncode == 0, done.stdout + done.stderr


def test_postgresql_is_killed_under_log_ins_and_refreshes(smtp):
    server = Server(workers=2, SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
    try:
        first_person(server, smtp)
        families, log_ins, registrations = [Family(server) for _ in range(4)], [LogIns(server) for _ in range(2)], [Registrations(server)]
        before = [family.tokens["session_id"] for family in families]
        with Crowd() as crowd:
            for client in families + log_ins + registrations:
                client.since = time.monotonic()
                crowd.add(client.act)

            def go_on():
                """Until each has got something more."""
                done = [family.rotations for family in families], [len(x.sessions) for x in log_ins], [len(x.accepted) for x in registrations]
                wait_for(lambda: all(family.late or family.rotations > n + 5 for family, n in zip(families, done[0]))
                         and all(len(x.sessions) > n + 2 for x, n in zip(log_ins, done[1]))
                         and all(len(x.accepted) > n + 2 for x, n in zip(registrations, done[2])), 120)

            go_on()
            for _ in range(2):
                old = server.postmaster()
                os.kill(old, signal.SIGKILL)
                wait_for(lambda: restarted(server, old), 60)
                go_on()
        assert crowd.failures == []
        for client in families + log_ins + registrations:
            assert set(client.statuses) <= {200, 202, 401, 503, 504}, client.statuses
        judged = [family for family in families if not family.late]
        assert judged and not any(family.statuses[401] for family in judged)
        sessions = [tokens for x in log_ins for tokens in x.sessions]
        check_sessions(server, [tokens["session_id"] for tokens in sessions] + [family.tokens["session_id"] for family in judged])
        assert {family.tokens["session_id"] for family in judged} <= set(before), "a family has one session"
        check_families(server)
        for tokens in [family.tokens for family in judged] + random.sample(sessions, min(len(sessions), 20)):
            reply = server.http.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
            assert reply.status_code == 200, reply.text
            assert server.http.get("/v1/me", headers=bearer(reply.json()["data"])).status_code == 200
        check_mails(server, smtp, registrations[0].accepted)
    finally:
        server.stop()


def test_who_is_killed_loses_no_registration(smtp):
    server = Server(workers=2, SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
    chance = random.Random(3)
    try:
        registrations = [Registrations(server) for _ in range(3)]
        with Crowd() as crowd:
            for client in registrations:
                crowd.add(client.act)
            for victim in ["worker", "jobs"] * 4:
                count = sum(len(x.accepted) for x in registrations)
                wait_for(lambda: sum(len(x.accepted) for x in registrations) > count + 3 and len(server.workers()) == 2 and jobs_process(server), 60)
                time.sleep(chance.uniform(0, 0.6))  # at any moment of a mail's way
                os.kill(jobs_process(server) if victim == "jobs" else chance.choice(server.workers()), signal.SIGKILL)
        assert crowd.failures == []
        for client in registrations:
            assert set(client.statuses) <= {202, 503, "broken"}, client.statuses
        accepted = [address for client in registrations for address in client.accepted]
        check_mails(server, smtp, accepted)
        for address in accepted[-3:]:  # and its link is good
            assert server.http.post("/v1/auth/verify", json={"token": token_in(smtp.to(address)[-1])}).status_code == 200
    finally:
        server.stop()


def kids(server):
    return {key["kid"] for key in server.http.get("/.well-known/jwks.json").json()["keys"]}


def test_a_killed_supervisor_comes_back_with_keys_sessions_and_limits(redis):
    env = {"REDIS_URL": redis.url, **LIMITED}
    server = Server(workers=2, **env)
    person, gone, left = newcomer(server), newcomer(server), someone()
    gone.call("POST", "/v1/auth/logout")
    before = kids(server)
    callers = [Caller(server, "person", person.headers), Caller(server, "address", left)]
    while not all(caller.count(429) for caller in callers):
        for caller in callers:
            caller.ask()
    pids = server.workers()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.log.close()
    wait_for(lambda: not any(lives(pid) for pid in pids))
    again = Server(data=server.data, workers=2, **env)
    try:
        assert kids(again) == before
        for caller in callers:
            caller.http.close()
            caller.http = httpx.Client(base_url=again.url, headers=caller.http.headers, timeout=60)
            for _ in range(30):
                caller.ask()
            caller.check()
        again.http.headers.update(someone())
        fresh = again.http.post("/v1/auth/refresh", json={"refresh_token": person.tokens["refresh_token"]})
        assert fresh.status_code == 200 and fresh.json()["data"]["session_id"] == person.tokens["session_id"]
        assert asked_by(again.url, gone.headers) == 401
        assert again.http.post("/v1/auth/refresh", json={"refresh_token": gone.tokens["refresh_token"]}).status_code == 401
        # the access token of before is read by the key of before: it is the quota that it meets, not a 401
        assert asked_by(again.url, person.headers) in (200, 429)
        assert redis.ask("EXISTS", f"guildford:session:{person.tokens['session_id']}") == "1"
    finally:
        again.stop()


def peak(pid):
    """The most memory that a process has held since it was asked to forget, in MiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def bound(pid, hashers):
    """What 300 log-ins may add to a worker, in MiB: some for what waits. To a hasher: the 19 of a hash. The sanitizers keep what
    was freed, too, up to 256."""
    own = 19 + 4 if pid in hashers else 16
    return own + (256 if "libasan" in pathlib.Path(f"/proc/{pid}/maps").read_text() else 0)


def test_a_storm_of_log_ins_leaves_the_reads_alone():
    """300 at once to a queue of 40 for each worker: reads go on, and a log-in succeeds or is told when to come again. Memory
    is bounded: what Argon2 takes in each hasher, and the requests that wait."""
    server = Server(workers=2, GUILDFORD_PASSWORD_QUEUE="40", GUILDFORD_REQUEST_TIMEOUT="60000")
    try:
        people = [Person(server) for _ in range(3)]
        for person in people:  # who has verified a password once has met all the code that does
            sign_in(server, person.address)
        workers, hashers = server.workers(), server.hashers()
        for pid in workers + hashers:
            forget_peak(pid)
        held = {pid: peak(pid) for pid in workers + hashers}
        reads, log_ins, together = collections.Counter(), [Client(server) for _ in range(300)], threading.Barrier(300)
        readers = [httpx.Client(base_url=server.url, headers=people[0].headers, timeout=60) for _ in range(2)]

        def read(client, path):
            reads[client.get(path).status_code] += 1

        def log_in(client, person):
            together.wait()
            client.post("/v1/auth/login", {"email": person.address, "password": PASSWORD})

        with Crowd() as crowd:
            for client, path in zip(readers, ("/v1/me", READ)):
                crowd.add(lambda client=client, path=path: read(client, path), pause=0)
            threads = [threading.Thread(target=log_in, args=(client, people[i % 3])) for i, client in enumerate(log_ins)]
            for thread in threads:
                thread.start()
            during = sum(reads.values())
            for thread in threads:
                thread.join()
            during = sum(reads.values()) - during
        assert crowd.failures == []
        assert set(reads) == {200} and during > 20
        statuses = sum((client.statuses for client in log_ins), collections.Counter())
        assert set(statuses) == {200, 503} and statuses[200] >= 40, statuses
        assert all(int(client.retry_after) >= 1 for client in log_ins if client.statuses[503])
        assert server.workers() == workers and server.hashers() == hashers
        for pid in workers + hashers:
            assert peak(pid) - held[pid] < bound(pid, hashers), statuses
        assert sign_in(server, people[0].address)
    finally:
        server.stop()


def test_hashers_are_killed_under_log_ins():
    """The one hash that was under way in each is lost, and is a 504 at its deadline; all others go on. The supervisor starts
    hashers again."""
    server = Server(workers=2, GUILDFORD_REQUEST_TIMEOUT="4000")
    kills, chance = 6, random.Random(7)
    try:
        clients, hashers = [LogIns(server) for _ in range(6)], len(server.hashers())
        with Crowd() as crowd:
            for client in clients:
                crowd.add(client.act, pause=0)
            for _ in range(kills):
                counts = [len(client.sessions) for client in clients]
                wait_for(lambda: all(len(client.sessions) > n + 2 for client, n in zip(clients, counts)), 60)
                victim = chance.choice(server.hashers())
                os.kill(victim, signal.SIGKILL)
                wait_for(lambda: len(server.hashers()) == hashers and victim not in server.hashers(), 60)
            counts = [len(client.sessions) for client in clients]
            wait_for(lambda: all(len(client.sessions) > n + 2 for client, n in zip(clients, counts)), 60)
        assert crowd.failures == []
        statuses = sum((client.statuses for client in clients), collections.Counter())
        assert set(statuses) <= {200, 504} and statuses[504] <= kills, statuses
        check_sessions(server, [tokens["session_id"] for client in clients for tokens in client.sessions])
        metrics = server.http.get("/metrics").text
        assert f"\nguildford_worker_restarts_total {kills}\n" in metrics and "\nguildford_offload_queue 0\n" in metrics
    finally:
        server.stop()


def test_workers_are_killed_under_log_ins():
    """Who comes after a killed worker takes none of its answers for its own: everybody gets a session of their own."""
    server = Server(workers=1)
    try:
        clients = [LogIns(server) for _ in range(6)]
        with Crowd() as crowd:
            for client in clients:
                crowd.add(client.act, pause=0)
            for _ in range(4):
                counts = [len(client.sessions) for client in clients]
                wait_for(lambda: all(len(client.sessions) > n + 2 for client, n in zip(clients, counts)), 60)
                os.kill(server.workers()[0], signal.SIGKILL)
                wait_for(server.workers, 60)
        assert crowd.failures == []
        assert set(sum((client.statuses for client in clients), collections.Counter())) <= {200, "broken"}
        check_sessions(server, [tokens["session_id"] for client in clients for tokens in client.sessions])
    finally:
        server.stop()


def test_log_ins_are_finished_before_the_end():
    """Also when a service manager tells everybody: hashers go when the workers have gone."""
    server = Server(workers=2, GUILDFORD_DRAIN_TIMEOUT="30000")
    client, hashers = LogIns(server), server.hashers()
    for pid in hashers:
        os.kill(pid, signal.SIGSTOP)
    thread = threading.Thread(target=client.act)
    thread.start()
    time.sleep(0.5)
    for pid in server.workers() + hashers + [server.process.pid]:
        os.kill(pid, signal.SIGTERM)
    time.sleep(0.5)
    for pid in hashers:
        os.kill(pid, signal.SIGCONT)
    thread.join()
    server.stop()
    assert client.statuses == {200: 1}
    assert not any(lives(pid) for pid in hashers)
