# SPDX-License-Identifier: Apache-2.0
"""Accounts: from an address to a session, and everything that can be done to one's own account."""

import concurrent.futures
import json
import time

import httpx
import pytest

from conftest import run, wait_for
from people import PASSWORD, Person, bearer, mail_for, mails, register, sign_in, token_in, totp


def post(server, path, body, status, **more):
    reply = server.http.post(path, json=body, **more)
    assert reply.status_code == status, reply.text
    return reply.json().get("data") if status < 400 else reply.json()["error"]


def test_from_an_address_to_a_session(server):
    address = register(server)
    tokens = sign_in(server, address)
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 900
    me = server.http.get("/v1/me", headers=bearer(tokens))
    assert me.headers["cache-control"] == "no-store"
    me = me.json()["data"]
    assert me["email"] == address and me["roles"] == [] and "business:create" in me["permissions"]
    assert me["has_password"] and not me["second_factor"] and me["erase_at"] is None
    assert server.http.get("/v1/me").status_code == 401


def test_answers_of_auth_are_not_stored(server):
    for reply in (server.http.post("/v1/auth/login", json={"email": "a@example.org", "password": "x"}),
                  server.http.get("/v1/auth/sessions"), server.http.get("/v1/auth/sessions", headers=Person(server).headers)):
        assert reply.headers["cache-control"] == "no-store"


def test_an_account_exists_once_its_address_is_confirmed(server):
    address = "waiting@example.org"
    post(server, "/v1/auth/register", {"email": address, "password": PASSWORD, "name": "W"}, 202)
    error = post(server, "/v1/auth/login", {"email": address, "password": PASSWORD}, 401)
    assert error["message"] == "The address or the password is wrong"
    token = token_in(mail_for(server, address, "confirm"))
    post(server, "/v1/auth/verify", {"token": token}, 200)
    assert sign_in(server, address)
    again = post(server, "/v1/auth/verify", {"token": token}, 400)
    assert again["details"][0]["field"] == "token"


def test_who_registers_an_address_of_others_gets_nothing_by_it(server):
    """Pre-hijacking: attacker and owner register the same address, in whatever order, and the owner may follow either link."""
    for number, first, second in ((1, "attackers own words", PASSWORD), (2, PASSWORD, "attackers own words")):
        address = f"owner-{number}@example.org"
        post(server, "/v1/auth/register", {"email": address, "password": first, "name": "O"}, 202)
        mail_for(server, address, "confirm")
        post(server, "/v1/auth/register", {"email": address, "password": second, "name": "O"}, 202)
        token = token_in(mail_for(server, address, "confirm", 2))
        assert post(server, "/v1/auth/verify", {"token": token}, 200) == {"status": "password_needed"}
        for password in (first, second):
            post(server, "/v1/auth/login", {"email": address, "password": password}, 401)
        reset = token_in(mail_for(server, address, "password"))
        post(server, "/v1/auth/password/reset", {"token": reset, "password": "chosen by the owner"}, 200)
        assert sign_in(server, address, "chosen by the owner")


def test_registering_an_address_that_has_an_account_tells_only_its_owner(server):
    address = register(server)
    new = server.http.post("/v1/auth/register", json={"email": "nobody-yet@example.org", "password": PASSWORD, "name": "N"})
    known = server.http.post("/v1/auth/register", json={"email": address.upper(), "password": PASSWORD, "name": "N"})
    assert new.status_code == known.status_code == 202 and new.json() == known.json()
    mail_for(server, address, "already")
    assert sign_in(server, address)


@pytest.mark.parametrize("password, word", [
    ("short", "8"), ("password", "common"), ("PASSWORD1", "common"), ("qwertyuiop", "common"), ("x" * 129, "128"), ("guildford2026", "site"),
    ("picky@example.org", "address"), ("Picky-2026", "address")])
