# SPDX-License-Identifier: Apache-2.0
"""Hostile bodies, ids and headers at the routes of accounts. The bodies come from the program's own OpenAPI document, so that a
new one is covered by itself. Never a 5xx; an error has its envelope; what is secret is in no answer and no log."""

import copy
import json
import re
import urllib.parse

import httpx
import pytest

from conftest import Server, key_text, wait_for
from people import PASSWORD, Person, bearer, sign_in
from test_hostile import DOCUMENT, RAW, TEXTS
from test_http import Wire
from test_limits import READ

AREAS = re.compile(r"/v1/(auth|me|relations|api-keys|people|roles)(/|$)")
SECRETS = {"password", "new_password", "code", "token", "refresh_token"}
CANARY = "canary-that-sings-to-nobody"  # in a secret field it must come out nowhere
OTHER_TYPES = [None, 0, -1, 1.5, 1e308, 10 ** 18, True, [], [[]], {}, {"a": 1}, [None], [1], "", [""] * 100]
ABSENT = "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a77"


def resolved(schema):
    return DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def operations():
    """(method, path, schema of the body, NULL without one) of each in these areas."""
    for path, item in DOCUMENT["paths"].items():
        for method in item.keys() - {"parameters"}:
            if AREAS.match(path):
                content = item[method].get("requestBody", {}).get("content", {}).get("application/json")
                yield method, path, resolved(content["schema"]) if content else None


BODIES = sorted([o for o in operations() if o[2]], key=lambda o: o[:2])
NAMES = [f"{method} {path}" for method, path, _ in BODIES]
PATHS = sorted({(method, path) for method, path, _ in operations() if "{" in path})


@pytest.fixture(scope="module")
def server():
    s = Server(workers=2)
    yield s
    s.stop()


class Attacker(Person):
    """An admin who has just signed in: whoever may do most meets the most code."""

    def __init__(self, server):
        super().__init__(server, role="admin")
        self.blows = 0

    def send(self, method, path, content, kind="application/json"):
        self.blows += 1
        if self.blows % 8 == 0:  # failures lock an account, and then nothing is looked at
            self.server.database("delete from auth.login_failure")
        if self.blows % 400 == 0:  # some of it asks for who has just signed in
            self.sign_in()
        reply = self.server.http.request(method, path, content=content, headers={**self.headers, "Content-Type": kind})
        check(reply)
        if reply.status_code < 300 and "password" in path:
            self.server.database(f"update auth.person set password_hash = '{self.server.password_hash}' where id = '{self.id}'")
        return reply


@pytest.fixture(scope="module")
def attacker(server):
    return Attacker(server)


def check(reply):
    """What holds of each answer: its form, strictly; and that a page could not run what is in it."""
    assert reply.status_code < 500, reply.text
    assert reply.headers["content-type"] in ("application/json; charset=utf-8", "application/json") and reply.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in reply.headers
    body = json.loads(reply.content.decode(), strict=True)  # raw control characters or bytes that are no UTF-8 end it here
    assert not re.search(rb"[\x00-\x1f\x7f]", reply.content)
    assert CANARY not in reply.text
    if reply.status_code >= 400:
        assert body["success"] is False and re.fullmatch("[A-Z_]+", body["error"]["code"]) and body["error"]["message"] and body["error"]["request_id"]
    return body


def valid(schema):
    """A body that is well-formed; what it names need not be there."""
    body = {}
    for name, field in schema["properties"].items():
        if name in schema.get("required", []) and not field.get("readOnly"):
            body[name] = copy.deepcopy(field["examples"][0])
    return body or {name: copy.deepcopy(field["examples"][0]) for name, field in list(schema["properties"].items())[:1] if "examples" in field}


def fields(schema):
    """Names that can be written, and whether they take a list."""
    return [(name, "array" in field.get("type", [])) for name, field in schema["properties"].items() if not field.get("readOnly")]


def place(path):
    return path.replace("{role}", "moderator").replace("{id}", ABSENT)


