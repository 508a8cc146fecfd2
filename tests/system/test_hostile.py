# SPDX-License-Identifier: Apache-2.0
"""Hostile text in every field, parameter, path and header. The fields come from the program's own OpenAPI document, so that
a new one is covered by itself. Never a 5xx: what is taken comes back as it was sent, what is not is a 400 that says where."""

import json
import re
import urllib.parse

import pytest

from conftest import TOKEN, Server, run
from people import Person
from test_http import Wire

TEXTS = [
    "'; drop table business.business; --", "1' or '1'='1", "\\'; select pg_sleep(9); --", "$1 $2 %s %n %p", "{a,\"b\",NULL}", "NULL", "\\x00",
    "<script>alert(1)</script>", "javascript:alert(1)", "\"><img src=x onerror=alert(1)>", "${7*7}{{7*7}}", "=cmd|' /C calc'!A0",
    "\u202egnp.exe", "\u2066a\u2069b", "\u05e9\u05dc\u05d5\u05dd", "a\0b", "\0", "a\x01b", "a\x7fb", "a\x85b", "a\nb", "a\r\nSet-Cookie: x=1", "a\x1b[31mb",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f44d\U0001f3fd",
    "e\u0301", "A\u030a", "Z" + "\u0300" * 80, "\ufeffa", "a\u200bb", "a\ufffe\uffff", "\U0010ffff", "\ue000", "a\u2028b\u2029c",
    "\uff41\uff42\uff43", "\ufdfa" * 10, "\u0130\u00df\u01c5", "../../etc/passwd", "file:///etc/passwd", "C:\\x\\y", "%00%ff%2e%2e%2f",
    "http://[::1]/", "http://a.b\u202e.c/", "a@b\u200b.example", "x" * 81, "x" * 161, "\u00e9" * 5001, "\U0001f600" * 120, "x" * 20_000, "/" * 2000]
RAW = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"a\0b", b"a\x1fb", b"\xfe\xff",
       rb"\ud800", rb"\udc00", rb"\ud800x", rb"\udc00\ud800", rb"\ud83d\n", rb"\u12", rb"\x41", b"\\"]


@pytest.fixture(scope="module")
def server():
    s = Server(workers=1)
    s.admin = Person(s, role="admin").headers  # some things ask for a person who has just signed in
    yield s
    s.stop()


@pytest.fixture(scope="module")
def business(server):
    return server.create(name="Under fire", source="fire", source_id="1")


DOCUMENT = json.loads(run("openapi").stdout)


def text_fields(schema, prefix=""):
    """Dotted names of all fields that take text; a list's end in []."""
    for name, field in schema["properties"].items():
        types = field["type"] if isinstance(field["type"], list) else [field["type"]]
        if "string" in types:
            yield prefix + name
        elif "object" in types and "properties" in field:
            yield from text_fields(field, f"{prefix}{name}.")
        elif "array" in types and field["items"]["type"] == "string":
            yield f"{prefix}{name}[]"


def collections():
    """Path of each POST that creates a row of a resource, and the schema of what it takes; actions have bodies of their own."""
    for path, item in DOCUMENT["paths"].items():
        if "201" in item.get("post", {}).get("responses", {}):
            body = item["post"].get("requestBody")
            reference = body and body["content"]["application/json"]["schema"].get("$ref")
            if reference:
                yield path, DOCUMENT["components"]["schemas"][reference.split("/")[-1]]


def put_in(body, field, text):
    *above, last = field.removesuffix("[]").split(".")
    for name in above:
        body = body.setdefault(name, {})
    body[last] = [text] if field.endswith("[]") else text


def take_out(body, field):
    *above, last = field.split(".")
    for name in above:
        body = body.get(name, {})
    return body.pop(last, None)


def get_from(body, field):
    for name in field.removesuffix("[]").split("."):
        body = body[name]
    return body[0] if field.endswith("[]") and body else body


RESOURCES = list(collections())
IDS = [path.split("/")[-1] for path, _ in RESOURCES]


def valid(schema):
    """The smallest body that is taken."""
    return {name: schema["properties"][name]["examples"][0] for name in schema.get("required", [])}


