# SPDX-License-Identifier: Apache-2.0
"""Who comes: replies with an account and by mail, places, the line of those who wait, what organisers do, what people are told."""
import csv
import io
import re
import time
import uuid

import pytest

from conftest import run, wait_for
from people import Person, mail_for, mails, token_in

PARTY = {"title": "Summer party", "starts_local": "2027-06-05T19:00", "ends_local": "2027-06-05T23:00", "status": "published",
         "rsvp": {"mode": "open", "guests_max": 3}}


@pytest.fixture(scope="module")
def ann(server):
    return Person(server)


@pytest.fixture(scope="module")
def people(server):
    return [Person(server) for _ in range(6)]


class Event:
    """An event with its only occurrence, and what people do about it."""

    def __init__(self, owner, **fields):
        rsvp = {**PARTY["rsvp"], **fields.pop("rsvp", {})}
        self.owner, self.server = owner, owner.server
        self.row = owner.call("POST", "/v1/events", {**PARTY, **fields, "rsvp": rsvp}, 201).json()["data"]
        self.path = f"/v1/events/{self.row['id']}"
        self.occurrences = owner.get(f"{self.path}/occurrences")

    def at(self, i=0):
        return f"{self.path}/occurrences/{self.occurrences[i]['id']}"

    def reply(self, person, said="going", status=200, i=0, **more):
        reply = person.call("PUT", f"{self.at(i)}/reply", {"status": said, **more}, status)
        return reply.json()["data"] if status == 200 else reply.json()["error"]

    def own(self, person, i=0):
        return person.get(f"{self.at(i)}/reply")

    def counts(self, i=0):
        o = self.server.http.get(self.at(i)).json()["data"]
        return o["going"], o["waiting"], o["maybe"], o["places_left"]

    def attendees(self, query=""):
        return self.owner.get(f"{self.path}/replies?limit=100{query}")

    def decide(self, reply, said, status=200):
        return self.owner.call("PATCH", f"{self.path}/replies/{reply['id']}", {"status": said}, status).json()

    def change(self, **fields):
        return self.owner.server.http.patch(self.path, json=fields, headers={**self.owner.headers, "If-Match": "*"})


def age_offers(server, hours=25):
    server.database(f"update event.reply set offered_at = offered_at - interval '{hours} hours' where status = 'offered'")


def test_a_reply_is_given_changed_and_taken_back(server, ann, people):
    party = Event(ann)
    reply = party.reply(people[0], guests=2, note="One of us uses a wheelchair")
    assert reply["status"] == "going" and reply["guests"] == 2 and re.fullmatch("[0-9A-Z]{8}", reply["code"])
    assert reply["title"] == "Summer party" and reply["starts_local"] == "2027-06-05T19:00:00" and reply["place_in_line"] is None
    assert party.own(people[0]) == reply
    assert party.reply(people[0], guests=2, note="One of us uses a wheelchair") == reply
    party.reply(people[1], "maybe", guests=1)
    assert party.counts() == (3, 0, 2, None)
    assert party.reply(people[0], "maybe")["code"] is None
    assert party.counts() == (0, 0, 3, None)
    party.reply(people[1], "declined", guests=3)
    assert party.counts() == (0, 0, 1, None) and party.own(people[1])["guests"] == 0
    people[2].call("GET", f"{party.at()}/reply", status=404)