def places(server, attacker, path):
    """The path with an id of nobody; and of somebody, so that the handler goes on."""
    yield place(path)
    if path.startswith("/v1/people/{id}"):
        yield path.replace("{id}", Person(server).id)
    if path.startswith("/v1/roles/{id}"):
        slug = f"role-{attacker.blows}"
        attacker.call("POST", "/v1/roles", {"slug": slug, "permissions": ["category:update"]}, 201)
        yield path.replace("{id}", slug)
    if path.startswith("/v1/api-keys/{id}"):
        yield path.replace("{id}", attacker.call("POST", "/v1/api-keys", {"name": "k", "scopes": ["business:create"]}, 201).json()["data"]["id"])


def test_what_is_attacked():
    assert len(BODIES) > 20 and {"post /v1/auth/login", "patch /v1/me", "post /v1/relations", "post /v1/api-keys", "put /v1/roles/{id}",
                                 "patch /v1/people/{id}", "post /v1/people/{id}/roles"} <= set(NAMES)
    assert SECRETS <= {name for _, _, schema in BODIES for name, _ in fields(schema)}


@pytest.mark.parametrize("method, path, schema", BODIES, ids=NAMES)
def test_hostile_text_in_each_field(server, attacker, method, path, schema):
    for where in places(server, attacker, path):
        for i, (name, many) in enumerate(fields(schema)):
            for text in TEXTS[i % 2::2]:
                body = valid(schema)
                body[name] = [text] if many else text
                reply = attacker.send(method, where, json.dumps(body))
                if "\0" in text and reply.status_code == 400:
                    assert reply.json()["error"]["details"], reply.text


@pytest.mark.parametrize("method, path, schema", BODIES, ids=NAMES)
def test_other_types_in_each_field(server, attacker, method, path, schema):
    for where in places(server, attacker, path):
        for name, many in fields(schema):
            for value in OTHER_TYPES:
                body = {**valid(schema), name: value}
                reply = attacker.send(method, where, json.dumps(body))
                if isinstance(value, (dict, float)) or value == [[]]:
                    assert reply.status_code in (400, 404), (name, value, reply.text)


@pytest.mark.parametrize("method, path, schema", BODIES, ids=NAMES)
def test_bodies_that_are_none(attacker, method, path, schema):
    where, good = place(path), json.dumps(valid(schema))
    name = fields(schema)[0][0]
    bad = [b"", b" ", b"null", b"[]", b"1", b'"x"', b"{", b"{}}", b"{'a':1}", b'{"a":1,}', b"\xef\xbb\xbf{}", b"{\"a\":NaN}", b"\0", b"{\0}",
           b"[" * 100000, b'{"a":' * 50000, b'{"a":' * 8 + b"[]" + b"}" * 8, b'{"%s":1,"%s":1}' % (name.encode(), name.encode()),
           good.encode() + b"x", good.encode("utf-16"), b'{"a":1e999999}', b'{"a":' + b"9" * 5000 + b"}"]
    for raw in RAW:
        bad.append(b'{"%s":"%s"}' % (name.encode(), raw))
    for content in bad:
        assert attacker.send(method, where, content).status_code == 400, content[:50]
    assert attacker.send(method, where, json.dumps({name: "x" * (1 << 20)})).status_code == 413
    assert attacker.send(method, where, json.dumps({name: "x" * ((1 << 20) - 1000)})).status_code in (400, 404)
    assert attacker.send(method, where, json.dumps({f"n{i}": i for i in range(20000)})).status_code in (400, 404)
    assert attacker.send(method, where, json.dumps({"<script>alert(1)</script>": 1, "a" * 5000: 1})).status_code in (400, 404)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json, text/plain", "multipart/form-data", "json", "application/json\x09x"):
        assert attacker.send(method, where, good, kind).status_code == 415, kind


