# SPDX-License-Identifier: Apache-2.0
"""Events: who may add, see and change them, and the rules of a write."""
import pytest

from people import Person

FAIR = {"title": "Craft fair", "starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T16:00", "status": "published"}


@pytest.fixture(scope="module")
def ann(server):
    return Person(server)


def add(person, status=201, **fields):
    return person.call("POST", "/v1/events", {**FAIR, **fields}, status).json().get("data")


def test_an_event_is_added_and_read(server, ann):
    event = add(ann, categories=["markets"], price={"free": True}, accessibility={"wheelchair": "yes"})
    assert event["starts_local"] == "2027-05-01T10:00:00" and event["time_zone"] == "Europe/London"
    assert event["starts_at"] == "2027-05-01T09:00:00Z"
    assert event["organiser"]["person_id"] == ann.id
    got = server.http.get(f"/v1/events/{event['id']}").json()["data"]
    assert got == event
    [occurrence] = server.http.get(f"/v1/events/{event['id']}/occurrences").json()["data"]
    assert occurrence["starts_at"] == event["starts_at"] and occurrence["going"] == 0
