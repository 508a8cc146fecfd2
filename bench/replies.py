# SPDX-License-Identifier: Apache-2.0
"""A storm of replies: a thousand people say at once that they come to an event of 100 places, over HTTP, and the same
transaction by pgbench, each time at an event of its own. bench/run calls it."""

import datetime
import itertools
import os
import pathlib
import re
import signal
import subprocess
import time

import people

HERE = pathlib.Path(__file__).resolve().parent
PLACES, CONNECTIONS, SECONDS = 100, 200, 60
LEASES = 8 * os.cpu_count()  # connections for transactions that a server with a worker per core opens at most
# Of pgbench, whose connections are PostgreSQL's: it takes 100. All wait for one row, so that few are faster than many.
CLIENTS = [2, LEASES, 64]
RIGHT = f"{PLACES} going, {people.COUNT - PLACES} waiting, in order"
TITLE = "Bench replies"

# Somebody for pgbench: a transaction's number makes the id.
CONTACTS = f"""insert into platform.contact (person_id, name, email)
    select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Bench', format('pgbench-%s@example.org', n)
    from generate_series(0, {people.COUNT - 1}) n on conflict do nothing"""

# Counts as kept and as they are; the places in the line as people see them, without gaps, as they came; who goes came before.
OUTCOME = """select o.going || ' going, ' || o.waiting || ' waiting, ' || case when
        o.going = count(*) filter (where r.status = 'going') and o.waiting = count(*) filter (where r.status = 'waiting')
        and o.places_left = 0 and count(*) = o.going + o.waiting
        and max(r.created_at) filter (where r.status = 'going') < min(r.created_at) filter (where r.status = 'waiting')
        and array_agg(r.place_in_line order by r.created_at) filter (where r.status = 'waiting')
            = array(select generate_series(1, o.waiting)::bigint)
        then 'in order' else 'NOT in order' end
    from event.occurrence o join event.reply_shown r on r.occurrence_id = o.id where o.id = '{}' group by o.id"""

CLEAN = f"""
    delete from event.reply where event_id in (select id from event.event where title = '{TITLE}');
    delete from platform.relation where resource = 'event' and resource_id in (select id from event.event where title = '{TITLE}');
    delete from event.occurrence where event_id in (select id from event.event where title = '{TITLE}');
    delete from event.event where title = '{TITLE}';
    delete from platform.contact where email like 'pgbench-%@example.org'"""


class Storms:
    """`sql` runs a statement in the database, `url` is the server on it; its limits must be off."""

    def __init__(self, url, sql, conninfo, folder):
        self.url, self.sql, self.conninfo, self.mails = url, sql, conninfo, folder / "data/mail"
        self.pgbench = sql("select setting from pg_config where name = 'BINDIR'") + "/pgbench"
        self.rounds = itertools.count(1)
        self.outcomes = set()
        self.tokens = people.sign_in_all(url, people.COUNT)
        self.file = folder / "tokens.txt"
        self.file.write_text("\n".join(self.tokens) + "\n")
        self.clean()
        self.sql(CONTACTS)

    def clean(self):
        """What storms have left behind, and the mails that they led to."""
        self.sql(CLEAN)
        for mail in self.mails.glob("*.eml"):
            mail.unlink()

    def event(self):
        """A new one; gives its path and the id of its occurrence."""
        day = datetime.date.today() + datetime.timedelta(30)
        made = people.ask(f"{self.url}/v1/events", {
            "title": TITLE, "status": "published", "capacity": PLACES, "rsvp": {"mode": "open"},
            "starts_local": f"{day}T19:00:00", "ends_local": f"{day}T21:00:00"}, self.tokens[0])["data"]
        return f"/v1/events/{made['id']}", self.sql(f"select id from event.occurrence where event_id = '{made['id']}'")

    def measure(self, name):
        """Replies a second of one storm: the server's, or those of "pgbench -cN"."""
        self.settle()
        path, occurrence = self.event()
        if name == "guildford":
            rate = self.by_http(f"{path}/occurrences/{occurrence}/reply")
            self.outcomes.add(self.sql(OUTCOME.format(occurrence)))
            return rate
        return self.by_pgbench(occurrence, int(name.split("-c")[1]))

    def settle(self):
        """Waits for the mails of the last storm, which the server's jobs write meanwhile, and then for the disk."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self.sql("""select exists (select from event.notice) or exists (
                select from platform.mail where sent_at is null and failed_at is null and next_attempt_at <= now())""") == "t":
            time.sleep(0.2)
        self.sql("checkpoint")

    def by_http(self, path):
        threads = min(os.cpu_count(), CONNECTIONS)
        command = ["wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--timeout", "30", "-s", HERE / "wrk/replies.lua",
                   self.url, "--", path, self.file, threads]
        with subprocess.Popen([str(c) for c in command], text=True, stdout=subprocess.PIPE) as wrk:
            out, left = "", threads
            for line in wrk.stdout:
                out += line
                left -= line == "finished\n"
                if left == 0:
                    left = -1
                    wrk.send_signal(signal.SIGINT)
        found = re.search(r"^result good=(\d+) bad=(\d+) seconds=(\S+)$", out, re.M)
        if not found or int(found[1]) != people.COUNT or int(found[2]):
            raise SystemExit(f"bench: replies failed: {found[0] if found else out}")
        return people.COUNT / float(found[3])

    def by_pgbench(self, occurrence, clients):
        """As many as all clients can do alike: 992 of the thousand when there are 16."""
        each = people.COUNT // clients
        command = [self.pgbench, "-n", "-M", "prepared", "-c", clients, "-j", min(os.cpu_count(), clients), "-t", each,
                   "-D", f"place={occurrence}", "-D", f"round={next(self.rounds)}", "-D", f"each={each}", "-D", "turn=0",
                   "-f", HERE / "reply.sql", self.conninfo]
        done = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        found = re.search(r"^tps = (\S+)", done.stdout, re.M)
        wanted = f"{PLACES} going, {each * clients - PLACES} waiting, in order"
        if done.returncode or not found or self.sql(OUTCOME.format(occurrence)) != wanted:
            raise SystemExit(f"bench: pgbench failed: {done.stderr}{done.stdout}")
        return float(found[1])
