# SPDX-License-Identifier: Apache-2.0
"""Events and businesses as linked data: held against schema.org's vocabulary by the types of npm's schema-dts and TypeScript's
compiler, which refuse properties and values that schema.org does not have."""
import json
import subprocess

import pytest

from conftest import ADMIN, ROOT
from people import Person

FOLDER = ROOT / "tests/linked"
LD = {"Accept": "application/ld+json"}


@pytest.fixture(scope="module")
def ann(server):
    return Person(server)


def check(folder, type, thing):
    """The compiler's complaints about a thing as a constant of the type."""
    if not (FOLDER / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True, timeout=300)
    source = folder / "thing.ts"
    source.write_text(f"import type {{ WithContext, {type} }} from 'schema-dts';\nexport const thing: WithContext<{type}> = {json.dumps(thing, indent=1)};\n")
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    done = subprocess.run(["node", FOLDER / "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--target", "es2022", "--module", "esnext",
                           "--moduleResolution", "bundler", source], cwd=folder, capture_output=True, text=True, timeout=120)
    return done.stdout


def linked(server, path, **headers):
    reply = server.http.get(path, headers={**LD, **headers})
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/ld+json", reply.text
    assert "Accept" in reply.headers["Vary"]
    return reply.json()


def add(person, **fields):
    base = {"title": "Craft fair", "starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T16:00", "status": "published"}
    return person.call("POST", "/v1/events", {**base, **fields}, 201).json()["data"]


WHOLE = {"summary": "Forty stalls", "description": "Crafts of all kinds", "categories": ["markets"], "image": {"url": "https://fair.example/a.jpg", "alt": "Stalls"},
         "venue": {"name": "Guildhall", "address": "High Street, Guildford", "postcode": "GU1 3AA"}, "location": {"lat": 51.2362, "lng": -0.5704},
         "price": {"free": False, "from": 500, "to": 1250, "ticket_url": "https://fair.example/tickets"}, "age": {"min": 8, "max": 99}, "language": "en",
         "accessibility": {"wheelchair": "yes", "hearing_loop": True}, "capacity": 80, "organiser": {"name": "Guildford Makers"},
         "online_url": "https://fair.example/live"}


def test_an_event(server, ann, tmp_path):
    event = add(ann, **WHOLE)
    thing = linked(server, f"/v1/events/{event['id']}")
    assert check(tmp_path, "Event", thing) == ""
    assert thing["@context"] == "https://schema.org" and thing["@type"] == "Event" and thing["name"] == "Craft fair"
    assert thing["startDate"] == "2027-05-01T10:00:00+01:00" and thing["endDate"] == "2027-05-01T16:00:00+01:00"
    assert thing["eventStatus"] == "https://schema.org/EventScheduled" and thing["eventAttendanceMode"] == "https://schema.org/MixedEventAttendanceMode"
    assert [place["@type"] for place in thing["location"]] == ["Place", "VirtualLocation"]
    assert thing["location"][0]["address"] == {"@type": "PostalAddress", "streetAddress": "High Street, Guildford", "postalCode": "GU1 3AA"}
    assert thing["location"][0]["amenityFeature"][0] == {"@type": "LocationFeatureSpecification", "name": "wheelchair", "value": "yes"}
    assert thing["offers"] == {"@type": "AggregateOffer", "priceCurrency": "GBP", "lowPrice": "5.00", "highPrice": "12.50", "url": "https://fair.example/tickets"}
    assert thing["typicalAgeRange"] == "8-99" and thing["maximumAttendeeCapacity"] == 80 and thing["url"].endswith(f"/events/{event['id']}")


@pytest.mark.parametrize("rule, expected", [
    ("FREQ=WEEKLY;BYDAY=SA;COUNT=30", {"repeatFrequency": "P1W", "byDay": ["https://schema.org/Saturday"], "repeatCount": 30}),
    ("FREQ=MONTHLY;BYDAY=1SA;UNTIL=20280101", {"repeatFrequency": "P1M", "byDay": ["1SA"], "endDate": "2028-01-01"}),
    ("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1", {"repeatFrequency": "P1Y", "byMonth": [5], "byMonthDay": [1]}),
    ("FREQ=DAILY;INTERVAL=3", {"repeatFrequency": "P3D"})])
