# SPDX-License-Identifier: Apache-2.0
"""guildford import ics: new, updated, cancelled, vanished and back again, single times, people's edits, bad entries, two at
once; from files, from a server, and by the job that follows calendars."""

import datetime
import http.server
import re
import subprocess
import threading
import time

import pytest

from conftest import BINARY, ROOT, SECRET_KEY, Server, clean_environment, new_folder, run, wait_for
from people import Person

LAST = re.compile(r"(\d+) read: (\d+) created, (\d+) updated, (\d+) unchanged, (\d+) gone, (\d+) rejected\n\Z")
TODAY = datetime.date.today()
SOON = (TODAY + datetime.timedelta(days=30)).strftime("%Y%m%d")
LATER = (TODAY + datetime.timedelta(days=60)).strftime("%Y%m%d")
PAST = (TODAY - datetime.timedelta(days=20)).strftime("%Y%m%d")


def day(n):
    """n weeks from SOON."""
    return (TODAY + datetime.timedelta(days=30 + 7 * n)).strftime("%Y%m%d")


def iso(text):
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def entry(uid, *more, start=f"DTSTART;TZID=Europe/London:{SOON}T100000", end=f"DTEND;TZID=Europe/London:{SOON}T120000", summary="Tea"):
    lines = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T000000Z", start, end, summary and f"SUMMARY:{summary}", *more, "END:VEVENT"]
    return "".join(line + "\r\n" for line in lines if line)


def weekly(uid, *more, summary="Weekly", count=10):
    return entry(uid, f"RRULE:FREQ=WEEKLY;COUNT={count}", *more, summary=summary)


def single(uid, n, *more, hour=10, **given):
    """The time of a weekly series in week n, otherwise."""
    given.setdefault("summary", "Weekly")
    return entry(uid, f"RECURRENCE-ID;TZID=Europe/London:{day(n)}T100000", *more, start=f"DTSTART;TZID=Europe/London:{day(n)}T{hour}0000",
                 end=f"DTEND;TZID=Europe/London:{day(n)}T{hour + 2}0000", **given)


def calendar(*entries, head=""):
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n{head}" + "".join(entries) + "END:VCALENDAR\r\n"


class Town:
    """A server, a file, and what an import of it says."""

    def __init__(self, server, tmp_path, source):
        self.server, self.path, self.source = server, tmp_path / "a.ics", source
        self.report_path = tmp_path / "report.txt"

    def load(self, *entries, args=(), expect=0, text=None, head=""):
        text = calendar(*entries, head=head) if text is None else text
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run("import", "ics", self.path, "--source", self.source, "--report", self.report_path, *args, data=self.server.data)
        assert done.returncode == expect, done.stdout + done.stderr
        self.printed = done.stdout + done.stderr
        self.report = self.report_path.read_text()
        found = LAST.search(done.stdout)
        assert found or expect, done.stdout
        return tuple(int(n) for n in found.groups()) if found else None

    def ids(self):
        rows = self.server.database(f"select source_id, id from event.event where source = '{self.source}' and deleted_at is null")
        return dict(rows)

    def event(self, uid):
        return self.server.http.get(f"/v1/events/{self.ids()[uid]}", headers=self.server.admin).json()["data"]

    def times(self, uid):
        path = f"/v1/events/{self.ids()[uid]}/occurrences"
        return self.server.http.get(path, params={"limit": 100}, headers=self.server.admin).json()["data"]

    def time(self, uid, n):
        return next(t for t in self.times(uid) if t["recurrence_local"] == f"{iso(day(n))}T10:00:00")


@pytest.fixture
def town(server, tmp_path, request):
    return Town(server, tmp_path, "test:" + request.node.name[:100])


def uid_of(town, name="a"):
    """UIDs are for the whole world: each test has its own."""
    return f"{name}@{town.source}"


def test_an_event_comes_in_with_all_it_has(town):
    uid = uid_of(town)
    text = entry(uid, "DESCRIPTION:Cakes\\, too\\nand tea", "LOCATION:Guildhall\\, High Street\\, Guildford GU1 3AA", "GEO:51.2362;-0.5722",
                 "CATEGORIES:Music,markets,Nonsense", "URL:https://tea.example/", "SEQUENCE:3", "X-ODD:yes", summary="Tea\\; cake")
    assert town.load(text) == (1, 1, 0, 0, 0, 0)
    event = town.event(uid)
    assert event["title"] == "Tea; cake" and event["description"] == "Cakes, too\nand tea\n\nhttps://tea.example/"
    assert event["venue"]["name"] == "Guildhall" and event["venue"]["address"] == "High Street, Guildford"
    assert event["venue"]["postcode"] == "GU1 3AA" and event["location"] == {"lat": 51.2362, "lng": -0.5722}
    assert event["categories"] == ["music", "markets"] and event["status"] == "published" and event["visibility"] == "public"
    assert event["uid"] == uid and event["source"] == town.source and event["source_id"] == uid and event["sequence"] == 3
    assert event["starts_local"] == f"{iso(SOON)}T10:00:00" and event["ends_local"] == f"{iso(SOON)}T12:00:00"
    assert event["organiser"] is None or event["organiser"]["person_id"] is None
    assert f"id {uid}: note: there is no category Nonsense: left out" in town.report
    # everybody finds it
    assert event["id"] in [e["id"] for e in town.server.get("/v1/events", **{"from": iso(SOON), "to": iso(SOON), "limit": 100})["data"]]
    [row] = town.server.database(f"select detail ->> 'source', detail ->> 'created' from platform.audit_event where action = 'event:import' "
                                 f"and detail ->> 'source' = '{town.source}'")
    assert row == [town.source, "1"]


