# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 on the wire (RFC 9112): framing, limits, timeouts, pipelining. Raw sockets, so that nothing is tidied up on
the way."""

import gzip
import json
import re
import socket
import threading
import time

import pytest

from conftest import ADMIN, TOKEN, Server, wait_for

LIMITS = {"GUILDFORD_HEADER_TIMEOUT": "1000", "GUILDFORD_BODY_TIMEOUT": "1000", "GUILDFORD_IDLE_TIMEOUT": "1500",
          "GUILDFORD_WRITE_TIMEOUT": "2000", "GUILDFORD_CORS_ORIGINS": "https://town.example,https://other.example"}


@pytest.fixture(scope="module")
def server():
    s = Server(workers=1, **LIMITS)
    yield s
    s.stop()


class Wire:
    """A connection and the replies that come over it."""

    def __init__(self, server, data=b"", timeout=15):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)
        self.buffer = b""
        if data:
            self.send(data)

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        try:
            chunk = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += chunk
        return bool(chunk)

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            headers[name.lower()] = value
        return int(lines[0].split()[1]), headers

    def reply(self, no_body=False):
        found = self.head()
        if not found:
            return None
        status, headers = found
        length = 0 if no_body or status in (204, 304) else int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            if not self.fill():
                break
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, headers, body

    def closed(self):
        while self.fill():
            pass
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def get(path="/livez", version="1.1", headers=""):
    return f"GET {path} HTTP/{version}\r\nHost: x\r\n{headers}\r\n".encode()


def post(body, headers="", path="/v1/businesses", length=None):
    size = len(body) if length is None else length
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {size}\r\n{headers}\r\n").encode() + body


@pytest.mark.parametrize("request_bytes", [
    b"GET /livez HTTP/1.1\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /livez HTTP/1.1\nHost: x\n\n",
    b"GET /livez HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n",
    b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    b"G\x01T /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\n{}",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
    b"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
])
def test_wrong_framing_is_refused_and_closed(server, request_bytes):
    with Wire(server, request_bytes + get()) as w:
        status, headers, body = w.reply()
        assert status in (400, 413, 501), body
        assert headers["connection"] == "close"
        assert json.loads(body)["error"]["code"] in ("BAD_REQUEST", "PAYLOAD_TOO_LARGE", "NOT_IMPLEMENTED")
        assert w.closed() and w.buffer == b"", "what follows must not be taken for a request"


def test_keep_alive_and_close(server):
    with Wire(server) as w:
        for _ in range(3):
            w.send(get())
            assert w.reply()[0] == 200
        w.send(get(headers="Connection: close\r\n"))
        assert w.reply()[1]["connection"] == "close"
        assert w.closed()
    with Wire(server, get(version="1.0")) as w:
        assert w.reply()[0] == 200 and w.closed()
    with Wire(server, get(version="1.0", headers="Connection: keep-alive\r\n")) as w:
        assert w.reply()[1]["connection"].lower() == "keep-alive"
        w.send(get())
        assert w.reply()[0] == 200


def test_pipelined_requests_are_answered_in_order(server):
    paths = [f"/v1/nothing-{i}" for i in range(50)]
    with Wire(server, b"".join(get(p, headers=f"X-Request-Id: r{i}\r\n") for i, p in enumerate(paths))) as w:
        for i in range(50):
            status, headers, _ = w.reply()
            assert status == 404 and headers["x-request-id"] == f"r{i}"


def test_a_request_in_single_bytes(server):
    with Wire(server) as w:
        for byte in post(b'{"name":"Drop by drop"}'):
            w.send(bytes([byte]))
        assert w.reply()[0] == 201


def test_chunked_bodies(server):
    body = b'{"name":"In chunks \xc3\xa9"}'
    head = (f"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (1, body[i:i + 1]) for i in range(len(body)))
    with Wire(server, head + chunks + b"0\r\nTrailer: x\r\n\r\n" + get()) as w:
        status, _, reply = w.reply()
        assert status == 201 and json.loads(reply)["data"]["name"] == "In chunks é"
        assert w.reply()[0] == 200


def test_head_has_no_body(server):
    whole = server.http.get("/v1/categories", headers={"Accept-Encoding": "identity"})
    with Wire(server, b"HEAD /v1/categories HTTP/1.1\r\nHost: x\r\n\r\n" + get()) as w:
        status, headers, _ = w.reply(no_body=True)
        assert status == 200 and int(headers["content-length"]) == len(whole.content)
        assert w.reply()[0] == 200


def test_expect_continue(server):
    body = b'{"name":"Expected"}'
    with Wire(server, post(b"", "Expect: 100-continue\r\n", length=len(body))) as w:
        assert w.head()[0] == 100
        w.send(body)
        assert w.reply()[0] == 201
    with Wire(server, post(b"", "Expect: 100-continue\r\n", length=2 << 20)) as w:
        assert w.reply()[0] == 413
    with Wire(server, post(b"{}", "Expect: miracles\r\n")) as w:
        assert w.reply()[0] == 417


@pytest.mark.parametrize("size, status", [(8192, 404), (8193, 414), (15000, 414)])
def test_url_limit(server, size, status):
    with Wire(server, get("/" + "a" * (size - 1))) as w:
        assert w.reply()[0] == status


def test_header_limits(server):
    with Wire(server, get(headers="A: " + "b" * 15000 + "\r\n")) as w:
        assert w.reply()[0] == 200
    with Wire(server, get(headers="A: " + "b" * 16384 + "\r\n")) as w:
        assert w.reply()[0] == 431 and w.closed()
    with Wire(server, get(headers="A: b\r\n" * 100)) as w:
        assert w.reply()[0] == 431
    with Wire(server, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 40000) as w:
        assert w.reply()[0] == 431


@pytest.mark.parametrize("size, status", [(16384, 200), (16385, 431)])
def test_the_limit_of_a_head_is_exact(server, size, status):
    head = get(headers="A: \r\n")
    with Wire(server, head.replace(b"A: ", b"A: " + b"b" * (size - len(head)))) as w:
        assert w.reply()[0] == status


def test_body_limit(server):
    padding = b" " * ((1 << 20) - 2)
    with Wire(server, post(b"{" + padding + b"}")) as w:
        assert w.reply()[0] == 400
    with Wire(server, post(b"{}", length=(1 << 20) + 1)) as w:
        status, headers, _ = w.reply()
        assert status == 413 and headers["connection"] == "close"
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    head = f"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Wire(server, head.encode()) as w:
        try:
            for _ in range(20):
                w.send(chunk)
        except OSError:
            pass
        assert w.reply()[0] == 413


def test_slow_senders_get_408(server):
    with Wire(server, b"GET /livez HTTP/1.1\r\nHost") as w:
        assert w.reply()[0] == 408 and w.closed()
    with Wire(server, post(b'{"na', length=20)) as w:
        assert w.reply()[0] == 408 and w.closed()


def test_idle_connections_are_closed(server):
    with Wire(server, get()) as w:
        assert w.reply()[0] == 200
        assert w.closed() and w.buffer == b""
    with Wire(server) as w:
        w.closed()
        assert b"200" not in w.buffer


def test_methods(server):
    reply = server.http.request("DELETE", "/v1/businesses", headers=ADMIN)
    assert reply.status_code == 405
    assert {"GET", "HEAD", "POST", "OPTIONS"} == set(reply.headers["allow"].split(", "))
    reply = server.http.request("OPTIONS", "/v1/businesses/x")
    assert reply.status_code in (200, 204) and "PATCH" in reply.headers["allow"]
    assert server.http.request("OPTIONS", "/v1/nothing").status_code == 404
    assert server.http.request("BREW", "/v1/businesses").status_code == 501
    with Wire(server, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n") as w:
        assert w.reply()[0] in (200, 204)


def test_media_types(server):
    for accept, status in [("text/html", 406), ("application/json;q=0, */*", 406), ("*/*;q=0", 406), ("text/html, */*;q=0.1", 200),
                           ("Application/JSON ; charset=utf-8 ; Q=0.2", 200), ("application/*;seq=0", 200), ("", 200),
                           ("application/problem+json", 200), (", ".join(f"a/b{n}" for n in range(40)), 200)]:
        assert server.http.get("/v1/categories", headers={"Accept": accept}).status_code == status, accept
    assert server.http.get("/v1/categories", headers={"Accept": "text/html, */*;q=0.1"}).status_code == 200
    assert server.http.get("/v1/categories", headers={"Accept": "application/*"}).status_code == 200
    reply = server.http.post("/v1/businesses", content="name=x", headers={**ADMIN, "Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status_code == 415
    assert server.http.post("/v1/businesses", content='{"name":"Typed"}', headers={**ADMIN, "Content-Type": "application/json; charset=utf-8"}).status_code == 201
    for body in (b"", b"{", b"[]", b'"x"', b'{"name":"a","name":"b"}', b'{"name":"\xff"}', b"{}x", b"[" * 5000,
                 b'{"attributes":' + b'{"a":' * 50 + b"1" + b"}" * 51):
        reply = server.http.post("/v1/businesses", content=body, headers={**ADMIN, "Content-Type": "application/json"})
        assert reply.status_code == 400, body[:40]


def test_problem_json(server):
    reply = server.http.get("/v1/businesses/none", headers={"Accept": "application/problem+json"})
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert reply.json()["status"] == 404 and reply.json()["code"] == "NOT_FOUND"
    reply = server.http.post("/v1/businesses", json={}, headers={**ADMIN, "Accept": "application/problem+json, application/json"})
    assert reply.json()["errors"][0]["field"] == "name"


def test_gzip(server):
    with Wire(server, get("/v1/categories", headers="Accept-Encoding: gzip\r\n")) as w:
        _, headers, body = w.reply()
        assert headers["content-encoding"] == "gzip" and "accept-encoding" in headers["vary"].lower()
        assert json.loads(gzip.decompress(body))["success"] is True
    for value in ("identity", "gzip;q=0", "br"):
        with Wire(server, get("/v1/categories", headers=f"Accept-Encoding: {value}\r\n")) as w:
            assert "content-encoding" not in w.reply()[1]
    with Wire(server, get("/livez", headers="Accept-Encoding: gzip\r\n")) as w:
        assert "content-encoding" not in w.reply()[1]


def test_request_ids(server):
    assert server.http.get("/livez", headers={"X-Request-Id": "abc-123_X.9"}).headers["x-request-id"] == "abc-123_X.9"
    for bad in ("x" * 65, 'a"b', "a b", "<script>"):
        made = server.http.get("/livez", headers={"X-Request-Id": bad}).headers["x-request-id"]
        assert made != bad and re.fullmatch(r"[0-9a-f-]{36}", made)


def test_security_headers(server):
    for path in ("/livez", "/v1/none", "/v1/categories"):
        headers = server.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers or "/" not in headers["server"]


def test_cors(server):
    own = {"Origin": "https://town.example"}
    reply = server.http.get("/livez", headers=own)
    assert reply.headers["access-control-allow-origin"] == "https://town.example"
    assert "access-control-allow-origin" not in server.http.get("/livez", headers={"Origin": "https://evil.example"}).headers
    reply = server.http.request("OPTIONS", "/v1/businesses/x", headers={
        **own, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"})
    assert reply.status_code in (200, 204)
    assert "PATCH" in reply.headers["access-control-allow-methods"]
    assert "Authorization" in reply.headers["access-control-allow-headers"]


def test_bad_targets(server):
    for path in ("/v1/businesses/%zz", "/v1/businesses/%00", "/v1/businesses/%ff", "/v1/businesses?q=%ff", "/v1/businesses?q=%0"):
        with Wire(server, get(path)) as w:
            assert w.reply()[0] in (400, 404), path
    for path in ("/v1/../etc/passwd", "//", "/v1//businesses", "/v1/businesses/", "/%2e%2e/x", "/v1/businesses/a/b/c/d/e/f/g/h"):
        with Wire(server, get(path)) as w:
            assert w.reply()[0] in (400, 404), path
    for path in ("/v1%2Fbusinesses", "/v1/businesses%2fsuggest?q=a", "/%2Flivez"):
        with Wire(server, get(path)) as w:
            assert w.reply()[0] == 404, path
    with Wire(server, b"GET http://x?next=/livez HTTP/1.1\r\nHost: x\r\n\r\n") as w:
        assert w.reply()[0] == 404
    with Wire(server, b"GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n") as w:
        assert w.reply()[0] in (200, 400)


def test_a_slow_reader_holds_nobody_up(server):
    """Pipelines many large answers and reads none: the server stops reading, serves others, and drops it in the end."""
    slow = socket.create_connection(("127.0.0.1", server.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(0.2)
    sent = 0
    asking = get("/v1/categories?limit=100", headers="Padding: " + "x" * 8000 + "\r\n")
    try:
        for _ in range(5000):
            sent += slow.send(asking)
    except (TimeoutError, ConnectionError):
        pass
    assert sent < 5000 * len(asking), "back-pressure"
    assert server.http.get("/v1/categories").status_code == 200
    until = time.monotonic() + 20
    dropped = False
    while not dropped and time.monotonic() < until:
        try:
            slow.send(b"GET")
            time.sleep(0.2)
        except TimeoutError:
            time.sleep(0.1)
        except OSError:
            dropped = True
    slow.close()
    assert dropped


def test_many_connections(server):
    wires = [Wire(server, get()) for _ in range(300)]
    for w in wires:
        assert w.reply()[0] == 200
    for w in wires:
        w.socket.close()


def metrics(wire):
    wire.send(get("/metrics"))
    return wire.reply()[2]


def test_connections_over_the_limit_are_closed_and_counted():
    few = Server(workers=1, GUILDFORD_CONNECTIONS_MAX="3")
    try:
        taken = [Wire(few, get()) for _ in range(3)]
        assert [w.reply()[0] for w in taken] == [200] * 3
        with Wire(few) as w:
            assert w.closed() and w.buffer == b""
        assert b"\nguildford_connections_refused_total 1\n" in metrics(taken[0])
        taken.pop().socket.close()
        wait_for(lambda: b"\nguildford_connections 2\n" in metrics(taken[0]))
        with Wire(few, get()) as w:
            assert w.reply()[0] == 200
        for w in taken:
            w.socket.close()
    finally:
        few.stop()


def test_clients_that_go_away(server):
    def leave(i):
        with Wire(server) as w:
            w.send(post(b'{"name":"x"}')[:20 + i * 3])
    threads = [threading.Thread(target=leave, args=(i,)) for i in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in range(20):
        with Wire(server, get("/v1/categories?limit=100") * 3) as w:
            w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert server.http.get("/livez").status_code == 200


def gauge(server, name):
    return float(re.search(rf"^{name} (\S+)$", server.http.get("/metrics").text, re.M).group(1))


def test_clients_that_reset_leave_nothing_behind(server):
    for i in range(60):
        with Wire(server, get("/livez" if i % 2 else "/v1/categories") * (1 + i % 3)) as w:
            w.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: gauge(server, "guildford_http_requests_in_flight") == 1)  # the one that asks
    wait_for(lambda: gauge(server, "guildford_connections") == 1)


@pytest.mark.parametrize("paths, cut", [
    (["/livez"], b""),
    (["/v1/categories", "/livez"], b""),
    (["/v1/categories", "/v1/categories", "/v1/categories"], b""),
    (["/v1/categories", "/livez"], b"GET /v1/cat"),
])
def test_half_closed_clients_get_their_answers_and_the_end(server, paths, cut):
    with Wire(server, b"".join(get(p) for p in paths) + cut) as w:
        w.socket.shutdown(socket.SHUT_WR)
        for _ in paths:
            assert w.reply()[0] == 200
        assert w.closed() and w.buffer == b"", "at once, not by a timeout's 408"


def test_empty_lines_before_a_request_in_pieces(server):
    with Wire(server, b"\r") as w:
        time.sleep(0.1)
        w.send(b"\n\r\n" + get())
        assert w.reply()[0] == 200


def test_trailers_are_dropped_however_full_the_head(server):
    head = (f"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n").encode() + b"A: b\r\n" * 59 + b"\r\n"
    trailers = b"X: y\r\n" * 500 + b"Content-Length: 7\r\nAuthorization: none\r\n\r\n"
    with Wire(server, head + b"10\r\n{\"name\":\"Trail\"}\r\n0\r\n" + trailers + get()) as w:
        assert w.reply()[0] == 201
        assert w.reply()[0] == 200


def test_a_chunk_that_cannot_fit_is_refused_by_its_size(server):
    head = f"POST /v1/businesses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with Wire(server, head + b"7fffffffffffffff\r\n{") as w:
        assert w.reply()[0] == 413 and w.closed()


def test_a_refusal_is_not_hidden_by_accept(server):
    with Wire(server, b"GET /livez HTTP/1.1\r\nAccept: text/html\r\n\r\n") as w:
        assert w.reply()[0] == 400


def test_a_bad_request_after_good_ones_is_answered_last(server):
    with Wire(server, get("/v1/categories") * 2 + b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n" + get()) as w:
        assert [w.reply()[0] for _ in range(3)] == [200, 200, 400]
        assert w.closed() and w.buffer == b""


def test_a_dripping_sender_does_not_move_the_limit(server):
    with Wire(server, b"GET /livez HTTP/1.1\r\nA: ", timeout=0.1) as w:
        until = time.monotonic() + 15
        while time.monotonic() < until and not w.buffer:
            w.send(b"b")
            try:
                w.fill()
            except TimeoutError:
                pass
        assert w.buffer.startswith(b"HTTP/1.1 408")


def test_an_upload_may_take_longer_than_its_answer():
    s = Server(workers=1, GUILDFORD_REQUEST_TIMEOUT="400")
    body = b'{"name":"Slowly sent"}'
    with Wire(s, post(b"", length=len(body))) as w:
        for i in range(0, len(body), 8):
            time.sleep(0.3)
            w.send(body[i:i + 8])
        assert w.reply()[0] == 201
    s.stop()
