# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: the real program on a real PostgreSQL that it starts itself, in a temporary folder, on a
free port. GUILDFORD_BINARY names the program (default: the sanitizer build)."""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time
import zlib

import httpx
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("GUILDFORD_BINARY", str(ROOT / "build/debug/guildford"))
# The key that seals what is secret in the tests' databases.
SECRET_KEY = "00112233445566778899aabbccddeeff" * 2
ADMIN_ID = "019363f1-0000-7000-8000-00000000ad01"
BAD_LOG = re.compile(r"ERROR: AddressSanitizer|runtime error:|LeakSanitizer|Assertion .* failed")


def key_text(id, secret):
    """An API key with the checksum that src/base/api_key_text.h describes."""
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    text = f"gk_{id}_{secret}"
    crc, checksum = zlib.crc32(text.encode()), ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        checksum = digits[digit] + checksum
    return text + checksum


# The key of an admin that every server of the tests knows; see Server.know_admin().
TOKEN = key_text("TESTTEST", "t" * 43)
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


def secret_digest(purpose, text):
    """What the program makes of a text with its key: base/secret.c says how."""
    derived = hashlib.blake2b(purpose.encode(), key=bytes.fromhex(SECRET_KEY), digest_size=32).digest()
    return hashlib.blake2b(text.encode(), key=derived, digest_size=32).hexdigest()


def key_digest(text):
    """What the database keeps of an API key."""
    return secret_digest("api-key", text)


connect = socket.create_connection


def connect_without_delay(*args, **kwargs):
    """httpx sends head and body apart: with Nagle's algorithm each request with a body would wait 40 ms for an ACK."""
    made = connect(*args, **kwargs)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


socket.create_connection = connect_without_delay


def clean_environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GUILDFORD_") and k not in ("DATABASE_URL", "REDIS_URL")}
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    env.update(more)
    return env


def new_folder():
    """A folder that the cluster's own user may enter, with a path that is short enough for a socket."""
    folder = tempfile.mkdtemp(prefix="gt-", dir="/tmp")
    os.chmod(folder, 0o755)
    return folder


def run(*args, data=None, timeout=120, **env):
    """Runs a command of the program to its end."""
    command = [BINARY, *map(str, args)] + (["--data", data] if data else [])
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=clean_environment(**env))


def name_of(pid):
    """Of a process; empty when it has just ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def lives(pid):
    """Is it there, and more than a zombie that nobody has waited for yet?"""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Server:
    """guildford serve, on a folder and a free port."""

    def __init__(self, data=None, workers=2, args=(), ready=True, **env):
        self.data = data or new_folder()
        self.log_path = pathlib.Path(self.data) / "guildford.log"
        self.log = open(self.log_path, "ab")
        self.admin = ADMIN  # who calls; a session instead of the key, where that is what is asked for
        env.setdefault("GUILDFORD_SECRET_KEY", SECRET_KEY)
        self.database_url = env.get("DATABASE_URL")
        env.setdefault("GUILDFORD_LIMITS", "off")  # test_limits.py is about them
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data", self.data, "--workers", str(workers), "--migrate", *args],
            stdout=subprocess.PIPE, stderr=self.log, text=True, env=clean_environment(**env))
        self.url = None
        if ready:
            line = self.process.stdout.readline()
            assert line.startswith("listening on "), self.log_text()
            self.url = line.split()[-1]
            self.port = int(self.url.rsplit(":", 1)[1])
            self.http = httpx.Client(base_url=self.url, timeout=30)
            self.know_admin()

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def children(self, name):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        children = [int(pid) for pid in pathlib.Path(path).read_text().split()]
        return [pid for pid in children if name_of(pid) == name]

    def workers(self):
        """Process ids of the workers."""
        return self.children("guildford")

    def hashers(self):
        return self.children("guildford-hash")

    def postmaster(self):
        return int(self.postmaster_file()[0])

    def postmaster_file(self):
        """Its lines: the process id first, the socket's folder fifth."""
        return (pathlib.Path(self.data) / "postgres/postmaster.pid").read_text().split("\n")

    def know_admin(self):
        """Writes an admin and their key straight into the tables: how people come by them has tests of its own."""
        self.database(f"""
            insert into auth.person (id, email, name, email_verified_at)
                values ('{ADMIN_ID}', 'admin@guildford.example', 'The admin', now()) on conflict do nothing;
            insert into auth.person_role (person_id, role_id)
                select '{ADMIN_ID}', id from auth.role where slug = 'admin' on conflict do nothing;
            insert into auth.api_key (id, person_id, name, prefix, digest, scopes)
                values ('{ADMIN_ID}', '{ADMIN_ID}', 'tests', 'gk_', '{key_digest(TOKEN)}', '{{*}}') on conflict do nothing""")

    def database(self, sql):
        """Rows of a statement, as psql prints them."""
        where = [self.database_url] if self.database_url else [
            "-h", self.postmaster_file()[4], "-U", "guildford", "-d", "guildford"]
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *where, "-c", sql], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.splitlines()]

    def stop(self, expect=0, remove=True):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=40)
        self.log.close()
        text = self.log_text()
        if remove:
            shutil.rmtree(self.data, ignore_errors=True)
        assert not BAD_LOG.search(text), text[-4000:]
        assert code == expect, text[-2000:]

    # Requests as an admin, with the answer's data or the asserted error.
    def call(self, method, path, json=None, status=None, **more):
        more["headers"] = {**self.admin, **more.get("headers", {})}
        reply = self.http.request(method, path, json=json, **more)
        if status is None:
            assert reply.status_code < 300, reply.text
        else:
            assert reply.status_code == status, reply.text
        return reply

    def create(self, **fields):
        fields.setdefault("name", "A place")
        return self.call("POST", "/v1/businesses", fields, 201).json()["data"]

    def get(self, path, **params):
        reply = self.http.get(path, params=params)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def details(self, reply):
        """Field to message of a validation error."""
        error = reply.json()["error"]
        assert error["code"] == "VALIDATION_ERROR", error
        return {d["field"]: d["message"] for d in error["details"]}


@pytest.fixture(scope="module")
def server():
    """One server per test file, with an empty town."""
    s = Server()
    yield s
    s.stop()


@pytest.fixture
def folder():
    path = new_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


def wait_for(condition, seconds=30):
    """Polls until it holds; the limit is far beyond what is normal."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.fixture(scope="session")
def open_data():
    """Folder of real open data beside the project; tests that need it are skipped, and counted, without it."""
    path = pathlib.Path(os.environ.get("GUILDFORD_OPEN_DATA", ROOT.parent / "shared/data"))
    if not path.is_dir():
        pytest.skip("no open data: set GUILDFORD_OPEN_DATA")
    return path
