# SPDX-License-Identifier: Apache-2.0
"""Calendars and feeds: three independent readers must find the occurrences that we have, and nothing else."""

import datetime
import xml.etree.ElementTree as ElementTree
import zoneinfo

import dateutil.rrule
import pytest

from calendars import agreed, show
from people import Person
from test_events import FAIR

ATOM = "{http://www.w3.org/2005/Atom}"
HORIZON = ("2026-10-01T00:00:00Z", "2028-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def ann(server):
    return Person(server)


def add(server, **fields):
    return server.call("POST", "/v1/events", {**FAIR, **fields}, 201).json()["data"]


def calendar_of(server, event):
    reply = server.http.get(f"/v1/events/{event['id']}/calendar.ics")
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "text/calendar; charset=utf-8"
    return reply.text


def alter(server, event, recurrence, **columns):
    """An occurrence that is not as its event: written as the program keeps it."""
    columns = {"starts_local": recurrence, "ends_local": recurrence, **columns, "changed": True}
    names = ", ".join(columns)
    values = ", ".join(f"'{value}'" for value in columns.values())
    server.database(f"""
        insert into event.occurrence (event_id, recurrence_local, starts_at, ends_at, {names})
            values ('{event["id"]}', '{recurrence}', '{columns["starts_local"]}'::timestamp at time zone 'Europe/London',
                '{columns["ends_local"]}'::timestamp at time zone 'Europe/London', {values})
            on conflict (event_id, recurrence_local) do update set ({names}) = row ({values})""")


def starts(found):
    return [event["start"] for event in found]


def wall(zone, *moments):
    """Wall times of a zone as instants."""
    return [show(datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))) for text in moments]


def by_rule(rule, start, zone="Europe/London", until=HORIZON[1]):
    """The instants of a rule by python-dateutil, which knows wall times only."""
    begin = datetime.datetime.fromisoformat(start)
    end = datetime.datetime.fromisoformat(until[:19])
    return wall(zone, *(m.isoformat() for m in dateutil.rrule.rrulestr(rule, dtstart=begin).between(begin, end, inc=True)))


def test_a_weekly_market_keeps_its_hour_over_the_clock_changes(server):
    market = add(server, title="Farmers' market", rrule="FREQ=WEEKLY;BYDAY=SA", starts_local="2026-10-17T09:00", ends_local="2026-10-17T14:00")
    text = calendar_of(server, market)
    assert "RRULE:FREQ=WEEKLY;BYDAY=SA" in text and text.count("BEGIN:VEVENT") == 1
    assert "DTSTART;TZID=Europe/London:20261017T090000" in text and "\nTZID:Europe/London\r\n" in text
    found = agreed(text, *HORIZON)
    assert starts(found) == by_rule("FREQ=WEEKLY;BYDAY=SA", "2026-10-17T09:00:00")
    assert {"2026-10-17T08:00:00Z", "2026-10-31T09:00:00Z", "2027-03-27T09:00:00Z", "2027-04-03T08:00:00Z"} <= set(starts(found))
    assert found[0]["end"] == "2026-10-17T13:00:00Z"


@pytest.mark.parametrize("rule, zone", [
    ("FREQ=MONTHLY;BYDAY=2TU,-1FR", "Europe/London"), ("FREQ=DAILY;COUNT=10", "America/New_York"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "Australia/Sydney"), ("FREQ=MONTHLY;BYMONTHDAY=31", "Asia/Kolkata"),
    ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=5", "Europe/London"), ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "Europe/Paris"),
    ("FREQ=WEEKLY;COUNT=30;BYDAY=SU", "Africa/Casablanca"), ("FREQ=WEEKLY;BYDAY=SU", "Etc/UTC"), ("FREQ=DAILY;INTERVAL=9", "America/St_Johns")])
def test_rules_and_zones(server, rule, zone):
    first = dateutil.rrule.rrulestr(rule, dtstart=datetime.datetime(2026, 10, 17, 19, 30))[0].isoformat()
    event = add(server, rrule=rule, time_zone=zone, starts_local=first, ends_local=first)
    assert starts(agreed(calendar_of(server, event), *HORIZON)) == by_rule(rule, first, zone)


