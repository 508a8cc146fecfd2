# SPDX-License-Identifier: Apache-2.0
"""Generated events: 2,000 series and single ones, with so many occurrences in all, the same for the same number and seed but
for the day: they begin a month before today and go on for 18 months. Most take place in Guildford, one in fifty goes on for
days or months. The tests of plans and the benchmark load them; rows go through the triggers, as the program's do."""

import datetime
import json
import random

import generate
import words

COLUMNS = ("id title summary description status visibility published_at categories organiser_person_id organiser_name venue_business_id venue_name venue_address "
           "venue_postcode location_lat location_lng online_url price_free price_from age_min accessibility language capacity starts_local "
           "ends_local rrule times step").split()
SERIES = 2000
VENUES = 600
BEFORE, AHEAD = 30, 548  # days
RULES = [("FREQ=WEEKLY", 7, 40), ("FREQ=WEEKLY;INTERVAL=2", 14, 20), ("FREQ=WEEKLY;INTERVAL=4", 28, 40)]
KINDS = ["concert", "quiz", "market", "walk", "workshop", "lecture", "reading", "fair", "tour", "supper", "dance", "match", "choir", "screening",
         "exhibition", "open day", "run", "class", "party", "talk"]
ACCESS = ["step_free", "accessible_toilet", "hearing_loop", "sign_language", "captions", "relaxed"]


