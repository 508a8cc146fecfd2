# SPDX-License-Identifier: Apache-2.0
"""Events: who may add, see and change them, and the rules of a write."""
import pytest

from people import Person

FAIR = {"title": "Craft fair", "starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T16:00", "status": "published"}


@pytest.fixture(scope="module")
def ann(server):
    return Person(server)


def add(person, **fields):
    return person.call("POST", "/v1/events", {**FAIR, **fields}, 201).json()["data"]


def test_an_event_is_added_and_read(server, ann):
    event = add(ann, categories=["markets"], price={"free": True}, accessibility={"wheelchair": "yes"})
    assert event["starts_local"] == "2027-05-01T10:00:00" and event["time_zone"] == "Europe/London"
    assert event["starts_at"] == "2027-05-01T09:00:00Z"
    assert event["organiser"]["person_id"] == ann.id
    got = server.http.get(f"/v1/events/{event['id']}").json()["data"]
    assert got == event
    [occurrence] = server.http.get(f"/v1/events/{event['id']}/occurrences").json()["data"]
    assert occurrence["starts_at"] == event["starts_at"] and occurrence["going"] == 0


def status_for(who, event):
    http = getattr(who, "server", who).http
    return http.get(f"/v1/events/{event['id']}", headers=getattr(who, "headers", {})).status_code


def titles(who, **params):
    http = getattr(who, "server", who).http
    return {event["title"] for event in http.get("/v1/events", params={"limit": 100, **params}, headers=getattr(who, "headers", {})).json()["data"]}


# fields, then who gets it by its id and who finds it in a list: everybody, its organiser
HIDDEN = [({"status": "draft"}, False, False), ({"visibility": "private"}, False, False), ({"visibility": "unlisted"}, True, False),
          ({"published_at": "2099-01-01T00:00:00Z"}, False, False), ({"published_at": "2020-01-01T00:00:00Z"}, True, True),
          ({"status": "cancelled"}, True, True), ({"status": "postponed"}, True, True)]


@pytest.mark.parametrize("fields, got, listed", HIDDEN)
def test_who_may_know_of_an_event(server, ann, fields, got, listed):
    title = "Hidden " + "-".join(map(str, fields.values()))
    event = add(ann, title=title, **fields)
    stranger, moderator = Person(server), Person(server, role="moderator")
    for who in (server, stranger):
        assert status_for(who, event) == (200 if got else 404)
        assert (title in titles(who)) == listed
        path = f"/v1/events/{event['id']}/occurrences"
        assert server.http.get(path, headers=getattr(who, "headers", {})).status_code == (200 if got else 404)
    assert status_for(ann, event) == status_for(moderator, event) == 200
    # who may not know of it is not told that it is there
    assert stranger.server.http.patch(f"/v1/events/{event['id']}", json={"title": "Mine"}, headers=stranger.headers).status_code == (403 if got else 404)


def test_a_business_organises(server, ann):
    """Its owners and managers may change the event, its staff may not; nobody else may name it; its name follows."""
    owner, manager, staff = Person(server), Person(server), Person(server)
    hall = owner.call("POST", "/v1/businesses", {"name": "The Hall", "location": {"lat": 51.2, "lng": -0.5}, "address": {"postcode": "GU1 3AA"}}, 201).json()["data"]
    for person, relation in ((manager, "manager"), (staff, "staff")):
        owner.call("POST", "/v1/relations", {"resource": "business", "resource_id": hall["id"], "relation": relation, "email": person.address}, 201)
    ann.call("POST", "/v1/events", {**FAIR, "organiser": {"business_id": hall["id"]}}, 403)
    event = add(manager, organiser={"business_id": hall["id"]}, venue={"business_id": hall["id"]})
    assert event["organiser"] == {"business_id": hall["id"], "person_id": None, "name": "The Hall"}
    assert event["venue"]["name"] == "The Hall" and event["venue"]["postcode"] == "GU1 3AA" and event["location"] == {"lat": 51.2, "lng": -0.5}
    owner.call("PATCH", f"/v1/events/{event['id']}", {"summary": "By the owner"}, 200)
    for person in (staff, ann):
        person.call("PATCH", f"/v1/events/{event['id']}", {"summary": "Not by them"}, 403)
    owner.call("PATCH", f"/v1/businesses/{hall['id']}", {"name": "The Great Hall"}, 200)
    event = server.http.get(f"/v1/events/{event['id']}").json()["data"]
    assert event["organiser"]["name"] == event["venue"]["name"] == "The Great Hall"


NOWHERE = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a77"
WRONG = [({"categories": ["markets", "no-such"]}, "categories"), ({"venue": {"business_id": NOWHERE}}, "venue.business_id"),
         ({"organiser": {"business_id": NOWHERE}}, "organiser.business_id"), ({"location": {"lat": 51}}, "location.lng"),
         ({"image": {"url": "https://x.example/"}}, "image.alt"), ({"status": "rescheduled"}, "rescheduled_to"),
         ({"rescheduled_to": NOWHERE, "status": "rescheduled"}, "rescheduled_to"), ({"rsvp": {"mode": "external"}}, "rsvp.url"),
         ({"ends_local": "2027-05-01T09:00"}, "ends_local"), ({"price": {"from": 500, "to": 100}}, "price.to"),
         ({"age": {"min": 18, "max": 12}}, "age.max"), ({"starts_local": "2027-05-01"}, "starts_local"), ({"time_zone": "Mars/North"}, "time_zone"),
         ({"uid": "mine"}, "uid"), ({"capacity": 0}, "capacity"), ({"accessibility": {"moat": True}}, "accessibility.moat")]


@pytest.mark.parametrize("fields, field", WRONG)
def test_what_an_event_must_not_say(server, ann, fields, field):
    reply = ann.server.http.post("/v1/events", json={**FAIR, **fields}, headers=ann.headers)
    assert reply.status_code == 400 and field in [d["field"] for d in reply.json()["error"]["details"]], reply.text