def test_the_same_again_changes_nothing_and_a_later_one_what_changed(town):
    a, b = uid_of(town), uid_of(town, "b")
    first = [weekly(a), single(a, 2, hour=15), entry(b)]
    assert town.load(*first) == (2, 2, 0, 0, 0, 0)
    before = town.event(a), town.times(a), town.event(b)
    assert town.load(*first) == (2, 0, 0, 2, 0, 0)
    # nor when only the time of fetching is other, or the lines end otherwise
    again = calendar(*first).replace("DTSTAMP:20261101", "DTSTAMP:20261102").replace("\r\n", "\n")
    assert town.load(text="\ufeff" + again) == (2, 0, 0, 2, 0, 0)
    # nor when the digest is not known
    town.server.database("update event.imported set digest = null")
    assert town.load(*first) == (2, 0, 0, 2, 0, 0)
    assert (town.event(a), town.times(a), town.event(b)) == before
    assert town.load(weekly(a), single(a, 2, hour=15), entry(b, "SEQUENCE:1", summary="Coffee")) == (2, 0, 1, 1, 0, 0)
    assert town.event(b)["title"] == "Coffee" and town.event(b)["updated_at"] > before[2]["updated_at"]
    assert town.event(a) == before[0]


def test_a_lower_sequence_is_older(town):
    uid = uid_of(town)
    town.load(entry(uid, "SEQUENCE:2", summary="New"))
    assert town.load(entry(uid, "SEQUENCE:1", summary="Old")) == (1, 0, 0, 1, 0, 0)
    assert town.event(uid)["title"] == "New" and "older than what is here" in town.report
    town.load(entry(uid, "SEQUENCE:2", "LAST-MODIFIED:20261110T000000Z", summary="Newer"))
    assert town.load(entry(uid, "SEQUENCE:2", "LAST-MODIFIED:20261109T000000Z", summary="Old")) == (1, 0, 0, 1, 0, 0)
    assert town.event(uid)["title"] == "Newer"


def test_a_moved_series_keeps_its_ids(town):
    uid = uid_of(town)
    town.load(weekly(uid))
    ids = [t["id"] for t in town.times(uid)]
    assert len(ids) == 10
    moved = weekly(uid).replace("T100000", "T140000").replace("T120000", "T160000")
    assert town.load(moved) == (1, 0, 1, 0, 0, 0)
    assert [t["id"] for t in town.times(uid)] == ids
    assert {t["starts_local"][11:] for t in town.times(uid)} == {"14:00:00"}
    assert town.event(uid)["sequence"] == 1


def test_cancelled_and_published_again(town):
    uid = uid_of(town)
    town.load(entry(uid))
    assert town.load(entry(uid, "STATUS:CANCELLED", "SEQUENCE:1")) == (1, 0, 1, 0, 0, 0)
    assert town.event(uid)["status"] == "cancelled"
    assert town.load(entry(uid, "STATUS:CONFIRMED", "SEQUENCE:2")) == (1, 0, 1, 0, 0, 0)
    assert town.event(uid)["status"] == "published"
    assert town.load(entry(uid, "SEQUENCE:3"), head="METHOD:CANCEL\r\n") == (1, 0, 1, 0, 0, 0)
    assert town.event(uid)["status"] == "cancelled"


def test_what_vanishes_is_cancelled_while_it_is_ahead_and_comes_back(town):
    stays, goes, over, series = (uid_of(town, name) for name in ("stays", "goes", "over", "series"))
    last = entry(over, start=f"DTSTART:{PAST}T100000", end=f"DTEND:{PAST}T110000")
    # began long ago, and goes on: the last time counts
    old = entry(series, "RRULE:FREQ=WEEKLY", start=f"DTSTART:{PAST}T100000", end=f"DTEND:{PAST}T110000")
    assert town.load(entry(stays), entry(goes), last, old) == (4, 4, 0, 0, 0, 0)
    assert town.load(entry(stays), args=["--dry-run"]) == (1, 0, 0, 1, 2, 0)
    assert town.event(goes)["status"] == "published"
    assert town.load(entry(stays)) == (1, 0, 0, 1, 2, 0)
    assert [town.event(u)["status"] for u in (stays, goes, over, series)] == ["published", "cancelled", "published", "cancelled"]
    assert town.event(goes)["sequence"] == 1
    assert town.load(entry(stays)) == (1, 0, 0, 1, 0, 0)
    assert town.load(entry(stays), entry(goes), last, old) == (4, 0, 2, 2, 0, 0)
    assert {town.event(u)["status"] for u in (stays, goes, over, series)} == {"published"}


