# SPDX-License-Identifier: Apache-2.0
"""Calendars as other programs read them: npm's ical.js and node-ical (tests/feeds), Debian's python3-icalendar with
python3-recurring-ical-events."""

import datetime
import json
import subprocess

import icalendar
import recurring_ical_events

from conftest import ROOT

FOLDER = ROOT / "tests/feeds"
UTC = datetime.timezone.utc


def run_node(script, *args, data):
    if not (FOLDER / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True, timeout=300)
    done = subprocess.run(["node", script, *args], cwd=FOLDER, input=data, capture_output=True, text=True, timeout=120,
                          env={"TZ": "UTC", "PATH": "/usr/local/bin:/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def show(moment):
    if not isinstance(moment, datetime.datetime):
        return moment.isoformat()
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def categories(component):
    given = component.get("categories", [])
    return [str(name) for item in (given if isinstance(given, list) else [given]) for name in item.cats]


def by_icalendar(text, begin, end):
    calendar = icalendar.Calendar.from_ical(text)
    found = [{
        "uid": str(e["uid"]), "start": show(e["dtstart"].dt), "end": show(e["dtend"].dt), "summary": str(e.get("summary", "")),
        "description": str(e["description"]) if "description" in e else None, "location": str(e["location"]) if "location" in e else None,
        "status": str(e["status"]), "sequence": int(e["sequence"]), "categories": categories(e),
    } for e in recurring_ical_events.of(calendar).between(instant(begin), instant(end))]
    begins = lambda e: instant(e["start"] if "T" in e["start"] else e["start"] + "T00:00:00Z")
    return {"name": str(calendar["x-wr-calname"]), "found": [e for e in found if instant(begin) <= begins(e) < instant(end)]}


def read(text, begin, end):
    """What each reader finds that starts between two instants, in the order of the starts."""
    readers = {**run_node("read.mjs", begin, end, data=text), "icalendar": by_icalendar(text, begin, end)}
    for reader in readers.values():
        for event in reader["found"]:
            if "T" in event["start"]:
                event["start"], event["end"] = show(instant(event["start"])), show(instant(event["end"]))
        reader["found"].sort(key=lambda e: (e["start"], e["uid"]))
    return readers


def agreed(text, begin, end, rdates=()):
    """What all of them find: they must not differ in anything. node-ical 0.26 does not know RDATE: what begins then, at
    `rdates`, the other two find."""
    readers = read(text, begin, end)
    found = readers["ical.js"]["found"]
    assert {e["start"] for e in found} >= set(rdates)
    for name, reader in readers.items():
        expected = [e for e in found if name != "node-ical" or e["start"] not in rdates]
        odd = [e for e in reader["found"] if e not in expected], [e for e in expected if e not in reader["found"]]
        assert reader["found"] == expected, f"{name} reads something else than ical.js: {odd}"
    return found