@pytest.mark.parametrize("until", ["20270401T190000Z", "20270401T200000", "20270401"])
def test_until_is_an_instant(server, until):
    """1 April is in it, in summer time: RFC 5545 wants UTC where the start has a zone. Of an UNTIL that is the last start
    itself the Python reader takes the hour of the first start's offset, so here it is later."""
    event = add(server, rrule=f"FREQ=DAILY;UNTIL={until}", starts_local="2027-03-20T19:00", ends_local="2027-03-20T20:00")
    text = calendar_of(server, event)
    assert starts(agreed(text, *HORIZON)) == by_rule("FREQ=DAILY;UNTIL=20270401T190000", "2027-03-20T19:00:00")
    assert f"UNTIL={'20270401T225959Z' if len(until) == 8 else '20270401T190000Z'}\r\n" in text


def test_further_and_missing_dates(server):
    event = add(server, rrule="FREQ=WEEKLY;BYDAY=SA;COUNT=12", starts_local="2026-11-28T09:00", ends_local="2026-11-28T14:00",
                rdate=["2026-12-23T09:00", "2026-12-24T10:30"], exdate=["2026-12-26T09:00", "2027-01-02T09:00"])
    expected = [d for d in by_rule("FREQ=WEEKLY;BYDAY=SA;COUNT=12", "2026-11-28T09:00:00") if d[:10] not in ("2026-12-26", "2027-01-02")]
    found = agreed(calendar_of(server, event), *HORIZON, rdates=["2026-12-23T09:00:00Z", "2026-12-24T10:30:00Z"])
    assert starts(found) == sorted(expected + ["2026-12-23T09:00:00Z", "2026-12-24T10:30:00Z"])
    assert found[-1]["end"] == found[-1]["start"][:11] + "14:00:00Z"


def test_changed_occurrences(server):
    event = add(server, title="Market", rrule="FREQ=WEEKLY;BYDAY=SA;COUNT=5", starts_local="2027-03-13T09:00", ends_local="2027-03-13T14:00",
                venue={"name": "High Street"}, description="Stalls", location={"lat": 51.2362, "lng": -0.5704})
    alter(server, event, "2027-03-20T09:00", starts_local="2027-03-21T10:00", ends_local="2027-03-21T15:00")
    alter(server, event, "2027-03-27T09:00", ends_local="2027-03-27T14:00", status="cancelled")
    alter(server, event, "2027-04-03T09:00", ends_local="2027-04-03T16:00", title="Easter market", venue_name="Castle", sequence=2)
    text = calendar_of(server, event)
    found = agreed(text, *HORIZON)
    assert starts(found) == ["2027-03-13T09:00:00Z", "2027-03-21T10:00:00Z", "2027-03-27T09:00:00Z", "2027-04-03T08:00:00Z", "2027-04-10T08:00:00Z"]
    assert [e["status"] for e in found] == ["CONFIRMED", "CONFIRMED", "CANCELLED", "CONFIRMED", "CONFIRMED"]
    assert [e["summary"] for e in found] == ["Market", "Market", "Market", "Easter market", "Market"]
    assert found[3]["end"] == "2027-04-03T15:00:00Z" and found[3]["location"] == "Castle" and found[3]["description"] == "Stalls"
    assert found[3]["sequence"] == event["sequence"] + 2 and found[4]["location"] == "High Street"
    assert text.count("RECURRENCE-ID;TZID=Europe/London:") == 3 and text.count("GEO:") == 3


def test_the_one_time_of_a_single_event_is_the_event(server):
    event = add(server, title="Concert", starts_local="2027-02-01T19:00", ends_local="2027-02-01T21:00")
    alter(server, event, "2027-02-01T19:00", starts_local="2027-02-02T20:00", ends_local="2027-02-02T22:00", title="Late concert")
    text = calendar_of(server, event)
    [found] = agreed(text, *HORIZON)
    assert (found["start"], found["end"], found["summary"]) == ("2027-02-02T20:00:00Z", "2027-02-02T22:00:00Z", "Late concert")
    assert text.count("BEGIN:VEVENT") == 1 and "RECURRENCE-ID" not in text