def test_nothing_is_cancelled_for_a_calendar_that_is_no_whole_one(town):
    uid = uid_of(town)
    whole = calendar(entry(uid), entry(uid_of(town, "b")))
    town.load(text=whole)
    assert town.load() == (0, 0, 0, 0, 0, 0) and "nothing was cancelled" in town.printed
    assert town.load(entry("", summary="Nameless")) == (1, 0, 0, 0, 0, 1) and "has no UID" in town.report
    assert town.load(entry(uid), head="METHOD:REQUEST\r\n") == (1, 0, 0, 1, 0, 0)
    assert town.load(entry(uid), args=["--keep"]) == (1, 0, 0, 1, 0, 0)
    for broken, why in [(whole[:whole.index("END:VEVENT") + 13], "the calendar goes on"), ("<html>Sign in</html>", "This is no calendar"),
                        (whole + "<p>", "stands outside of a calendar"), ("", "This is no calendar"), ("BEGIN:VCALENDAR\0", "This is no calendar"),
                        (whole.replace("END:VEVENT", "END:VTODO", 1), "ends a component that is not open")]:
        town.load(text=broken, expect=1)
        assert why in town.printed
    assert {town.event(u)["status"] for u in town.ids()} == {"published"}


def test_single_times(town):
    uid = uid_of(town)
    others = [single(uid, 1, hour=15), single(uid, 2, "STATUS:CANCELLED", summary=None), single(uid, 3, "LOCATION:Castle", summary="Special"),
              single(uid, 4)]
    assert town.load(*others[:2], weekly(uid, "LOCATION:Guildhall"), *others[2:]) == (1, 1, 0, 0, 0, 0)
    assert town.report == ""
    moved, cancelled, special, plain = (town.time(uid, n) for n in (1, 2, 3, 4))
    assert moved["starts_local"] == f"{iso(day(1))}T15:00:00" and moved["title"] is None and moved["changed"]
    assert cancelled["status"] == "cancelled"
    assert special["title"] == "Special" and special["venue"]["name"] == "Castle"
    assert not town.time(uid, 5)["changed"] and plain["changed"] is False
    sequence = town.event(uid)["sequence"]
    # one is taken back, one is moved again
    assert town.load(weekly(uid, "LOCATION:Guildhall"), single(uid, 1, hour=16), *others[2:]) == (1, 0, 1, 0, 0, 0)
    assert town.time(uid, 1)["starts_local"] == f"{iso(day(1))}T16:00:00" and town.time(uid, 1)["id"] == moved["id"]
    assert town.time(uid, 2)["status"] == "scheduled" and not town.time(uid, 2)["changed"]
    assert town.event(uid)["sequence"] > sequence


def test_single_times_that_there_are_not(town):
    uid = uid_of(town)
    off = single(uid, 1).replace(f"RECURRENCE-ID;TZID=Europe/London:{day(1)}T10", f"RECURRENCE-ID;TZID=Europe/London:{day(1)}T11")
    following = single(uid, 2, hour=13).replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;")
    orphan = single(uid_of(town, "orphan"), 1)
    entries = [weekly(uid), off, following, orphan, single(uid, 3, hour=17)]
    assert town.load(*entries) == (2, 1, 0, 0, 0, 1)
    lines = town.report.splitlines()
    assert any(f"id {uid}: note: {iso(day(1))}T11:00 is changed, but the rule does not give this time" in line for line in lines)
    assert any(f"id {uid}: left out: changes all that follow (RANGE=THISANDFUTURE), which is not supported" in line for line in lines)
    assert any("rejected: changes a time of an event that is not in the calendar" in line for line in lines)
    assert town.time(uid, 3)["starts_local"].endswith("T17:00:00")
    # it is said each time, and nothing else is done
    before = town.event(uid)
    assert town.load(*entries) == (2, 0, 0, 1, 0, 1) and town.report.splitlines() == lines and town.event(uid) == before


