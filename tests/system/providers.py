# SPDX-License-Identifier: Apache-2.0
"""Providers that people of the tests sign in with, each a node process of tests/oauth, and a front end's part of it."""

import base64
import hashlib
import html
import re
import secrets
import subprocess
import urllib.parse

import httpx

from conftest import ROOT

FOLDER = ROOT / "tests/oauth"
PUBLIC = "http://127.0.0.1:8080"
SECRET = "the-secret-of-the-town"
RETURN_TO = "http://127.0.0.1:3000/signed-in"
LONG_RETURN_TO = "https://app.town.example/auth?via=social"


class Node:
    """A script of tests/oauth; what it prints first is its address."""

    def __init__(self, script, *args):
        if not (FOLDER / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=FOLDER, check=True, timeout=300)
        self.process = subprocess.Popen(["node", script, *args], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url, f"{script} did not start"

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def plan(self, **plan):
        assert httpx.post(f"{self.url}/plan", json=plan).status_code == 200

    def seen(self):
        return httpx.get(f"{self.url}/seen").json()


def settings(google, facebook):
    """The program's settings that lead to them."""
    return {
        "GUILDFORD_GOOGLE_CLIENT_ID": "town", "GUILDFORD_GOOGLE_CLIENT_SECRET": SECRET, "GUILDFORD_GOOGLE_ISSUER": google,
        "GUILDFORD_FACEBOOK_CLIENT_ID": "town", "GUILDFORD_FACEBOOK_CLIENT_SECRET": SECRET,
        "GUILDFORD_FACEBOOK_AUTHORIZATION_URL": f"{facebook}/dialog", "GUILDFORD_FACEBOOK_TOKEN_URL": f"{facebook}/token",
        "GUILDFORD_FACEBOOK_ME_URL": f"{facebook}/me", "GUILDFORD_OAUTH_RETURN_URLS": f"{RETURN_TO}, {LONG_RETURN_TO}",
    }


def challenge(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))


class Browser:
    """A browser with a front end in it: cookies, and the verifier that the front end keeps."""

    def __init__(self, server):
        self.server = server
        self.http = httpx.Client(timeout=30)
        self.verifier = secrets.token_urlsafe(32)

    def local(self, url):
        """The program's public address is not the one of the tests."""
        return url.replace(PUBLIC, self.server.url)

    def get(self, path, **params):
        return self.http.get(self.local(path) if "://" in path else self.server.url + path, params=params or None)

    def begin(self, provider="google", **params):
        """To the provider: what the program asks it for."""
        reply = self.get(f"/v1/auth/oauth/{provider}", **{"code_challenge": challenge(self.verifier), **params})
        assert reply.status_code == 302, reply.text
        self.asked_at, self.asked = reply.headers["location"], query(reply.headers["location"])
        return self.asked

    def link(self, headers, provider="google"):
        """The same for who is signed in and links."""
        reply = self.server.http.post(f"/v1/auth/identities/{provider}", json={"code_challenge": challenge(self.verifier)}, headers=headers)
        assert reply.status_code == 200, reply.text
        self.ticket = reply.json()["data"]["url"]
        reply = self.get(self.ticket)
        assert reply.status_code == 302, reply.text
        self.asked_at, self.asked = reply.headers["location"], query(reply.headers["location"])
        return self.asked

    def come_back(self, provider="google", **params):
        """From the provider: what the front end then finds in its address."""
        reply = self.get(f"/v1/auth/oauth/{provider}/callback", **{"state": self.asked["state"], "code": "a-code", **params})
        assert reply.status_code == 302, reply.text
        self.returned_to = reply.headers["location"]
        return query(self.returned_to)

    def show_oneself(self, login):
        """Signs in at the real provider and allows what is asked; gives the address that it sends back to."""
        reply = self.http.get(self.asked_at)
        for _ in range(10):
            if reply.status_code in (302, 303):
                to = urllib.parse.urljoin(str(reply.url), reply.headers["location"])
                if to.startswith(PUBLIC):
                    return to
                reply = self.http.get(to)
                continue
            assert reply.status_code == 200, reply.text
            action = html.unescape(re.search(r'action="([^"]+)"', reply.text).group(1))
            prompt = re.search(r'name="prompt" value="(\w+)"', reply.text).group(1)
            reply = self.http.post(urllib.parse.urljoin(str(reply.url), action), data={"prompt": prompt, "login": login, "password": "any"})
        raise AssertionError("the provider goes round in circles")

    def exchange(self, code, status=200, verifier=None, path="/v1/auth/oauth/exchange", **more):
        headers = more.pop("headers", None)
        reply = self.server.http.post(path, json={"code": code, "code_verifier": verifier or self.verifier, **more}, headers=headers)
        assert reply.status_code == status, reply.text
        return reply.json().get("data") or reply.json()["error"]
