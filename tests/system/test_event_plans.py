# SPDX-License-Identifier: Apache-2.0
"""No list of events scans a table: as test_plans.py, at 100,000 occurrences of 18 months. Besides the rows that a statement reads
of a table, the pages of PostgreSQL's that it looks at are bounded.

A page of a list may read PAGE, what counts (to 10,001 matches) COUNT, a feed FEED. What cannot do with that is in BEYOND with what
it takes: a list of what is left to do, whose numbers may only become smaller."""

import datetime
import sys
from urllib.parse import quote

import pytest

from conftest import ROOT, Server, wait_for
from test_plans import SETTINGS, Watch, scans

sys.path.insert(0, str(ROOT / "bench"))
import events  # noqa: E402
import generate  # noqa: E402

OCCURRENCES = 100_000
TIMES = 7  # prepared statements may change their plan from the sixth time on
# Rows of one table, and pages of 8 KiB.
PAGE = (2_000, 3_000)
COUNT = (30_000, 30_000)
FEED = (4_000, 10_000)  # of some 500 events


def day(n):
    return datetime.date.today() + datetime.timedelta(days=n)


TOWN = "near=51.2362,-0.5704"
BOX = "bbox=-0.58,51.23,-0.56,51.24"
DAYS = f"from={day(12)}&to={day(14)}"
FORTNIGHT = f"from={day(20)}&to={day(34)}"

# Of each kind something common, something rare, and something that is not there; {organiser} and {venue} are the busiest.
LISTS = {
    "all": ["", "limit=100", "sort=-starts_at"],
    "when": ["when=today", "when=tonight", "when=tomorrow", "when=weekend", "when=next_7_days"],
    "dates": [DAYS, FORTNIGHT, f"from={day(5)}", f"from={day(-20)}&to={day(-10)}", f"to={day(300)}", f"from={day(2000)}"],
    "category": ["category=music", "category=other", "category=no-such", "category=music,theatre", f"category=music&{DAYS}"],
    "near": [TOWN, f"{TOWN}&radius=1000", f"{TOWN}&radius=2000&{DAYS}", f"{TOWN}&radius=2000&{FORTNIGHT}", "near=40,10",
             f"{TOWN}&sort=distance", f"{TOWN}&radius=1000&sort=distance&{DAYS}"],
    "bbox": ["bbox=-3,50,2,53", BOX, "bbox=100,10,110,20", f"{BOX}&{DAYS}"],
    "q": ["q=concert", "q=smiht choir", "q=xyzzyplugh", "q=the", f"q=the&{DAYS}", "q=concert&sort=relevance", "q=the&sort=relevance"],
    "organiser": ["organiser={organiser}", f"organiser={{organiser}}&{DAYS}", "organiser=019363f1-0000-7000-8000-000000000000"],
    "venue": ["venue={venue}", f"venue={{venue}}&{DAYS}", "venue=019363f1-0000-7000-8000-000000000000"],
    "price": ["free=true", "free=false", f"free=true&{DAYS}", "price_max=500", "price_max=0", f"price_max=500&{DAYS}"],
    "others": ["accessible=true", "accessible=hearing_loop,captions", "online=true", "online=false", "language=pl", "age=10",
               "status=cancelled"],
    "series": ["collapse=series", f"collapse=series&{DAYS}", "collapse=series&category=music", f"collapse=series&{TOWN}"],
    "popularity": ["sort=popularity", "sort=-popularity", "sort=popularity&category=music", f"sort=popularity&{DAYS}"],
    "deep": ["page=500", f"{DAYS}&page=10", "category=music&page=200", "sort=popularity&page=500", f"{TOWN}&page=50"],
}
FEEDS = ["category=music", DAYS, f"{TOWN}&radius=2000&{FORTNIGHT}", "organiser={organiser}", ""]