def test_a_time_said_in_utc_or_by_its_day(town):
    uid, other = uid_of(town), uid_of(town, "b")
    series = "DTSTART;TZID=Europe/London:20270601T100000", "DTEND;TZID=Europe/London:20270601T110000"
    rule = entry(uid, "RRULE:FREQ=DAILY;COUNT=5", "EXDATE;VALUE=DATE:20270603", start=series[0], end=series[1])
    change = entry(uid, "RECURRENCE-ID:20270602T090000Z", start="DTSTART:20270602T120000Z", end="DTEND:20270602T130000Z", summary="Late")
    alone = entry(other, start="DTSTART:20270701T180000Z", end="DTEND:20270701T200000Z")
    assert town.load(rule, change, alone) == (2, 2, 0, 0, 0, 0) and town.report == ""
    starts = {t["recurrence_local"]: t["starts_local"] for t in town.times(uid)}
    assert starts == {f"2027-06-0{n}T10:00:00": f"2027-06-0{n}T1{3 if n == 2 else 0}:00:00" for n in (1, 2, 4, 5)}
    assert town.event(other)["starts_local"] == "2027-07-01T19:00:00" and town.event(other)["time_zone"] == "Europe/London"


# what stands in the calendar, and the event's zone, start, end, whether it is all day
TIMES = [
    ("DTSTART;TZID=GMT Standard Time:20270601T100000", "DURATION:PT90M", "Europe/London", "2027-06-01T10:00:00", "2027-06-01T11:30:00", False),
    ("DTSTART;TZID=\"W. Europe Standard Time\":20270601T100000", "DURATION:P1D", "Europe/Berlin", "2027-06-01T10:00:00", "2027-06-02T10:00:00", False),
    ("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Paris:20270601T100000", None, "Europe/Paris", "2027-06-01T10:00:00", "2027-06-01T10:00:00", False),
    ("DTSTART;TZID=Home:20270601T100000", "DTEND;TZID=Home:20270601T110000", "Europe/London", "2027-06-01T10:00:00", "2027-06-01T11:00:00", False),
    ("DTSTART:20270601T100000", "DTEND:20270601T110000", "Europe/London", "2027-06-01T10:00:00", "2027-06-01T11:00:00", False),
    ("DTSTART:20270601T100000Z", "DTEND:20270601T110000Z", "Europe/London", "2027-06-01T11:00:00", "2027-06-01T12:00:00", False),
    ("DTSTART;TZID=Europe/London:20270601T100000", "DTEND;TZID=America/New_York:20270601T070000", "Europe/London", "2027-06-01T10:00:00", "2027-06-01T12:00:00", False),
    ("DTSTART;VALUE=DATE:20270601", "DTEND;VALUE=DATE:20270603", "Europe/London", "2027-06-01T00:00:00", "2027-06-03T00:00:00", True),
    ("DTSTART;VALUE=DATE:20270601", None, "Europe/London", "2027-06-01T00:00:00", "2027-06-02T00:00:00", True),
    ("DTSTART;VALUE=DATE:20270601", "DTEND;VALUE=DATE:20270601", "Europe/London", "2027-06-01T00:00:00", "2027-06-02T00:00:00", True),
    ("DTSTART;VALUE=DATE:20270601", "DURATION:P2D", "Europe/London", "2027-06-01T00:00:00", "2027-06-03T00:00:00", True),
]


def test_times_as_calendars_write_them(town):
    uids = [uid_of(town, f"t{n}") for n in range(len(TIMES))]
    assert town.load(*(entry(uid, start=row[0], end=row[1]) for uid, row in zip(uids, TIMES)))[1] == len(TIMES)
    for uid, (start, _, zone, starts, ends, all_day) in zip(uids, TIMES):
        event = town.event(uid)
        assert (event["time_zone"], event["starts_local"], event["ends_local"], event["all_day"]) == (zone, starts, ends, all_day), start
    assert [line.split(": ", 2)[2] for line in town.report.splitlines()] == ["the time zone Home is not known: taken for Europe/London"]


def test_the_calendars_own_zone(town):
    uid, named = uid_of(town), uid_of(town, "named")
    zone = "BEGIN:VTIMEZONE\r\nTZID:Custom\r\nX-LIC-LOCATION:Europe/Madrid\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    town.load(entry(uid, start="DTSTART:20270601T100000", end=None), entry(named, start="DTSTART;TZID=Custom:20270601T100000", end=None),
              head="X-WR-TIMEZONE:Europe/Berlin\r\n" + zone)
    assert town.event(uid)["time_zone"] == "Europe/Berlin" and town.event(named)["time_zone"] == "Europe/Madrid" and town.report == ""


