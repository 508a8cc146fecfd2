# SPDX-License-Identifier: Apache-2.0
"""Recurring events: occurrences are those that an independent reader of the rule gives, by the wall clock of the event's zone;
they keep their rows when the event changes."""

import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from conftest import wait_for
from people import Person

NOW = datetime.now(timezone.utc)
YEAR = NOW.year
HORIZON = NOW + timedelta(days=540)  # what is well inside of 18 months
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@pytest.fixture(scope="module")
def ann(server):
    return Person(server)


def add(person, status=201, **fields):
    body = {"title": "Again", "status": "published", **fields}
    return person.call("POST", "/v1/events", body, status).json().get("data")


def times(server, event, columns="starts_local", where="deleted_at is null"):
    rows = server.database(f"select {columns} from event.occurrence where event_id = '{event['id']}' and {where} order by recurrence_local")
    return [row[0] if len(row) == 1 else row for row in rows]


def first_of(rule, start):
    return next(iter(rrulestr(rule, dtstart=start)), None)


def random_rule(rnd):
    freq = rnd.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={freq}"]
    if rnd.random() < 0.4:
        parts.append(f"INTERVAL={rnd.randint(2, 5)}")
    if freq == "WEEKLY" and rnd.random() < 0.7:
        parts.append("BYDAY=" + ",".join(sorted(rnd.sample(DAYS, rnd.randint(1, 3)), key=DAYS.index)))
    if freq == "MONTHLY":
        parts.append(rnd.choice([f"BYMONTHDAY={rnd.choice([1, 15, 28, 29, 30, 31, -1, -2])}", f"BYDAY={rnd.choice([1, 2, 3, 4, 5, -1, -2])}{rnd.choice(DAYS)}",
                                 f"BYDAY=MO,TU,WE,TH,FR;BYSETPOS={rnd.choice([1, 2, -1])}", "BYDAY=SA,SU"]))
    if freq == "YEARLY" and rnd.random() < 0.8:
        month = rnd.randint(1, 12)
        parts.append(rnd.choice([f"BYMONTH={month};BYDAY={rnd.choice([1, 2, -1])}{rnd.choice(DAYS)}", f"BYMONTH={month};BYMONTHDAY={rnd.choice([1, 29, -1])}",
                                 f"BYMONTH={month},{month % 12 + 1};BYDAY={rnd.choice(DAYS)}", "BYYEARDAY=1,100,-1"]))
    if freq == "DAILY" and rnd.random() < 0.4:
        parts.append(f"BYMONTH={rnd.randint(1, 12)},{rnd.randint(1, 12)}")
    if rnd.random() < 0.3:
        parts.append(f"COUNT={rnd.randint(1, 30)}")
    elif rnd.random() < 0.3:
        parts.append(f"UNTIL={YEAR + 1}{rnd.randint(1, 12):02}{rnd.randint(1, 28):02}T235959")
    return ";".join(parts)