def test_places_are_given_in_order(server, ann, people):
    a, b, c, d, e, f = people
    party = Event(ann, capacity=4)
    assert [party.reply(p)["status"] for p in (a, b)] == ["going", "going"]
    assert party.reply(c, guests=1)["status"] == "going" and party.counts() == (4, 0, 0, 0)
    waiting = [party.reply(d, guests=1), party.reply(e), party.reply(f)]
    assert [(w["status"], w["place_in_line"], w["code"]) for w in waiting] == [("waiting", n, None) for n in (1, 2, 3)]
    assert party.counts() == (4, 4, 0, 0)
    # one place is free: the first, who need two, are passed over and stay first
    party.reply(a, "declined")
    assert party.own(e)["status"] == "offered" and party.own(e)["offered_until"]
    assert party.own(d)["place_in_line"] == 1 and party.own(f)["place_in_line"] == 2
    assert party.counts() == (4, 3, 0, 0)
    assert party.reply(e)["status"] == "going" and party.counts() == (4, 3, 0, 0)
    # two are free: now it is theirs
    party.reply(c, "maybe")
    assert party.own(d)["status"] == "offered" and party.own(f)["status"] == "waiting"
    assert party.counts() == (4, 1, 1, 0)
    # who is offered two and takes one leaves the other to the next
    assert party.reply(d)["status"] == "going"
    assert party.own(f)["status"] == "offered" and party.counts() == (4, 0, 1, 0)
    # more places
    assert party.reply(a)["status"] == "waiting"
    assert party.change(capacity=5).status_code == 200
    assert party.own(a)["status"] == "offered" and party.counts() == (5, 0, 1, 0)
    # fewer take nothing from anybody
    assert party.change(capacity=1).status_code == 200
    assert party.counts() == (5, 0, 1, 0)


def test_who_has_a_place_keeps_it_when_there_is_none_for_their_guests(server, ann, people):
    party = Event(ann, capacity=3)
    party.reply(people[0])
    party.reply(people[1])
    error = party.reply(people[0], guests=2, status=409)
    assert error["code"] == "CONFLICT" and "only 2 places" in error["message"]
    assert party.own(people[0])["guests"] == 0 and party.own(people[0])["status"] == "going"
    assert party.reply(people[0], guests=1)["guests"] == 1 and party.counts() == (3, 0, 0, 0)
    error = party.reply(people[2], guests=3, status=400)
    assert error["details"][0]["field"] == "guests" and "3 places in all" in error["details"][0]["message"]


def test_what_is_not_claimed_goes_to_the_next(server, ann, people):
    a, b, c = people[:3]
    party = Event(ann, capacity=1)
    party.reply(a), party.reply(b), party.reply(c)
    party.reply(a, "declined")
    assert party.own(b)["status"] == "offered"
    age_offers(server)
    wait_for(lambda: party.own(c)["status"] == "offered")
    assert party.own(b)["status"] == "lapsed" and party.counts() == (1, 0, 0, 0)
    assert "has gone to somebody else" in mail_for(server, b.address, "has gone to somebody else")["Subject"]
    assert party.reply(b)["status"] == "waiting" and party.reply(c)["status"] == "going"


def test_an_offer_ends_with_the_replies(server, ann, people):
    party = Event(ann, capacity=1)
    party.reply(people[0]), party.reply(people[1])
    server.database(f"update event.occurrence set starts_at = now() + interval '5 hours' where event_id = '{party.row['id']}'")
    party.reply(people[0], "declined")
    own = party.own(people[1])
    assert own["status"] == "offered" and own["offered_until"] == own["replies_until"] == own["starts_at"]


@pytest.mark.parametrize("fields, said, status, words", [
    ({"rsvp": {"mode": "none"}}, "going", 409, "not taken for this event"),
    ({"rsvp": {"mode": "external", "url": "https://tickets.example/"}}, "going", 409, "elsewhere"),
    ({"status": "cancelled"}, "going", 409, "cancelled"), ({"status": "postponed"}, "maybe", 409, "postponed"),
    ({"starts_local": "2020-06-05T19:00", "ends_local": "2020-06-05T23:00"}, "going", 409, "any more"),
    ({"rsvp": {"closes_before": 525600}, "starts_local": "2027-02-05T19:00", "ends_local": "2027-02-05T23:00"}, "going", 409, "any more"),
    ({"visibility": "private"}, "going", 404, "no such"), ({"status": "draft"}, "going", 404, "no such")])
