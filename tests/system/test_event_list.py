# SPDX-License-Identifier: Apache-2.0
"""Finding events: what each parameter of the list means, one item per occurrence or per series, in a stable order."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conftest import Server, wait_for
from people import Person

LONDON = ZoneInfo("Europe/London")
NOW = datetime.now(LONDON).replace(microsecond=0)
HALL = {"lat": 51.2361, "lng": -0.5719}
FAR = {"lat": 51.2600, "lng": -0.5100}


def wall(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


@pytest.fixture(scope="module")
def server():
    server = Server(workers=1)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ann(server):
    return Person(server)


@pytest.fixture(scope="module")
def town(server, ann):
    """A few events of which each parameter finds some; by title."""
    saturday = (NOW + timedelta(days=(5 - NOW.weekday()) % 7 + 7)).replace(hour=9, minute=0, second=0)
    soon = NOW + timedelta(days=40)
    events = {}

    def add(title, start, hours=2, status="published", **fields):
        body = {"title": title, "starts_local": wall(start), "ends_local": wall(start + timedelta(hours=hours)), "status": status, **fields}
        events[title] = ann.call("POST", "/v1/events", body, 201).json()["data"]

    add("Begun", NOW - timedelta(hours=1), categories=["talks"])
    add("Over", NOW - timedelta(hours=5), hours=1)
    add("Exhibition", NOW - timedelta(days=60), hours=24 * 120, categories=["art"])
    add("Market", saturday, rrule="FREQ=WEEKLY;BYDAY=SA;COUNT=5", categories=["markets", "food-drink"], location=HALL, price={"free": True},
        accessibility={"wheelchair": "yes", "hearing_loop": True}, venue={"name": "High Street"})
    add("Concert", soon, categories=["music"], location=FAR, price={"free": False, "from": 1500, "to": 3000}, age={"min": 18},
        accessibility={"wheelchair": "limited"}, language="en-GB")
    add("Webinar", soon + timedelta(days=1), online_url="https://talk.example/", price={"free": False, "from": 500, "to": 500}, language="fr")
    add("Called off", soon + timedelta(days=2), status="cancelled")
    add("Secret", soon + timedelta(days=3), status="draft")
    add("Quiet", soon + timedelta(days=4), visibility="unlisted")
    return events


def listed(who, **params):
    reply = getattr(who, "server", who).http.get("/v1/events", params={"limit": 100, **params}, headers=getattr(who, "headers", {}))
    assert reply.status_code == 200, reply.text
    return reply.json()


def found(who, **params):
    return [event["title"] for event in listed(who, **params)["data"]]


ALL = ["Exhibition", "Begun"] + ["Market"] * 5 + ["Concert", "Webinar", "Called off"]


def test_what_has_not_ended_comes_by_its_start(server, town):
    page = listed(server)
    assert sorted(event["title"] for event in page["data"]) == sorted(ALL)
    starts = [event["occurrence"]["starts_at"] for event in page["data"]]
    assert starts == sorted(starts) and page["meta"]["pagination"]["total"] == len(ALL)
    market = next(event for event in page["data"] if event["title"] == "Market")
    assert market["id"] == town["Market"]["id"] and set(market["occurrence"]) >= {"id", "starts_local", "ends_local", "ends_at", "status", "going", "places_left"}
    assert found(server, sort="-starts_at") == [event["title"] for event in page["data"]][::-1]


PARAMETERS = [
    ({"category": "markets"}, {"Market"}), ({"category": "art,music"}, {"Exhibition", "Concert"}), ({"category": "no-such"}, set()),
    ({"free": "true"}, {"Market"}), ({"free": "false"}, {"Concert", "Webinar"}), ({"price_max": "500"}, {"Market", "Webinar"}),
    ({"accessible": "true"}, {"Market"}), ({"accessible": "wheelchair,hearing_loop"}, {"Market"}), ({"accessible": "relaxed"}, set()),
    ({"online": "true"}, {"Webinar"}), ({"near": "51.2361,-0.5719", "radius": "500"}, {"Market"}), ({"near": "51.2361,-0.5719"}, {"Market", "Concert"}),
    ({"bbox": "-0.52,51.25,-0.50,51.27"}, {"Concert"}), ({"status": "cancelled"}, {"Called off"}), ({"language": "en"}, {"Concert"}), ({"age": "12"}, None),
    ({"q": "markt"}, {"Market"}), ({"q": "high street"}, {"Market"}), ({"q": "xyzzyplugh"}, set())]


@pytest.mark.parametrize("params, titles", PARAMETERS)
def test_parameters(server, town, params, titles):
    expected = set(ALL) - {"Concert"} if titles is None else titles
    assert set(found(server, **params)) == expected
    assert set(found(server, collapse="series", **params)) == expected
    assert listed(server, **params)["meta"]["pagination"]["total"] == len(found(server, **params))


def test_an_organiser_and_a_venue(server, ann, town):
    hall = server.create(name="A hall of events")
    event = server.call("POST", "/v1/events", {"title": "In the hall", "status": "published", "starts_local": wall(NOW + timedelta(days=300)),
                                               "ends_local": wall(NOW + timedelta(days=300, hours=1)), "venue": {"business_id": hall["id"]},
                                               "organiser": {"business_id": hall["id"]}}, 201).json()["data"]
    try:
        assert found(server, venue=hall["id"]) == found(server, organiser=hall["id"]) == ["In the hall"]
        assert "In the hall" not in found(server, organiser=ann.id) and "Market" in found(server, organiser=ann.id)
    finally:
        server.call("DELETE", f"/v1/events/{event['id']}")


def test_a_series_once(server, town):
    page = listed(server, collapse="series")
    assert sorted(event["title"] for event in page["data"]) == sorted(set(ALL)) and page["meta"]["pagination"]["total"] == len(set(ALL))
    first = next(event for event in page["data"] if event["title"] == "Market")
    assert first["occurrence"]["starts_at"] == town["Market"]["starts_at"]


def test_windows(server, town):
    """Dates are the town's; what has begun and not ended is found."""
    today = NOW.date()
    assert "Begun" in found(server, when="today") and "Exhibition" in found(server, when="today") and "Over" not in found(server, when="today")
    assert set(found(server, when="tomorrow")) == {"Exhibition"}
    market = datetime.fromisoformat(town["Market"]["starts_local"])
    day = str(market.date())
    assert set(found(server, **{"from": day, "to": day})) == {"Exhibition", "Market"}
    assert set(found(server, **{"from": f"{day}T13:00:00Z", "to": f"{day}T14:00:00Z"})) == {"Exhibition"}
    assert "Over" in found(server, **{"from": str(today - timedelta(days=1))})
    assert found(server, **{"from": "2001-01-01", "to": "2001-02-01"}) == []