def test_a_secret_comes_out_nowhere(server, attacker):
    """Neither when it is wrong nor when it is malformed, nor beside something else that is."""
    for method, path, schema in BODIES:
        for name, _ in fields(schema):
            if name not in SECRETS:
                continue
            for text in (CANARY, CANARY * 20, CANARY + "\0", CANARY + "\u202e", [CANARY], {CANARY: 1}):
                attacker.send(method, place(path), json.dumps({**valid(schema), name: text}))
                attacker.send(method, place(path), json.dumps({**valid(schema), name: text, "nonsense": 1}))
            attacker.send(method, place(path), f'{{"{name}": "{CANARY}')
            attacker.send(method, f"{place(path)}?{name}={CANARY}", json.dumps(valid(schema)))
    for text in (f"Bearer {CANARY}", f"Basic {CANARY}", f"Bearer {key_text('CANARY12', CANARY[:27].replace('-', 'x') + 'y' * 16)}"):
        check(server.http.get("/v1/me", headers={"Authorization": text}))
    attacker.send("POST", "/v1/auth/login", json.dumps({"email": attacker.address, "password": PASSWORD}))
    made = attacker.call("POST", "/v1/api-keys", {"name": "k", "scopes": ["business:create"]}, 201).json()["data"]["key"]
    check(server.http.post("/v1/businesses", json={}, headers={"Authorization": f"Bearer {made}"}))
    server.http.post("/v1/auth/refresh", json={"refresh_token": attacker.tokens["refresh_token"]})
    log = server.log_text()
    for secret in (CANARY, PASSWORD, made, attacker.tokens["refresh_token"], attacker.tokens["access_token"], "xthatxsings"):
        assert secret not in log and urllib.parse.quote(secret) not in log


@pytest.mark.parametrize("method, path", PATHS, ids=[f"{method} {path}" for method, path in PATHS])
def test_ids_of_wrong_form(attacker, method, path):
    for text in ("", "%00", ABSENT + "%00", "x" * 3000, "%c3%28", "..", "%2e%2e%2f", "{" + ABSENT + "}", ABSENT.replace("-", ""), ABSENT + "%20", "%20" + ABSENT,
                 ABSENT[:-1], ABSENT + "0", "0x" + ABSENT[2:], "null", "me", "*", "1", "-1", "%27%3b--", ABSENT + "," + ABSENT):
        for where in {re.sub(r"\{id\}", lambda _: text, path).replace("{role}", "moderator"), re.sub(r"\{\w+\}", lambda _: text, path)}:
            with httpx.Client() as http:  # which would resolve dots by itself
                reply = http.request(method.upper(), httpx.URL(attacker.server.url, raw_path=where.encode()), headers=attacker.headers,
                                     **({"json": {}} if method in ("post", "put", "patch") else {}))
            check(reply)
            assert reply.status_code in (400, 404, 405, 414), (method, where, reply.text)


def test_ids_in_capitals_are_the_same_ids(server):
    admin, other = Person(server, role="admin"), Person(server)
    assert admin.get(f"/v1/people/{other.id.upper()}")["id"] == other.id
    key = other.call("POST", "/v1/api-keys", {"name": "k", "scopes": ["business:create"]}, 201).json()["data"]
    other.call("DELETE", f"/v1/api-keys/{key['id'].upper()}", status=200)
    wait_for(lambda: server.http.post("/v1/businesses", json={}, headers={"Authorization": f"Bearer {key['key']}"}).status_code == 401, 5)
    phone = sign_in(server, other.address)
    other.call("DELETE", f"/v1/auth/sessions/{phone['session_id'].upper()}", status=200)
    wait_for(lambda: server.http.get("/v1/me", headers=bearer(phone)).status_code == 401, 5)
    admin.call("POST", f"/v1/people/{other.id.upper()}/roles", {"role": "moderator"}, 200)
    admin.call("DELETE", f"/v1/people/{other.id.upper()}/sessions", status=200)
    wait_for(lambda: server.http.get("/v1/me", headers=other.headers).status_code == 401, 5)


def status_of(server, *lines, target=b"/v1/me"):
    with Wire(server, b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (target, b"\r\n".join(lines))) as w:
        status, _, body = w.reply()
    assert json.loads(body)["success"] is (status == 200)
    return status