def test_when_replies_are_not_taken(server, ann, people, fields, said, status, words):
    party = Event(ann, **fields)
    error = party.reply(people[0], said, status)
    assert words in error["message"]
    reply = server.http.post(f"{party.at()}/replies", json={"email": "x@example.org", "name": "X", "status": said})
    assert reply.status_code == status, reply.text


def test_bad_answers(server, ann, people):
    party = Event(ann)
    for body, field in [({}, "status"), ({"status": "perhaps"}, "status"), ({"status": "going", "guests": 4}, "guests"),
                        ({"status": "going", "guests": -1}, "guests"), ({"status": "going", "guests": 21}, "guests"),
                        ({"status": "going", "note": "x" * 501}, "note"), ({"status": "going", "announcements": "no"}, "announcements"),
                        ({"status": "going", "email": "me@example.org"}, "email")]:
        error = people[0].call("PUT", f"{party.at()}/reply", body, 400).json()["error"]
        assert [d["field"] for d in error["details"]] == [field], error
    for path in (f"{party.path}/occurrences/{uuid.uuid4()}/reply", f"{party.path}/occurrences/x/reply",
                 f"/v1/events/{uuid.uuid4()}/occurrences/{party.occurrences[0]['id']}/reply"):
        people[0].call("PUT", path, {"status": "going"}, 404)
    assert server.http.put(f"{party.at()}/reply", json={"status": "going"}).status_code == 401
    assert party.counts() == (0, 0, 0, None)


# ---- without an account ----

def post_by_mail(server, party, address, said="going", **more):
    reply = server.http.post(f"{party.at()}/replies", json={"email": address, "name": "Bo Green", "status": said, **more})
    assert reply.status_code == 202 and reply.json()["data"] == {"status": "accepted"}, reply.text


def reply_token(mail):
    return re.search(r"reply\?token=([0-9a-f.-]+)", mail.get_content()).group(1)


def by_token(server, token, expected=200, **body):
    reply = server.http.post("/v1/replies/by-token", json={"token": token, **body})
    assert reply.status_code == expected, reply.text
    return reply.json()["data"] if expected == 200 else reply.json()["error"]


def test_somebody_without_an_account(server, ann):
    party = Event(ann, capacity=2)
    post_by_mail(server, party, "bo@example.org", guests=1)
    assert party.counts() == (0, 0, 0, 2)
    token = token_in(mail_for(server, "bo@example.org", "Confirm your reply"))
    confirmed = server.http.post("/v1/replies/confirm", json={"token": token}).json()["data"]
    assert confirmed["status"] == "going" and confirmed["guests"] == 1 and party.counts() == (2, 0, 0, 0)
    assert server.http.post("/v1/replies/confirm", json={"token": token}).status_code == 400
    mail = mail_for(server, "bo@example.org", "You are coming")
    assert confirmed["code"] in mail.get_content()
    mine = reply_token(mail)
    assert mine == confirmed["token"] and by_token(server, mine)["status"] == "going"
    # another request of the same address is a change, when it is confirmed
    post_by_mail(server, party, "Bo@Example.org", "maybe")
    assert by_token(server, mine)["status"] == "going"
    token = token_in(mail_for(server, "Bo@Example.org", "Confirm your reply"))
    assert server.http.post("/v1/replies/confirm", json={"token": token}).json()["data"]["id"] == confirmed["id"]
    assert by_token(server, mine)["status"] == "maybe" and party.counts() == (0, 0, 1, 2)
    assert by_token(server, mine, status="going")["status"] == "going"
    assert by_token(server, mine, status="declined")["status"] == "declined" and party.counts() == (0, 0, 0, 2)
    for wrong in (mine[:-1] + ("0" if mine[-1] != "0" else "1"), mine[:-1], "x", str(uuid.uuid4()) + mine[36:]):
        assert by_token(server, wrong, 400)["details"][0]["field"] == "token"


