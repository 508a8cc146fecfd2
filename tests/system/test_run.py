# SPDX-License-Identifier: Apache-2.0
"""tools/run, which is `make run` after the packages and the build: the release program, the sample town, a first curl, the
tour of the README, Ctrl-C, and a start after everything was killed. Once as who runs the tests, and once as an unprivileged
user."""

import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time

import httpx
import icalendar
import pytest
import recurring_ical_events

from conftest import ROOT, clean_environment, new_folder, run, wait_for

RELEASE = ROOT / "build/release/guildford"
SAMPLE = ROOT / "sample/guildford.csv"
README = ROOT / "README.md"
ADMIN_ADDRESS = "admin@guildford.example"
PLACES = len(SAMPLE.read_text(encoding="utf-8").splitlines()) - 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Town:
    """A copy of what `make run` needs, and the program that it starts, in a process group of its own as a terminal's."""

    def __init__(self, user):
        self.user = user
        self.folder = pathlib.Path(new_folder())
        self.data = self.folder / "data"
        self.listen = f"127.0.0.1:{free_port()}"
        for file in [ROOT / "tools/run", RELEASE, SAMPLE]:
            copy = self.folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        if user:
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, user)
        self.process = None
        self.admin = None
        self.lines = []

    def as_user(self):
        """Arguments of Popen() for whom it runs as."""
        return {"user": self.user, "group": "nogroup", "extra_groups": []} if self.user else {}

    def start(self):
        """Starts it, waits until it listens; the lines that it printed and the seconds that it took."""
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [self.folder / "tools/run"], stdout=subprocess.PIPE, text=True, start_new_session=True, cwd="/",
            env=clean_environment(GUILDFORD_DATA=str(self.data), GUILDFORD_LISTEN=self.listen),
            **self.as_user())
        lines = []
        for line in self.process.stdout:
            lines.append(line.strip())
            if line.startswith("listening on "):
                self.lines = lines
                return lines, time.monotonic() - begin
        raise AssertionError("\n".join(lines) + (self.data / "guildford.log").read_text())

    def processes(self):
        """All that runs of it: server and workers by their group, PostgreSQL by its working folder."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(entry.name)) == self.process.pid or os.readlink(entry / "cwd") == str(self.data / "postgres"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def kill(self):
        """kill -9 of everything, at once."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(timeout=30)
        wait_for(lambda: not self.processes())

    def interrupt(self):
        """Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=40)

    def up(self):
        if not self.process or self.process.poll() is not None:
            self.start()

    def page(self):
        return httpx.get(f"http://{self.listen}/v1/businesses", timeout=30).json()

    def total(self):
        return self.page()["meta"]["pagination"]["total"]

    def admins_password(self):
        return (self.data / "admin-password").read_text()

    def remove_one(self):
        """As the admin that the first start has made."""
        if not self.admin:
            self.admin = httpx.post(f"http://{self.listen}/v1/auth/login", timeout=30,
                                    json={"email": ADMIN_ADDRESS, "password": self.admins_password()}).json()["data"]["access_token"]
        reply = httpx.delete(f"http://{self.listen}/v1/businesses/{self.page()['data'][0]['slug']}",
                             headers={"Authorization": f"Bearer {self.admin}"}, timeout=30)
        assert reply.status_code == 200, reply.text

    def shell(self, script):
        """What a script prints that is run in the folder of `make run`, as its user."""
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=120, cwd=self.folder, env=clean_environment(), **self.as_user())
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module", params=[None, "nobody"], ids=["as who tests", "as nobody"])
def town(request):
    if request.param and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    if not RELEASE.exists():
        subprocess.run([ROOT / "tools/build", "release"], check=True, timeout=900)
    t = Town(request.param)
    yield t
    if t.process:
        t.kill()
    shutil.rmtree(t.folder)


def test_the_first_start_prints_a_curl_that_works(town):
    lines, _ = town.start()
    assert lines[-1] == f"listening on http://{town.listen}"
    curl = next(re.search(r"curl .*", line).group() for line in lines if "curl " in line)
    assert shlex.split(curl)[1].startswith(f"http://{town.listen}/")
    done = subprocess.run(curl, shell=True, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert '"name":"Starbucks"' in done.stdout
    assert town.total() == PLACES


def test_the_printed_sign_in_works(town):
    """The curl that signs the admin in, over two lines."""
    town.up()
    printed = "\n".join(town.lines)
    signed_in = json.loads(town.shell(re.search(r"curl '\S+/auth/login'.*\\\n.*", printed).group()))
    assert signed_in["data"]["access_token"]


def test_the_admins_password_is_its_owners_alone_and_opens_writes(town):
    town.up()
    assert (town.data / "admin-password").stat().st_mode & 0o077 == 0
    before = town.total()
    town.remove_one()
    assert town.total() == before - 1


def test_the_tour_of_the_readme_is_true(town):
    """Copied from top to bottom: every answer but the last is a success, and the last says that the session is over."""
    town.up()
    tour = re.search(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S).group(1)
    assert "http://127.0.0.1:8080/" in tour
    printed = town.shell(tour.replace("127.0.0.1:8080", town.listen))
    answers = [json.loads(text) for text in re.split(r"(?<=\})(?=\{\"success\")", printed.strip())]
    assert [answer["success"] for answer in answers] == [True] * (len(answers) - 1) + [False], printed
    statuses = [answer["data"]["status"] for answer in answers[:-1] if isinstance(answer["data"], dict)]
    assert statuses == ["accepted", "confirmed", "operational", "operational", "cancelled", "ended"]
    assert answers[-1]["error"]["message"] == "The session is over; sign in again"
    calendar = icalendar.Calendar.from_ical((town.folder / "market.ics").read_bytes())
    begin = datetime.datetime.now(datetime.timezone.utc)
    market = recurring_ical_events.of(calendar).between(begin, begin + datetime.timedelta(days=36))
    market.sort(key=lambda event: event["DTSTART"].dt)
    assert [str(event["STATUS"]) for event in market[:4]] == ["CONFIRMED", "CONFIRMED", "CANCELLED", "CONFIRMED"]
    assert all(event["DTSTART"].dt.strftime("%A %H:%M") == "Saturday 09:00" for event in market)


def test_ctrl_c_stops_server_and_database_in_order(town):
    town.up()
    assert town.interrupt() == 0
    assert town.processes() == []
    assert not (town.data / "postgres/postmaster.pid").exists()


def test_the_second_start_is_quick_and_loads_nothing_again(town):
    town.up()
    town.remove_one()
    left = town.total()
    assert town.interrupt() == 0
    _, seconds = town.start()
    print(f"second start: ready in {seconds:.2f} s")
    assert seconds < 5
    assert town.total() == left


def test_after_kill_9_of_everything_the_next_start_recovers(town):
    town.up()
    town.remove_one()
    left = town.total()
    town.kill()
    assert (town.data / "postgres/postmaster.pid").exists()
    town.start()
    assert town.total() == left
    assert town.interrupt() == 0
    assert town.processes() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a folder that PostgreSQL's user cannot enter")
def test_a_folder_that_the_clusters_user_cannot_enter_is_named(folder):
    os.chmod(folder, 0o700)
    done = run("migrate", data=f"{folder}/data")
    assert done.returncode == 1
    assert re.search(rf"user \w+ cannot enter {folder}/data: chmod", done.stderr), done.stderr
    os.chmod(folder, 0o755)
    assert run("migrate", data=f"{folder}/data").returncode == 0