class Calendar:
    """The events of one database, drawn one after the other from a seeded generator."""

    def __init__(self, rnd, categories, today):
        self.rnd, self.today = rnd, today
        self.town = generate.Town(rnd, {"events": "Events"})
        self.categories = generate.Weighted(categories, [1 / (n + 3) for n in range(len(categories))])
        self.venues = [self.venue() for _ in range(VENUES)]
        self.popular = generate.Weighted(self.venues, [1 / (n + 10) for n in range(VENUES)])
        self.organisers = [f"{rnd.choice(words.FIRST)} {self.town.surnames.pick(rnd)}" for _ in range(800)]
        self.ids = [generate.uuid_v7(generate.EPOCH_MS, rnd) for _ in self.organisers]

    def venue(self):
        rnd = self.rnd
        town = words.TOWNS[0] if rnd.random() < 0.6 else self.town.towns.pick(rnd)
        lat, lng = self.town.place(town)
        name = f"The {rnd.choice(words.ADJECTIVES)} {rnd.choice(words.CREATURES)} {rnd.choice(['Hall', 'Rooms', 'Theatre', 'Club', 'Park', 'Church'])}"
        return {"venue_business_id": generate.uuid_v7(generate.EPOCH_MS, rnd), "venue_name": name, "venue_address": f"{self.town.street()}, {town[0]}",
                "venue_postcode": self.town.postcode(town[2]), "location_lat": lat, "location_lng": lng}

    def access(self):
        rnd = self.rnd
        out = {name: True for name in ACCESS if rnd.random() < 0.15}
        if rnd.random() < 0.5:
            out["wheelchair"] = rnd.choices(("yes", "limited", "no"), (7, 2, 1))[0]
        return json.dumps(out)

    def price(self):
        rnd = self.rnd
        if rnd.random() < 0.4:
            return {"price_free": True, "price_from": None}
        return {"price_free": False, "price_from": rnd.randint(3, 60) * 100} if rnd.random() < 0.8 else {"price_free": None, "price_from": None}

    def span(self, step):
        """Days and minutes that it takes."""
        rnd = self.rnd
        if step is None and rnd.random() < 0.15:
            return rnd.choice([2, 3, 9, 30, 60, 120]), 0
        return 0, rnd.choice([60, 90, 120, 180, 240])

    def event(self, step=None, rule=None):
        rnd = self.rnd
        day = rnd.randint(0, step - 1) if step else rnd.randint(0, BEFORE + AHEAD - 1)
        begin = datetime.datetime.combine(self.today + datetime.timedelta(days=day - BEFORE), datetime.time(rnd.choices(
            range(9, 23), (3, 5, 5, 2, 2, 4, 3, 2, 3, 8, 12, 10, 4, 1))[0], rnd.choice([0, 0, 30])))
        days, minutes = self.span(step)
        kind = rnd.choice(KINDS)
        chosen = sorted({self.categories.pick(rnd) for _ in range(rnd.choice([1, 1, 2]))})
        who = rnd.randrange(len(self.organisers))
        return {
            "id": generate.uuid_v7(generate.EPOCH_MS, rnd), "title": f"{self.town.name(kind, rnd.choice(words.TOWNS)[0])}"[:160],
            "summary": f"A {kind} with {self.organisers[who]}", "description": self.town.description() if rnd.random() < 0.7 else None,
            "status": rnd.choices(("published", "cancelled", "postponed", "draft"), (95, 2, 1, 2))[0],
            "visibility": rnd.choices(("public", "unlisted", "private"), (98, 1, 1))[0], "published_at": None, "categories": generate.array(chosen),
            "organiser_person_id": self.ids[who], "organiser_name": self.organisers[who], **self.popular.pick(rnd),
            "online_url": "https://stream.example/" if rnd.random() < 0.1 else None, **self.price(), "age_min": rnd.choice([None, None, None, 8, 18]),
            "accessibility": self.access(), "language": "en" if rnd.random() < 0.97 else "pl", "capacity": rnd.choice([None, None, 50, 100, 400]),
            "starts_local": begin, "ends_local": begin + datetime.timedelta(days=days, minutes=minutes), "rrule": rule,
            "times": (BEFORE + AHEAD - day + step - 1) // step if step else 1, "step": step or 1,
        }

    def events(self, occurrences):
        rules = generate.Weighted(RULES, [share for _, _, share in RULES])
        left = occurrences
        for _ in range(min(SERIES, occurrences // 50)):
            rule, step, _ = rules.pick(self.rnd)
            event = self.event(step, rule)
            left -= event["times"]
            yield event
        while left > 0:
            left -= 1
            yield self.event()


def load(db, occurrences, seed=2, out=None):
    """Writes into `out` the points that the benchmark asks about."""
    today = datetime.date.today()
    categories = db.run("select slug from event.event_category order by id").split("\n")
    calendar = Calendar(random.Random(seed), categories, today)
    db.run("""
        set client_min_messages = warning;
        truncate event.event cascade;
        drop table if exists public.stage;
        create unlogged table public.stage (like event.event);
        alter table public.stage add column times integer, add column step integer;
        do $$ declare c text; begin
            for c in select attname from pg_attribute where attrelid = 'public.stage'::regclass and attnum > 0 and attnotnull loop
                execute format('alter table public.stage alter %I drop not null', c);
            end loop;
        end $$;""")
    rows = db.copy("public.stage", COLUMNS)
    for event in calendar.events(occurrences):
        rows.stdin.write(generate.copy_line(event, COLUMNS))
    rows.stdin.close()
    if rows.wait():
        raise SystemExit("events: copy failed, see above")
    plain = ", ".join(COLUMNS[:-2])
    db.run(f"""
        insert into event.event ({plain}, starts_at, ends_at, uid)
        select {plain}, starts_local at time zone 'Europe/London', (ends_local + (times - 1) * step * interval '1 day') at time zone 'Europe/London', id
        from public.stage;
        select setseed(0.2);
        insert into event.occurrence (event_id, recurrence_local, starts_local, ends_local, starts_at, ends_at, status, changed, going, maybe)
        select id, s, s, s + (ends_local - starts_local), s at time zone 'Europe/London', (s + (ends_local - starts_local)) at time zone 'Europe/London',
            case when r < 0.02 then 'cancelled' else 'scheduled' end, r < 0.02, (400 * r ^ 8)::int, (60 * r ^ 6)::int
        from (select id, starts_local, ends_local, starts_local + n * step * interval '1 day' as s, random() as r
            from public.stage, generate_series(0, times - 1) n) o;
        update event.occurrence set past = true where ends_at < now() - interval '5 minutes';
        drop table public.stage;""")
    db.run("vacuum analyze event.event, event.occurrence, event.listing, event.word")
    if out:
        points = [calendar.popular.pick(calendar.rnd) for _ in range(20000)]
        (out / "event_points.txt").write_text("".join(
            f"{p['location_lat'] + calendar.rnd.gauss(0, 0.002):.5f},{p['location_lng'] + calendar.rnd.gauss(0, 0.003):.5f}\n" for p in points))
