# SPDX-License-Identifier: Apache-2.0
"""Is what the OpenAPI document says true? Real answers and the document's own examples are held against its schemas."""

import json
import re

import pytest

from conftest import ADMIN, ADMIN_ID, Server, run
from people import Person
from test_events import FAIR

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}
FORMATS = {"uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "date": r"\d{4}-\d\d-\d\d", "email": r"[^@\s]+@[^@\s]+",
           "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "uri": r"https?://\S+", "double": None, "password": None,
           "date-time-local": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"}
NOTES = {"description", "examples", "example", "default"}


class Document:
    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def check(self, schema, value, at="$"):
        """Asserts that the value fits: the keywords of JSON Schema that the document uses, and no other."""
        schema = self.resolve(schema)
        for keyword, rule in schema.items():
            if keyword not in NOTES:
                getattr(self, f"check_{keyword}")(rule, value, at, schema)

    def check_type(self, rule, value, at, _):
        names = [rule] if isinstance(rule, str) else rule
        fits = any(isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool)) for name in names)
        assert fits, f"{at}: {value!r} is not {rule}"

    def check_format(self, rule, value, at, _):
        pattern = FORMATS[rule]
        assert not pattern or not isinstance(value, str) or re.fullmatch(pattern, value), f"{at}: {value!r} is no {rule}"

    def check_enum(self, rule, value, at, _):
        assert value in rule, f"{at}: {value!r} is none of {rule}"

    def check_const(self, rule, value, at, _):
        assert value == rule and type(value) is type(rule), f"{at}: {value!r} is not {rule}"

    def check_required(self, rule, value, at, _):
        assert set(rule) <= set(value), f"{at}: without {set(rule) - set(value)}"

    def check_properties(self, rule, value, at, _):
        for name, item in (value or {}).items():
            if name in rule:
                self.check(rule[name], item, f"{at}.{name}")

    def check_additionalProperties(self, rule, value, at, schema):
        assert rule is False
        assert set(value or {}) <= set(schema["properties"]), f"{at}: {set(value) - set(schema['properties'])}"

    def check_items(self, rule, value, at, _):
        for n, item in enumerate(value or []):
            self.check(rule, item, f"{at}.{n}")

    def check_maxItems(self, rule, value, at, _):
        assert value is None or len(value) <= rule, at

    def check_minLength(self, rule, value, at, _):
        assert value is None or len(value) >= rule, at

    def check_maxLength(self, rule, value, at, _):
        assert value is None or len(value) <= rule, at

    def check_minimum(self, rule, value, at, _):
        assert value is None or value >= rule, at

    def check_maximum(self, rule, value, at, _):
        assert value is None or value <= rule, at

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method != "parameters":
                    yield path, method, operation

    def check_reply(self, reply):
        """The answer of a request fits what the operation of its path says of its status."""
        path = reply.request.url.path
        fitting = [(p, o) for p, m, o in self.operations()
                   if m == reply.request.method.lower() and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path)]
        operation = min(fitting, key=lambda pair: pair[0].count("{"))[1]
        assert str(reply.status_code) in operation["responses"], f"{operation['operationId']} may not answer {reply.status_code}"
        response = self.resolve(operation["responses"][str(reply.status_code)])
        for name in response["headers"]:
            assert name in reply.headers, f"{operation['operationId']}: {reply.status_code} without {name}"
        for name in ("etag", "location", "link", "www-authenticate"):
            assert name not in reply.headers or name in {n.lower() for n in response["headers"]}, name
        if "content" not in response:
            assert reply.content == b""
            return
        media_type = reply.headers["content-type"].split(";")[0]
        assert media_type in response["content"]
        if media_type.endswith("json"):
            self.check(response["content"][media_type]["schema"], reply.json())


DOCUMENT = Document(json.loads(run("openapi").stdout))
OPERATIONS = list(DOCUMENT.operations())


def test_the_document_is_what_is_served(server):
    reply = server.http.get("/v1/openapi.json")
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.json() == DOCUMENT.document == server.http.get("/openapi.json").json()


def test_routes_and_document_are_the_same_list():
    rows = [line.split() for line in run("routes").stdout.splitlines()]
    described = {(path, method): operation for path, method, operation in OPERATIONS}
    assert {(row[1], row[0].lower()) for row in rows} == described.keys()
    assert {row[-1] for row in rows} == {operation["operationId"] for operation in described.values()}
    for row in rows:
        assert bool(described[row[1], row[0].lower()].get("security")) == (row[2] != "anyone"), row


