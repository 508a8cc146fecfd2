# SPDX-License-Identifier: Apache-2.0
"""People of the tests: mails as the program leaves them in its data folder, registrations, sign-ins, codes."""

import base64
import email
import email.policy
import hashlib
import hmac
import itertools
import pathlib
import re
import struct
import time
import uuid

from conftest import wait_for

PASSWORD = "seven green herons"
numbers = itertools.count(1)


def mails(server, to=None):
    """The mails in the data folder, oldest first."""
    folder = pathlib.Path(server.data) / "mail"
    found = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in sorted(folder.glob("*.eml"), key=lambda p: p.stat().st_mtime)]
    return [mail for mail in found if to is None or mail["To"] == to]


def mail_for(server, to, subject, count=1):
    """The newest mail to an address whose subject holds these words, once there are that many."""
    def those():
        return [mail for mail in mails(server, to) if subject.lower() in mail["Subject"].lower()]

    wait_for(lambda: len(those()) >= count)
    return those()[-1]


def token_in(mail):
    """The token of a mail's link."""
    return re.search(r"\?token=([A-Za-z0-9_-]{43})", mail.get_content()).group(1)


def register(server, address=None, password=PASSWORD, name="Alex Marsh"):
    """Registers and confirms; gives the address."""
    address = address or f"person-{next(numbers)}@example.org"
    assert server.http.post("/v1/auth/register", json={"email": address, "password": password, "name": name}).status_code == 202
    token = token_in(mail_for(server, address, "confirm"))
    reply = server.http.post("/v1/auth/verify", json={"token": token})
    assert reply.status_code == 200, reply.text
    return address


def sign_in(server, address, password=PASSWORD, **more):
    reply = server.http.post("/v1/auth/login", json={"email": address, "password": password, **more})
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


class Person:
    """Somebody with an account who has signed in."""

    def __init__(self, server, address=None, role=None):
        self.server = server
        self.address = address or f"person-{next(numbers)}@example.org"
        self.make()
        if role:
            server.database(f"insert into auth.person_role (person_id, role_id) select p.id, r.id from auth.person p, auth.role r "
                            f"where p.email = '{self.address}' and r.slug = '{role}'")
        self.sign_in()
        self.id = self.get("/v1/me")["id"]

    def make(self):
        """The first registers; the others, who have the same password, are written beside them: a mail takes a second."""
        s = self.server
        s.password_hash = getattr(s, "password_hash", None)
        if not s.password_hash:
            first = register(s)
            [[s.password_hash]] = s.database(f"select password_hash from auth.person where email = '{first}'")
        s.database(f"insert into auth.person (id, email, name, password_hash, email_verified_at) "
                   f"values ('{uuid.uuid4()}', '{self.address}', 'Alex Marsh', '{s.password_hash}', now())")

    def sign_in(self, **more):
        self.tokens = sign_in(self.server, self.address, **more)
        self.headers = bearer(self.tokens)

    def call(self, method, path, json=None, status=None):
        reply = self.server.http.request(method, path, json=json, headers=self.headers)
        assert reply.status_code == status if status else reply.status_code < 300, reply.text
        return reply

    def get(self, path):
        return self.call("GET", path).json()["data"]


def totp(secret, at=None):
    """RFC 6238."""
    step = int((time.time() if at is None else at) // 30)
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7fffffff) % 10 ** 6:06}"