def test_an_address_with_an_account_is_its_owner(server, ann, people):
    party = Event(ann)
    post_by_mail(server, party, people[0].address.upper())
    token = token_in(mail_for(server, people[0].address.upper(), "Confirm your reply"))
    confirmed = server.http.post("/v1/replies/confirm", json={"token": token}).json()["data"]
    assert confirmed["token"] is None and party.own(people[0])["id"] == confirmed["id"]


def test_a_reply_by_mail_becomes_that_of_the_account(server, ann):
    party = Event(ann, capacity=1)
    me = Person(server)
    server.database(f"insert into event.reply (occurrence_id, event_id, email, name, status, code) values "
                    f"('{party.occurrences[0]['id']}', '{party.row['id']}', '{me.address.title()}', 'Me', 'going', '7KQ2MX01')")
    me.call("GET", f"{party.at()}/reply", status=404)
    reply = party.reply(me)
    assert reply["status"] == "going" and reply["code"] == "7KQ2MX01" and party.counts() == (1, 0, 0, 0)
    assert party.own(me)["id"] == reply["id"] and len(party.attendees()) == 1


def test_three_mails_an_hour_to_an_address(server, ann):
    party = Event(ann)
    for _ in range(5):
        post_by_mail(server, party, "flood@example.org")
    wait_for(lambda: len(mails(server, "flood@example.org")) == 3)
    time.sleep(2.5)
    assert len(mails(server, "flood@example.org")) == 3


# ---- organisers ----

def test_approval(server, ann, people):
    a, b, c = people[:3]
    party = Event(ann, capacity=1, rsvp={"mode": "approval"})
    first, second, third = [party.reply(p) for p in (a, b, c)]
    assert {r["status"] for r in (first, second, third)} == {"requested"} and party.counts() == (0, 3, 0, 1)
    assert party.decide(first, "going")["data"]["status"] == "going"
    assert party.decide(second, "going")["data"]["status"] == "waiting" and party.counts() == (1, 2, 0, 0)
    assert party.decide(third, "refused")["data"]["status"] == "refused" and party.counts() == (1, 1, 0, 0)
    assert "refused" in party.reply(c, status=409)["message"]
    assert "no place" in mail_for(server, c.address, "You cannot come").get_content()
    assert "at the door" in mail_for(server, a.address, "You are coming").get_content()
    # who is taken off the list makes room
    party.decide(first, "refused")
    assert party.own(b)["status"] == "offered" and party.reply(b)["status"] == "going" and party.counts() == (1, 0, 0, 0)
    # who declines has nothing to be let in to
    party.reply(b, "declined")
    assert "declined" in party.decide(party.own(b), "going", 409)["error"]["message"]
    assert party.owner.call("PATCH", f"{party.path}/replies/{uuid.uuid4()}", {"status": "going"}, 404)


def test_check_in(server, ann, people):
    party = Event(ann)
    first, second, third = [party.reply(p) for p in people[:3]]
    party.reply(people[2], "maybe")
    typed = f" {first['code'][:4].lower()}-{first['code'][4:]}"
    done = ann.call("POST", f"{party.at()}/check-in", {"code": typed}).json()["data"]
    assert done["id"] == first["id"] and done["checked_in_at"] and "code" not in done
    assert "already" in ann.call("POST", f"{party.at()}/check-in", {"code": first["code"]}, 409).json()["error"]["message"]
    assert ann.call("POST", f"{party.at()}/check-in", {"reply_id": second["id"]}).json()["data"]["id"] == second["id"]
    assert "maybe" in ann.call("POST", f"{party.at()}/check-in", {"code": third["code"]}, 409).json()["error"]["message"]
    ann.call("POST", f"{party.at()}/check-in", {"code": "00000000"}, 404)
    for body in ({}, {"code": "123"}, {"code": first["code"], "reply_id": first["id"]}):
        ann.call("POST", f"{party.at()}/check-in", body, 400)
    other = Event(ann)
    ann.call("POST", f"{other.at()}/check-in", {"code": first["code"]}, 404)
    people[0].call("POST", f"{party.at()}/check-in", {"code": first["code"]}, 403)