def test_answers_are_as_described(server):
    def call(method, path, json=None, **more):
        reply = server.call(method, path, json, **more)
        DOCUMENT.check_reply(reply)
        return reply.json().get("data") if reply.content else None

    body = {"name": "The Described", "primary_category": "pub", "location": {"lat": 51.2, "lng": -0.5},
            "attributes": {"dogs": "yes", "payment": ["cash"]}, "address": {"postcode": "GU1 3AA"}}
    path = "/v1/businesses/" + call("POST", "/v1/businesses", body, status=201)["id"]
    call("POST", "/v1/businesses", {"name": "Bare"}, status=201)
    inspections = path + "/inspections"
    inspection = call("POST", inspections, {"scheme": "fhrs", "rating": "5"}, status=201)["id"]
    for query in ("", "?near=51.2,-0.5&radius=100", "?include=categories,inspections", "?q=described", "?deleted=with&limit=1"):
        call("GET", "/v1/businesses" + query)
    call("GET", path)
    call("GET", path + "?include=categories,inspections")
    call("GET", path, status=304, headers={"If-None-Match": "*"})
    call("GET", "/v1/businesses/suggest?q=desc")
    call("PUT", path, {"name": "The Replaced"})
    call("PATCH", path, {"phone": "01483 444333"})
    call("GET", "/v1/categories")
    call("GET", "/v1/categories/pub")
    call("POST", "/v1/categories", {"name": "Described"}, status=201)
    call("PUT", "/v1/categories/described", {"name": "Described again"})
    call("DELETE", "/v1/categories/described")
    call("POST", "/v1/categories/described/restore")
    call("GET", inspections)
    call("PATCH", f"{inspections}/{inspection}", {"rating": "4", "date": "2024-05-01"})
    call("DELETE", f"{inspections}/{inspection}")
    call("DELETE", path)
    call("GET", path + "?deleted=only")
    call("POST", path + "/restore")
    for query in ("", "?resource=business&action=business:create", "?actor_id=019363f1-27a5-7c1b-8a5e-5f0c2c9e1a12", "?until=2026-11-24T00:00:00Z"):
        call("GET", "/v1/audit-events" + query)
    call("GET", "/v1/audit-events/" + call("GET", "/v1/audit-events")[0]["id"])
    call("GET", "/livez")
    call("GET", "/readyz")


@pytest.mark.parametrize("accept", ["application/json", "application/problem+json"])
def test_errors_are_as_described(server, accept):
    path = "/v1/businesses/" + server.create(name="Wrong")["id"]
    for status, method, path, json, headers in [
            (400, "GET", "/v1/businesses?limit=0", None, {}), (400, "GET", "/v1/businesses/suggest", None, {}),
            (400, "POST", "/v1/businesses", {"name": "", "moat": 1}, {}), (401, "GET", "/livez", None, {"Authorization": "Bearer x"}),
            (401, "POST", path + "/restore", None, {"Authorization": "Bearer x"}), (404, "GET", path + "x", None, {}),
            (404, "GET", path + "x/inspections", None, {}), (409, "POST", "/v1/businesses", {"name": "x", "slug": "wrong"}, {}),
            (409, "DELETE", "/v1/categories/food", None, {}), (412, "PUT", path, {"name": "x"}, {"If-Match": '"1"'}),
            (413, "PATCH", path, {"name": "x" * 1100000}, {}), (415, "POST", "/v1/businesses", None, {"Content-Type": "text/csv"})]:
        DOCUMENT.check_reply(server.call(method, path, json, status, headers={"Accept": accept, **headers}))
    refused = server.call("GET", "/v1/businesses", status=406, headers={"Accept": "text/html"})
    DOCUMENT.check_reply(refused)