def test_forms_of_the_header(server):
    person = Person(server)
    token = person.tokens["access_token"].encode()
    key = person.call("POST", "/v1/api-keys", {"name": "k", "scopes": ["business:create"]}, 201).json()["data"]["key"].encode()
    good = b"Authorization: Bearer " + token
    for line in (good, b"authorization: bearer " + token, b"AUTHORIZATION:BEARER " + token, b"Authorization:\t Bearer   " + token + b" \t"):
        assert status_of(server, line) == 200, line
    for credential in (b"Bearer\t" + token, b"Bearer\xa0" + token, b"Bearer" + token, b"Bearer=" + token, b"Bearer: " + token, b"Bearer, " + token, token,
                       b"JWT " + token, b"Basic " + token, b'Bearer "' + token + b'"', b"Bearer <" + token + b">", b"Bearer token=" + token):
        assert status_of(server, b"Authorization: " + credential) == 401, credential
    for credential in (token, key):
        for more in (b"x", b".", b"=", b"==", b",", b" x", b"\tx", b"%00", b"." + token, b", Bearer " + token, b"\xff", b";q=1"):
            assert status_of(server, b"Authorization: Bearer " + credential + more) == 401, more
        for cut in (credential[:-1], credential[1:], credential[:len(credential) // 2], credential.swapcase()):
            assert status_of(server, b"Authorization: Bearer " + cut) == 401, cut
        assert status_of(server, b"Authorization: Bearer " + credential + b"\0") == 400
    # two are none, whichever comes first: what stands before us may have looked at the other
    for two in ([good, good], [good, b"Authorization: Bearer x"], [b"Authorization: Bearer x", good], [good, b"authorization:"], [good, b"Authorization: Bearer " + key]):
        assert status_of(server, *two) == 400, two
    assert status_of(server, b"Authorization : Bearer " + token) == 400
    assert status_of(server, b"Authorization: Bearer", b" " + token) == 400, "folded lines"


def test_a_token_counts_in_its_header_only(server):
    person = Person(server)
    token = person.tokens["access_token"].encode()
    for name in (b"access_token", b"token", b"authorization", b"Authorization", b"api_key", b"key", b"jwt"):
        assert status_of(server, target=b"/v1/me?%s=%s" % (name, token)) == 401
        assert status_of(server, b"Authorization: Bearer x", target=b"/v1/me?%s=Bearer%%20%s" % (name, token)) == 401
    for header in (b"X-Access-Token", b"X-Api-Key", b"X-Authorization", b"Proxy-Authorization", b"X-Forwarded-Authorization", b"Cookie",
                   b"X-Original-Authorization", b"X-Auth-Token", b"X-Forwarded-User", b"X-User-Id", b"Authorization2", b"_Authorization"):
        for value in (token, b"Bearer " + token, b"access_token=" + token, person.id.encode()):
            assert status_of(server, header + b": " + value) == 401, header
    assert token.decode() not in server.log_text()
    reply = server.http.post("/v1/auth/logout", content=f"access_token={token.decode()}", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status_code == 401


def test_what_a_caller_says_of_itself_does_not_change_whose_limit_it_is():
    """Nobody is a trusted proxy here: these headers are the caller's own words."""
    server = Server(workers=2, GUILDFORD_LIMITS="on", GUILDFORD_LIMIT_ANONYMOUS="40")
    names = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP",
             "X-Forwarded", "Forwarded-For", "X-Originating-IP", "Via"]
    try:
        statuses = []
        for i in range(60):
            address = f"203.0.113.{i}"
            headers = {name: f"for={address}" if name == "Forwarded" else address for name in names[i % len(names):][:2]}
            statuses.append(server.http.get(READ, headers={**headers, "X-Request-Id": f"r{i}"}).status_code)
        assert statuses == [200] * 40 + [429] * 20
        # and a sign-in that failed is the peer's, not anybody's
        server.http.post("/v1/auth/login", json={"email": "nobody@example.org", "password": "x"}, headers={"X-Forwarded-For": "203.0.113.77"})
        assert "203.0.113" not in server.log_text()
    finally:
        server.stop()


def test_the_server_has_not_minded(server):
    """Runs last: no worker died, nothing was an error of ours, and who was there is there."""
    metrics = server.http.get("/metrics").text
    assert "\nguildford_worker_restarts_total 0\n" in metrics
    assert not re.search(r'guildford_http_requests_total{.*status="5.."}', metrics)
    assert '"level":"error"' not in server.log_text()
    assert int(server.database("select count(*) from auth.person")[0][0]) > 0
    assert sign_in(server, Person(server).address)
