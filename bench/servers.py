# SPDX-License-Identifier: Apache-2.0
"""What bench/run starts and watches: the program, its peer, Redis, and ten thousand idle connections. Everything listens on
127.0.0.1 or on a socket of its own, and whatever is started here is stopped here, by process id."""

import os
import pathlib
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

PEER_TOKEN = "bench-token-of-no-worth"  # that lets the peer create


def settings(**more):
    """The environment without settings of ours from outside."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GUILDFORD_")
           and k not in ("DATABASE_URL", "REDIS_URL", "SMTP_URL")}
    return {**env, **more}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def raise_file_limit():
    """As many open files as the system lets us have: the idle connections need 10,000 and some."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Server:
    """A process that serves HTTP on a port of its own."""

    def __init__(self, name, command, log, env, ready):
        self.name = name
        self.log = open(log, "ab")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT,
                                        env=settings(**env), stdin=subprocess.DEVNULL)
        self.ready = ready

    def wait_ready(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise SystemExit(f"bench: {self.name} ended at once, see {self.log.name}")
            try:
                with urllib.request.urlopen(self.ready, timeout=2) as reply:
                    if reply.status == 200:
                        return self
            except OSError:
                pass
            time.sleep(0.1)
        raise SystemExit(f"bench: {self.name} is not ready after {seconds} s, see {self.log.name}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def family(self):
        """Its process and all below it, but for a PostgreSQL that it has started."""
        found = [self.process.pid]
        for pid in found:
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in task.read_text().split() if not is_postgres(int(child))]
        return found


def is_postgres(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip() in ("postgres", "postmaster")
    except OSError:
        return True


def memory_kb(pid, file, key):
    for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    return 0


def guildford(binary, data, out, name="guildford", **more):
    """`more`: settings beside those of the benchmark."""
    port = free_port()
    env = {"GUILDFORD_ACCESS_LOG": "off", "GUILDFORD_CONNECTIONS_MAX": "20000", "GUILDFORD_LIMITS": "off", **more}
    server = Server(name, [binary, "serve", "--listen", f"127.0.0.1:{port}", "--data", str(data), "--migrate"],
                    out / f"{name}.log", env, f"http://127.0.0.1:{port}/readyz")
    server.url = f"http://127.0.0.1:{port}"
    return server


def peer(folder, connection, out, processes, **more):
    """`connection`: the libpq parameters of the same database."""
    port = free_port()
    env = {"PGHOST": connection["host"], "PGPORT": connection["port"], "PGUSER": connection["user"],
           "PGDATABASE": connection["dbname"], "PORT": str(port), "ADMIN_TOKEN": PEER_TOKEN,
           "PEER_CLUSTER": str(processes), "NODE_ENV": "production", **more}
    server = Server("peer", ["node", str(folder / "fastify.js")], out / "peer.log", env,
                    f"http://127.0.0.1:{port}/v1/businesses?limit=1")
    server.url = f"http://127.0.0.1:{port}"
    return server


class Redis:
    """A redis-server that keeps nothing, on a socket in a folder of its own: paths of sockets are short."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="guildford-bench-")
        self.socket = f"{self.folder}/redis.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "",
             "--appendonly", "no"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while self.ask("PING") != "PONG":
            if self.process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise SystemExit("bench: redis-server does not start")
            time.sleep(0.1)
        return self

    def ask(self, *command):
        done = subprocess.run(["redis-cli", "-s", self.socket, *command], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        return done.stdout.strip()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def idle_connections(url, count):
    """Opens keep-alive connections, asks one question on each, keeps them; gives the sockets."""
    host, port = url.removeprefix("http://").split(":")
    question = f"GET /livez HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    chooser = selectors.DefaultSelector()
    sockets = []
    answered = 0
    while answered < count:
        for _ in range(min(200, count - len(sockets))):
            s = socket.create_connection((host, int(port)), timeout=10)
            s.sendall(question)
            s.setblocking(False)
            chooser.register(s, selectors.EVENT_READ)
            sockets.append(s)
        ready = chooser.select(timeout=10)
        if not ready:
            break
        for key, _ in ready:
            if not key.fileobj.recv(65536):
                raise SystemExit("bench: an idle connection was closed by the server")
            chooser.unregister(key.fileobj)
            answered += 1
    return sockets
