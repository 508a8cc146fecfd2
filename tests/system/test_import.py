# SPDX-License-Identifier: Apache-2.0
"""guildford import: real open data and small files by hand; again, later, by halves, beside people's edits."""

import csv
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import threading
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import pytest

from conftest import BINARY, Server, clean_environment, new_folder, run, wait_for

LAST = re.compile(r"(\d+) read: (\d+) created, (\d+) updated, (\d+) unchanged, (\d+) gone, (\d+) rejected\n\Z")
SCHOOLS = ("source_id=URN,name=EstablishmentName,status=EstablishmentStatus (name),address.lines=Street,"
           "address.locality=Town,address.postcode=Postcode,website=SchoolWebsite,phone=TelephoneNum,"
           "location.easting=Easting,location.northing=Northing,primary_category=:school")


def load(server, *args, expect=0):
    """Imports into the running server's database. Gives the six counts, or the error when it should fail."""
    done = run("import", *args, data=server.data)
    assert done.returncode == expect, done.stdout + done.stderr
    if expect:
        return done.stderr
    found = LAST.search(done.stdout)
    assert found, done.stdout
    return tuple(int(n) for n in found.groups())


def whole(server, source, include=None):
    """Everything of a source by source_id, over the API."""
    result, cursor = {}, None
    while True:
        more = {"include": include} if include else {}
        if cursor:
            more["cursor"] = cursor
        page = server.get("/v1/businesses", source=source, limit=100, **more)
        result.update({b["source_id"]: b for b in page["data"]})
        cursor = page["meta"]["pagination"]["next_cursor"]
        if not cursor:
            return result


def establishments(path):
    """What the publisher's file says, read by another program."""
    places = {}
    for e in ElementTree.parse(path).iter("EstablishmentDetail"):
        fields = {leaf.tag: leaf.text.strip() for leaf in e.iter() if leaf.text and leaf.text.strip() and leaf is not e}
        places[fields["FHRSID"]] = fields
    return places


def write_fhrs(path, *places, authority="999"):
    """An FHRS file of places: dicts of element names, FHRSID and BusinessName at least."""
    def one(place):
        place = {"BusinessType": "Pub/bar/nightclub", "LocalAuthorityCode": authority, "SchemeType": "FHRS", **place}
        return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in place.items())
    body = "".join(f"<EstablishmentDetail>{one(p)}</EstablishmentDetail>\n" for p in places)
    path.write_text('<?xml version="1.0"?><FHRSEstablishment><Header/><EstablishmentCollection>\n'
                    + body + "</EstablishmentCollection></FHRSEstablishment>", encoding="utf-8")
    return path


def write_csv(path, *rows):
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    return path


def feature(number, **tags):
    return {"type": "Feature", "id": f"node/{number}", "properties": tags,
            "geometry": {"type": "Point", "coordinates": [-0.57, 51.23]}}


@pytest.fixture(scope="module")
def guildford(server, open_data):
    """The server with the town of Guildford in it."""
    path = open_data / "fhrs/FHRS307en-GB.xml"
    done = run("import", "fhrs", path, data=server.data)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "939 read: 939 created, 0 updated, 0 unchanged, 0 gone, 0 rejected\n"
    return server


def test_the_town_comes_in_as_its_publisher_has_it(guildford, open_data):
    there = whole(guildford, "fhrs:307", include="inspections")
    for number, place in establishments(open_data / "fhrs/FHRS307en-GB.xml").items():
        got = there.pop(number)
        assert got["name"] == place["BusinessName"] and got["status"] == "operational"
        assert got["address"]["postcode"] == place.get("PostCode")
        if "Latitude" in place:
            assert abs(got["location"]["lat"] - float(place["Latitude"])) < 1e-9
            assert abs(got["location"]["lng"] - float(place["Longitude"])) < 1e-9
        else:
            assert got["location"] is None
        [inspection] = got["inspections"]
        assert inspection["scheme"] == "fhrs" and inspection["rating"] == place["RatingValue"]
        assert inspection["date"] == place.get("RatingDate")
        number_or_none = int(place["RatingValue"]) if place["RatingValue"].isdigit() else None
        assert inspection["rating_value"] == got["inspection_rating"] == number_or_none
        assert inspection["hygiene_score"] == (int(place["Hygiene"]) if "Hygiene" in place else None)
        lines = [place[f"AddressLine{i}"] for i in range(1, 5) if f"AddressLine{i}" in place]
        kept = got["address"]["lines"] + [t for t in (got["address"]["locality"], got["address"]["region"]) if t]
        assert kept == lines
    assert there == {}