def test_passwords_that_are_refused(server, password, word):
    error = post(server, "/v1/auth/register", {"email": "picky@example.org", "password": password, "name": "P"}, 400)
    assert [d["field"] for d in error["details"]] == ["password"] and word in error["details"][0]["message"]


@pytest.mark.parametrize("password", ["a b c d e f g h", "ünïcödé wörds", " blanks at both ends ", "aaaaaaaabbbbbbbb", "x" * 100 + "y" * 27, "\U0001f600" * 10])
def test_passwords_of_any_composition(server, password):
    address = register(server, password=password)
    assert sign_in(server, address, password)
    post(server, "/v1/auth/login", {"email": address, "password": password.strip() + "!"}, 401)


def test_a_thousand_registrations_of_one_address_make_one_account(server):
    """Bounded: 200 at once of the sanitizer build, a thousand in all. One account, and no more mails than three an hour."""
    address = "many@example.org"

    def ask(i):
        with httpx.Client(base_url=server.url, timeout=120) as http:
            return [http.post("/v1/auth/register", json={"email": address, "password": f"{PASSWORD} {i}", "name": f"M{i}"}).status_code for _ in range(1)]

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        codes = [code for part in pool.map(ask, range(1000)) for code in part]
    assert set(codes) <= {202, 503, 504}, set(codes)
    assert codes.count(202) > 100
    wait_for(lambda: server.database("select count(*) from auth.request where done_at is null") == [["0"]], 120)
    wait_for(lambda: len(mails(server, address)) >= 3)
    sent = mails(server, address)
    assert len(sent) == 3
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda mail: httpx.post(server.url + "/v1/auth/verify", json={"token": token_in(mail)}).status_code, sent)) == {200}
    assert server.database(f"select count(*) from auth.person where lower(email) = '{address}'") == [["1"]]


def test_resend(server):
    address = "lost-mail@example.org"
    post(server, "/v1/auth/register", {"email": address, "password": PASSWORD, "name": "L"}, 202)
    mail_for(server, address, "confirm")
    post(server, "/v1/auth/resend", {"email": address}, 202)
    post(server, "/v1/auth/resend", {"email": "nobody@example.org"}, 202)
    token = token_in(mail_for(server, address, "confirm", 2))
    post(server, "/v1/auth/verify", {"token": token}, 200)
    assert sign_in(server, address)
    assert mails(server, "nobody@example.org") == []


def test_unknown_and_known_addresses_get_the_same_answer(server):
    address = register(server)
    known = server.http.post("/v1/auth/login", json={"email": address, "password": "wrong"})
    unknown = server.http.post("/v1/auth/login", json={"email": "stranger@example.org", "password": "wrong"})
    for reply in (known, unknown):
        reply_body = reply.json()
        reply_body["error"].pop("request_id")
        assert reply.status_code == 401 and reply_body["error"] == {
            "code": "UNAUTHORIZED", "message": "The address or the password is wrong", "details": []}
    statements = [line["statements"] for line in map(json.loads, filter(lambda text: text.startswith("{"), server.log_text().splitlines())) if line.get("route") == "/v1/auth/login"][-2:]
    assert statements[0] == statements[1], "the same work"


def test_ten_failures_lock_silently(server):
    address = register(server)
    for _ in range(9):
        post(server, "/v1/auth/login", {"email": address, "password": "wrong"}, 401)
    assert sign_in(server, address), "nine are forgiven"
    for _ in range(10):
        wrong = post(server, "/v1/auth/login", {"email": address, "password": "wrong"}, 401)
    locked = post(server, "/v1/auth/login", {"email": address, "password": PASSWORD}, 401)
    assert locked["message"] == wrong["message"]
    mail_for(server, address, "too many")
    assert len([mail for mail in mails(server, address) if "too many" in mail["Subject"].lower()]) == 1
    done = run("user", "unlock", address, data=server.data, GUILDFORD_SECRET_KEY="00112233445566778899aabbccddeeff" * 2)
    assert done.returncode == 0, done.stderr
    assert sign_in(server, address)