def test_examples_are_true(server):
    schemas = DOCUMENT.document["components"]["schemas"]
    for _, _, operation in DOCUMENT.operations():
        for response in [operation.get("requestBody", {"content": {}}), *map(DOCUMENT.resolve, operation["responses"].values())]:
            for content in response.get("content", {}).values():
                for example in [content.get("example")] + [e["value"] for e in content.get("examples", {}).values()]:
                    if example is not None:
                        DOCUMENT.check(content["schema"], example)
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            for example in field.get("examples", []):
                DOCUMENT.check(field, example)
    for method, path, name in [("POST", "/v1/businesses", "post"), ("PATCH", "/v1/businesses/the-boatman", "patch"),
                               ("POST", "/v1/businesses/the-boatman/inspections", "post"), ("PUT", "/v1/categories/cafe", "put")]:
        template = path.replace("the-boatman", "{id}").replace("cafe", "{id}")
        body = DOCUMENT.document["paths"][template][name]["requestBody"]["content"]["application/json"]["example"]
        server.call(method, path, body)


def headers_for(server, operation):
    """Those of an admin: a key, or a session where only a person will do."""
    security = operation.get("security")
    if not security:
        return {}
    return ADMIN if {"apiKey": []} in security and not RECENT & {operation["operationId"]} else Person(server, role="admin").headers


# What asks for a recent sign-in, which a key never is.
RECENT = {"person_grant", "person_revoke", "role_create", "role_replace", "role_update", "role_remove", "role_restore"}
# what takes a secret that a mail or an earlier answer has brought, or shows what the caller has replied
BY_SECRET = {"reply_confirm", "reply_by_token", "reply_check_in", "my_calendar_feed", "reply_own"}


def test_every_parameter_example_is_taken(server):
    for path, method, operation in DOCUMENT.operations():
        for parameter in map(DOCUMENT.resolve, operation["parameters"] if method == "get" else []):
            if "example" in parameter and parameter["in"] == "query":
                DOCUMENT.check(parameter["schema"], parameter["example"])
                given = {"q": "boat", "near": "51.2,-0.5", parameter["name"]: parameter["example"]}
                known = {p["name"] for p in map(DOCUMENT.resolve, operation["parameters"])}
                real = path.replace("{id}", "the-boatman")
                if "_id}" not in real:
                    params = {k: v for k, v in given.items() if k in known}
                    headers = headers_for(server, operation)
                    assert server.http.get(real, params=params, headers=headers).status_code in (200, 400, 404), parameter


def test_every_error_is_described(server):
    described = DOCUMENT.document["components"]["schemas"]["ErrorCode"]
    for code in described["enum"]:
        assert f"`{code}`" in described["description"]
    met = {server.http.get("/nothing").json()["error"]["code"], server.http.delete("/v1/businesses").json()["error"]["code"],
           server.http.request("BREW", "/livez").json()["error"]["code"]}
    assert met == {"NOT_FOUND", "METHOD_NOT_ALLOWED", "NOT_IMPLEMENTED"} and met <= set(described["enum"])


def test_what_is_not_described_is_not_taken(server):
    for name in ("Business", "Category", "Inspection"):
        for kind in ("Input", "Patch"):
            assert DOCUMENT.document["components"]["schemas"][name + kind]["additionalProperties"] is False
    reply = server.call("POST", "/v1/businesses", {"name": "x", "moat": 1, "address": {"moat": 1}, "attributes": {"moat": 1}}, 400)
    assert set(server.details(reply)) == {"moat", "address.moat", "attributes.moat"}


def body_for(operation):
    """The smallest body by the document: the examples of what is required."""
    if "requestBody" not in operation:
        return None
    schema = DOCUMENT.resolve(next(iter(operation["requestBody"]["content"].values()))["schema"])
    kept = {**FAIR, "rsvp": {"mode": "open"}} if operation["operationId"] == "event_replace" else {}  # else it would be a hidden draft, and over
    return {name: schema["properties"][name]["examples"][0] for name in schema.get("required", [])} | kept