def test_the_document_lists_what_we_attack():
    assert {"categories", "businesses", "inspections"} <= set(IDS)
    fields = {i: set(text_fields(schema)) for i, (_, schema) in zip(IDS, RESOURCES)}
    assert {"name", "description", "address.lines[]", "address.postcode", "attributes.wifi", "source_id", "other_categories[]"} <= fields["businesses"]
    assert {"rating", "date"} <= fields["inspections"] and {"name", "parent"} <= fields["categories"]


def send_until_taken(server, path, schema, body, slug):
    """Posts; takes out what is refused by name and posts again. Gives what was made, and the names of what was refused."""
    refused = set()
    for _ in range(5):
        reply = server.http.post(path, content=json.dumps(body), headers={**server.admin, "Content-Type": "application/json"})
        assert reply.status_code in (201, 400), reply.text
        if reply.status_code == 201:
            return reply.json()["data"], refused
        named = {re.sub(r"\.\d+$", "", field): message for field, message in server.details(reply).items()}
        assert named, reply.text
        for field, message in named.items():
            pair = re.search(r"together with (\S+)", message)
            field = pair.group(1) if pair else field
            take_out(body, field)
            refused.add(field)
            if field in schema.get("required", []):
                body[field] = valid(schema)[field]
            if field == "slug":  # of a text like this one none can be made, or one that is taken
                body[field] = slug
    raise AssertionError(reply.text)


@pytest.mark.parametrize("path, schema", RESOURCES, ids=IDS)
@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_text_goes_round_or_is_refused_by_name(server, business, path, schema, number):
    text, body = TEXTS[number], valid(schema)
    path = path.replace("{id}", business["id"])
    fields = list(text_fields(schema))
    for field in fields:
        put_in(body, field, text)
    made, refused = send_until_taken(server, path, schema, body, f"hostile-{number}")
    made = server.call("GET", f"{path}/{made['id']}").json()["data"]
    for field in fields:
        if field.split(".")[0] not in refused and field.removesuffix("[]") not in refused:
            assert get_from(made, field) == text, field
    if number % 5:
        return
    # and it can be sent back as it was read
    again = server.call("PUT", f"{path}/{made['id']}", made).json()["data"]
    assert {k: v for k, v in again.items() if k != "updated_at"} == {k: v for k, v in made.items() if k != "updated_at"}
    server.call("DELETE", f"{path}/{made['id']}")


def test_plain_text_is_taken_where_text_is_free(server, business):
    """The test above is worth something only if much is taken."""
    for text in ("'; drop table business.business; --", "\u202egnp.exe", "\U0001f468\u200d\U0001f469", "e\u0301", "<script>alert(1)</script>"):
        made = server.call("PATCH", f"/v1/businesses/{business['id']}", {
            "name": text, "description": text, "address": {"lines": [text], "locality": text, "region": text}, "source_id": text}).json()["data"]
        assert made["name"] == made["description"] == made["source_id"] == made["address"]["lines"][0] == made["address"]["locality"] == text


@pytest.mark.parametrize("path, schema", RESOURCES, ids=IDS)
def test_a_body_that_is_no_text_is_refused(server, business, path, schema):
    path = path.replace("{id}", business["id"])
    fields = list(text_fields(schema))
    for i in range(max(len(fields), len(RAW))):
        field, raw, body = fields[i % len(fields)], RAW[i % len(RAW)], valid(schema)
        put_in(body, field, "HERE")
        content = json.dumps(body).encode().replace(b"HERE", raw)
        reply = server.http.post(path, content=content, headers={**server.admin, "Content-Type": "application/json"})
        assert reply.status_code == 400 and reply.json()["error"]["code"] == "BAD_REQUEST", (field, raw, reply.text)
        assert re.search(r"line \d+, column \d+", reply.json()["error"]["message"]), reply.text
    # a pair of surrogates is one character
    made = server.http.post(path, content=json.dumps(valid(schema)).encode()[:-1] + rb', "nonsense\ud83d\ude00": 1}',
                            headers={**server.admin, "Content-Type": "application/json"})
    assert "nonsense\U0001f600" in server.details(made)


@pytest.mark.parametrize("path, schema", RESOURCES, ids=IDS)
def test_a_mebibyte_in_each_field(server, business, path, schema):
    path = path.replace("{id}", business["id"])
    fields = list(text_fields(schema))
    whole = {}
    for field in fields:
        put_in(whole, field, "x" * (1 << 20))
    assert server.http.post(path, json=whole, headers=server.admin).status_code == 413
    for field in fields:
        body = valid(schema)
        put_in(body, field, "x" * ((1 << 20) - 1000))
        reply = server.http.post(path, json=body, headers=server.admin)
        assert reply.status_code == 400, (field, reply.text)
        assert any(name.startswith(field.split(".")[0].removesuffix("[]")) for name in server.details(reply)), reply.text