def test_a_lock_ends_with_a_reset(server):
    address = register(server)
    for _ in range(10):
        post(server, "/v1/auth/login", {"email": address, "password": "wrong"}, 401)
    post(server, "/v1/auth/password/forgotten", {"email": address}, 202)
    token = token_in(mail_for(server, address, "password"))
    post(server, "/v1/auth/password/reset", {"token": token, "password": "another set of words"}, 200)
    assert sign_in(server, address, "another set of words")


def test_forgotten_password(server):
    address = register(server)
    old = sign_in(server, address)
    post(server, "/v1/auth/password/forgotten", {"email": address}, 202)
    post(server, "/v1/auth/password/forgotten", {"email": "stranger@example.org"}, 202)
    token = token_in(mail_for(server, address, "password"))
    error = post(server, "/v1/auth/password/reset", {"token": token, "password": "password"}, 400)
    assert error["details"][0]["field"] == "password", "the token is still good"
    post(server, "/v1/auth/password/reset", {"token": token, "password": "brand new words"}, 200)
    post(server, "/v1/auth/password/reset", {"token": token, "password": "brand new words 2"}, 400)
    post(server, "/v1/auth/login", {"email": address, "password": PASSWORD}, 401)
    assert sign_in(server, address, "brand new words")
    post(server, "/v1/auth/refresh", {"refresh_token": old["refresh_token"]}, 401)
    wait_for(lambda: server.http.get("/v1/me", headers=bearer(old)).status_code == 401)
    assert mails(server, "stranger@example.org") == []
    mail_for(server, address, "changed")


def test_changing_the_password_ends_the_other_sessions(server):
    person = Person(server)
    other = sign_in(server, person.address)
    person.call("POST", "/v1/auth/password/change", {"password": "wrong", "new_password": "fresh words here"}, 401)
    person.call("POST", "/v1/auth/password/change", {"password": PASSWORD, "new_password": "12345678"}, 400)
    person.call("POST", "/v1/auth/password/change", {"password": PASSWORD, "new_password": "fresh words here"}, 200)
    wait_for(lambda: server.http.get("/v1/me", headers=bearer(other)).status_code == 401)
    assert person.get("/v1/me")
    assert sign_in(server, person.address, "fresh words here")


def test_both_addresses_confirm_a_change(server):
    person = Person(server)
    new = "moved@example.org"
    person.call("POST", "/v1/auth/email/change", {"email": new, "password": "wrong"}, 401)
    person.call("POST", "/v1/auth/email/change", {"email": new, "password": PASSWORD}, 202)
    to_new = token_in(mail_for(server, new, ""))
    to_old = token_in(mail_for(server, person.address, ""))
    assert post(server, "/v1/auth/email/confirm", {"token": to_new}, 200) == {"status": "confirmed"}
    assert person.get("/v1/me")["email"] == person.address
    post(server, "/v1/auth/email/confirm", {"token": to_new}, 400)
    assert post(server, "/v1/auth/email/confirm", {"token": to_old}, 200) == {"status": "changed"}
    assert person.get("/v1/me")["email"] == new
    assert sign_in(server, new)
    post(server, "/v1/auth/login", {"email": person.address, "password": PASSWORD}, 401)


def test_a_change_to_an_address_that_is_taken(server):
    person, other = Person(server), Person(server)
    person.call("POST", "/v1/auth/email/change", {"email": other.address, "password": PASSWORD}, 202)
    post(server, "/v1/auth/email/confirm", {"token": token_in(mail_for(server, person.address, ""))}, 200)
    post(server, "/v1/auth/email/confirm", {"token": token_in(mail_for(server, other.address, ""))}, 409)
    assert person.get("/v1/me")["email"] == person.address


def test_ones_name(server):
    person = Person(server)
    assert person.call("PATCH", "/v1/me", {"name": "Robin Hale"}).json()["data"]["name"] == "Robin Hale"
    error = person.call("PATCH", "/v1/me", {"name": "", "email": "x@example.org"}, 400).json()["error"]
    assert {d["field"] for d in error["details"]} == {"name", "email"}


