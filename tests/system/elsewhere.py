# SPDX-License-Identifier: Apache-2.0
"""Runs under `unshare -n`: an internet of one machine, with a public address of its own on which a server sends its callers
to private ones. Prints what an import of each path says, then the paths that were asked for at the private address.
python3 elsewhere.py BINARY DATA"""

import fcntl
import http.server
import socket
import struct
import subprocess
import sys
import threading

PUBLIC = "93.184.216.34"
CALENDAR = ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:public@elsewhere\r\nSUMMARY:Tea\r\nDTSTART:20270601T100000Z\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n")
PATHS = {
    "/there": "/a.ics",
    "/loopback": "http://127.0.0.1/private",
    "/mapped": "http://[::ffff:127.0.0.1]/private",
    "/number": "http://2130706433/private",
    "/name": "http://localhost/private",
    "/metadata": "http://169.254.169.254/private",
    "/port": f"http://{PUBLIC}:22/",
}
private = []


def set_up():
    """The loopback device, with the public address."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
    address = struct.pack("16sH2s4s8s", b"lo:1", socket.AF_INET, bytes(2), socket.inet_aton(PUBLIC), bytes(8))
    fcntl.ioctl(s, 0x8916, address)  # SIOCSIFADDR


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.server.server_address[0] != PUBLIC:
            private.append(self.path)
        to = PATHS.get(self.path)
        self.send_response(302 if to else 200)
        if to:
            self.send_header("Location", to)
        self.end_headers()
        if not to:
            self.wfile.write(CALENDAR.encode())

    def log_message(self, *args):
        pass


set_up()
for host in (PUBLIC, "127.0.0.1"):
    threading.Thread(target=http.server.ThreadingHTTPServer((host, 80), Handler).serve_forever, daemon=True).start()
for path in ("/a.ics", *PATHS):
    done = subprocess.run([sys.argv[1], "import", "ics", f"http://{PUBLIC}{path}", "--data", sys.argv[2]], capture_output=True, text=True)
    print(path, done.returncode, (done.stderr if done.returncode else done.stdout).splitlines()[-1])
print("private", private)