# what of an entry makes it one that is not taken, and the reason; the others come in
BAD = [
    ({"summary": None}, [], "has no SUMMARY"), ({"start": None}, [], "has no DTSTART"), ({"start": "DTSTART:tomorrow"}, [], "has no DTSTART"),
    ({"start": "DTSTART;VALUE=DATE:20279999", "end": None}, [], "has a DTSTART that is no time"),
    ({"end": f"DTEND;TZID=Europe/London:{SOON}T090000"}, [], "ends before it begins"),
    ({}, ["RRULE:FREQ=SECONDLY"], "rrule must have a FREQ of"), ({}, ["RRULE:FREQ=DAILY;BYFOO=1"], "rrule has the part BYFOO"),
    ({}, ["RRULE:FREQ=DAILY;BYHOUR=0,6,10,12,18"], "rrule gives more than 1000 times"),
    ({}, ["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "has more than one RRULE"), ({}, ["EXRULE:FREQ=DAILY"], "has an EXRULE"),
]


def test_bad_entries_are_reported_and_the_others_come_in(town):
    entries = [entry(uid_of(town, f"bad{n}"), *more, **given) for n, (given, more, _) in enumerate(BAD)]
    good = [entry(uid_of(town, f"good{n}")) for n in range(3)]
    assert town.load(good[0], *entries[:4], good[1], *entries[4:], good[2]) == (3 + len(BAD), 3, 0, 0, 0, len(BAD))
    for n, (_, _, why) in enumerate(BAD):
        [line] = [line for line in town.report.splitlines() if f"id {uid_of(town, f'bad{n}')}:" in line and "rejected" in line]
        assert why in line, line
        assert int(line.split()[1].strip(",")) > 3
    # as they were: not gone
    assert town.load(*good, *entries)[4] == 0


def test_what_real_calendars_have(town):
    uid, long, private, dup = (uid_of(town, name) for name in ("real", "long", "private", "dup"))
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Wake up\r\nSUMMARY:Not this\r\nEND:VALARM"
    todo = "BEGIN:VTODO\r\nUID:todo\r\nSUMMARY:Wash up\r\nEND:VTODO\r\n"
    text = calendar(entry(uid, alarm, "X-ALT-DESC;FMTTYPE=text/html:<b>x</b>", "this is no property", "ATTENDEE;CN=\"A: B\":mailto:a@b.example"),
                    todo, entry(long, "CATEGORIES:a\\nFORGED", "DESCRIPTION:" + "d" * 70000, "LOCATION:" + "p" * 1200, "GEO:north", summary="s" * 200),
                    entry(private, "CLASS:PRIVATE"), entry(dup, summary="One"), entry(dup, "SEQUENCE:1", summary="Two"),
                    entry(uid_of(town, "old"), start="DTSTART:20150101T100000Z", end=None))
    text = text.replace("END:VEVENT\r\n", "END:VEVENT  \r\n   \r\n\r\n").replace("SUMMARY:Tea\r\n", "SUMM\r\n ARY:T\r\n ea\r\n")
    assert town.load(text=b"\xef\xbb\xbf" + text.encode()) == (4, 3, 0, 1, 0, 0)
    assert "1 private entries skipped" in town.printed and "1 to-dos, journals and the like skipped" in town.printed
    assert "1 entries were over already: not taken" in town.printed
    event = town.event(uid)
    assert event["title"] == "Tea" and event["description"] is None
    assert len(town.event(long)["title"]) == 160 and town.event(long)["description"] is None and len(town.event(long)["venue"]["name"]) == 160
    assert town.event(dup)["title"] == "Two" and private not in town.ids()
    assert not any(line.startswith("FORGED") for line in town.report.splitlines())
    for why in ("is no property", "SUMMARY was cut to 160 characters", "LOCATION was cut to 160 characters", "DESCRIPTION was left out, for it is longer",
                "a property was left out, for it cannot be read: GEO property", "stands in the calendar more than once"):
        assert why in town.report, town.report


def test_an_event_of_another_calendar_or_our_own_is_not_taken_twice(town, tmp_path):
    uid = uid_of(town)
    town.load(entry(uid))
    other = Town(town.server, tmp_path, town.source + "-other")
    own = town.server.call("POST", "/v1/events", {"title": "Own", "starts_local": "2027-05-01T10:00", "ends_local": "2027-05-01T11:00", "status": "published"}, 201).json()["data"]
    assert other.load(entry(uid), entry(own["uid"])) == (2, 0, 0, 0, 0, 2)
    assert f"is here already, from {town.source}" in other.report and "as an event of our own" in other.report


def patch(server, path, body):
    return server.call("PATCH", path, body)


def test_peoples_edits_stay(town):
    uid, other = uid_of(town), uid_of(town, "b")
    town.load(weekly(uid, "LOCATION:Guildhall", "DESCRIPTION:One"), weekly(other))
    path = f"/v1/events/{town.ids()[uid]}"
    patch(town.server, path, {"title": "Ours", "venue": {"name": "Castle"}})
    patch(town.server, f"{path}/occurrences/{town.time(uid, 1)['id']}", {"starts_local": f"{iso(day(1))}T18:00", "title": "Mine"})
    patch(town.server, f"/v1/events/{town.ids()[other]}", {"status": "draft"})
    later = [weekly(uid, "LOCATION:Station\\, Guildford GU1 4UT", "DESCRIPTION:Two", "SEQUENCE:1", summary="Theirs"), single(uid, 1, hour=11, summary="Theirs"),
             single(uid, 2, hour=11, summary="Theirs")]
    assert town.load(*later) == (1, 0, 1, 0, 0, 0)  # the draft is nobody's to cancel
    event = town.event(uid)
    assert event["title"] == "Ours" and event["venue"]["name"] == "Castle" and event["venue"]["postcode"] is None
    assert event["description"] == "Two"
    assert town.time(uid, 1)["starts_local"].endswith("T18:00:00") and town.time(uid, 1)["title"] == "Mine"
    assert town.time(uid, 2)["starts_local"].endswith("T11:00:00")
    assert town.event(other)["status"] == "draft"
    assert town.load(weekly(uid, "SEQUENCE:2"), weekly(other)) == (2, 0, 1, 1, 0, 0)
    assert town.time(uid, 1)["title"] == "Mine" and not town.time(uid, 2)["changed"]


def test_a_series_that_people_divided_or_moved_stays_so(town):
    uid, other = uid_of(town), uid_of(town, "b")
    town.load(weekly(uid), weekly(other))
    path = f"/v1/events/{town.ids()[uid]}"
    patch(town.server, f"{path}/occurrences/{town.time(uid, 4)['id']}?scope=following", {"title": "From here on"})
    patch(town.server, f"/v1/events/{town.ids()[other]}", {"starts_local": f"{iso(SOON)}T09:00:00"})
    assert len(town.times(uid)) == 4
    town.load(weekly(uid, "SEQUENCE:5", "DESCRIPTION:New", count=12), weekly(other, "SEQUENCE:5", count=12))
    assert len(town.times(uid)) == 4 and town.event(uid)["description"] == "New"
    assert town.event(other)["starts_local"].endswith("T09:00:00") and len(town.times(other)) == 10


def test_what_somebody_deleted_stays_deleted(town):
    uid = uid_of(town)
    town.load(entry(uid))
    town.server.call("DELETE", f"/v1/events/{town.ids()[uid]}")
    assert town.load(entry(uid, "SEQUENCE:1", summary="Again")) == (1, 0, 0, 1, 0, 0) and town.ids() == {}


def test_a_series_that_ends_before_today_is_cancelled(town):
    uid = uid_of(town)
    start = {"start": "DTSTART;TZID=Europe/London:20260105T100000", "end": "DTEND;TZID=Europe/London:20260105T110000"}
    keep = entry(uid_of(town, "keep"))
    town.load(entry(uid, "RRULE:FREQ=WEEKLY", **start), keep)
    ended = entry(uid, "RRULE:FREQ=WEEKLY;UNTIL=20260301T000000Z", "SEQUENCE:1", **start)
    assert town.load(ended, keep) == (2, 0, 0, 1, 1, 0)
    assert town.event(uid)["status"] == "cancelled"
    assert town.load(ended, keep) == (2, 0, 0, 2, 0, 0)
    assert town.load(entry(uid, "RRULE:FREQ=WEEKLY", "SEQUENCE:2", **start), keep) == (2, 0, 1, 1, 0, 0)
    assert town.event(uid)["status"] == "published"


def test_a_dry_run_writes_nothing(town):
    tables = "select (select count(*) from event.event), (select count(*) from event.imported), (select max(updated_at) from event.event), " \
        "(select count(*) from platform.audit_event)"
    town.load(entry(uid_of(town)))
    before = town.server.database(tables)
    assert town.load(entry(uid_of(town), summary="Other"), weekly(uid_of(town, "b")), entry(uid_of(town, "c"), summary=None), args=["--dry-run"]) == (3, 1, 1, 0, 0, 1)
    assert "dry run: nothing was written" in town.printed
    assert town.server.database(tables) == before


def test_two_at_once(town, tmp_path):
    uids = [uid_of(town, f"e{n:03}") for n in range(40)]
    path = tmp_path / "many.ics"
    path.write_text(calendar(*(weekly(uid) + single(uid, 1, hour=15) for uid in uids)), newline="")
    command = [BINARY, "import", "ics", str(path), "--source", town.source, "--data", town.server.data]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment()) for _ in range(3)]
    counts = []
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
        counts.append([int(n) for n in LAST.search(out).groups()])
    assert sum(c[1] for c in counts) == 40 and all(c[0] == 40 and c[5] == 0 and c[4] == 0 for c in counts), counts
    assert set(town.ids()) == set(uids)
    assert town.server.database(f"select count(*) from event.event where source = '{town.source}'") == [["40"]]


