# SPDX-License-Identifier: Apache-2.0
"""Is what the OpenAPI document says true? Real answers and the document's own examples are held against its schemas."""

import re

import pytest

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}
FORMATS = {"uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "date": r"\d{4}-\d\d-\d\d", "email": r"[^@\s]+@[^@\s]+",
           "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "uri": r"https?://\S+", "double": None}
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
        if reply.status_code != 304:
            self.check(response["content"][reply.headers["content-type"].split(";")[0]]["schema"], reply.json())


@pytest.fixture(scope="module")
def document(server):
    return Document(server.get("/v1/openapi.json"))


def test_answers_are_as_described(server, document):
    def call(method, path, json=None, **more):
        reply = server.call(method, path, json, **more)
        document.check_reply(reply)
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
    call("GET", "/livez")
    call("GET", "/readyz")


@pytest.mark.parametrize("accept", ["application/json", "application/problem+json"])
def test_errors_are_as_described(server, document, accept):
    path = "/v1/businesses/" + server.create(name="Wrong")["id"]
    for status, method, path, json, headers in [
            (400, "GET", "/v1/businesses?limit=0", None, {}), (400, "GET", "/v1/businesses/suggest", None, {}),
            (400, "POST", "/v1/businesses", {"name": "", "moat": 1}, {}), (401, "GET", "/livez", None, {"Authorization": "Bearer x"}),
            (401, "POST", path + "/restore", None, {"Authorization": "Bearer x"}), (404, "GET", path + "x", None, {}),
            (404, "GET", path + "x/inspections", None, {}), (409, "POST", "/v1/businesses", {"name": "x", "slug": "wrong"}, {}),
            (409, "DELETE", "/v1/categories/food", None, {}), (412, "PUT", path, {"name": "x"}, {"If-Match": '"1"'}),
            (413, "PATCH", path, {"name": "x" * 1100000}, {}), (415, "POST", "/v1/businesses", None, {"Content-Type": "text/csv"})]:
        document.check_reply(server.call(method, path, json, status, headers={"Accept": accept, **headers}))
    refused = server.call("GET", "/v1/businesses", status=406, headers={"Accept": "text/html"})
    document.check_reply(refused)


def test_examples_are_true(server, document):
    schemas = document.document["components"]["schemas"]
    for _, _, operation in document.operations():
        for response in [operation.get("requestBody", {"content": {}}), *map(document.resolve, operation["responses"].values())]:
            for content in response.get("content", {}).values():
                for example in [content.get("example")] + [e["value"] for e in content.get("examples", {}).values()]:
                    if example is not None:
                        document.check(content["schema"], example)
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            for example in field.get("examples", []):
                document.check(field, example)
    for method, path, name in [("POST", "/v1/businesses", "post"), ("PATCH", "/v1/businesses/the-boatman", "patch"),
                               ("POST", "/v1/businesses/the-boatman/inspections", "post"), ("PUT", "/v1/categories/cafe", "put")]:
        template = path.replace("the-boatman", "{id}").replace("cafe", "{id}")
        body = document.document["paths"][template][name]["requestBody"]["content"]["application/json"]["example"]
        server.call(method, path, body)


def test_every_parameter_example_is_taken(server, document):
    for path, method, operation in document.operations():
        for parameter in map(document.resolve, operation["parameters"] if method == "get" else []):
            if "example" in parameter and parameter["in"] == "query":
                document.check(parameter["schema"], parameter["example"])
                given = {"q": "boat", "near": "51.2,-0.5", parameter["name"]: parameter["example"]}
                known = {p["name"] for p in map(document.resolve, operation["parameters"])}
                real = path.replace("{id}", "the-boatman")
                if "_id}" not in real:
                    assert server.http.get(real, params={k: v for k, v in given.items() if k in known}).status_code in (200, 404), parameter


def test_every_error_is_described(server, document):
    described = document.document["components"]["schemas"]["ErrorCode"]
    for code in described["enum"]:
        assert f"`{code}`" in described["description"]
    met = {server.http.get("/nothing").json()["error"]["code"], server.http.delete("/v1/businesses").json()["error"]["code"],
           server.http.request("BREW", "/livez").json()["error"]["code"]}
    assert met == {"NOT_FOUND", "METHOD_NOT_ALLOWED", "NOT_IMPLEMENTED"} and met <= set(described["enum"])


def test_what_is_not_described_is_not_taken(server, document):
    for name in ("Business", "Category", "Inspection"):
        for kind in ("Input", "Patch"):
            assert document.document["components"]["schemas"][name + kind]["additionalProperties"] is False
    reply = server.call("POST", "/v1/businesses", {"name": "x", "moat": 1, "address": {"moat": 1}, "attributes": {"moat": 1}}, 400)
    assert set(server.details(reply)) == {"moat", "address.moat", "attributes.moat"}
