# SPDX-License-Identifier: Apache-2.0
"""The sample town: it goes in whole, the first search of the README finds its coffee, and each place can be found by
category, on the map and by postcode."""

import collections
import csv
import re

import httpx
import pytest

from conftest import ROOT, Server, run
from test_lists import haversine

SAMPLE = ROOT / "sample/guildford.csv"
CENTRE = (51.2362, -0.5704)
DRAMA_PHONES = re.compile(r"\+441632960\d{3}|\+442079460\d{3}")
INVENTED_HOSTS = re.compile(r"(\.|^)(example|example\.org)$")


@pytest.fixture(scope="module")
def sample():
    s = Server(workers=1)
    yield s
    s.stop()


@pytest.fixture(scope="module")
def imported(sample):
    """What the import printed, and all places as the API then gives them."""
    done = run("import", "csv", SAMPLE, data=sample.data)
    assert done.returncode == 0, done.stderr
    places, cursor = [], None
    while not places or cursor:
        page = sample.get("/v1/businesses", limit=100, **({"cursor": cursor} if cursor else {}))
        places += page["data"]
        cursor = page["meta"]["pagination"]["next_cursor"]
    return done.stdout, places


def rows():
    with open(SAMPLE, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def test_imports_whole_and_a_second_time_changes_nothing(sample, imported):
    n = len(rows())
    assert n >= 60
    assert imported[0].splitlines() == [f"{n} read: {n} created, 0 updated, 0 unchanged, 0 gone, 0 rejected"]
    again = run("import", "csv", SAMPLE, data=sample.data)
    assert again.stdout.splitlines()[-1] == f"{n} read: 0 created, 0 updated, {n} unchanged, 0 gone, 0 rejected"


def test_every_cell_arrives(imported):
    """Whatever stands in the file is in the API's answer: no column is misspelt, no value dropped."""
    places = {p["slug"]: p for p in imported[1]}
    assert len(places) == len(rows())
    for row in rows():
        for name, cell in row.items():
            value = places[row["slug"]]
            for part in name.split("."):
                value = value[part]
            if name == "attributes":
                pairs = [pair.split(":") for pair in cell.split("|") if cell]
                assert set(value) == {key for key, _ in pairs}, row["slug"]
            elif isinstance(value, list):
                assert value == [part for part in cell.split("|") if part], (row["slug"], name)
            elif isinstance(value, (int, float)):
                assert value == float(cell), (row["slug"], name)
            elif name == "phone":
                assert (value or "") == cell.replace(" ", ""), row["slug"]
            else:
                assert (value or "") == cell, (row["slug"], name)


def test_every_place_has_a_category_a_postcode_and_stands_in_or_near_the_town(imported):
    for place in imported[1]:
        where = place["location"]
        assert place["primary_category"], place["slug"]
        assert re.fullmatch(r"GU[1-4] \d[A-Z]{2}", place["address"]["postcode"]), place["slug"]
        assert haversine(*CENTRE, where["lat"], where["lng"]) < 15000, place["slug"]
        assert place["description"].endswith("."), place["slug"]


def test_shows_what_the_directory_can_tell_apart(imported):
    places = imported[1]
    assert len({p["primary_category"] for p in places}) >= 35
    assert {p["status"] for p in places} == {"operational", "temporarily_closed", "permanently_closed", "opening_soon"}
    assert {p["price_level"] for p in places} >= {1, 2, 3, 4}
    used = collections.Counter(name for p in places for name in p["attributes"])
    assert len(used) >= 10, used


@pytest.mark.parametrize("q, first", [
    ("starbuks", "Starbucks"), ("castle", "Guildford Castle"), ("cathedral", "Guildford Cathedral"),
    ("coffee", "Tin Kettle Coffee Roasters"), ("hospital", "Royal Surrey County Hospital"), ("kings head", "The King's Head"),
    ("plumber", "Tapwell & Daughters Plumbing"), ("m&s", "Marks & Spencer"), ("caffe nero", "Caffè Nero"),
    ("plumer", "Tapwell & Daughters Plumbing"), ("bakry", "Crumb & Kiln"), ("hairdreser", "Scissor Lane Barbers")])
def test_a_visitor_finds(sample, imported, q, first):
    assert sample.get("/v1/businesses", q=q)["data"][0]["name"] == first


def test_near_the_high_street_is_the_high_street(sample, imported):
    near = sample.get("/v1/businesses", near="51.2362,-0.5704", radius=500, limit=100)["data"]
    names = [place["name"] for place in near]
    assert {"Holy Trinity Church", "Guildford Guildhall", "Starbucks", "Guildford Castle"} <= set(names)
    assert not {"Guildford Cathedral", "Royal Surrey County Hospital", "Watts Gallery"} & set(names)


def test_invented_traders_reach_nobody(imported):
    """A number or an address that could be somebody's is only given for a place that is real: those have no e-mail."""
    for place in imported[1]:
        if not place["email"] and not DRAMA_PHONES.fullmatch(place["phone"] or ""):
            continue
        assert DRAMA_PHONES.fullmatch(place["phone"]), place["slug"]
        for host in [place["email"] and place["email"].split("@")[1], place["website"] and httpx.URL(place["website"]).host]:
            assert not host or INVENTED_HOSTS.search(host), place["slug"]
