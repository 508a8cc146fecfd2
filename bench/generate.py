#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fills a migrated, empty database with generated businesses, the same for the same number and seed, and writes the
questions that the benchmark asks of them (ids.txt, categories.txt, points.txt, queries.txt). bench/run calls it.

A million rows through row triggers would take an hour: rows are loaded with triggers off and without secondary indexes,
the read models are filled set-wise by the functions that the triggers call, and a sample is then written again through
the triggers to see that both ways agree."""

import argparse
import bisect
import datetime
import itertools
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import urllib.parse
import uuid

import words

COLUMNS = ("id name slug description status phone email website price_level address_lines address_locality "
           "address_region address_postcode location_lat location_lng primary_category other_categories attributes "
           "source source_id verified inspection_rating created_at updated_at").split()
INSPECTION = "id business_id scheme rating rating_value date hygiene_score structural_score confidence_score".split()
# Standard deviation of the distance from a town's centre is this times the root of the town's weight, so that large towns
# are wide and not piled up: at a million rows some 600 businesses stand on a square kilometre, as in a British town.
SPREAD_KM = 0.8
EPOCH_MS = 1704067200000  # 2024-01-01


class Weighted:
    """Draws items by weight."""

    def __init__(self, items, weights):
        self.items = items
        self.sums = list(itertools.accumulate(weights))

    def pick(self, rnd):
        return self.items[bisect.bisect(self.sums, rnd.random() * self.sums[-1])]


class Town:
    """The businesses of one database, drawn one after the other from a seeded generator."""

    def __init__(self, rnd, categories):
        self.rnd = rnd
        tail = sorted({a + b for a in words.STEMS for b in words.ENDINGS} - set(words.COMMON_SURNAMES))
        rnd.shuffle(tail)
        surnames = words.COMMON_SURNAMES + tail
        # Zipf, flattened: Smith is common, Wetherstead is not, and most people have a rare name.
        self.surnames = Weighted(surnames, [1 / (n + 20) for n in range(len(surnames))])
        self.towns = Weighted(words.TOWNS, [t[5] for t in words.TOWNS])
        trades = {c: words.TRADES.get(c, [name]) for c, name in categories.items()}
        self.trades = Weighted(list(trades.items()), [3 if c in words.TRADES else 1 for c in trades])
        self.chains = [f"{rnd.choice(words.ADJECTIVES)} {rnd.choice(words.CREATURES)}" for _ in range(60)]
        self.slugs = {}

    def name(self, trade, town):
        rnd, n = self.rnd, self.rnd.random()
        if n < 0.25:
            return f"The {rnd.choice(words.ADJECTIVES)} {rnd.choice(words.CREATURES)} {trade}"
        if n < 0.35:
            return f"{self.surnames.pick(rnd)} & {rnd.choice(['Sons', 'Daughters', 'Co', 'Partners'])} {trade}"
        if n < 0.50:
            return f"{self.surnames.pick(rnd)}'s {trade}"
        if n < 0.62:
            return f"{self.surnames.pick(rnd)} & {self.surnames.pick(rnd)} {trade}"
        if n < 0.72:
            return f"{rnd.choice(words.FIRST)} {self.surnames.pick(rnd)} {trade}"
        if n < 0.82:
            return f"{town} {trade}"
        if n < 0.88:
            return f"{rnd.choice(self.chains)} {trade}"
        if n < 0.94:
            return f"{rnd.choice(words.FIRST)}'s {trade}"
        return f"{rnd.choice(words.STREET_NAMES)} {rnd.choice(words.STREETS)} {trade}"

    def slug(self, name, town):
        base = re.sub(r"[^a-z0-9]+", "-", name.replace("'", "").lower()).strip("-")
        if base in self.slugs:
            base = f"{base}-{re.sub(r'[^a-z]+', '-', town.lower())}"
        n = self.slugs[base] = self.slugs.get(base, 0) + 1
        return base if n == 1 else f"{base}-{n}"

    def street(self):
        rnd = self.rnd
        name = rnd.choice(words.STREET_NAMES) if rnd.random() < 0.5 else self.surnames.pick(rnd)
        return f"{rnd.randint(1, 180)} {name} {rnd.choice(words.STREETS)}"

    def place(self, town):
        """Latitude and longitude, Gaussian around the centre."""
        spread = SPREAD_KM * math.sqrt(town[5])
        lat = town[3] + self.rnd.gauss(0, spread) / 111.2
        lng = town[4] + self.rnd.gauss(0, spread) / (111.2 * math.cos(math.radians(town[3])))
        return round(lat, 6), round(lng, 6)

    def postcode(self, district):
        rnd = self.rnd
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        return f"{district} {rnd.randint(1, 9)}{rnd.choice(letters)}{rnd.choice(letters)}"

    def attributes(self):
        rnd, out = self.rnd, {}
        for key, share, choices in (("wheelchair", 0.4, ("yes", "limited", "no")), ("dogs", 0.3, ("yes", "outside", "no")),
                                    ("wifi", 0.4, ("free", "paid", "no"))):
            if rnd.random() < share:
                out[key] = rnd.choices(choices, (7, 1, 2))[0]
        if rnd.random() < 0.5:
            out["payment"] = ["cash", "card"] if rnd.random() < 0.8 else ["card"]
        return json.dumps(out)

    def business(self, n, ms):
        """One row and, for a third, an inspection."""
        rnd = self.rnd
        town = self.towns.pick(rnd)
        (category, names) = self.trades.pick(rnd)
        name = self.name(rnd.choice(names), town[0])
        slug = self.slug(name, town[0])
        lat, lng = self.place(town)
        other = []
        if rnd.random() < 0.2:
            second = self.trades.pick(rnd)[0]
            other = [second] if second != category else []
        when = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
        key = uuid_v7(ms, rnd)
        inspected = rnd.randint(0, 5) if rnd.random() < 1 / 3 else None
        row = {
            "id": key, "name": name, "slug": slug, "source": "bench", "source_id": str(n),
            "description": self.description() if rnd.random() < 0.3 else None,
            "status": rnd.choices(["operational", "permanently_closed", "temporarily_closed", "opening_soon"],
                                  [92, 5, 2, 1])[0],
            "phone": f"+441{rnd.randint(200, 999)}{rnd.randint(100000, 999999)}" if rnd.random() < 0.8 else None,
            "email": f"hello@{slug[:60]}.example" if rnd.random() < 0.4 else None,
            "website": f"https://www.{slug[:60]}.example" if rnd.random() < 0.5 else None,
            "price_level": rnd.randint(1, 4) if rnd.random() < 0.5 else None,
            "address_lines": array([self.street()]), "address_locality": town[0], "address_region": town[1],
            "address_postcode": self.postcode(town[2]), "location_lat": lat, "location_lng": lng,
            "primary_category": category, "other_categories": array(other), "attributes": self.attributes(),
            "verified": rnd.random() < 0.1, "inspection_rating": inspected, "created_at": when, "updated_at": when,
        }
        if inspected is None:
            return row, None
        date = datetime.date(2022, 1, 1) + datetime.timedelta(days=rnd.randint(0, 1200))
        scores = [rnd.choice([0, 5, 10]) for _ in range(3)]
        return row, dict(zip(INSPECTION, [uuid_v7(ms, rnd), key, "fhrs", str(inspected), inspected, date, *scores]))

    def description(self):
        rnd = self.rnd
        start = rnd.randrange(len(words.ABOUT))
        text = " ".join((words.ABOUT + words.ABOUT)[start:start + rnd.randint(8, 30)])
        return text.capitalize() + "."


def uuid_v7(ms, rnd):
    return str(uuid.UUID(int=ms << 80 | 7 << 76 | rnd.getrandbits(12) << 64 | 2 << 62 | rnd.getrandbits(62)))


def array(items):
    return "{" + ",".join('"%s"' % i for i in items) + "}"


def copy_line(row, columns):
    """One line of COPY's text format."""
    out = []
    for column in columns:
        value = row[column]
        if value is None:
            out.append("\\N")
        else:
            out.append(str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n"))
    return "\t".join(out) + "\n"


class Database:
    def __init__(self, url):
        self.url = url

    def command(self, *more):
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url, *more]

    def run(self, sql):
        done = subprocess.run(self.command(), input=sql, text=True, check=True, stdout=subprocess.PIPE)
        return done.stdout.strip()

    def run_both(self, scripts):
        """Runs scripts at once, one connection each."""
        running = [subprocess.Popen(self.command("-c", sql)) for sql in scripts]
        if any([p.wait() for p in running]):
            sys.exit("generate: a statement failed, see above")

    def copy(self, table, columns):
        return subprocess.Popen(self.command("-c", f"copy {table} ({', '.join(columns)}) from stdin"),
                                stdin=subprocess.PIPE, text=True)