def test_weekends_are_of_fridays_evening_to_sundays_end(server, town):
    friday = datetime.fromisoformat(town["Market"]["starts_local"]) - timedelta(days=1)
    reply = listed(server, **{"from": f"{friday.date()}T17:00:00Z", "to": str((friday + timedelta(days=2)).date()), "category": "markets"})
    assert len(reply["data"]) == 1
    this = {event["title"] for event in listed(server, when="weekend")["data"]}
    assert "Exhibition" in this and "Concert" not in this


def test_sorts(server, town):
    assert found(server, near="51.2361,-0.5719", sort="distance", collapse="series") == ["Market", "Concert"]
    near = listed(server, near="51.2361,-0.5719", sort="distance")["data"]
    assert near[0]["distance_m"] < 1 and 4000 < near[-1]["distance_m"] < 6000
    assert found(server, q="concert", sort="relevance")[0] == "Concert"
    server.database(f"update event.occurrence set going = 9 where event_id = '{town['Webinar']['id']}'")
    assert found(server, sort="popularity")[0] == "Webinar"
    assert server.http.get("/v1/events?sort=distance").status_code == 400


def test_mine(server, ann, town):
    assert {"Secret", "Quiet", "Concert"} <= set(found(ann, mine="true"))
    assert found(Person(server), mine="true") == []
    assert server.http.get("/v1/events?mine=true").status_code == 401


