# SPDX-License-Identifier: Apache-2.0
"""Places under load and in accidents: none is given twice, none is wasted, and counts add up whoever is killed."""
import http.client
import json
import os
import random
import signal
import threading
import time

import pytest

from conftest import Server, secret_digest, wait_for
from people import Person

PARTY = {"title": "Party", "starts_local": "2027-06-05T19:00", "ends_local": "2027-06-05T23:00", "status": "published"}


@pytest.fixture
def town():
    server = Server(workers=2)
    yield server
    server.stop()


class Party:
    """An event with people who have declined by mail, each with the token that changes it."""

    def __init__(self, server, capacity, people, **rsvp):
        ann = Person(server)
        event = ann.call("POST", "/v1/events", {**PARTY, "capacity": capacity, "rsvp": {"mode": "open", **rsvp}}, 201).json()["data"]
        [occurrence] = ann.get(f"/v1/events/{event['id']}/occurrences")
        self.server, self.id, self.event, self.owner = server, occurrence["id"], event["id"], ann
        rows = server.database(f"""insert into event.reply (occurrence_id, event_id, email, name, status, code)
            select '{self.id}', '{self.event}', format('guest-%s@example.org', n), format('Guest %s', n), 'declined', lpad(n::text, 8, '0')
            from generate_series(1, {people}) n returning id""")
        self.tokens = {row[0]: f"{row[0]}.{secret_digest('reply', row[0])}" for row in rows}

    def one(self, sql):
        return self.server.database(sql.replace("$o", f"'{self.id}'"))[0]

    def assert_sums(self, capacity):
        """What the occurrence counts is what its replies say, nobody is too many, and nobody waits for what is free."""
        going, waiting, maybe, left = map(int, self.one("select going, waiting, maybe, places_left from event.occurrence where id = $o"))
        sums = self.one("""select coalesce(sum(1 + guests) filter (where status in ('going', 'offered')), 0),
            coalesce(sum(1 + guests) filter (where status in ('waiting', 'requested')), 0), coalesce(sum(1 + guests) filter (where status = 'maybe'), 0),
            count(*) filter (where status = 'waiting' and 1 + guests <= %d) from event.reply where occurrence_id = $o""" % left)
        assert [going, waiting, maybe, 0] == [int(n) for n in sums] and going <= capacity and left == capacity - going


def post(connection, token, said, guests=0):
    connection.request("POST", "/v1/replies/by-token", json.dumps({"token": token, "status": said, "guests": guests}), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())


def at_once(count, work):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def test_a_thousand_replies_to_a_hundred_places(town):
    party = Party(town, 100, 1000)
    tokens, answers, lock, start = list(party.tokens.values()), [], threading.Lock(), threading.Barrier(200)

    def some(n):
        connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)
        connection.connect()
        start.wait()
        for token in tokens[n::200]:
            status, body = post(connection, token, "going")
            with lock:
                answers.append((status, body["data"]["status"], body["data"]["place_in_line"]))
        connection.close()

    at_once(200, some)
    assert [status for status, _, _ in answers] == [200] * 1000
    assert sum(said == "going" for _, said, _ in answers) == 100
    assert sorted(place for _, said, place in answers if said == "waiting") == list(range(1, 901))
    assert party.one("select going, waiting, maybe, places_left from event.occurrence where id = $o") == ["100", "900", "0", "0"]
    party.assert_sums(100)
    # each that is given back goes to the first in the line
    first = party.one("select id from event.reply where occurrence_id = $o and status = 'waiting' order by line limit 1")[0]
    going = party.one("select id from event.reply where occurrence_id = $o and status = 'going' limit 1")[0]
    connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)
    assert post(connection, party.tokens[going], "declined")[0] == 200
    assert party.one("select id from event.reply where occurrence_id = $o and status = 'offered'")[0] == first
    party.assert_sums(100)


class Guest:
    """Somebody who changes their mind, and asks again until there is an answer."""

    def __init__(self, party, token, seed):
        self.party, self.token, self.chance, self.said, self.errors = party, token, random.Random(seed), None, 0
        self.connection, self.done = None, False

    def ask(self, said, guests):
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.party.server.port, timeout=20)
            return post(self.connection, self.token, said, guests)
        except (OSError, http.client.HTTPException):
            self.connection = None
            return 0, None

    def change(self):
        said, guests = self.chance.choice(["going"] * 4 + ["maybe", "declined"]), self.chance.choice([0, 0, 1, 2])
        for _ in range(300):
            status, body = self.ask(said, guests)
            if status == 200:
                self.said = body["data"]["status"]
                return
            if status == 409:  # no place for so many guests: it stays as it was
                return
            self.errors += 1
            time.sleep(0.1)
        raise AssertionError(f"no answer: {status} {body}")

    def live(self, until):
        while time.monotonic() < until:
            self.change()
        self.done = True


def changing_their_minds(party, seconds):
    """All of a party for so long: the guests, and what waits until they have done."""
    guests = [Guest(party, token, seed) for seed, token in enumerate(party.tokens.values())]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=guest.live, args=(until,)) for guest in guests]
    for t in threads:
        t.start()

    def wait():
        for t in threads:
            t.join()
        assert all(guest.done for guest in guests)
    return guests, wait


@pytest.mark.parametrize("victim", ["worker", "postmaster"])
def test_counts_add_up_after_kill_9(town, victim):
    party = Party(town, 12, 30, guests_max=3)
    guests, wait = changing_their_minds(party, 8)
    for _ in range(3):
        time.sleep(1.5)
        wait_for(lambda: town.http.get("/readyz").status_code == 200)
        os.kill(random.choice(town.workers()) if victim == "worker" else town.postmaster(), signal.SIGKILL)
    wait()
    wait_for(lambda: town.http.get("/readyz").status_code == 200)
    assert sum(guest.errors for guest in guests) > 0 and all(guest.said for guest in guests)
    party.assert_sums(12)
    # what was answered last is what is there, but that who waited may have been offered a place since
    there = dict(town.database(f"select id, status from event.reply where occurrence_id = '{party.id}'"))
    for guest in guests:
        is_now = there[guest.token.split(".")[0]]
        assert is_now == guest.said or (guest.said, is_now) == ("waiting", "offered"), (guest.said, is_now)


def test_capacity_and_replies_at_once(town):
    """Organisers change the capacity, cancel and go on while people reply."""
    party = Party(town, 5, 20, guests_max=3)
    _, wait = changing_their_minds(party, 5)
    until = time.monotonic() + 5
    capacity = 5
    while time.monotonic() < until:
        capacity += 1
        for body in ({"capacity": capacity}, {"summary": f"For {capacity}"}, {"starts_local": f"2027-06-05T{17 + capacity % 3}:00"}):
            reply = town.http.patch(f"/v1/events/{party.event}", json=body, headers={**party.owner.headers, "If-Match": "*"})
            assert reply.status_code == 200, reply.text
        time.sleep(0.2)
    wait()
    party.assert_sums(capacity)
    assert "deadlock" not in town.log_text()