def test_whole_days(server):
    event = add(server, all_day=True, rrule="FREQ=WEEKLY;UNTIL=20270601T000000", starts_local="2027-05-01T00:00", ends_local="2027-05-03T00:00",
                exdate=["2027-05-15T00:00"], rdate=["2027-06-10T00:00"])
    alter(server, event, "2027-05-22T00:00", ends_local="2027-05-24T00:00", status="cancelled")
    text = calendar_of(server, event)
    found = agreed(text, *HORIZON, rdates=["2027-06-10"])
    assert [(e["start"], e["end"]) for e in found] == [("2027-05-01", "2027-05-03"), ("2027-05-08", "2027-05-10"), ("2027-05-22", "2027-05-24"),
                                                       ("2027-05-29", "2027-05-31"), ("2027-06-10", "2027-06-12")]
    assert found[2]["status"] == "CANCELLED"
    assert "DTSTART;VALUE=DATE:20270501" in text and "UNTIL=20270601\r\n" in text and "RECURRENCE-ID;VALUE=DATE:20270522" in text


def test_text_comes_through(server):
    title = "Fish, chips; \\ \"quotes\" & 'ticks' – Žluťoučký kůň 🎪"
    description = "Line one\nLine two, with a comma; and a \\ backslash\n\n" + "Ein sehr langer Absatz mit Umlauten äöüß und 🎪. " * 150
    event = add(server, title=title, summary="In short", description=description, categories=["food-drink", "markets"],
                venue={"name": "St. Mary's; hall", "address": "Quarry Street, Guildford", "postcode": "GU1 3AA"})
    text = calendar_of(server, event)
    [found] = agreed(text, *HORIZON)
    assert found["summary"] == title and found["description"] == "In short\n\n" + event["description"]
    assert found["location"] == "St. Mary's; hall, Quarry Street, Guildford, GU1 3AA"
    assert found["categories"] == ["Food and drink", "Markets and fairs"]
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize("status, shown", [("published", "CONFIRMED"), ("postponed", "TENTATIVE"), ("cancelled", "CANCELLED")])
def test_status(server, status, shown):
    event = add(server, status=status)
    assert [e["status"] for e in agreed(calendar_of(server, event), *HORIZON)] == [shown]


def test_a_rescheduled_event_names_the_other(server):
    after = add(server, title="New date")
    text = calendar_of(server, add(server, status="rescheduled", rescheduled_to=after["id"]))
    assert "STATUS:CANCELLED" in text and f"RELATED-TO;RELTYPE=SIBLING:{after['uid']}" in text.replace("\r\n ", "")


def test_versions(server):
    event = add(server)
    before = calendar_of(server, event)
    assert f"UID:{event['uid']}" in before
    tag = server.http.get(f"/v1/events/{event['id']}/calendar.ics").headers["etag"]
    path = f"/v1/events/{event['id']}/calendar.ics"
    assert server.http.get(path, headers={"If-None-Match": tag}).status_code == 304
    changed = server.call("PATCH", f"/v1/events/{event['id']}", {"title": "Another"}).json()["data"]
    after = server.http.get(path, headers={"If-None-Match": tag})
    assert after.status_code == 200 and f"UID:{event['uid']}" in after.text and "SUMMARY:Another" in after.text
    updated = changed["updated_at"][:19].replace("-", "").replace(":", "") + "Z"
    assert f"LAST-MODIFIED:{updated}\r\n" in after.text and f"DTSTAMP:{updated}\r\n" in after.text