def test_cursors_pass_every_item_once(server, town):
    whole, seen, cursor = [event["occurrence"]["id"] for event in listed(server)["data"]], [], None
    while True:
        page = listed(server, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [event["occurrence"]["id"] for event in page["data"]]
        cursor = page["meta"]["pagination"]["next_cursor"]
        if not cursor:
            break
    assert seen == whole


WRONG = [{"when": "someday"}, {"from": "yesterday"}, {"to": "2026-02-30"}, {"when": "today", "from": "2027-01-01"}, {"from": "2027-02-01", "to": "2027-01-01"},
         {"free": "maybe"}, {"price_max": "-1"}, {"accessible": "moat"}, {"organiser": "me"}, {"status": "lost"}, {"collapse": "all"}, {"near": "here"}, {"age": "old"}]


@pytest.mark.parametrize("params", WRONG)
def test_wrong_parameters_are_named(server, params):
    reply = server.http.get("/v1/events", params=params)
    assert reply.status_code == 400 and {d["field"] for d in reply.json()["error"]["details"]} & set(params), reply.text


def test_occurrences_of_an_event_between_dates(server, ann):
    event = ann.call("POST", "/v1/events", {"title": "Weekly", "status": "draft", "starts_local": "2027-05-01T09:00", "ends_local": "2027-05-01T13:00",
                                            "rrule": "FREQ=WEEKLY;BYDAY=SA;COUNT=6"}, 201).json()["data"]

    def starts(**params):
        reply = server.http.get(f"/v1/events/{event['id']}/occurrences", params=params, headers=ann.headers)
        assert reply.status_code == 200, reply.text
        return [o["starts_local"][5:10] for o in reply.json()["data"]]
    assert starts() == ["05-01", "05-08", "05-15", "05-22", "05-29", "06-05"]
    assert starts(**{"from": "2027-05-15", "to": "2027-05-22"}) == ["05-15", "05-22"]
    assert starts(**{"from": "2027-05-15T12:30:00Z"}) == ["05-22", "05-29", "06-05"]
    assert starts(**{"from": "2027-05-15T10:00:00Z", "to": "2027-05-15T11:00:00Z"}) == ["05-15"]
    assert starts(to="2027-05-01") == ["05-01"]
    assert server.http.get(f"/v1/events/{event['id']}/occurrences?from=x", headers=ann.headers).status_code == 400


def test_estimates_of_many_are_near(server, ann):
    """Beyond 10,000 the planner guesses: not a third of what there is."""
    for hour in range(8, 20):
        for minute in (0, 30):
            ann.call("POST", "/v1/events", {"title": "Daily", "status": "published", "starts_local": f"2027-01-01T{hour:02}:{minute:02}",
                                            "ends_local": f"2027-01-01T{hour:02}:{minute + 20:02}", "rrule": "FREQ=DAILY"}, 201)
    server.database("analyze event.listing")
    [[real]] = server.database("select count(*) from event.listing where until > now() and listed_from <= now()")
    pagination = listed(server, limit=20)["meta"]["pagination"]
    assert int(real) > 10_000 and pagination["total_estimated"] is True and int(real) * 0.7 < pagination["total"] < int(real) * 1.4


def test_what_is_over_is_marked(server, town):
    """A job says of occurrences that they are past; those to come are not."""

    wait_for(lambda: server.database(f"select past from event.occurrence where event_id = '{town['Over']['id']}'") == [["t"]])
    assert server.database(f"select past from event.occurrence where event_id = '{town['Begun']['id']}'") == [["f"]]