def test_a_series(server, ann, tmp_path, rule, expected):
    event = add(ann, rrule=rule, exdate=["2027-05-08T10:00"] if "WEEKLY" in rule else [])
    thing = linked(server, f"/v1/events/{event['id']}")
    assert check(tmp_path, "Event", thing) == ""
    schedule = thing["eventSchedule"]
    assert expected.items() <= schedule.items() and schedule["scheduleTimezone"] == "Europe/London" and schedule["startTime"] == "10:00:00"
    assert schedule.get("exceptDate") == (["2027-05-08T10:00:00"] if "WEEKLY" in rule else None)
    assert len(thing["subEvent"]) <= 20 and thing["subEvent"][0]["startDate"] == "2027-05-01T10:00:00+01:00"
    later = [e["startDate"] for e in thing["subEvent"] if e["startDate"] > "2027-11"]
    assert all(start.endswith("10:00:00+00:00") for start in later if start < "2028-03")


def test_what_schema_org_has_no_words_for_is_left_out(server, ann, tmp_path):
    event = add(ann, rrule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", all_day=True, starts_local="2027-05-31T00:00", ends_local="2027-06-01T00:00")
    thing = linked(server, f"/v1/events/{event['id']}")
    assert check(tmp_path, "Event", thing) == ""
    assert "eventSchedule" not in thing and "location" not in thing and "offers" not in thing and thing["startDate"] == "2027-05-31"


@pytest.mark.parametrize("status, term", [("cancelled", "EventCancelled"), ("postponed", "EventPostponed")])
def test_the_status(server, ann, status, term):
    assert linked(server, f"/v1/events/{add(ann, status=status)['id']}")["eventStatus"] == f"https://schema.org/{term}"


def test_a_business(server, tmp_path):
    row = server.create(name="The Boatman", description="Riverside pub", phone="01483 568024", website="https://boatman.example/", price_level=2,
                        address={"lines": ["Millbrook", "The Wharf"], "locality": "Guildford", "postcode": "GU1 3XJ", "country": "GB"},
                        location={"lat": 51.2301, "lng": -0.5766}, attributes={"dogs": "yes", "takeaway": True})
    for path in (row["id"], row["slug"]):
        thing = linked(server, f"/v1/businesses/{path}")
    assert check(tmp_path, "LocalBusiness", thing) == ""
    assert thing["@type"] == "LocalBusiness" and thing["priceRange"] == "££" and thing["telephone"] == "+441483568024"
    assert thing["address"]["streetAddress"] == "Millbrook, The Wharf" and thing["geo"]["latitude"] == 51.2301
    assert "email" not in thing


def test_the_checker_finds_what_is_wrong(tmp_path):
    assert "thing.ts" in check(tmp_path, "Event", {"@context": "https://schema.org", "@type": "Event", "nonsense": "x"})


def test_asked_for_and_not(server, ann):
    event = add(ann)
    path = f"/v1/events/{event['id']}"
    reply = server.http.get(path, headers=LD)
    assert server.http.get(path, headers={**LD, "If-None-Match": reply.headers["ETag"]}).status_code == 304
    plain = server.http.get(path)
    assert plain.headers["ETag"] != reply.headers["ETag"] and plain.json()["success"]
    for accept in ("application/json", "*/*", "application/ld+json;q=0"):
        assert server.http.get(path, headers={"Accept": accept + ", application/json"}).json()["success"] is True
    hidden = add(ann, status="draft")
    assert server.http.get(f"/v1/events/{hidden['id']}", headers=LD).status_code == 404
    assert server.http.get("/v1/events/019363f1-27a5-7c1b-8a5e-5f0c2c9e1a77", headers=LD).json()["error"]["code"] == "NOT_FOUND"
    assert server.http.get(path, headers={**LD, **ADMIN, "Accept": "application/ld+json, application/json"}).headers["Content-Type"] == "application/ld+json"