def test_who_sees_what(server, ann):
    draft = ann.call("POST", "/v1/events", {**FAIR, "status": "draft"}, 201).json()["data"]
    hidden = ann.call("POST", "/v1/events", {**FAIR, "visibility": "private"}, 201).json()["data"]
    unlisted = ann.call("POST", "/v1/events", {**FAIR, "visibility": "unlisted"}, 201).json()["data"]
    gone = ann.call("POST", "/v1/events", FAIR, 201).json()["data"]
    ann.call("DELETE", f"/v1/events/{gone['id']}")
    everybody = server.http.get("/v1/events/calendar.ics").text + server.http.get("/v1/events/feed.atom").text
    for event in (draft, hidden, unlisted, gone):
        assert event["uid"] not in everybody and event["id"] not in everybody
        expected = 200 if event is unlisted else 404
        assert server.http.get(f"/v1/events/{event['id']}/calendar.ics").status_code == expected
    ann.call("GET", f"/v1/events/{draft['id']}/calendar.ics", status=200)
    assert server.http.get("/v1/events/nothing/calendar.ics").status_code == 404


def test_a_business_has_a_calendar(server):
    hall = server.create(name="The Hall")
    here = add(server, title="In the hall", venue={"business_id": hall["id"]})
    by_them = add(server, title="By the hall", organiser={"business_id": hall["id"]})
    text = server.http.get(f"/v1/events/calendar.ics?venue={hall['id']}").text
    assert here["uid"] in text and by_them["uid"] not in text and "X-WR-CALNAME:What's on: The Hall" in text
    text = server.http.get(f"/v1/events/calendar.ics?organiser={hall['id']}").text
    assert by_them["uid"] in text and here["uid"] not in text and "CONTACT:The Hall" in text
    assert server.http.get("/v1/events/calendar.ics?organiser=x").status_code == 400


def test_news(server):
    soon = add(server, title="Tea & cake <b>", summary="With jam", starts_local="2026-11-28T15:00", ends_local="2029-11-28T17:00", categories=["markets"])
    add(server, title="Off", status="cancelled", starts_local="2026-11-29T15:00", ends_local="2029-11-29T17:00")
    reply = server.http.get("/v1/events/feed.atom", headers={"Accept": "application/atom+xml"})
    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(reply.content)
    assert feed.tag == ATOM + "feed" and all(feed.find(ATOM + name) is not None for name in ("id", "title", "updated", "author"))
    entries = {e.find(ATOM + "title").text: e for e in feed.findall(ATOM + "entry")}
    entry = entries["Tea & cake <b>"]
    assert entry.find(ATOM + "id").text == f"urn:uuid:{soon['id']}"
    assert entry.find(ATOM + "summary").text == "Saturday 28 November 2026, 15:00\nWith jam"
    assert entry.find(ATOM + "category").get("term") == "markets" and "Cancelled: Off" in entries
    assert server.http.get("/v1/events/feed.atom", headers={"If-None-Match": reply.headers["etag"]}).status_code == 304


def test_five_hundred_events(server):
    server.database("""
        with made as (insert into event.event (title, status, starts_local, ends_local, starts_at, ends_at, uid, rrule, venue_name, description)
            select 'Number ' || n, 'published', d, d + interval '2 hours', d, d + interval '2 hours', 'many-' || n || '@test',
                case when n % 10 = 0 then 'FREQ=WEEKLY;COUNT=3' end, 'Hall ' || n, repeat('What happens there. ', 10)
            from generate_series(1, 500) n, lateral (select timestamp '2027-07-01 18:00' + n * interval '1 hour' as d) x returning *)
        insert into event.occurrence (event_id, recurrence_local, starts_local, ends_local, starts_at, ends_at)
            select id, starts_local, starts_local, ends_local, starts_at, ends_at from made""")
    reply = server.http.get("/v1/events/calendar.ics")
    found = [e for e in agreed(reply.text, "2027-07-01T00:00:00Z", "2027-09-01T00:00:00Z") if e["uid"].startswith("many-")]
    assert len(found) == 450 + 50 * 3
    assert reply.text.count("BEGIN:VTIMEZONE\r\nTZID:Europe/London\r\n") == 1
    tag = reply.headers["etag"]
    assert server.http.get("/v1/events/calendar.ics", headers={"If-None-Match": tag}).status_code == 304
    assert server.http.get("/v1/events/calendar.ics").text == reply.text