def test_the_sample_town_has_events(tmp_path):
    s = Server(workers=1, args=["--sample", str(ROOT / "sample/guildford.csv")])
    try:
        done = run("import", "ics", ROOT / "sample/guildford.ics", data=s.data)
        assert LAST.search(done.stdout).groups() == ("26", "0", "0", "26", "0", "0"), done.stdout
        assert s.database("select count(*) from event.event where source = 'ics:guildford'") == [["26"]]
        again = run("import", "ics", ROOT / "sample/guildford.ics", "--dry-run", "--source", "x", data=s.data)
        assert LAST.search(again.stdout).groups()[5] == "26"
    finally:
        s.stop()


def test_our_own_calendar_comes_in_elsewhere_as_it_is(server, tmp_path):
    """What we write, we read: the same titles, times and places."""
    far = Server(workers=1)
    try:
        town = Town(server, tmp_path, "test:round-trip")
        uid = "round@trip"
        town.load(weekly(uid, "LOCATION:Guildhall\\, High Street\\, GU1 3AA", "GEO:51.2362;-0.5722", "DESCRIPTION:Tea", "CATEGORIES:Music"),
                  single(uid, 2, "STATUS:CANCELLED", summary=None), single(uid, 3, hour=15))
        text = server.http.get(f"/v1/events/{town.ids()[uid]}/calendar.ics").text
        there = Town(far, tmp_path, "test:round-trip")
        assert there.load(text=text) == (1, 1, 0, 0, 0, 0), there.printed
        for field in ("title", "starts_at", "ends_at", "venue", "location", "categories", "rrule", "time_zone", "uid"):
            assert there.event(uid)[field] == town.event(uid)[field], field
        keep = ("recurrence_local", "starts_at", "ends_at", "status", "title", "venue")
        assert [{k: t[k] for k in keep} for t in there.times(uid)] == [{k: t[k] for k in keep} for t in town.times(uid)]
    finally:
        far.stop()