def test_the_same_file_again_changes_nothing(guildford, open_data):
    before = whole(guildford, "fhrs:307")
    assert load(guildford, "fhrs", open_data / "fhrs/FHRS307en-GB.xml") == (939, 0, 0, 939, 0, 0)
    assert whole(guildford, "fhrs:307") == before


def test_a_later_file_updates_and_closes_what_is_gone(server, open_data):
    first, second = (open_data / f"fhrs/guildford-2020-{day}.xml" for day in ("08-10", "10-25"))
    old, new = establishments(first), establishments(second)
    assert load(server, "fhrs", first, "--source", "later") == (len(old), len(old), 0, 0, 0, 0)
    want = (len(new), len(new.keys() - old.keys()), len(old.keys() - new.keys()))
    dry = load(server, "fhrs", second, "--source", "later", "--dry-run")
    assert {b["status"] for b in whole(server, "later").values()} == {"operational"}
    read, created, updated, unchanged, gone, rejected = load(server, "fhrs", second, "--source", "later")
    assert dry == (read, created, updated, unchanged, gone, rejected)
    assert (read, created, gone) == want and rejected == 0
    assert updated + unchanged == len(new.keys() & old.keys()) and updated > 0
    there = whole(server, "later")
    assert {number for number, b in there.items() if b["status"] == "permanently_closed"} == old.keys() - new.keys()
    assert {number: b["name"] for number, b in there.items() if number in new} == {n: p["BusinessName"] for n, p in new.items()}
    assert {n: b["inspection_rating"] for n, b in there.items() if n in new and new[n]["RatingValue"].isdigit()} == {
        n: int(p["RatingValue"]) for n, p in new.items() if p["RatingValue"].isdigit()}
    # the earlier file again: who had gone is back
    load(server, "fhrs", first, "--source", "later")
    there = whole(server, "later")
    assert {n for n, b in there.items() if b["status"] == "operational"} == old.keys()