@pytest.mark.parametrize("seed", range(150))
def test_as_an_independent_reader_expands_it(server, ann, seed):
    rnd = random.Random(seed)
    rule = random_rule(rnd)
    zone = ZoneInfo(rnd.choice(["Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]))
    begin = datetime(YEAR - rnd.randint(0, 2), rnd.randint(1, 12), rnd.randint(1, 28), rnd.randint(0, 23), rnd.choice([0, 15, 30]))
    start = first_of(rule, begin)
    start = start or begin  # a rule that never happens, which is refused
    low, high = (NOW - timedelta(days=39)).astimezone(zone).replace(tzinfo=None), HORIZON.astimezone(zone).replace(tzinfo=None)
    wanted = [t.isoformat() for t in rrulestr(rule, dtstart=start).between(low, high, inc=True)]
    body = {"title": "Again", "status": "published", "rrule": rule, "time_zone": zone.key, "starts_local": start.isoformat(),
            "ends_local": (start + timedelta(hours=2)).isoformat()}
    reply = ann.server.http.post("/v1/events", json=body, headers=ann.headers)
    if not wanted:
        assert reply.status_code in (201, 400)
        return
    assert reply.status_code == 201, reply.text
    got = times(server, reply.json()["data"], where=f"starts_local between '{low}' and '{high}'")
    assert [t.replace(" ", "T") for t in got] == wanted, rule


def test_the_wall_clock_is_kept_over_its_changes(server, ann):
    event = add(ann, starts_local="2027-03-20T09:00", ends_local="2027-03-20T13:00", rrule="FREQ=WEEKLY;BYDAY=SA;COUNT=3")
    assert times(server, event, "starts_at at time zone 'UTC'") == ["2027-03-20 09:00:00", "2027-03-27 09:00:00", "2027-04-03 08:00:00"]
    assert event["ends_at"] == "2027-04-03T12:00:00Z"


# A time that does not exist is meant by the offset before (RFC 5545 section 3.3.5), one that exists twice is the first.
ODD = [("Europe/London", "2027-03-28T01:30", "2027-03-28T01:30:00Z"), ("Europe/London", "2027-10-31T01:30", "2027-10-31T00:30:00Z"),
       ("America/New_York", "2027-03-14T02:30", "2027-03-14T07:30:00Z"), ("America/New_York", "2027-11-07T01:30", "2027-11-07T05:30:00Z"),
       ("Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45:00Z"), ("Australia/Lord_Howe", "2027-10-03T02:15", "2027-10-02T15:45:00Z"),
       ("Europe/London", "2027-07-01T12:00", "2027-07-01T11:00:00Z"), ("Asia/Kathmandu", "2027-07-01T12:00", "2027-07-01T06:15:00Z")]


@pytest.mark.parametrize("zone, local, instant", ODD)
def test_times_that_are_not_or_are_twice(server, ann, zone, local, instant):
    assert add(ann, starts_local=local, ends_local=local, time_zone=zone)["starts_at"] == instant


def test_whole_days(server, ann):
    fair = add(ann, starts_local="2027-07-02T00:00", ends_local="2027-07-05T00:00", all_day=True, rrule="FREQ=YEARLY")
    assert times(server, fair, "starts_local, ends_local")[0] == ["2027-07-02 00:00:00", "2027-07-05 00:00:00"]


RULES = [("FREQ=HOURLY", "DAILY, WEEKLY"), ("FREQ=WEEKLY;BYDAY=XX", "RFC 5545"), ("", "empty"), ("WEEKLY", "parts"), ("FREQ=WEEKLY;COUNT=0", "COUNT"),
         ("FREQ=WEEKLY;COUNT=3;UNTIL=20270701", "both"), ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never"), ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never"),
         ("FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8,9", "more than 1000"), ("FREQ=YEARLY;RSCALE=CHINESE", "RSCALE"), ("FREQ=WEEKLY;UNTIL=someday", "UNTIL"),
         ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2", "BYSETPOS"), ("FREQ=WEEKLY;UNTIL=20200101", "never")]


@pytest.mark.parametrize("rule, why", RULES)
def test_rules_that_are_refused(server, ann, rule, why):
    body = {"title": "x", "starts_local": "2027-05-01T01:00", "ends_local": "2027-05-01T02:00", "rrule": rule}
    reply = ann.server.http.post("/v1/events", json=body, headers=ann.headers)
    assert reply.status_code == 400 and [d["field"] for d in reply.json()["error"]["details"]] == ["rrule"], reply.text
    assert why in reply.json()["error"]["details"][0]["message"]


def test_the_start_must_be_of_the_rule(server, ann):
    body = {"title": "x", "starts_local": "2027-05-03T01:00", "ends_local": "2027-05-03T02:00", "rrule": "FREQ=WEEKLY;BYDAY=SA"}
    reply = ann.server.http.post("/v1/events", json=body, headers=ann.headers)
    assert "2027-05-08T01:00:00" in reply.json()["error"]["details"][0]["message"]


MARKET = {"starts_local": "2027-05-01T09:00", "ends_local": "2027-05-01T13:00", "rrule": "FREQ=WEEKLY;BYDAY=SA;COUNT=6"}


def test_further_dates_and_exceptions(server, ann):
    event = add(ann, **MARKET, rdate=["2027-05-05T09:00"], exdate=["2027-05-08T09:00"])
    assert [t[5:10] for t in times(server, event)] == ["05-01", "05-05", "05-15", "05-22", "05-29", "06-05"]


def test_occurrences_keep_their_rows(server, ann):
    """Whatever changes: title, hour, day. What the rule no longer gives goes, or is cancelled when somebody has replied."""
    event = add(ann, **MARKET)
    path = f"/v1/events/{event['id']}"
    ids = times(server, event, "id")
    server.database(f"update event.occurrence set going = 3 where id = '{ids[4]}'")
    event = ann.call("PATCH", path, {"title": "Market"}, 200).json()["data"]
    assert times(server, event, "id") == ids and event["sequence"] == 0
    event = ann.call("PATCH", path, {"starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T14:00"}, 200).json()["data"]
    assert times(server, event, "id") == ids and event["sequence"] == 1
    assert times(server, event, "starts_at at time zone 'UTC'")[0] == "2027-05-01 09:00:00"
    event = ann.call("PATCH", path, {"starts_local": "2027-05-02T10:00", "ends_local": "2027-05-02T14:00", "rrule": "FREQ=WEEKLY;BYDAY=SU;COUNT=3"}, 200).json()["data"]
    assert [row for row in times(server, event, "recurrence_local, status", "deleted_at is null")] == [
        ["2027-05-02 10:00:00", "scheduled"], ["2027-05-09 10:00:00", "scheduled"], ["2027-05-16 10:00:00", "scheduled"], ["2027-05-29 10:00:00", "cancelled"]]
    ann.call("PATCH", path, {"starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T14:00", "rrule": MARKET["rrule"]}, 200)
    assert times(server, event, "id") == ids
    assert set(times(server, event, "status")) == {"scheduled"}


def test_they_go_and_come_back_with_the_event(server, ann):
    event = add(ann, **MARKET)
    ids = times(server, event, "id")
    ann.call("DELETE", f"/v1/events/{event['id']}", status=200)
    assert times(server, event, "id") == []
    ann.call("POST", f"/v1/events/{event['id']}/restore", status=200)
    assert times(server, event, "id") == ids


def test_a_series_is_carried_on(server, ann):
    event = add(ann, starts_local="2027-05-01T09:00", ends_local="2027-05-01T13:00", rrule="FREQ=WEEKLY;BYDAY=SA")
    before = times(server, event, "id")
    server.database(f"delete from event.occurrence where event_id = '{event['id']}' and starts_at > '2027-06-01';"
                    f"update event.event set materialised_until = '2027-06-01' where id = '{event['id']}';"
                    "update platform.job set next_at = '-infinity' where name = 'event_extend'")
    wait_for(lambda: len(times(server, event, "id")) == len(before))
    assert len(set(before) & set(times(server, event, "id"))) == 5
    assert server.http.get(f"/v1/events/{event['id']}").json()["data"]["updated_at"] == event["updated_at"]


def edit(person, event, id, scope, body, status=200, **headers):
    reply = person.server.http.patch(f"/v1/events/{event['id']}/occurrences/{id}?scope={scope}", json=body, headers={**person.headers, **headers})
    assert reply.status_code == status, reply.text
    return reply.json().get("data")


def test_this_one_alone(server, ann):
    event = add(ann, **MARKET)
    ids = times(server, event, "id")
    got = edit(ann, event, ids[1], "this", {"status": "cancelled", "title": "Off"})
    assert got["status"] == "cancelled" and got["title"] == "Off" and got["changed"] is True and got["starts_local"] == "2027-05-08T09:00:00"
    got = edit(ann, event, ids[2], "this", {"starts_local": "2027-05-14T18:00"})
    assert (got["starts_local"], got["ends_local"], got["recurrence_local"]) == ("2027-05-14T18:00:00", "2027-05-14T22:00:00", "2027-05-15T09:00:00")
    assert got["starts_at"] == "2027-05-14T17:00:00Z"
    assert edit(ann, event, ids[1], "this", {"status": None})["status"] == "scheduled"
    # the series moves: what was moved by itself stays where it is, the others follow
    ann.call("PATCH", f"/v1/events/{event['id']}", {"starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T14:00"}, 200)
    assert times(server, event, "id") == ids
    assert [t[5:16] for t in times(server, event)] == ["05-01 10:00", "05-08 10:00", "05-14 18:00", "05-22 10:00", "05-29 10:00", "06-05 10:00"]


def test_all_of_them(server, ann):
    event = add(ann, **MARKET, exdate=["2027-05-22T09:00"])
    ids = times(server, event, "id")
    got = edit(ann, event, ids[2], "all", {"starts_local": "2027-05-15T08:30", "title": "Early market"})
    assert got["id"] == event["id"] and got["starts_local"] == "2027-05-01T08:30:00" and got["ends_local"] == "2027-05-01T12:30:00"
    assert got["exdate"] == ["2027-05-22T08:30:00"] and got["title"] == "Early market"
    assert times(server, event, "id") == ids


def test_this_and_following(server, ann):
    """The later part is an event of its own, with the same people, the same occurrences and what was replied to them."""
    helper, stranger = Person(server), Person(server)
    event = add(ann, **MARKET, rdate=["2027-05-05T09:00", "2027-06-01T09:00"], exdate=["2027-05-08T09:00", "2027-05-29T09:00"])
    ann.call("POST", "/v1/relations", {"resource": "event", "resource_id": event["id"], "relation": "organiser", "email": helper.address}, 201)
    rows = times(server, event, "id, recurrence_local")
    by_day = {start[5:10]: id for id, start in rows}
    server.database(f"update event.occurrence set going = 7 where id = '{by_day['05-22']}'")
    later = edit(ann, event, by_day["05-15"], "following", {"title": "Evening market", "starts_local": "2027-05-15T17:00"})
    assert later["id"] != event["id"] and later["split_from"] == event["id"] and later["uid"] != event["uid"]
    assert later["starts_local"] == "2027-05-15T17:00:00" and later["rrule"] == "FREQ=WEEKLY;BYDAY=SA;COUNT=4"
    assert later["rdate"] == ["2027-06-01T17:00:00"] and later["exdate"] == ["2027-05-29T17:00:00"]
    assert times(server, later, "id, going") == [[by_day["05-15"], "0"], [by_day["05-22"], "7"], [by_day["06-01"], "0"], [by_day["06-05"], "0"]]
    assert [t[5:16] for t in times(server, later)] == ["05-15 17:00", "05-22 17:00", "06-01 17:00", "06-05 17:00"]
    earlier = ann.get(f"/v1/events/{event['id']}")
    assert earlier["rrule"] == "FREQ=WEEKLY;BYDAY=SA;UNTIL=20270508T225959Z" and earlier["title"] == "Again" and earlier["ends_at"] == "2027-05-05T12:00:00Z"
    assert times(server, earlier, "id") == [by_day["05-01"], by_day["05-05"]]
    helper.call("PATCH", f"/v1/events/{later['id']}", {"summary": "By the helper"}, 200)
    edit(stranger, event, by_day["05-01"], "this", {"title": "Mine"}, 403)
    # an edit of the earlier part does not bring back what is the later one's
    ann.call("PATCH", f"/v1/events/{event['id']}", {"starts_local": "2027-05-01T08:00", "ends_local": "2027-05-01T12:00",
                                                   "rdate": [], "exdate": ["2027-05-08T08:00"]}, 200)
    assert [t[5:16] for t in times(server, event)] == ["05-01 08:00"]


def test_whole_days_stay_whole(server, ann):
    event = add(ann, starts_local="2027-05-01T00:00", ends_local="2027-05-02T00:00", all_day=True, rrule="FREQ=WEEKLY;BYDAY=SA;COUNT=3")
    ids = times(server, event, "id")
    edit(ann, event, ids[1], "this", {"starts_local": "2027-05-08T10:00", "ends_local": "2027-05-09T00:00"}, 400)
    got = edit(ann, event, ids[1], "this", {"starts_local": "2027-05-09T00:00"})
    assert (got["starts_local"], got["ends_local"]) == ("2027-05-09T00:00:00", "2027-05-10T00:00:00")


def test_what_does_not_change_is_not_written(server, ann):
    """A new title touches no occurrence; a part that begins a series of its own is carried on like any."""
    event = add(ann, starts_local="2027-05-01T09:00", ends_local="2027-05-01T13:00", rrule="FREQ=WEEKLY;BYDAY=SA")
    before = times(server, event, "id, xmin")
    ann.call("PATCH", f"/v1/events/{event['id']}", {"title": "Market"}, 200)
    assert times(server, event, "id, xmin") == before
    later = edit(ann, event, before[2][0], "following", {"title": "Later market"})
    assert server.database(f"select materialised_until is not null from event.event where id = '{later['id']}'") == [["t"]]


def test_following_of_the_first_is_all(server, ann):
    event = add(ann, **MARKET)
    got = edit(ann, event, times(server, event, "id")[0], "following", {"title": "All of them"})
    assert got["id"] == event["id"] and len(times(server, event, "id")) == 6


def test_edits_that_are_refused(server, ann):
    event = add(ann, **MARKET, rdate=["2027-05-05T09:00"])
    ids = times(server, event, "id")
    edit(ann, event, ids[0], "some", {}, 400)
    edit(ann, event, ids[0], "this", {"rrule": "FREQ=DAILY"}, 400)
    edit(ann, event, ids[0], "this", {"ends_local": "2027-05-01T08:00"}, 400)
    edit(ann, event, ids[0], "this", {"location": {"lat": 1}}, 400)
    edit(ann, event, ids[0], "this", {"nonsense": 1}, 400)
    edit(ann, event, ids[1], "following", {"title": "x"}, 409)
    edit(ann, event, ids[0], "all", {"starts_local": "2027-05-02T09:00"}, 400)  # a Sunday, and the rule says Saturdays
    edit(ann, event, ids[0], "this", {"title": "x"}, 412, **{"If-Match": '"0-0"'})
    edit(ann, event, "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a77", "this", {"title": "x"}, 404)
    assert ann.get(f"/v1/events/{event['id']}")["title"] == "Again"