# ---- from a server ----

class Calendars(http.server.ThreadingHTTPServer):
    """Serves texts by path; counts requests."""
    daemon_threads = True

    def __init__(self):
        self.texts, self.seen = {}, []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, headers, body = self.server.texts.get(self.path, (404, {}, ""))
        tag = headers.get("ETag")
        if tag and self.headers.get("If-None-Match") == tag:
            status, body = 304, ""
        self.server.seen.append((self.path, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if callable(body):
            self.end_headers()
            body(self.wfile)
            return
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def web():
    s = Calendars()
    yield s
    s.shutdown()
    s.server_close()


def fetch(server, url, private=True, **more):
    env = {"GUILDFORD_CALENDARS_PRIVATE": "true"} if private else {}
    return run("import", "ics", url, data=server.data, GUILDFORD_SECRET_KEY=SECRET_KEY, **env, **more)


def test_from_a_url(server, web):
    web.texts["/a.ics?token=secret"] = (200, {"Content-Type": "text/plain"}, calendar(entry("fetched@web")))
    web.texts["/moved"] = (302, {"Location": "/a.ics?token=secret"}, "")
    done = fetch(server, web.url + "/a.ics?token=secret")
    assert LAST.search(done.stdout).groups()[1] == "1", done.stderr
    [[source]] = server.database("select source from event.event where uid = 'fetched@web'")
    assert re.fullmatch(r"ics:127\.0\.0\.1:[0-9a-f]{16}", source)
    # the same with another scheme or user is the same source
    done = fetch(server, web.url.replace("http://", "http://user:word@") + "/a.ics?token=secret")
    assert LAST.search(done.stdout).groups()[3] == "1", done.stderr
    done = fetch(server, web.url + "/moved")
    assert LAST.search(done.stdout).groups()[5] == "1", done.stdout + done.stderr
    assert "secret" not in str(server.database("select detail from platform.audit_event where action = 'event:import'"))


def test_private_addresses_are_refused(server, web):
    web.texts["/p.ics"] = (200, {}, calendar(entry("private@web")))
    seen = len(web.seen)
    for url in (web.url + "/p.ics", "http://127.0.0.1/p.ics", "http://localhost/p.ics", "http://[::1]/", "http://2130706433/", "http://0x7f.1/",
                "http://169.254.169.254/latest", "http://10.0.0.1:8080/", "http://[::ffff:127.0.0.1]/", "http://0/", "https://127.0.0.1:8443/"):
        done = fetch(server, url, private=False)
        assert done.returncode == 1 and ("its address is not a public one" in done.stderr or "its port is none of" in done.stderr), done.stderr
    assert len(web.seen) == seen


def test_where_redirects_may_not_lead(server, web):
    web.texts["/ftp"] = (302, {"Location": "ftp://127.0.0.1/a.ics"}, "")
    web.texts["/file"] = (302, {"Location": "file:///etc/passwd"}, "")
    web.texts["/round"] = (302, {"Location": "/round"}, "")
    web.texts["/gone"] = (410, {}, "")
    for path, why in (("/ftp", "redirects to something that is no http or https URL"), ("/file", "redirects to something"),
                      ("/round", "redirects too often"), ("/gone", "it answers 410"), ("/none", "it answers 404")):
        done = fetch(server, web.url + path)
        assert done.returncode == 1 and why in done.stderr, done.stderr
    assert [s for s in web.seen if s[0] == "/round"] == [("/round", 302)] * 6


def test_redirects_to_private_addresses_are_not_followed(server):
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs a network of its own")
    done = subprocess.run(["unshare", "-n", "/usr/bin/python3", ROOT / "tests/system/elsewhere.py", BINARY, server.data], capture_output=True,
                          text=True, timeout=120, env=clean_environment(GUILDFORD_SECRET_KEY=SECRET_KEY))
    assert done.returncode == 0, done.stderr
    said = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "1 created" in said["/a.ics"] and "1 rejected" in said["/there"], said  # the same event, by another way
    for path in ("/loopback", "/mapped", "/number", "/name", "/metadata"):
        assert said[path].startswith(f"{path} 1 ") and "its address is not a public one" in said[path], said[path]
    assert "its port is none of" in said["/port"]
    assert said["private"] == "private []"


def test_what_is_too_large_or_too_slow(server, web):
    def large(out):
        try:
            for _ in range(12):
                out.write(b"X" * (1 << 20))
        except OSError:
            pass

    web.texts["/large"] = (200, {}, large)
    done = fetch(server, web.url + "/large")
    assert done.returncode == 1 and "the answer is too large" in done.stderr, done.stderr

    def slow(out):
        try:
            for _ in range(60):
                out.write(b"BEGIN")
                out.flush()
                time.sleep(1)
        except OSError:
            pass

    web.texts["/slow"] = (200, {}, slow)
    began = time.monotonic()
    done = fetch(server, web.url + "/slow")
    assert done.returncode == 1 and "took too long" in done.stderr, done.stderr
    assert 25 < time.monotonic() - began < 45


def test_calendars_are_followed(web):
    web.texts["/good.ics"] = (200, {"ETag": '"1"'}, calendar(entry("good@followed")))
    web.texts["/bad.ics"] = (200, {}, "<html>no</html>")
    urls = ", ".join(web.url + path for path in ("/down.ics", "/bad.ics", "/good.ics"))
    s = Server(workers=1, GUILDFORD_CALENDARS=urls, GUILDFORD_CALENDARS_PRIVATE="true")
    try:
        state = lambda: s.database("select host, failures, problem is not null, taken_at is not null, next_at > now() + interval '50 minutes' from event.calendar order by failures, source")
        wait_for(lambda: len(state()) == 3 and all(row[1] != "0" or row[3] == "t" for row in state()), 60)
        assert [row[1:] for row in state()] == [["0", "f", "t", "t"], ["1", "t", "f", "f"], ["1", "t", "f", "f"]]
        problems = " ".join(row[0] for row in s.database("select problem from event.calendar where problem is not null"))
        assert "it answers 404" in problems and "This is no calendar" in problems
        assert s.database("select title, status from event.event") == [["Tea", "published"]]
        # the same is not sent again
        again = lambda: s.database("update event.calendar set next_at = now() where failures = 0")
        again()
        wait_for(lambda: ("/good.ics", 304) in web.seen, 60)
        web.texts["/good.ics"] = (200, {"ETag": '"2"'}, calendar(entry("good@followed", "SEQUENCE:1", summary="Changed"), entry("new@followed")))
        wait_for(lambda: s.database("select count(*) from event.calendar where next_at > now() and failures = 0") == [["1"]], 60)
        again()
        wait_for(lambda: s.database("select count(*) from event.event where title = 'Changed'") == [["1"]], 60)
        wait_for(lambda: s.database("select etag from event.calendar where failures = 0") == [['"2"']], 60)
        [[events]] = s.database("select count(*) from platform.audit_event where action = 'event:import'")
        assert events == "2"
        # another failing time waits longer
        s.database("update event.calendar set next_at = now() where failures = 1")
        wait_for(lambda: s.database("select count(*) from event.calendar where failures = 2 and next_at > now() + interval '8 minutes'") == [["2"]], 60)
        log = s.log_text()
        assert "calendar 127.0.0.1: The calendar of 127.0.0.1 cannot be fetched: it answers 404" in log and ".ics" not in log
    finally:
        s.stop()


@pytest.mark.parametrize("value", ["ftp://a.example/", "https://", "a.example", "https://a.example/,,", "https://a.example/#x"])
def test_a_setting_that_is_no_list_of_calendars(value):
    done = run("config", GUILDFORD_CALENDARS=value)
    assert done.returncode != 0 and "GUILDFORD_CALENDARS" in done.stderr and "http, https or webcal URLs" in done.stderr