def test_the_list_is_for_organisers_and_noted(server, ann, people):
    admin = Person(server, role="admin")
    party = Event(ann)
    party.reply(people[0], guests=1, note="=2+3")
    party.reply(people[1], "maybe", note='Cake, "home-made"')
    rows = party.attendees()
    assert [(r["name"], r["status"], r["guests"]) for r in rows] == [("Alex Marsh", "going", 1), ("Alex Marsh", "maybe", 0)]
    assert "email" not in rows[0] and "code" not in rows[0]
    assert [r["status"] for r in party.attendees("&status=maybe")] == ["maybe"]
    assert ann.get(f"{party.path}/replies/{rows[0]['id']}") == rows[0]
    table = ann.call("GET", f"{party.path}/replies.csv")
    assert table.headers["Content-Type"].startswith("text/csv") and "attachment" in table.headers["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(table.text)))
    assert [(line["name"], line["status"], line["guests"], line["note"]) for line in lines] == [
        ("Alex Marsh", "going", "1", "'=2+3"), ("Alex Marsh", "maybe", "0", 'Cake, "home-made"')]
    assert lines[0]["starts"] == "2027-06-05 19:00" and lines[0]["reply_id"] == rows[0]["id"]
    assert len(ann.call("GET", f"{party.path}/replies.csv?status=maybe").text.splitlines()) == 2
    ann.call("GET", f"{party.path}/replies.csv?occurrence_id=x", status=400)
    for path in ("replies", "replies.csv", f"replies/{rows[0]['id']}"):
        people[0].call("GET", f"{party.path}/{path}", status=403)
        assert server.http.get(f"{party.path}/{path}").status_code == 401
        admin.call("GET", f"{party.path}/{path}")
    seen = admin.get(f"/v1/audit-events?resource_id={party.row['id']}&limit=100")
    assert sum(e["action"] == "reply:list" for e in seen) == 6
    assert any(e["action"] == "reply:get" for e in admin.get(f"/v1/audit-events?resource_id={rows[0]['id']}&limit=100"))
    # a moderator, who organises nothing
    assert len(Person(server, role="moderator").get(f"{party.path}/replies")) == 2


def test_announcements(server, ann, people):
    party = Event(ann, title="Big fair", rrule="FREQ=DAILY;COUNT=3")
    party.reply(people[0]), party.reply(people[0], i=1), party.reply(people[1], "maybe", i=2)
    party.reply(people[2], announcements=False), party.reply(people[3], "declined")
    text = "Dear all,\n\nbring an umbrella.\n\nThe organisers"
    say = {"subject": "Rain", "text": text}
    sent = ann.call("POST", f"{party.path}/announcements", say, 202).json()["data"]
    assert sent == {"recipients": 2}
    mail = mail_for(server, people[0].address, "Big fair: Rain")
    assert text in mail.get_content().replace("\r\n", "\n")
    only = {**say, "subject": "Only the first", "occurrence_id": party.occurrences[0]["id"]}
    assert ann.call("POST", f"{party.path}/announcements", only, 202).json()["data"] == {"recipients": 1}
    ann.call("POST", f"{party.path}/announcements", {**say, "occurrence_id": str(uuid.uuid4())}, 400)
    ann.call("POST", f"{party.path}/announcements", say, 202)
    refused = ann.call("POST", f"{party.path}/announcements", say, 429)
    assert refused.json()["error"]["code"] == "RATE_LIMITED" and int(refused.headers["Retry-After"]) > 0
    people[0].call("POST", f"{party.path}/announcements", say, 403)
    wait_for(lambda: len([m for m in mails(server, people[0].address) if "Big fair: Rain" in m["Subject"]]) == 2)
    assert not [m for m in mails(server, people[2].address) + mails(server, people[3].address) if "Big fair: " in m["Subject"]]


# ---- what becomes of the event ----

def told(server, person, words):
    return [m for m in mails(server, person.address) if words in m["Subject"]]


def test_everybody_who_replied_is_told(server, ann, people):
    a, b, c = people[:3]
    fair = Event(ann, title="Told fair", rrule="FREQ=WEEKLY;COUNT=4")
    for i in range(3):
        fair.reply(a, i=i)
    fair.reply(b, "maybe", i=1), fair.reply(c, "declined", i=1)
    # one mail for all that one change means to somebody
    server.http.patch(fair.at(1), json={"status": "cancelled"}, headers={**ann.headers, "If-Match": "*"})
    assert "Saturday 12 June 2027, 19:00" in mail_for(server, a.address, "Cancelled: Told fair").get_content()
    mail_for(server, b.address, "Cancelled: Told fair")
    assert fair.change(starts_local="2027-06-05T20:00", ends_local="2027-06-05T23:30").status_code == 200
    moved = mail_for(server, a.address, "Changed: Told fair").get_content()
    assert moved.count("20:00") == 2 and moved.count("19:00") == 2
    assert fair.change(venue={"name": "Castle grounds"}).status_code == 200
    mail_for(server, a.address, "Changed: Told fair", 2)
    assert fair.change(status="cancelled").status_code == 200
    cancelled = mail_for(server, a.address, "Cancelled: Told fair", 2).get_content()
    assert "Saturday 5 June" in cancelled and "Saturday 19 June" in cancelled and "12 June" not in cancelled
    assert fair.change(status="published").status_code == 200
    mail_for(server, a.address, "after all: Told fair")
    assert ann.server.http.delete(fair.path, headers={**ann.headers, "If-Match": "*"}).status_code == 200
    mail_for(server, a.address, "Cancelled: Told fair", 3)
    assert not told(server, c, "Told fair") and len(told(server, b, "Told fair")) == 1
    assert fair.server.database(f"select count(*) from event.reply where event_id = '{fair.row['id']}'") == [["5"]]


def test_a_followed_calendar_that_cancels_tells_them_too(server, ann, people, tmp_path):
    """Whoever writes: here an import, in a process of its own."""
    entry = """BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:told@elsewhere.example\nDTSTAMP:20261101T000000Z\nSEQUENCE:{n}
DTSTART;TZID=Europe/London:20270703T190000\nDTEND;TZID=Europe/London:20270703T210000\nSUMMARY:Band night\nSTATUS:{status}\nEND:VEVENT\nEND:VCALENDAR\n"""
    file = tmp_path / "band.ics"

    def import_it(**fields):
        file.write_text(entry.format(**fields))
        done = run("import", "ics", str(file), data=server.data)
        assert done.returncode == 0, done.stderr

    import_it(n=0, status="CONFIRMED")
    [[event, occurrence]] = server.database("select e.id, o.id from event.event e join event.occurrence o on o.event_id = e.id "
                                            "where e.source_id = 'told@elsewhere.example'")
    Person(server, role="moderator").call("PATCH", f"/v1/events/{event}", {"rsvp": {"mode": "open"}})
    people[0].call("PUT", f"/v1/events/{event}/occurrences/{occurrence}/reply", {"status": "going"})
    import_it(n=1, status="CANCELLED")
    assert "Saturday 3 July 2027, 19:00" in mail_for(server, people[0].address, "Cancelled: Band night").get_content()


def test_replies_go_with_a_series_that_is_cut(server, ann, people):
    fair = Event(ann, rrule="FREQ=WEEKLY;COUNT=4", capacity=1)
    early, late = fair.reply(people[0], i=0), fair.reply(people[0], i=2)
    assert fair.reply(people[1], i=2)["status"] == "waiting"
    later = server.http.patch(f"{fair.at(2)}?scope=following", json={"title": "Late fair"}, headers={**ann.headers, "If-Match": "*"}).json()["data"]
    assert later["id"] != fair.row["id"]
    assert [r["id"] for r in fair.attendees()] == [early["id"]]
    moved = ann.get(f"/v1/events/{later['id']}/replies")
    assert [r["id"] for r in moved][0] == late["id"] and len(moved) == 2
    path = f"/v1/events/{later['id']}/occurrences/{fair.occurrences[2]['id']}/reply"
    assert people[0].get(path)["title"] == "Late fair"
    people[0].call("PUT", path, {"status": "declined"})
    assert people[1].get(path)["status"] == "offered"


def test_an_occurrence_that_the_rule_drops_is_cancelled_for_those_who_wait_to_be_let_in(server, ann, people):
    fair = Event(ann, rrule="FREQ=DAILY;COUNT=3", rsvp={"mode": "approval"})
    fair.reply(people[0], i=2)
    assert fair.change(rrule="FREQ=DAILY;COUNT=2").status_code == 200
    assert fair.own(people[0], i=2)["occurrence_status"] == "cancelled"


def test_places_are_offered_again_when_it_takes_place_after_all(server, ann, people):
    party = Event(ann, capacity=1)
    party.reply(people[0]), party.reply(people[1])
    assert party.change(status="cancelled").status_code == 200
    party.reply(people[0], "declined")
    assert party.own(people[1])["status"] == "waiting" and party.counts() == (0, 1, 0, 1)
    assert party.change(status="published").status_code == 200
    assert party.own(people[1])["status"] == "offered"


def test_counts_are_no_edit_but_another_tag(server, ann, people):
    party = Event(ann, capacity=10)
    before = server.http.get(party.at()).headers["ETag"]
    party.reply(people[0])
    now = server.http.get(party.at(), headers={"If-None-Match": before})
    assert now.status_code == 200 and now.headers["ETag"] != before and now.json()["data"]["going"] == 1
    assert server.http.get(party.at(), headers={"If-None-Match": now.headers["ETag"]}).status_code == 304
    changed = server.http.patch(party.at(), json={"summary": "With a band"}, headers={**ann.headers, "If-Match": before})
    assert changed.status_code == 200, changed.text
    assert server.http.patch(party.at(), json={"summary": "x"}, headers={**ann.headers, "If-Match": before}).status_code == 412


# ---- one's own ----

def test_my_replies_and_their_calendar(server, ann, people):
    import icalendar
    me = Person(server)
    assert me.get("/v1/me/replies") == [] and me.get("/v1/me/calendar") == {"created_at": None}
    fair = Event(ann, title="Weekly fair", rrule="FREQ=WEEKLY;COUNT=4")
    dinner = Event(ann, title="Dinner", starts_local="2027-06-10T20:00", ends_local="2027-06-10T22:00")
    fair.reply(me, i=1), dinner.reply(me, "maybe"), fair.reply(me, i=2), fair.reply(me, "declined", i=3)
    assert [(r["title"], r["status"]) for r in me.get("/v1/me/replies")] == [
        ("Dinner", "maybe"), ("Weekly fair", "going"), ("Weekly fair", "going"), ("Weekly fair", "declined")]
    assert me.get("/v1/me/replies?past=true") == []
    me.call("GET", "/v1/me/replies?past=x", status=400)
    url = me.call("POST", "/v1/me/calendar", status=201).json()["data"]["url"]
    path = re.search("/v1/calendars/.*", url).group(0)
    assert me.get("/v1/me/calendar")["created_at"]
    reply = server.http.get(path)
    assert reply.headers["Content-Type"].startswith("text/calendar")
    assert server.http.get(path, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304
    calendar = icalendar.Calendar.from_ical(reply.text)
    shown = sorted((str(e["DTSTART"].dt.isoformat()), str(e["SUMMARY"]), str(e["STATUS"])) for e in calendar.walk("VEVENT"))
    assert shown == [("2027-06-10T20:00:00+01:00", "Dinner", "TENTATIVE"), ("2027-06-12T19:00:00+01:00", "Weekly fair", "CONFIRMED"),
                     ("2027-06-19T19:00:00+01:00", "Weekly fair", "CONFIRMED")]
    server.http.patch(fair.at(1), json={"status": "cancelled"}, headers={**ann.headers, "If-Match": "*"})
    statuses = [str(e["STATUS"]) for e in icalendar.Calendar.from_ical(server.http.get(path).text).walk("VEVENT")]
    assert sorted(statuses) == ["CANCELLED", "CONFIRMED", "TENTATIVE"]
    # a new address ends the old one; so does taking it back
    newer = re.search("/v1/calendars/.*", me.call("POST", "/v1/me/calendar", status=201).json()["data"]["url"]).group(0)
    assert server.http.get(path).status_code == 404 and server.http.get(newer).status_code == 200
    assert server.http.get(newer[:-4]).status_code == 200
    me.call("DELETE", "/v1/me/calendar")
    assert server.http.get(newer).status_code == 404 and server.http.get("/v1/calendars/x.ics").status_code == 404
    assert path.split("/")[-1][:-4] not in server.log_text()


def test_forgotten_with_the_account(server, ann, people):
    me = Person(server)
    party = Event(ann, capacity=1)
    party.reply(me, note="It's me"), party.reply(people[0])
    party.owner.call("POST", f"{party.path}/announcements", {"subject": "Hi", "text": "Hello"}, 202)
    exported = me.call("GET", "/v1/me/export").json()
    assert [r["note"] for r in exported["replies"]] == ["It's me"] and exported["announcements"] == []
    assert exported["person"]["email"] == me.address
    assert [a["subject"] for a in ann.call("GET", "/v1/me/export").json()["announcements"]][-1] == "Hi"
    server.database(f"update auth.person set erase_at = now() where id = '{me.id}'")
    wait_for(lambda: server.database(f"select status from auth.person where id = '{me.id}'") == [["erased"]])
    rows = server.database(f"select name, note, person_id, status from event.reply where event_id = '{party.row['id']}' order by created_at")
    assert rows[0] == ["Erased", None, None, "declined"] or rows[0] == ["Erased", "", "", "declined"]
    assert party.own(people[0])["status"] == "offered"
    assert server.database(f"select count(*) from platform.contact where person_id = '{me.id}'") == [["0"]]


def test_attendees_are_called_as_they_call_themselves(server, ann, people):
    me = Person(server)
    party = Event(ann)
    party.reply(me)
    me.call("PATCH", "/v1/me", {"name": "Alexandra Marsh"})
    assert [r["name"] for r in party.attendees()] == ["Alexandra Marsh"]


def test_old_addresses_are_forgotten(server, ann):
    party = Event(ann)
    post_by_mail(server, party, "old@example.org")
    server.http.post("/v1/replies/confirm", json={"token": token_in(mail_for(server, "old@example.org", "Confirm"))})
    server.database(f"update event.occurrence set starts_at = now() - interval '92 days', ends_at = now() - interval '91 days' "
                    f"where event_id = '{party.row['id']}'")
    server.database("update event.reply set created_at = now() - interval '92 days' where email = 'old@example.org'")
    server.database("update event.reply_request set created_at = now() - interval '3 days'")
    wait_for(lambda: server.database("select count(*) from event.reply where email = 'old@example.org'") == [["0"]])
    wait_for(lambda: server.database("select count(*) from event.reply_request where email = 'old@example.org'") == [["0"]])
    assert [r["name"] for r in party.attendees()] == ["Erased"]