@pytest.fixture(scope="module")
def row(server):
    """A business with an inspection, and a category, that the operations may be tried on."""
    made = server.create(name="Tried")
    inspection = server.call("POST", f"/v1/businesses/{made['id']}/inspections", {"scheme": "fhrs", "rating": "3"}, 201).json()["data"]
    category = server.call("POST", "/v1/categories", {"name": "Tried"}, 201).json()["data"]
    event = server.call("POST", "/v1/events", {**FAIR, "title": "Tried", "rsvp": {"mode": "open"}}, 201).json()["data"]
    kind = server.call("POST", "/v1/event-categories", {"name": "Tried"}, 201).json()["data"]
    [[occurrence]] = server.database(f"select id from event.occurrence where event_id = '{event['id']}'")
    [[reply]] = server.database(f"insert into event.reply (occurrence_id, event_id, email, name, status, code) values ('{occurrence}', "
                                f"'{event['id']}', 'bo@example.org', 'Bo', 'going', '7KQ2MX01') returning id")
    noted = server.call("GET", "/v1/audit-events", params={"resource_id": made["id"]}).json()["data"][0]
    role = server.database("select id from auth.role where slug = 'moderator'")[0][0]
    return {"{id}": made["id"], "{inspection_id}": inspection["id"], "{occurrence_id}": occurrence, "{reply_id}": reply,
            "/categories/{id}": f"/categories/{category['id']}", "/audit-events/{id}": f"/audit-events/{noted['id']}", "/roles/{id}": f"/roles/{role}",
            "/people/{id}": f"/people/{ADMIN_ID}", "/events/{id}": f"/events/{event['id']}", "/event-categories/{id}": f"/event-categories/{kind['id']}"}


@pytest.mark.parametrize("path, method, operation", OPERATIONS, ids=[f"{m} {p}" for p, m, _ in OPERATIONS])
def test_each_operation_answers_as_the_document_says(server, row, path, method, operation):
    where = path
    for name, value in sorted(row.items(), key=lambda item: -len(item[0])):
        where = where.replace(name, value)
    body = body_for(operation)
    needs_q = {"q": "tri"} if any(p.get("name") == "q" and p.get("required") for p in map(DOCUMENT.resolve, operation.get("parameters", []))) else {}

    secure = bool(operation.get("security"))
    own = headers_for(server, operation)

    def send(at=where, headers=own, content=body, **more):
        reply = server.http.request(method.upper(), at, headers=headers, json=content, params={**needs_q, **more})
        DOCUMENT.check_reply(reply)
        if reply.status_code >= 400:
            error = reply.json()["error"]
            assert reply.json()["success"] is False and error["request_id"] == reply.headers["x-request-id"]
            codes = DOCUMENT.resolve(operation["responses"][str(reply.status_code)])["content"]["application/json"].get("examples", {})
            assert not codes or error["code"] in codes, error
        return reply
    if secure:
        assert send(headers={}).status_code == 401
    else:
        send(headers={})
    assert send(headers={**own, "Accept": "image/png"}).status_code == 406
    # a provider adds what it likes (RFC 6749 section 4.1.2); here it comes as far as finding that there is none of that name
    assert send(nonsense="1").status_code == (404 if operation["operationId"] == "oauth_callback" else 400)
    if "{" in path:
        nowhere = re.sub(r"{[^}]*}", "019363f1-27a5-7c1b-8a5e-5f0c2c9e1a03", path)
        assert send(at=nowhere).status_code == 404
    if "412" in operation["responses"]:
        assert send(headers={**own, "If-Match": '"0-0"'}).status_code == 412
    if body is not None:
        assert send(content={"nonsense": 1}).status_code == 400
        reply = server.http.request(method.upper(), where, content="x", headers={**own, "Content-Type": "text/plain"})
        assert reply.status_code == 415
        DOCUMENT.check_reply(reply)
        assert send(content={"x": "y" * (1 << 20)}).status_code == 413
    # at last the thing itself; a second time for 304
    reply = send()
    if operation["tags"] == ["auth"] or operation["operationId"] in RECENT | {"person_sign_out"} | BY_SECRET:
        return  # whether it works, test_accounts.py, test_sessions.py, test_replies.py and test_access.py ask
    assert reply.status_code < 300, reply.text
    if "304" in operation["responses"]:
        assert send(headers={**own, "If-None-Match": reply.headers["etag"]}).status_code == 304
    if method == "delete" and operation["operationId"] != "my_calendar_end":
        server.call("POST", where + "/restore")


def test_errors_of_every_request_are_in_the_document():
    for _, _, operation in OPERATIONS:
        assert {"400", "406", "408", "414", "431", "500", "503", "504"} <= operation["responses"].keys(), operation["operationId"]
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                content = DOCUMENT.resolve(response)["content"]
                assert set(content) == {"application/json", "application/problem+json"}
                for code, example in content["application/json"]["examples"].items():
                    assert example["value"]["error"]["code"] == code