def test_all_of_surrey_comes_in(guildford, open_data):
    """The county's other ten authorities, several at a time, as a nightly job would."""
    files = sorted(open_data.glob("fhrs/FHRS3??en-GB.xml"))
    assert len(files) == 11
    results = {}

    def some(part):
        for path in part:
            results[path] = run("import", "fhrs", path, "--report", "/dev/null", data=guildford.data)
    threads = [threading.Thread(target=some, args=(files[i::3],)) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for path in files:
        assert results[path].returncode == 0, results[path].stderr
        read, created, updated, unchanged, _, rejected = (int(n) for n in LAST.search(results[path].stdout).groups())
        assert read == len(establishments(path)) == created + unchanged and rejected == updated == 0, path
    sources = dict(guildford.database("select source, count(*) from business.business where source ~ '^fhrs:3' group by 1"))
    assert len(sources) == 11 and sum(map(int, sources.values())) == 8575


def test_what_people_edited_stays_theirs(server, folder, tmp_path):
    path = write_fhrs(tmp_path / "a.xml", {"FHRSID": "1", "BusinessName": "Old name", "AddressLine1": "1 High Street", "PostCode": "GU1 3AA"},
                      authority="edits")
    assert load(server, "fhrs", path) == (1, 1, 0, 0, 0, 0)
    made = whole(server, "fhrs:edits")["1"]
    server.call("PATCH", f"/v1/businesses/{made['id']}", {"name": "Hand-made", "phone": "+441483000001", "address": {"postcode": None}})
    assert load(server, "fhrs", path) == (1, 0, 0, 1, 0, 0)
    write_fhrs(path, {"FHRSID": "1", "BusinessName": "New name", "BusinessType": "Takeaway/sandwich shop", "AddressLine1": "2 High Street",
                      "PostCode": "GU1 3AB"}, authority="edits")
    assert load(server, "fhrs", path) == (1, 0, 1, 0, 0, 0)
    now = whole(server, "fhrs:edits")["1"]
    assert now["name"] == "Hand-made" and now["phone"] == "+441483000001" and now["address"]["postcode"] is None
    assert now["primary_category"] == "takeaway" and now["address"]["lines"] == ["2 High Street"] and now["slug"] == made["slug"]
    # a status that a person has set is not closed by a file either
    server.call("PATCH", f"/v1/businesses/{made['id']}", {"status": "temporarily_closed"})
    write_fhrs(path, {"FHRSID": "2", "BusinessName": "Another"}, authority="edits")
    assert load(server, "fhrs", path) == (1, 1, 0, 0, 0, 0)
    assert whole(server, "fhrs:edits")["1"]["status"] == "temporarily_closed"


def test_what_people_deleted_stays_out(server, tmp_path):
    path = write_fhrs(tmp_path / "a.xml", {"FHRSID": "1", "BusinessName": "Unwanted", "RatingValue": "5", "RatingDate": "2020-01-01"},
                      {"FHRSID": "2", "BusinessName": "Badly rated", "RatingValue": "1", "RatingDate": "2020-01-01"}, authority="deleted")
    load(server, "fhrs", path)
    there = whole(server, "fhrs:deleted", include="inspections")
    server.call("DELETE", f"/v1/businesses/{there['1']['id']}")
    server.call("DELETE", f"/v1/businesses/{there['2']['id']}/inspections/{there['2']['inspections'][0]['id']}")
    assert load(server, "fhrs", path) == (2, 0, 0, 2, 0, 0)
    there = whole(server, "fhrs:deleted", include="inspections")
    assert there.keys() == {"2"} and there["2"]["inspections"] == []


def test_an_inspection_that_people_corrected_stays_theirs(server, tmp_path):
    place = {"FHRSID": "1", "BusinessName": "Corrected", "RatingValue": "2", "RatingDate": "2020-01-01", "Hygiene": "10", "Structural": "5"}
    path = write_fhrs(tmp_path / "a.xml", place, authority="corrected")
    load(server, "fhrs", path)
    made = whole(server, "fhrs:corrected", include="inspections")["1"]
    server.call("PATCH", f"/v1/businesses/{made['id']}/inspections/{made['inspections'][0]['id']}", {"rating": "4"})
    assert load(server, "fhrs", path) == (1, 0, 0, 1, 0, 0)
    write_fhrs(path, {**place, "Hygiene": "0"}, authority="corrected")
    assert load(server, "fhrs", path) == (1, 0, 1, 0, 0, 0)
    now = whole(server, "fhrs:corrected", include="inspections")["1"]
    [inspection] = now["inspections"]
    assert inspection["rating"] == "4" and inspection["rating_value"] == now["inspection_rating"] == 4
    assert inspection["hygiene_score"] == 0 and inspection["structural_score"] == 5


@pytest.mark.parametrize("kind, category", [
    ("Restaurant/Cafe/Canteen", "restaurant"), ("Pub/bar/nightclub", "pub"), ("Takeaway/sandwich shop", "takeaway"),
    ("Retailers - supermarkets/hypermarkets", "supermarket"), ("Hotel/bed & breakfast/guest house", "hotel"),
    ("School/college/university", "school"), ("Farmers/growers", "farm"), ("A kind of tomorrow", None)])
def test_business_types_become_categories(server, tmp_path, kind, category):
    authority = f"kind-{category}"
    load(server, "fhrs", write_fhrs(tmp_path / "a.xml", {"FHRSID": "1", "BusinessName": "x", "BusinessType": kind}, authority=authority))
    got = whole(server, f"fhrs:{authority}", include="categories")["1"]
    assert got["primary_category"] == category and [c["slug"] for c in got["categories"]] == ([category] if category else [])


def test_every_business_type_of_surrey_has_a_category(guildford):
    none = guildford.database("select count(*) from business.business where source = 'fhrs:307' and primary_category is null")
    assert none == [["0"]]


def test_ratings_become_inspections(server, tmp_path):
    places = [
        {"FHRSID": "1", "BusinessName": "Rated", "RatingValue": "4", "RatingDate": "2019-01-25", "Hygiene": "5", "Structural": "10",
         "ConfidenceInManagement": "0"},
        {"FHRSID": "2", "BusinessName": "Waiting", "RatingValue": "AwaitingInspection"},
        {"FHRSID": "3", "BusinessName": "Scottish", "RatingValue": "Pass", "RatingDate": "2019-01-25", "SchemeType": "FHIS"},
        {"FHRSID": "4", "BusinessName": "Unrated"},
        {"FHRSID": "5", "BusinessName": "Wrongly dated", "RatingValue": "3", "RatingDate": "2019-02-30"}]
    path = tmp_path / "a.xml"
    assert load(server, "fhrs", write_fhrs(path, *places, authority="rated")) == (5, 5, 0, 0, 0, 0)
    there = whole(server, "fhrs:rated", include="inspections")
    short = {n: [(i["scheme"], i["rating"], i["rating_value"], i["date"]) for i in b["inspections"]] for n, b in there.items()}
    assert short == {"1": [("fhrs", "4", 4, "2019-01-25")], "2": [("fhrs", "AwaitingInspection", None, None)],
                     "3": [("fhis", "Pass", None, "2019-01-25")], "4": [], "5": []}
    first = there["1"]["inspections"][0]
    assert (first["hygiene_score"], first["structural_score"], first["confidence_score"]) == (5, 10, 0)
    # next year: a new visit is a new inspection, an awaited one has taken place
    places[0].update(RatingValue="2", RatingDate="2020-02-01")
    places[1].update(RatingValue="5", RatingDate="2020-03-01")
    assert load(server, "fhrs", write_fhrs(path, *places, authority="rated"))[2] == 2
    there = whole(server, "fhrs:rated", include="inspections")
    assert [i["rating"] for i in there["1"]["inspections"]] == ["2", "4"] and there["1"]["inspection_rating"] == 2
    assert [i["rating"] for i in there["2"]["inspections"]] == ["5"]


def test_text_is_taken_whole(server, tmp_path):
    names = ["Fish & Chips <b>", "Café Ñandú", "寿司 🍣", "O'Neil's \"Bar\"", "x" * 160, "semi;colon,comma|bar", "{curly,\"braces\"}\\"]
    path = tmp_path / "a.xml"
    write_fhrs(path, *({"FHRSID": str(i), "BusinessName": n} for i, n in enumerate(names)), authority="text")
    text = path.read_text().replace("</EstablishmentCollection>", """<EstablishmentDetail><FHRSID>c</FHRSID>
        <BusinessName>Salt &amp; <![CDATA[Pepper & ]]>Sons</BusinessName><LocalAuthorityCode>text</LocalAuthorityCode>
        </EstablishmentDetail></EstablishmentCollection>""")
    path.write_text(text)
    assert load(server, "fhrs", path)[1:] == (len(names) + 1, 0, 0, 0, 0)
    there = whole(server, "fhrs:text")
    assert [there[str(i)]["name"] for i in range(len(names))] == names
    assert there["c"]["name"] == "Salt & Pepper & Sons"


def test_an_id_with_every_kind_of_character_keeps_its_row(server, tmp_path):
    ids = ['a"b', "a\\b", "{a,b}", "NULL", "a'b", "é 🍣", "a b", "-1"]
    path = write_fhrs(tmp_path / "a.xml", *({"FHRSID": i, "BusinessName": f"Number {n}"} for n, i in enumerate(ids)), authority="ids")
    assert load(server, "fhrs", path)[1] == len(ids)
    assert load(server, "fhrs", path) == (len(ids), 0, 0, len(ids), 0, 0)


def test_rejected_rows_are_reported_with_line_and_reason(server, tmp_path):
    path = write_csv(
        tmp_path / "shop list.csv", "source_id,name,price_level,website,primary_category,address.postcode",
        "1,Good,2,https://good.example/,pub,GU1 3AA",
        "2,,2,,pub,",
        "3,Too many,cells,,,,,,",
        "",
        "1,Good twice,,,,",
        '4,"Two',
        'lines",,,,',
        "5,No such category,,,castle,",
        "6,Half good,2.5,gopher://x,pub,nowhere",
        "7," + "x" * 161 + ",,,,",
        "8,Last,,,,")
    report = tmp_path / "report.txt"
    done = run("import", "csv", path, "--report", report, data=server.data)
    assert done.returncode == 0, done.stderr
    assert LAST.search(done.stdout).group() == "9 read: 3 created, 0 updated, 0 unchanged, 0 gone, 6 rejected\n"
    assert f"see {report}\n" in done.stdout and "3 values left out\n" in done.stdout
    lines = report.read_text().splitlines()
    found = {}
    for line in lines:
        number, what = re.match(r"line (\d+)(?:, id [^:]*)?: (.*)", line).groups()
        found.setdefault(int(number), []).append(what)
    assert sorted(found) == [3, 4, 6, 7, 9, 10, 11]
    for number, word in ((3, "name"), (4, "cells"), (6, "twice"), (7, "one line"), (9, "castle"), (11, "160")):
        assert len(found[number]) == 1 and found[number][0].startswith("rejected: ") and word in found[number][0], found[number]
    assert sorted(w.split()[3] for w in found[10]) == ["address.postcode", "price_level", "website"]
    there = whole(server, "csv:shop-list")
    assert sorted(there) == ["1", "6", "8"] and there["6"]["price_level"] is None and there["6"]["name"] == "Half good"
    # once more: what is rejected has been in the file all the same
    assert load(server, "csv", path, "--report", report) == (9, 0, 0, 3, 0, 6)


def test_every_category_of_a_row_must_be_there(server, tmp_path):
    path = write_csv(tmp_path / "categories.csv", "source_id,name,primary_category,other_categories", "1,Good Row,pub,restaurant",
                     "2,Bad Second Category,pub,restaurant|nowhere", "3,Bad First Category,nowhere,")
    assert load(server, "csv", path, "--report", tmp_path / "report") == (3, 1, 0, 0, 0, 2)
    assert (tmp_path / "report").read_text().count('there is no category "nowhere"') == 2


def test_a_garbled_row_closes_nothing(server, tmp_path):
    """A row whose id cannot be read may be any of those that are missing."""
    path = write_csv(tmp_path / "garbled.csv", "source_id,name", "1,One", "2,Two")
    load(server, "csv", path)
    write_csv(path, "source_id,name", "1,One", "2,Two,and more")
    assert load(server, "csv", path) == (2, 0, 0, 1, 0, 1)
    assert whole(server, "csv:garbled")["2"]["status"] == "operational"


def test_a_report_that_cannot_be_written_stops_before_anything_is(server, tmp_path):
    path = write_csv(tmp_path / "unreported.csv", "source_id,name", "1,Good", "2,")
    assert str(tmp_path / "none/report") in load(server, "csv", path, "--report", tmp_path / "none/report", expect=1)
    assert whole(server, "csv:unreported") == {}


def test_csv_as_spreadsheets_write_it(server, tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_bytes(b"\xef\xbb\xbfsource_id,name,price_level,other_categories,attributes,location.lat,location.lng,description,website\r\n"
                     b'1,"Comma, ""quoted""",3,pub|bar,wifi:free|payment:cash|payment:card|takeaway:yes,51.2,-0.5,"two\r\nlines",www.a.example\r\n'
                     b"2,Caf\xe9 Latin,,,,51.2,,,")
    assert load(server, "csv", path, "--report", tmp_path / "report") == (2, 2, 0, 0, 0, 0)
    there = whole(server, "csv:sheet")
    one, two = there["1"], there["2"]
    assert one["name"] == 'Comma, "quoted"' and one["price_level"] == 3 and one["other_categories"] == ["pub", "bar"]
    assert one["attributes"] == {"wifi": "free", "payment": ["cash", "card"], "takeaway": True}
    assert one["location"] == {"lat": 51.2, "lng": -0.5} and one["description"].split() == ["two", "lines"]
    assert one["website"] == "http://www.a.example"
    assert two["name"] == "Café Latin" and two["location"] is None


@pytest.mark.parametrize("level", ["2.5", "1e300", "-1e300", "5", "cheap", "nan"])
def test_numbers_are_not_bent_to_fit(server, tmp_path, level):
    path = write_csv(tmp_path / f"level {level}.csv", "source_id,name,price_level", f"1,Priced,{level}")
    done = run("import", "csv", path, "--source", f"level-{level}", "--report", tmp_path / "r", data=server.data)
    assert "1 value left out" in done.stdout
    assert whole(server, f"level-{level}")["1"]["price_level"] is None


def test_schools_by_a_map_of_columns(server, open_data, tmp_path):
    path, report = open_data / "schools/schools_surrey_area_no_persons.csv", tmp_path / "report"
    assert load(server, "csv", path, "--map", SCHOOLS, "--source", "schools", "--report", report) == (2287, 2287, 0, 0, 0, 0)
    assert len(report.read_text().splitlines()) < 10, "only what is truly bad is left out"
    with open(path, encoding="latin-1") as f:
        rows = {row["URN"]: row for row in csv.DictReader(f)}
    states = {"Open": "operational", "Open, but proposed to close": "operational", "Closed": "permanently_closed"}
    there = whole(server, "schools")
    assert there.keys() == rows.keys()
    for number, school in there.items():
        assert school["name"] == rows[number]["EstablishmentName"].strip()
        assert school["status"] == states[rows[number]["EstablishmentStatus (name)"]]
        assert school["primary_category"] == "school"
        assert (school["location"] is None) == (not rows[number]["Easting"] or rows[number]["Easting"] == "0")
    cranleigh = [s for s in there.values() if s["address"]["postcode"] == "GU6 8QQ"]
    for school in cranleigh:
        assert abs(school["location"]["lat"] - 51.14) < 0.02 and abs(school["location"]["lng"] + 0.49) < 0.02
    assert load(server, "csv", path, "--map", SCHOOLS, "--source", "schools", "--report", report, "--dry-run") == (2287, 0, 0, 2287, 0, 0)


@pytest.mark.parametrize("name", ["shop", "enjoy", "learn"])
def test_openstreetmap(server, open_data, tmp_path, name):
    path, report = open_data / f"osm/{name}.geojson", tmp_path / "report"
    features = json.loads(path.read_text())["features"]
    named = {f["id"]: f for f in features if any(f["properties"].get(k) for k in ("name", "brand", "operator"))}
    want = (len(features), len(named), 0, 0, 0, len(features) - len(named))
    assert load(server, "geojson", path, "--report", report) == want
    assert load(server, "geojson", path, "--report", report) == (len(features), 0, 0, len(named), 0, want[5])
    there = whole(server, f"geojson:{name}")
    assert there.keys() == named.keys()
    for number, place in there.items():
        tags = named[number]["properties"]
        if tags.get("name"):
            assert place["name"] == tags["name"].strip()
        assert place["location"], "each has a place"
        if named[number]["geometry"]["type"] == "Point":
            assert place["location"]["lng"] == pytest.approx(named[number]["geometry"]["coordinates"][0])
    sorted_out = sum(1 for b in there.values() if b["primary_category"])
    assert sorted_out > 0.7 * len(there)
    if report.exists():
        assert report.read_text().count("rejected: has no name") == want[5]


def test_geojson_of_all_shapes(server, tmp_path):
    features = [feature(1, name="Point", amenity="pub"), feature(2, name="Area", shop="bakery"), feature(3, name="Nowhere"),
                {"type": "Feature", "id": 4, "properties": {"name": "Whole number"}, "geometry": None},
                {"type": "Feature", "properties": {"name": "No id"}, "geometry": None},
                {"type": "Feature", "id": "5", "properties": None, "geometry": None}, feature(6, name="Brace } ] \\\" in text")]
    features[1]["geometry"] = {"type": "Polygon", "coordinates": [[[0, 50], [2, 50], [2, 52], [0, 52]]]}
    features[2]["geometry"] = {"type": "Point", "coordinates": [1000, 1000]}
    path = tmp_path / "shapes.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "name": "features [", "features": features, "more": [1, {"features": []}]}))
    assert load(server, "geojson", path, "--report", tmp_path / "r") == (7, 5, 0, 0, 0, 2)
    there = whole(server, "geojson:shapes")
    assert there["node/2"]["location"] == {"lat": 51, "lng": 1} and there["node/2"]["primary_category"] == "bakery"
    assert there["node/3"]["location"] is None and there["4"]["name"] == "Whole number"
    assert there["node/6"]["name"] == 'Brace } ] \\" in text'


FHRS_HEAD = "<FHRSEstablishment><EstablishmentCollection>"
BAD_FILES = [
    ("fhrs", b"", "line"), ("fhrs", b"not XML at all", "line 1"), ("fhrs", b"<html><body>Service unavailable</body></html>", "FHRS"),
    ("fhrs", FHRS_HEAD.encode() + b"<EstablishmentDetail><FHRSID>1</FHRSID><BusinessName>x", "breaks off"),
    ("fhrs", FHRS_HEAD.encode() + b"<EstablishmentDetail><FHRSID>1</EstablishmentDetail>", "line 1"),
    ("fhrs", FHRS_HEAD.encode() + b"<EstablishmentDetail><FHRSID>1</FHRSID><BusinessName>\xff</BusinessName></EstablishmentDetail>", "line 1"),
    ("fhrs", b"\x00\x01\x02\x03" * 100, "line 1"),
    ("csv", b"", "empty"), ("csv", b"a,b\n1,2\n", '"name"'), ("csv", b"source_id,name\n1,One\n2,\"Two\n3,Three\n", "line 3"),
    ("csv", b"source_id,name\n1,O\"ne\n", "Line 2"),
    ("geojson", b"", "FeatureCollection"), ("geojson", b"[]", "FeatureCollection"), ("geojson", b'{"type":"FeatureCollection"}', "FeatureCollection"),
    ("geojson", b'{"features":[{"id":"1","properties":{"name":"x"}}', "line 1"), ("geojson", b'{"features":[1,2]}', "line 1"),
    ("geojson", b'{"features":[{"id":"1","prop', "line 1"), ("geojson", b'{"features":[\n{"id":"1"}\n{"id":"2"}]}', "line 3")]


@pytest.mark.parametrize("number", range(len(BAD_FILES)))
def test_files_that_are_not_what_they_should_be(server, tmp_path, number):
    kind, data, word = BAD_FILES[number]
    path = tmp_path / f"bad{number}"
    path.write_bytes(data)
    text = load(server, kind, path, "--report", tmp_path / "r", expect=1)
    assert word in text.split("guildford: ", 1)[1], text


@pytest.mark.parametrize("args, word", [
    (("csv", "/no/such/file"), "/no/such/file"), (("csv", "/tmp"), "/tmp"), (("fhrs", "/tmp"), "/tmp"), (("geojson", "/tmp"), "/tmp")])
def test_paths_that_are_no_files(server, args, word):
    assert word in load(server, *args, expect=1)


def test_a_map_must_fit_the_file(server, tmp_path):
    path = write_csv(tmp_path / "mapped.csv", "ID,Title", "1,One")
    assert '"Name"' in load(server, "csv", path, "--map", "source_id=ID,name=Name", expect=1)
    assert "--map" in load(server, "csv", path, "--map", "nonsense", expect=1)
    assert "colour" in load(server, "csv", path, "--map", "source_id=ID,name=Title,colour=:red", expect=1)
    assert load(server, "csv", path, "--map", "source_id=ID, name = Title, primary_category=:pub") == (1, 1, 0, 0, 0, 0)
    assert whole(server, "csv:mapped")["1"]["primary_category"] == "pub"


def test_what_was_committed_before_the_file_broke_off_stays(server, open_data, tmp_path):
    whole_file = open_data / "fhrs/FHRS307en-GB.xml"
    path = tmp_path / "half.xml"
    path.write_bytes(whole_file.read_bytes()[:750_000])
    text = load(server, "fhrs", path, "--source", "half", expect=1)
    assert "breaks off" in text
    kept = whole(server, "half")
    assert 0 < len(kept) < 939
    assert load(server, "fhrs", whole_file, "--source", "half") == (939, 939 - len(kept), 0, len(kept), 0, 0)
    # and a file that breaks off says nothing of what is gone
    load(server, "fhrs", path, "--source", "half", expect=1)
    assert {b["status"] for b in whole(server, "half").values()} == {"operational"}


def test_one_authority_a_file(server, tmp_path):
    path = write_fhrs(tmp_path / "a.xml", {"FHRSID": "1", "BusinessName": "One", "LocalAuthorityCode": "10"},
                      {"FHRSID": "2", "BusinessName": "Two", "LocalAuthorityCode": "11"})
    assert "several authorities" in load(server, "fhrs", path, expect=1)


def test_keep_leaves_what_the_file_lacks(server, tmp_path):
    path = write_csv(tmp_path / "kept.csv", "source_id,name", "1,One", "2,Two")
    load(server, "csv", path)
    write_csv(path, "source_id,name", "1,One")
    assert load(server, "csv", path, "--keep") == (1, 0, 0, 1, 0, 0)
    assert load(server, "csv", path) == (1, 0, 0, 1, 1, 0)
    assert whole(server, "csv:kept")["2"]["status"] == "permanently_closed"


def test_a_dry_run_writes_nothing(server, tmp_path):
    path = write_csv(tmp_path / "dry.csv", "source_id,name,primary_category", "1,One,pub", "2,One,pub", "3,,pub")
    before = server.database("select count(*), sum(version) from business.business")
    done = run("import", "csv", path, "--dry-run", "--report", tmp_path / "r", data=server.data)
    assert done.returncode == 0 and "nothing was written" in done.stdout
    assert server.database("select count(*), sum(version) from business.business") == before
    assert load(server, "csv", path, "--report", tmp_path / "r") == tuple(int(n) for n in LAST.search(done.stdout).groups()) == (3, 2, 0, 0, 0, 1)


def test_two_imports_of_new_places_with_one_name(server, tmp_path):
    """Each wants the slugs of the other."""
    paths = [write_csv(tmp_path / f"twin{i}.csv", "source_id,name", *(f"{n},Twin place {n % 50}" for n in range(1200))) for i in (1, 2)]
    children = [subprocess.Popen([BINARY, "import", "csv", path, "--data", server.data], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=clean_environment()) for path in paths]
    for child in children:
        out, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
        assert LAST.search(out).group(2) == "1200"


def test_a_progress_bar_on_a_terminal_and_none_otherwise(server, open_data):
    path = open_data / "fhrs/FHRS307en-GB.xml"
    args = ("import", "fhrs", str(path), "--source", "bar", "--data", server.data)
    master, slave = pty.openpty()
    child = subprocess.Popen([BINARY, *args], stdout=slave, stderr=subprocess.DEVNULL, env=clean_environment())
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:
        pass  # the other end is closed
    os.close(master)
    assert child.wait(timeout=60) == 0
    frames = [f for f in shown.decode().split("\r") if "%" in f]
    assert frames, shown
    percents = [int(re.match(r" *(\d+) % \[#* *\] \d+ read, \d+ rejected$", f).group(1)) for f in frames]
    assert percents == sorted(percents) and 0 <= percents[0] and percents[-1] <= 100
    assert shown.decode().replace("\r\n", "\n").endswith("939 read: 939 created, 0 updated, 0 unchanged, 0 gone, 0 rejected\n")
    plain = run(*args)
    assert "\r" not in plain.stdout and "\033" not in plain.stdout and plain.stdout.count("\n") == 1


def test_an_import_joins_the_cluster_of_a_running_server(server, tmp_path):
    before = server.postmaster()
    load(server, "csv", write_csv(tmp_path / "joined.csv", "source_id,name", "1,Joined"))
    assert server.postmaster() == before and server.http.get("/readyz").status_code == 200


def test_an_import_alone_starts_the_cluster_and_stops_it(folder, tmp_path):
    path = write_csv(tmp_path / "alone.csv", "source_id,name", "1,Alone")
    assert "guildford migrate" in run("import", "csv", path, data=folder).stderr
    assert run("migrate", data=folder).returncode == 0
    for expected in ("1 created", "1 unchanged"):
        done = run("import", "csv", path, data=folder)
        assert done.returncode == 0 and expected in done.stdout
        assert not os.path.exists(f"{folder}/postgres/postmaster.pid")


def test_an_import_killed_in_the_middle_is_done_again(open_data):
    """No server: the cluster that the killed one had started lives on and is taken over."""
    data = new_folder()
    path = open_data / "fhrs/FHRS305en-GB.xml"
    total = len(establishments(path))
    assert run("migrate", data=data).returncode == 0
    child = subprocess.Popen([BINARY, "import", "fhrs", path, "--data", data], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=clean_environment())

    def committed():
        done = subprocess.run(["psql", "-XAt", "-h", f"{data}/socket", "-U", "guildford", "-d", "guildford", "-c",
                               "select count(*) from business.business"], capture_output=True, text=True)
        return done.returncode == 0 and int(done.stdout) > 0
    wait_for(committed)
    child.send_signal(signal.SIGKILL)
    child.wait()
    again = run("import", "fhrs", path, data=data)
    assert again.returncode == 0, again.stderr
    read, created, updated, unchanged, gone, rejected = (int(n) for n in LAST.search(again.stdout).groups())
    assert read == total == created + unchanged and unchanged > 0 and updated == gone == rejected == 0
    s = Server(data=data, workers=1)
    assert s.get("/v1/businesses", source="fhrs:305", limit=1)["meta"]["pagination"]["total"] == total
    s.stop()


def test_people_write_while_an_import_runs(server, tmp_path):
    """They may have to wait for it, but nobody is turned away, neither they nor the import."""
    path = write_csv(tmp_path / "busy.csv", "source_id,name,address.locality", *(f"{n},Coffee house bakery {n % 97} {n % 89},Shere" for n in range(2500)))
    child = subprocess.Popen([BINARY, "import", "csv", path, "--data", server.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env=clean_environment())
    made = 0
    while child.poll() is None:
        server.create(name=f"Bakery {made % 97} {made % 7} coffee new{made}", address={"locality": "Shere"})
        made += 1
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert LAST.search(out).group(2) == "2500" and made > 0


def test_an_id_forges_no_line_of_the_report(folder):
    assert run("migrate", data=folder).returncode == 0
    path = pathlib.Path(folder) / "forged.csv"
    path.write_text('name,source_id\n,"a\nline 7, id b: rejected: forged"\n')
    report = pathlib.Path(folder) / "report.txt"
    done = run("import", "csv", path, "--report", report, data=folder)
    assert done.stdout.splitlines()[-1].endswith("1 rejected")
    assert [line for line in report.read_text().splitlines() if "forged" in line] == []
    assert "id a: rejected" in report.read_text()
