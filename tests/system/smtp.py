# SPDX-License-Identifier: Apache-2.0
"""A real SMTP server for the tests (aiosmtpd), on a free port of 127.0.0.1, that does as it is told."""

import asyncio
import email
import email.policy
import pathlib
import socket
import ssl
import subprocess
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def certificate(folder):
    """A certificate of 127.0.0.1 that nobody has signed but itself: (certificate, key)."""
    cert, key = pathlib.Path(folder) / "cert.pem", pathlib.Path(folder) / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


class Smtp:
    """Keeps what arrives in `messages`. `answers` are given to RCPT first, one each; `hold` makes DATA wait for `release`."""

    def __init__(self, tls=None, login=None, implicit=False):
        self.messages, self.attempts, self.answers, self.logins = [], [], [], []
        self.secure = []  # was the connection of each message encrypted?
        self.hold, self.held, self.release = False, threading.Event(), threading.Event()
        self.port = free_port()
        options = {}
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, tls))
            options = {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
        if login:
            options.update(auth_required=True, auth_require_tls=True, authenticator=self.authenticate)
        self.login = login
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self.controller.start()

    def authenticate(self, server, session, envelope, mechanism, data):
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given)
        return AuthResult(success=given == self.login, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.attempts.append(address)
        if self.answers:
            answer = self.answers.pop(0)
            if not answer.startswith("2"):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.hold:
            self.held.set()
            while not self.release.is_set():
                await asyncio.sleep(0.02)
        self.secure.append(session.ssl is not None)
        self.messages.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"

    def to(self, address):
        """The messages for an address, parsed."""
        return [email.message_from_bytes(content, policy=email.policy.default) for _, to, content in list(self.messages) if to == [address]]

    def stop(self):
        self.release.set()
        self.controller.stop()