def questions(rows, rnd, out):
    """What the load scripts ask: drawn from a sample of the rows, so that no one hot row decides."""
    ids = [row["id"] for row in rows]
    points = [f"{row['location_lat'] + rnd.gauss(0, 0.002):.5f},{row['location_lng'] + rnd.gauss(0, 0.003):.5f}"
              for row in rows]
    queries = []
    for row in rows:
        known = [w for w in re.findall(r"[A-Za-z]+", row["name"]) if len(w) > 2 and w not in ("The", "and")]
        kind = rnd.random()
        if kind < 0.25 or len(known) < 2:
            picked = [rnd.choice(known)]
        else:
            picked = rnd.sample(known, 2)
        if kind > 0.75:
            long = max(range(len(picked)), key=lambda i: len(picked[i]))
            if len(picked[long]) >= 5:
                picked[long] = misspell(picked[long], rnd)
        queries.append(urllib.parse.quote(" ".join(picked).lower()))
    for name, lines in (("ids", ids), ("points", points), ("queries", queries),
                        ("categories", sorted({row["primary_category"] for row in rows}))):
        (out / f"{name}.txt").write_text("\n".join(lines) + "\n")


def misspell(word, rnd):
    at = rnd.randint(1, len(word) - 2)
    if rnd.random() < 0.5:
        return word[:at] + word[at + 1:]
    return word[:at] + word[at + 1] + word[at] + word[at + 2:]