# Of a list its page or its count, or its feed; or a scan that it makes.
BEYOND = {
    # To rank, all that matches is read.
    "q=concert&sort=relevance": {"page": (7_000, 3_000)},
    # What very many have is not ranked but comes by start, for which there is no index without the ranges: all is sorted.
    "q=the&sort=relevance": {"page": (100_000, 450_000)},
    # Counted by time, as the page is found: a busy place of 6,000 among all.
    f"{TOWN}&radius=1000": {"count": (100_000, 100_000)},
    BOX: {"count": (100_000, 100_000)},
    # The nearest first, until there are so many at that time.
    f"{TOWN}&sort=distance": {"page": (2_000, 4_000), "scan": "Seq Scan of listing"},
    # All of a venue, once for each range.
    "venue={venue}": {"page": (8_000, 8_000)},
    # Each event once is known when all occurrences are read.
    "collapse=series": {"count": (100_000, 100_000)},
    f"collapse=series&{TOWN}": {"count": (100_000, 100_000)},
    # The most popular of all, until so many are of that category, or at that time.
    "sort=popularity&category=music": {"page": (3_000, 10_000)},
    f"sort=popularity&{DAYS}": {"page": (15_000, 75_000)},
    # What is skipped is joined first.
    "sort=popularity&page=500": {"page": (12_000, 65_000)},
    # What is skipped is read, in the index or among what the category has; it is not joined.
    "page=500": {"page": (11_000, 3_000)},
    "category=music&page=200": {"page": (18_000, 12_000)},
    # Of each series the first is taken, of all that is found; and all of a calendar's events are asked for their versions.
    "feed category=music": {"page": (18_000, 12_000)},
    "feed ": {"page": (100_000, 21_000)},
}


def bounds(query, page=PAGE):
    return {"page": page, "count": COUNT, "scan": None, **BEYOND.get(query, {})}


class Lists(Watch):
    """A watch that looks at pages, too."""

    def wrong(self, plan, statement, limit):
        rows, pages = limit["count" if statement.startswith("select count(*), ") else "page"]
        touched = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
        if touched > pages:
            yield "pages of PostgreSQL's", touched
        for what, count in scans(plan, rows):
            if what != limit["scan"]:
                yield what, count


@pytest.fixture(scope="module")
def town():
    server = Server(workers=1)
    try:
        events.load(generate.Database(f"host={server.data}/socket user=guildford dbname=guildford"), OCCURRENCES)
        server.database("analyze; load 'auto_explain';"
                        + "".join(f"alter database guildford set {s};" for s in (*SETTINGS, "auto_explain.log_buffers = on"))
                        + "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'guildford' and pid <> pg_backend_pid()")
        wait_for(lambda: server.http.get("/readyz").status_code == 200)
        server.busiest = {name: server.database(f"select {name}_id from event.listing group by 1 order by count(*) desc limit 1")[0][0]
                          for name in ("organiser", "venue")}
        yield server
    finally:
        server.stop()


def ask(watch, query):
    """A page, and the one that its cursor leads to."""
    path = "/v1/events?" + quote(query.format(**watch.server.busiest), safe="=&,-{}")
    page = watch.call("GET", path, limit=bounds(query)).json()["meta"]["pagination"]
    if page["next_cursor"] and "page=" not in query:
        watch.call("GET", f"{path}&cursor={page['next_cursor']}", limit=bounds(query))


def forget_totals(server):
    """They are remembered while nothing is written."""
    server.database("select pg_current_xact_id()")


def test_a_scan_would_be_seen(town):
    watch = Lists(town)
    town.database("select count(*) from event.listing where price = 12345678 and age_min = 99")
    town.database("set enable_seqscan = off; set enable_bitmapscan = off; select max(age_max) from event.listing where starts_at is not null")
    watch.judge("GET /v1/events", bounds(""))
    report = watch.report(bounds(""))
    assert len(report) >= 2 and report[0].startswith("pages of PostgreSQL's")


@pytest.mark.parametrize("kind", LISTS)
def test_lists(town, kind):
    watch = Lists(town)
    for _ in range(TIMES):
        forget_totals(town)
        for query in LISTS[kind]:
            ask(watch, query)
    watch.verdict(bounds(""))
    assert watch.seen > TIMES * len(LISTS[kind])


@pytest.mark.parametrize("query", FEEDS)
def test_feeds(town, query):
    watch = Lists(town)
    for _ in range(TIMES if query else 2):
        for feed in ("calendar.ics", "feed.atom"):
            watch.call("GET", f"/v1/events/{feed}?{query.format(**town.busiest)}", limit=bounds(f"feed {query}", FEED))
    watch.verdict(bounds(""))
    assert watch.seen > 8


def test_one_and_what_belongs_to_it(town):
    watch = Lists(town)
    bound = bounds("")
    for hit in town.get("/v1/events", limit=TIMES)["data"]:
        watch.judge("its list", bound)
        for path in ("", "/calendar.ics", "/occurrences", f"/occurrences/{hit['occurrence']['id']}"):
            watch.call("GET", f"/v1/events/{hit['id']}{path}", limit=bound)
    watch.verdict(bound)
    assert watch.seen > TIMES * 4