def test_export(server):
    person = Person(server)
    reply = person.call("GET", "/v1/me/export")
    assert "attachment" in reply.headers["content-disposition"]
    data = reply.json()
    assert data["person"]["email"] == person.address and len(data["sessions"]) == 1
    assert PASSWORD not in reply.text and "password_hash" not in reply.text and "digest" not in reply.text
    assert {e["action"] for e in data["audit_events"]} >= {"session:begin"}


def test_erasure_waits_and_can_be_taken_back(server):
    person = Person(server)
    key = person.call("POST", "/v1/api-keys", {"name": "k", "scopes": ["business:create"]}, 201).json()["data"]["key"]
    person.call("DELETE", "/v1/me", status=202)
    wait_for(lambda: server.http.get("/v1/me", headers=person.headers).status_code == 401)
    wait_for(lambda: server.http.get("/v1/businesses", headers={"Authorization": f"Bearer {key}"}).status_code == 401)
    mail_for(server, person.address, "will be deleted")
    person.sign_in()
    assert person.get("/v1/me")["erase_at"]
    person.call("POST", "/v1/me/restore")
    assert person.get("/v1/me")["erase_at"] is None


def test_erasure(server):
    person = Person(server)
    business = person.call("POST", "/v1/businesses", {"name": "What stays"}).json()["data"]
    person.call("DELETE", "/v1/me", status=202)
    server.database(f"update auth.person set erase_at = now() - interval '1 minute' where id = '{person.id}'")
    wait_for(lambda: server.database(f"select status from auth.person where id = '{person.id}'") == [["erased"]], 90)
    [[row]] = server.database(f"select to_json(p) from auth.person p where id = '{person.id}'")
    assert person.address not in row and json.loads(row)["password_hash"] is None and json.loads(row)["name"] == "Erased"
    for table in ("session", "api_key", "identity", "recovery_code", "person_role"):
        assert server.database(f"select count(*) from auth.{table} where person_id = '{person.id}'") == [["0"]]
    assert server.get(f"/v1/businesses/{business['id']}")["data"]["name"] == "What stays"
    post(server, "/v1/auth/login", {"email": person.address, "password": PASSWORD}, 401)
    assert register(server, person.address), "the address is free again"


def test_second_factor(server):
    person = Person(server)
    begun = person.call("POST", "/v1/auth/totp").json()["data"]
    assert begun["uri"].startswith("otpauth://totp/")
    person.call("POST", "/v1/auth/totp/confirm", {"code": "000000"}, 400)
    assert sign_in(server, person.address), "it does not count yet"
    codes = person.call("POST", "/v1/auth/totp/confirm", {"code": totp(begun["secret"], time.time() - 30)}).json()["data"]["recovery_codes"]
    assert len(set(codes)) == 10
    error = post(server, "/v1/auth/login", {"email": person.address, "password": PASSWORD}, 401)
    assert error["code"] == "CODE_REQUIRED"
    post(server, "/v1/auth/login", {"email": person.address, "password": PASSWORD, "code": "123456"}, 401)
    code = totp(begun["secret"])
    assert sign_in(server, person.address, code=code)
    post(server, "/v1/auth/login", {"email": person.address, "password": PASSWORD, "code": code}, 401)
    assert sign_in(server, person.address, code=codes[0].lower().replace("-", " "))
    post(server, "/v1/auth/login", {"email": person.address, "password": PASSWORD, "code": codes[0]}, 401)
    mail_for(server, person.address, "recovery")
    [[stored]] = server.database(f"select totp_secret from auth.person where id = '{person.id}'")
    assert begun["secret"] not in stored
    fresh = person.call("POST", "/v1/auth/totp/recovery-codes").json()["data"]["recovery_codes"]
    post(server, "/v1/auth/login", {"email": person.address, "password": PASSWORD, "code": codes[1]}, 401)
    assert sign_in(server, person.address, code=fresh[0])
    person.call("DELETE", "/v1/auth/totp")
    assert sign_in(server, person.address)