VALUES_OF_OTHER_TYPES = [0, -1, 1.5, 1e308, 10 ** 18, True, [], [[]], {}, {"a": 1}, [None], [1], "", [""] * 100]


@pytest.mark.parametrize("path, schema", RESOURCES, ids=IDS)
def test_values_of_other_types(server, business, path, schema):
    path = path.replace("{id}", business["id"])
    for number, value in enumerate(VALUES_OF_OTHER_TYPES):
        body = valid(schema)
        fields = [field.removesuffix("[]") for field in text_fields(schema)]
        for field in fields:
            put_in(body, field, value)
        made, refused = send_until_taken(server, path, schema, body, f"typed-{number}")
        for field in fields:  # an empty text or list may mean "none"
            assert not value or field in refused or field.split(".")[0] in refused, (field, value)
        server.call("DELETE", f"{path}/{made['id']}")


def test_keys(server, business):
    for text in [t for t in TEXTS if "\0" not in t and len(t) < 300][::2] + ["\u5bff" * 100, "a" + "\U0001f600" * 100]:
        reply = server.http.patch(f"/v1/businesses/{business['id']}", content=json.dumps({text: 1, "attributes": {text: "yes"}, "address": {text: "x"}}),
                                  headers={**server.admin, "Content-Type": "application/json"})
        assert reply.status_code == 400
        named = json.loads(reply.content.decode())["error"]["details"]  # strictly UTF-8, also where a long name was cut
        assert len(named) == 3 and any(text.startswith(d["field"]) and len(d["field"]) > 40 or text == d["field"] for d in named), named
        assert "\ufffd" not in reply.text
    reply = server.http.patch(f"/v1/businesses/{business['id']}", content=rb'{"a\u0000b": 1}', headers={**server.admin, "Content-Type": "application/json"})
    assert reply.status_code == 400


def readings():
    """Each GET with its query parameters."""
    for path, item in DOCUMENT["paths"].items():
        names = []
        for parameter in item.get("get", {}).get("parameters", []):
            if "$ref" in parameter:
                parameter = DOCUMENT["components"]["parameters"][parameter["$ref"].split("/")[-1]]
            if parameter["in"] == "query":
                names.append(parameter["name"])
        if names:
            yield path, names


READINGS = list(readings())


def harmless(reply, name=None):
    """Not a 5xx, and an envelope if an error; of a 400, one that names the parameter."""
    assert reply.status_code in (200, 400, 404, 414), (reply.status_code, reply.text[:300])
    if reply.status_code == 200 and not reply.headers["content-type"].startswith("application/json"):
        return  # a calendar, or news
    body = reply.json()
    assert body["success"] is (reply.status_code == 200)
    if name and reply.status_code == 400 and body["error"]["code"] == "VALIDATION_ERROR":
        assert name in {d["field"] for d in body["error"]["details"]}, reply.text


@pytest.mark.parametrize("path, names", READINGS, ids=[path for path, _ in READINGS])
def test_query_parameters(server, business, path, names):
    path = re.sub(r"{.*?}", business["id"], path, count=1).replace("{inspection_id}", business["id"])
    texts = [t for t in TEXTS if len(t) < 300][::3] + ["", ",", ",,", "-", "1e300", "-1e300,1e300", "nan,nan", "99999999999999999999", "x:y", ":", "true"]
    for name in names:
        for text in texts:
            harmless(server.http.get(path, params={name: text}, headers=server.admin), name)
        for raw in ("%ff", "%00", "%c0%af", "%ed%a0%80", "%", "%zz", "+", "%0a%0d", "a&" + name + "=b", "=", "[]"):
            harmless(server.http.get(f"{path}?{name}={raw}", headers=server.admin))
    for text in texts:
        reply = server.http.get(path, params={text: "x"}, headers=server.admin)
        # a provider may send back what it likes, if it is text (RFC 6749 section 4.1.2); here there is no such provider
        assert reply.status_code in ((400, 404) if path.endswith("/callback") else (400,)), text


