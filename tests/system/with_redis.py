# SPDX-License-Identifier: Apache-2.0
"""A redis-server of the tests' own, on a socket in a temporary folder."""

import shutil
import signal
import subprocess

from conftest import new_folder, wait_for


class Redis:
    def __init__(self):
        self.folder = new_folder()
        self.path = f"{self.folder}/redis.sock"
        self.url = f"unix://{self.path}"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--unixsocketperm", "777", "--dir", self.folder,
             "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.ask("PING") == "PONG")

    def ask(self, *command):
        done = subprocess.run(["redis-cli", "-s", self.path, *map(str, command)], capture_output=True, text=True, timeout=30)
        return done.stdout.strip()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