def test_a_reset_does_not_bypass_the_second_factor(server):
    person = Person(server)
    secret = person.call("POST", "/v1/auth/totp").json()["data"]["secret"]
    person.call("POST", "/v1/auth/totp/confirm", {"code": totp(secret)})
    post(server, "/v1/auth/password/forgotten", {"email": person.address}, 202)
    token = token_in(mail_for(server, person.address, "password"))
    post(server, "/v1/auth/password/reset", {"token": token, "password": "other words again"}, 200)
    error = post(server, "/v1/auth/login", {"email": person.address, "password": "other words again"}, 401)
    assert error["code"] == "CODE_REQUIRED"


def test_dangerous_things_ask_who_is_there(server):
    person = Person(server)
    server.database(f"update auth.session set shown_at = now() - interval '11 minutes' where person_id = '{person.id}'")
    tokens = post(server, "/v1/auth/refresh", {"refresh_token": person.tokens["refresh_token"]}, 200)
    person.headers = bearer(tokens)
    error = person.call("POST", "/v1/auth/totp", status=403).json()["error"]
    assert error["code"] == "STEP_UP_REQUIRED"
    person.call("POST", "/v1/auth/reauthenticate", {"password": "wrong"}, 401)
    person.headers = bearer(person.call("POST", "/v1/auth/reauthenticate", {"password": PASSWORD}).json()["data"])
    person.call("POST", "/v1/auth/totp", status=200)


def test_secrets_are_nowhere_in_the_clear(server):
    """What a person keeps to themselves is in no log line and in no column."""
    secret = "words that nobody else has"
    address = register(server, password=secret)
    tokens = sign_in(server, address, secret)
    key = server.http.post("/v1/api-keys", json={"name": "k", "scopes": ["business:create"]}, headers=bearer(tokens)).json()["data"]["key"]
    hidden = [secret, tokens["access_token"], tokens["refresh_token"], key]
    text = server.log_text()
    tables = [row[0] for row in server.database("select table_schema || '.' || table_name from information_schema.tables "
                                                "where table_schema in ('auth', 'platform') and table_type = 'BASE TABLE'")]
    text += "".join("|".join(row) for table in tables for row in server.database(f"select t::text from {table} t"))
    assert [word for word in hidden if word in text] == []


def test_users_from_the_command_line(server):
    env = {"data": server.data, "GUILDFORD_SECRET_KEY": "00112233445566778899aabbccddeeff" * 2}
    done = run("user", "create", "clerk@example.org", "--name", "The Clerk", "--role", "moderator", **env)
    assert done.returncode == 0, done.stderr
    password = done.stdout.strip()
    me = server.http.get("/v1/me", headers=bearer(sign_in(server, "clerk@example.org", password))).json()["data"]
    assert me["roles"] == ["moderator"] and me["name"] == "The Clerk"
    assert run("user", "create", "CLERK@example.org", **env).returncode == 1
    assert run("user", "grant", "clerk@example.org", "admin", **env).returncode == 0
    assert run("user", "grant", "clerk@example.org", "nonsense", **env).returncode == 1
    assert run("user", "grant", "nobody@example.org", "admin", **env).returncode == 1
    assert run("user", "revoke", "clerk@example.org", "moderator", **env).returncode == 0
    assert run("user", "revoke", "clerk@example.org", "moderator", **env).returncode == 1
    me = server.http.get("/v1/me", headers=bearer(sign_in(server, "clerk@example.org", password))).json()["data"]
    assert me["roles"] == ["admin"]
    for bad in (["create"], ["create", "not an address"], ["grant", "clerk@example.org"], ["remove", "clerk@example.org"]):
        assert run("user", *bad, **env).returncode in (1, 2)