def test_search_for_hostile_text(server, business):
    for text in [t for t in TEXTS if len(t) < 200 and t.isprintable()]:
        server.call("PATCH", f"/v1/businesses/{business['id']}", {"name": text[:100].strip()})
        for path in ("/v1/businesses", "/v1/businesses/suggest"):
            harmless(server.http.get(path, params={"q": text[:80]}), "q")


@pytest.mark.parametrize("path", [p for p in DOCUMENT["paths"] if "{" in p])
def test_ids_in_paths(server, business, path):
    methods = DOCUMENT["paths"][path].keys() - {"parameters"}
    for text in [urllib.parse.quote(t, safe="") for t in TEXTS if len(t) < 300 and not re.fullmatch("[a-z]+", t)][::5] + ["%ff", "%c0%af", "%ed%a0%80", "%zz", "%", "~", "-", "0"]:
        where = re.sub(r"{[^}]*}", text, path)
        for method in methods:
            reply = server.http.request(method.upper(), where, json={} if method in ("post", "put", "patch") else None, headers=server.admin)
            assert reply.status_code in (400, 404), (method, where, reply.text)
            assert reply.json()["success"] is False


def test_cursors(server):
    for i in range(3):
        server.create(name=f"Cursor {i}")
    cursor = server.get("/v1/businesses", limit=1)["meta"]["pagination"]["next_cursor"]
    for i in range(len(cursor)):
        for c in ("A", "_", "=", "\u00e9"):
            harmless(server.http.get("/v1/businesses", params={"limit": 1, "cursor": cursor[:i] + c + cursor[i + 1:]}), "cursor")
    for other in (cursor[:-1], cursor + "A", cursor * 2, cursor * 50, "A" * 3000, "." * 10):
        harmless(server.http.get("/v1/businesses", params={"limit": 1, "cursor": other}), "cursor")


HEADERS = ["X-Request-Id", "If-Match", "If-None-Match", "Accept", "Accept-Encoding", "Content-Type", "Authorization", "Origin", "Cookie", "Range",
           "Accept-Language", "Access-Control-Request-Method", "Cursor", "X-Forwarded-For", "Expect", "TE", "Upgrade", "Connection", "Prefer"]
VALUES = [t.encode() for t in TEXTS if len(t) < 300 and not re.search(r"[\0\r\n\x01-\x1f\x7f]", t)] + [
    b"", b",", b",,,", b"*", b'"', b'""', b'"', b'W/"', b'W/"x"', b'"' + b"x" * 5000 + b'"', b'"a",' * 500, b"*/*;q=", b"*/*;q=9e999", b"a/b;q=0," * 300,
    b"gzip;q=nan", b"\xff\xfe", b"\xed\xa0\x80", b"Bearer", b"Bearer ", b"Bearer " + b"x" * 5000, b"bytes=0-,5-1", b"\t"]


@pytest.mark.parametrize("header", HEADERS)
def test_headers(server, business, header):
    for value in VALUES:
        for method, body in (("GET", b""), ("PATCH", b"{}")):
            more = b"" if header == "Authorization" or method == "GET" else b"Authorization: Bearer %s\r\n" % TOKEN.encode()
            kind = b"" if header == "Content-Type" or method == "GET" else b"Content-Type: application/json\r\n"
            with Wire(server, b"%s /v1/businesses/%s HTTP/1.1\r\nHost: x\r\n%s%s%s: %s\r\nContent-Length: %d\r\n\r\n%s" % (
                    method.encode(), business["id"].encode(), more, kind, header.encode(), value, len(body), body)) as w:
                status, headers, text = w.reply()
            assert status < 500 and status != 405, (value, text)
            assert re.fullmatch(r"[A-Za-z0-9_.:/+=-]{1,64}", headers["x-request-id"])
            if status >= 400:
                assert json.loads(text)["success"] is False
            assert "set-cookie" not in headers


def test_the_server_has_not_minded(server):
    """Runs last: no worker died, nothing was an error of ours, and the tables are still there."""
    metrics = server.http.get("/metrics").text
    assert "\nguildford_worker_restarts_total 0\n" in metrics
    assert not re.search(r'guildford_http_requests_total{.*status="5.."}', metrics)
    assert '"level":"error"' not in server.log_text()
    assert int(server.database("select count(*) from business.business")[0][0]) > 0