def load(db, count, seed, out):
    rnd = random.Random(seed)
    categories = dict(line.split("|") for line in db.run("""
        select slug, name from business.category c
        where not exists (select 1 from business.category below where below.parent = c.slug) order by slug""").split("\n"))
    town = Town(rnd, categories)
    db.run("""
        set client_min_messages = warning;
        drop table if exists public.stage, public.stage_inspection;
        create unlogged table public.stage (like business.business);
        alter table public.stage alter name_sort drop not null, alter search drop not null, alter version drop not null,
            alter address_country set default 'GB', alter time_zone set default 'Europe/London',
            alter edited_fields set default '{}';
        create unlogged table public.stage_inspection (like business.inspection including defaults);""")
    rows = db.copy("public.stage", COLUMNS)
    inspections = db.copy("public.stage_inspection", INSPECTION)
    sample = []
    every = max(1, count // 20000)
    for n in range(count):
        row, inspection = town.business(n, EPOCH_MS + n * (63072000000 // count))
        rows.stdin.write(copy_line(row, COLUMNS))
        if inspection:
            inspections.stdin.write(copy_line(inspection, INSPECTION))
        if n % every == 0:
            sample.append(row)
    for process in (rows, inspections):
        process.stdin.close()
        if process.wait():
            sys.exit("generate: copy failed, see above")
    rnd.shuffle(sample)
    questions(sample, rnd, out)


def fill(db):
    """From the staged rows to the tables, their read models and indexes."""
    columns = ", ".join(COLUMNS)
    indexes = db.run("""
        select indexdef from pg_indexes i where schemaname = 'business'
        and tablename in ('business', 'business_category', 'listing', 'word', 'inspection')
        and not exists (select 1 from pg_constraint where conname = indexname) order by tablename, indexname""").split("\n")
    drop = db.run("""
        select format('drop index business.%I;', indexname) from pg_indexes i where schemaname = 'business'
        and tablename in ('business', 'business_category', 'listing', 'word', 'inspection')
        and not exists (select 1 from pg_constraint where conname = indexname)""")
    tables = ("business", "business_category", "listing", "inspection")
    db.run(drop + "".join(f"alter table business.{t} disable trigger all;" for t in tables))
    db.run_both([f"""
        insert into business.business ({columns}, search)
        select {columns}, business.business_search_text(row(s.*)::business.business)
        from public.stage s where get_byte(uuid_send(id), 15) % 2 = {half}""" for half in (0, 1)])
    inspection = ", ".join(INSPECTION)
    db.run_both(["""
        insert into business.business_category (business_id, category, position)
        select id, c.category, min(c.n) - 1
        from public.stage s, unnest(array_prepend(s.primary_category, s.other_categories)) with ordinality c (category, n)
        group by 1, 2;
        create temp table line as
            select slug, l from business.category, business.category_line(slug) l;
        insert into business.listing (category, name_sort, business_id)
        select distinct l, b.name_sort, b.id
        from business.business b join business.business_category c on c.business_id = b.id join line on line.slug = c.category""",
        f"""
        insert into business.word (word)
        select distinct w from (select distinct name, address_locality from public.stage) s,
            business.words(concat_ws(' ', name, address_locality)) w
        on conflict do nothing;
        insert into business.inspection ({inspection}) select {inspection} from public.stage_inspection"""])
    memory = "set maintenance_work_mem = '256MB';"
    db.run_both([memory + ";".join(indexes[half::2]) for half in (0, 1)])
    db.run("".join(f"alter table business.{t} enable trigger all;" for t in tables)
           + "drop table public.stage, public.stage_inspection; set maintenance_work_mem = '256MB'; vacuum analyze;")


def verify(db):
    """Writes some rows again through the triggers, compares, rolls back."""
    plain = ", ".join(c for c in COLUMNS if c not in ("id", "slug", "source", "source_id"))
    differ = db.run(f"""
        begin;
        create temp table pair as select id, slug from business.business where slug in
            (select slug from business.business order by md5(slug) limit 200);
        insert into business.business (slug, {plain})
            select slug || '-again', {plain} from business.business where id in (select id from pair);
        create temp table twin as
            select p.id, b.id as again from pair p join business.business b on b.slug = p.slug || '-again';
        select (select count(*) from twin) || ' ' || (
            select count(*) from twin t join business.business a on a.id = t.id join business.business b on b.id = t.again
            where (a.search, a.name_sort, a.position::text) is distinct from (b.search, b.name_sort, b.position::text)) || ' ' || (
            select count(*) from twin t where
            (select array_agg((category, name_sort, deleted_at) order by category) from business.listing where business_id = t.id)
            is distinct from
            (select array_agg((category, name_sort, deleted_at) order by category) from business.listing where business_id = t.again)
            or (select array_agg((category, position) order by category) from business.business_category where business_id = t.id)
            is distinct from
            (select array_agg((category, position) order by category) from business.business_category
                where business_id = t.again)) || ' ' || (
            select count(*) from business.word where created_at >= now());
        rollback;""")
    if not differ.startswith("200 0 0 0"):
        sys.exit(f"generate: the triggers give other read models than the set-wise load ({differ})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("url", help="libpq connection string of a migrated, empty database")
    parser.add_argument("count", type=int)
    parser.add_argument("out", type=pathlib.Path, help="folder for the questions")
    parser.add_argument("--seed", type=int, default=2)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    db = Database(args.url)
    load(db, args.count, args.seed, args.out)
    fill(db)
    verify(db)


if __name__ == "__main__":
    main()
