# SPDX-License-Identifier: Apache-2.0
"""Sign-in with accounts elsewhere: a real OpenID provider in Google's place, and one that lies. RFC 9700, RFC 7636, OpenID
Connect Core 3.1.3.7."""

import hashlib
import hmac
import json
import time

import httpx
import pytest

from conftest import Server, run, wait_for
from people import PASSWORD, Person, bearer, mail_for, mails, numbers, register, sign_in, token_in, totp
from providers import LONG_RETURN_TO, PUBLIC, RETURN_TO, SECRET, Browser, Node, challenge, query, settings


@pytest.fixture(scope="module")
def wrong():
    node = Node("wrong.mjs")
    yield node
    node.stop()


@pytest.fixture(scope="module")
def server(wrong):
    """With the provider that answers as it is told in the place of both."""
    s = Server(workers=1, **settings(wrong.url, wrong.url), GUILDFORD_GOOGLE_AUTHORIZATION_URL=f"{wrong.url}/authorize",
               GUILDFORD_GOOGLE_TOKEN_URL=f"{wrong.url}/token", GUILDFORD_GOOGLE_JWKS_URL=f"{wrong.url}/jwks")
    yield s
    s.stop()


@pytest.fixture(scope="module")
def real():
    node = Node("provider.mjs", f"{PUBLIC}/v1/auth/oauth/google/callback")
    yield node
    node.stop()


@pytest.fixture(scope="module")
def town(real):
    s = Server(workers=1, **settings(real.url, "http://127.0.0.1:9"), GUILDFORD_GOOGLE_AUTHORIZATION_URL=f"{real.url}/auth",
               GUILDFORD_GOOGLE_TOKEN_URL=f"{real.url}/token", GUILDFORD_GOOGLE_JWKS_URL=f"{real.url}/jwks")
    yield s
    s.stop()


def new_address():
    return f"social-{next(numbers)}@example.org"


def claims(wrong, browser, **more):
    """Those of a good ID token for this browser's sign-in."""
    now = int(time.time())
    email = more.get("email") or new_address()
    return {"iss": wrong.url, "aud": "town", "sub": f"sub-{email}", "iat": now, "exp": now + 600, "nonce": browser.asked["nonce"],
            "email": email, "email_verified": True, "name": "Alex Marsh", **more}


def without(values, *names):
    return {name: value for name, value in values.items() if name not in names}


def arrive(server, wrong, browser=None, **more):
    """A whole sign-in at Google; gives the browser, the claims and what the front end finds in its address."""
    browser = browser or Browser(server)
    browser.begin()
    said = claims(wrong, browser, **more)
    wrong.plan(claims=said)
    return browser, said, browser.come_back()


def person_of(server, email):
    return server.database(f"select id from auth.person where email = '{email}'")


# With the real provider


def test_a_real_provider(town, real):
    browser = Browser(town)
    asked = browser.begin(return_to=LONG_RETURN_TO)
    assert browser.asked_at.startswith(f"{real.url}/auth?") and asked["response_type"] == "code" and asked["scope"] == "openid email profile"
    assert asked["code_challenge_method"] == "S256" and len(asked["state"]) == len(asked["nonce"]) == len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"] == f"{PUBLIC}/v1/auth/oauth/google/callback"
    back = browser.show_oneself("dana@example.org")
    assert query(back)["iss"] == real.url
    reply = browser.get(back)
    assert reply.status_code == 302 and reply.headers["location"].startswith(LONG_RETURN_TO + "&code="), reply.text
    assert reply.headers["cache-control"] == "no-store" and reply.headers["referrer-policy"] == "no-referrer"
    tokens = browser.exchange(query(reply.headers["location"])["code"])
    me = town.http.get("/v1/me", headers=bearer(tokens)).json()["data"]
    assert me["email"] == "dana@example.org" and me["name"] == "Alex Marsh" and not me["has_password"]
    assert [(i["provider"], i["email"]) for i in me["identities"]] == [("google", "dana@example.org")]
    assert browser.get(back).status_code == 400, "the address works once"
    again = Browser(town)
    again.begin()
    back = again.show_oneself("dana@example.org")
    tokens = again.exchange(query(again.get(back).headers["location"])["code"])
    assert town.http.get("/v1/me", headers=bearer(tokens)).json()["data"]["id"] == me["id"]


def test_the_real_provider_does_not_take_a_code_twice(town):
    """Somebody else's code with a state of one's own: the provider has bound the code to another challenge, too."""
    first, second = Browser(town), Browser(town)
    first.begin()
    stolen = query(first.show_oneself("erin@example.org"))["code"]
    second.begin()
    assert second.come_back(code=stolen)["error"] == "provider_error"
    assert person_of(town, "erin@example.org") == []


def test_an_unverified_address_of_the_real_provider(town):
    browser = Browser(town)
    browser.begin()
    reply = browser.get(browser.show_oneself("unverified-1@example.org"))
    assert query(reply.headers["location"])["error"] == "email_unconfirmed"
    assert person_of(town, "unverified-1@example.org") == []


# How it begins


def test_what_begins(server):
    browser = Browser(server)
    reply = browser.get("/v1/auth/oauth/google", code_challenge=challenge(browser.verifier), code_challenge_method="S256")
    cookie = reply.headers["set-cookie"]
    assert reply.status_code == 302 and "Max-Age=600" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Path=/v1/auth/oauth;" in cookie and "Secure" not in cookie, "the tests' public address is http"
    for params, field in [({}, "code_challenge"), ({"code_challenge": "short"}, "code_challenge"),
                          ({"code_challenge": "=" * 43}, "code_challenge"),
                          ({"code_challenge": challenge("x"), "code_challenge_method": "plain"}, "code_challenge_method"),
                          ({"code_challenge": challenge("x"), "nonsense": "1"}, "nonsense")]:
        reply = browser.get("/v1/auth/oauth/google", **params)
        assert reply.status_code == 400 and list(server.details(reply)) == [field], reply.text
    assert browser.get("/v1/auth/oauth/google", ticket="x" * 43).status_code == 400
    assert browser.get("/v1/auth/oauth/twitter", code_challenge=challenge("x")).status_code == 404
    assert browser.get("/v1/auth/oauth/twitter/callback").status_code == 404


@pytest.mark.parametrize("url, good", [
    (RETURN_TO, True), (LONG_RETURN_TO, True), ("http://127.0.0.1:51004/signed-in", True), ("http://127.0.0.1/signed-in", True),
    (RETURN_TO + "/", False), (RETURN_TO + "?x=1", False), ("http://localhost:3000/signed-in", False), ("http://127.0.0.1:3000/other", False),
    ("http://127.0.0.1:3000@evil.example/signed-in", False), ("http://127.0.0.1.evil.example/signed-in", False),
    ("http://127.0.0.1:x/signed-in", False), ("https://app.town.example:444/auth?via=social", False), ("https://app.town.example/auth", False),
    ("https://APP.town.example/auth?via=social", False), ("https://evil.example/auth?via=social", False), ("//evil.example", False), ("", False)])
def test_only_listed_addresses_are_returned_to(server, url, good):
    reply = Browser(server).get("/v1/auth/oauth/google", code_challenge=challenge("x"), return_to=url)
    assert reply.status_code == (302 if good else 400), reply.text


def test_behind_https_the_cookie_is_secure(folder):
    s = Server(data=folder, workers=1, GUILDFORD_PUBLIC_URL="https://town.example", GUILDFORD_GOOGLE_CLIENT_ID="town", GUILDFORD_GOOGLE_CLIENT_SECRET=SECRET)
    try:
        reply = s.http.get("/v1/auth/oauth/google", params={"code_challenge": challenge("x")})
        assert reply.headers["set-cookie"].startswith("__Secure-guildford-oauth=") and reply.headers["set-cookie"].endswith("; Secure")
        assert reply.headers["location"].startswith("https://accounts.google.com/o/oauth2/v2/auth?")
        assert query(reply.headers["location"])["redirect_uri"] == "https://town.example/v1/auth/oauth/google/callback"
        reply = s.http.get("/v1/auth/oauth/google", params={"code_challenge": challenge("x"), "return_to": "https://town.example/signed-in"})
        assert reply.status_code == 302, "the default"
        assert s.http.get("/v1/auth/oauth/facebook", params={"code_challenge": challenge("x")}).status_code == 404, "it is not set up"
    finally:
        s.stop(remove=False)


@pytest.mark.parametrize("name, value", [
    ("GUILDFORD_GOOGLE_TOKEN_URL", "http://oauth.example/token"), ("GUILDFORD_GOOGLE_JWKS_URL", "http://127.0.0.1.evil.example/"),
    ("GUILDFORD_GOOGLE_ISSUER", ""), ("GUILDFORD_FACEBOOK_ME_URL", "https://user@graph.example/me"),
    ("GUILDFORD_OAUTH_RETURN_URLS", "https://town.example/a,http://town.example/b"), ("GUILDFORD_OAUTH_RETURN_URLS", "https://town.example/#a")])
def test_settings_that_are_not_safe(name, value):
    done = run("config", **{name: value})
    assert done.returncode == 2 and name in done.stderr


# Who comes back


def test_state_is_for_one_browser_one_provider_and_once(server, wrong):
    browser = Browser(server)
    browser.begin()
    wrong.plan(claims=claims(wrong, browser))
    state = {"state": browser.asked["state"], "code": "c"}
    assert Browser(server).get("/v1/auth/oauth/google/callback", **state).status_code == 400, "no cookie"
    stranger = Browser(server)
    stranger.begin()
    assert stranger.get("/v1/auth/oauth/google/callback", **state).status_code == 400, "another's cookie"
    assert browser.get("/v1/auth/oauth/facebook/callback", **state).status_code == 400, "another provider"
    assert browser.get("/v1/auth/oauth/google/callback", state="f" * 43, code="c").status_code == 400, "a forged one"
    assert browser.get("/v1/auth/oauth/google/callback", code="c").status_code == 400, "none"
    assert "token" not in wrong.seen(), "so far nobody was asked"
    assert browser.come_back()["code"]
    reply = browser.get("/v1/auth/oauth/google/callback", **state)
    assert reply.status_code == 400 and "location" not in reply.headers, "replayed"


def test_two_tabs(server, wrong):
    browser = Browser(server)
    first = browser.begin()
    browser.begin()
    wrong.plan(claims=claims(wrong, browser))
    assert browser.come_back()["code"]
    browser.asked = first
    wrong.plan(claims=claims(wrong, browser))
    assert browser.come_back()["code"]


def test_a_state_that_is_too_old(server):
    browser = Browser(server)
    browser.begin()
    server.database("update auth.oauth_state set expires_at = now() - interval '1 second'")
    assert browser.come_back()["error"] == "expired"


@pytest.mark.parametrize("sent, told", [
    ({"error": "access_denied", "error_description": "<script>"}, "access_denied"), ({"error": "server_error"}, "provider_unavailable"),
    ({"error": "invalid_scope"}, "provider_error"), ({"error": "https://evil.example"}, "provider_error"),
    ({"iss": "https://evil.example"}, "provider_error")])
def test_what_the_provider_refuses(server, sent, told):
    browser = Browser(server)
    browser.begin()
    found = browser.come_back(**sent)
    assert found["error"] == told and set(found) == {"error", "error_description"} and "evil" not in browser.returned_to
    assert "%3C" not in browser.returned_to


def test_the_exchange_at_the_provider(server, wrong):
    browser, said, found = arrive(server, wrong)
    sent = wrong.seen()["token"]
    assert challenge(sent.pop("code_verifier")) == browser.asked["code_challenge"]
    assert sent == {"grant_type": "authorization_code", "code": "a-code", "client_id": "town", "client_secret": SECRET,
                    "redirect_uri": f"{PUBLIC}/v1/auth/oauth/google/callback"}


GOOD = {
    "RS256": {}, "ES256": {"key": "ec"}, "several audiences": {"claims": {"aud": ["other", "town"], "azp": "town"}},
    "one audience in a list": {"claims": {"aud": ["town"]}}, "a boolean as a text": {"claims": {"email_verified": "true"}},
}
BAD = {
    "no ID token": {"claims": None}, "another nonce": {"claims": {"nonce": "n" * 43}}, "no nonce": {"claims": {"nonce": None}},
    "expired": {"claims": {"exp": 1700000000}}, "no exp": {"claims": {"exp": None}}, "exp as a text": {"claims": {"exp": "9999999999"}},
    "from the future": {"claims": {"iat": 9999999999, "exp": 9999999999}}, "not yet": {"claims": {"nbf": 9999999999}},
    "another issuer": {"claims": {"iss": "https://accounts.google.com"}}, "issuer with a slash": {"claims": {"iss": "SLASH"}},
    "no issuer": {"claims": {"iss": None}}, "another audience": {"claims": {"aud": "other"}}, "no audience": {"claims": {"aud": None}},
    "several audiences without azp": {"claims": {"aud": ["town", "other"]}}, "issued to another": {"claims": {"azp": "other"}},
    "audience no text": {"claims": {"aud": ["town", 1], "azp": "town"}},
    "no subject": {"claims": {"sub": None}}, "a subject that is too long": {"claims": {"sub": "s" * 256}}, "a number as subject": {"claims": {"sub": 7}},
    "alg none": {"key": "none"}, "the public key as a secret": {"key": "hmac"}, "another's key": {"key": "other"},
    "an unknown kid": {"header": {"kid": "unknown"}}, "no kid": {"header": {"kid": ""}}, "a key for another alg": {"header": {"kid": "ec"}},
    "another type of token": {"header": {"typ": "at+jwt"}}, "critical headers": {"header": {"crit": ["b64"], "b64": True}},
    "400": {"status": 400}, "302": {"status": 302, "location": "http://127.0.0.1:9/"}, "not JSON": {"body": "<html>"}, "a list": {"body": "[]"},
    "deep": {"body": "[" * 5000 + "]" * 5000}, "twice": {"body": '{"id_token":"a","id_token":"b"}'}, "no token": {"body": '{"id_token":"a.b"}'},
}
AWAY = {"500": {"status": 500}, "429": {"status": 429}, "huge": {"size": 70000}, "slow": {"delay": 7000}}


def planned(server, wrong, spec):
    browser = Browser(server)
    browser.begin()
    said = claims(wrong, browser)
    for name, value in (spec.get("claims") or {}).items():
        said[name] = wrong.url + "/" if value == "SLASH" else value
    said = {name: value for name, value in said.items() if value is not None}
    wrong.plan(**{**spec, "claims": None if spec.get("claims", 1) is None else said})
    return browser.come_back(), said


@pytest.mark.parametrize("name", GOOD)
def test_good_tokens(server, wrong, name):
    found, said = planned(server, wrong, GOOD[name])
    assert set(found) == {"code"} and len(person_of(server, said["email"])) == 1


@pytest.mark.parametrize("name", [*BAD, *AWAY])
def test_bad_answers(server, wrong, name):
    found, said = planned(server, wrong, BAD.get(name) or AWAY[name])
    assert found.get("error") == ("provider_unavailable" if name in AWAY else "provider_error"), found
    assert person_of(server, said["email"]) == []
    assert server.http.get("/livez").status_code == 200


# Whose account it is


def test_a_new_account_and_its_session(server, wrong):
    browser, said, found = arrive(server, wrong)
    tokens = browser.exchange(found["code"])
    [[id]] = person_of(server, said["email"])
    assert server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]["id"] == id
    assert server.database(f"select password_hash, email_verified_at is not null from auth.person where id = '{id}'") == [["", "t"]]
    wait_for(lambda: len(server.database(f"select id from platform.audit_event where actor_id = '{id}'")) == 3)
    events = dict(server.database(f"select action, detail from platform.audit_event where actor_id = '{id}'"))
    assert set(events) == {"person:create", "identity:link", "session:begin"}
    assert json.loads(events["session:begin"]) == {"provider": "google"}
    browser, said, found = arrive(server, wrong, email="moved-" + said["email"], sub=said["sub"])
    tokens = browser.exchange(found["code"])
    assert server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]["id"] == id, "the subject counts, not the address"


def test_the_code_of_the_front_end(server, wrong):
    browser, _, found = arrive(server, wrong)
    assert browser.exchange(found["code"], 400, verifier="w" * 43)["details"][0]["field"] == "code"
    assert browser.exchange(found["code"], 400), "used up by whoever had the wrong verifier"
    browser, _, found = arrive(server, wrong)
    assert browser.exchange(found["code"])["refresh_token"]
    assert browser.exchange(found["code"], 400), "replayed"
    browser, _, found = arrive(server, wrong)
    server.database("update auth.oauth_code set expires_at = now() - interval '1 second'")
    assert browser.exchange(found["code"], 400), "too old"
    browser, _, found = arrive(server, wrong)
    assert browser.exchange(found["code"], 400, verifier="short")["details"][0]["field"] == "code_verifier"
    assert server.database("select count(*) from auth.oauth_code where digest = '" + found["code"] + "'") == [["0"]]


def test_an_account_with_the_same_verified_address(server, wrong):
    person = Person(server)
    browser, said, found = arrive(server, wrong, email=person.address.upper().replace("EXAMPLE.ORG", "example.org"), sub=f"s-{person.id}")
    tokens = browser.exchange(found["code"])
    assert server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]["id"] == person.id
    assert "Google" in mail_for(server, person.address, "was linked")["Subject"]
    assert sign_in(server, person.address), "the password stays: its owner had confirmed the address"
    browser, said, found = arrive(server, wrong, email=person.address, sub=f"s-{person.id}")
    assert browser.exchange(found["code"])
    assert server.database(f"select count(*) from auth.identity where person_id = '{person.id}'") == [["1"]]
    assert len([mail for mail in mails(server, person.address) if "linked" in mail["Subject"]]) == 1


@pytest.mark.parametrize("more", [{"email_verified": False}, {"email_verified": None}, {"email_verified": "yes"}, {"email_verified": 1}])
def test_an_unverified_address_leads_to_no_account(server, wrong, more):
    person = Person(server)
    _, _, found = arrive(server, wrong, email=person.address, **more)
    assert found["error"] == "email_unconfirmed" and "sign in first and link" in found["error_description"]
    assert server.database(f"select count(*) from auth.identity where person_id = '{person.id}'") == [["0"]]
    mail_for(server, person.address, "already")


def test_an_unverified_address_is_asked_by_mail(server, wrong):
    browser, said, found = arrive(server, wrong, email_verified=False)
    assert found["error"] == "email_unconfirmed" and person_of(server, said["email"]) == []
    token = token_in(mail_for(server, said["email"], "confirm"))
    assert server.http.post("/v1/auth/verify", json={"token": token}).status_code == 200
    browser, _, found = arrive(server, wrong, browser, email=said["email"], email_verified=False)
    tokens = browser.exchange(found["code"])
    assert server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]["email"] == said["email"]


@pytest.mark.parametrize("email", [None, "", "nonsense", 7])
def test_no_address(server, wrong, email):
    browser = Browser(server)
    browser.begin()
    wrong.plan(claims={**without(claims(wrong, browser, sub=f"nobody-{email}"), "email"), **({} if email is None else {"email": email})})
    found = browser.come_back()
    assert found["error"] == "email_required"
    assert server.database(f"select count(*) from auth.identity where subject = 'nobody-{email}'") == [["0"]]


def test_nobody_waits_in_an_account_for_its_owner(server, wrong):
    """The pre-hijacking hole: somebody registers with another's address, and its owner comes by Google."""
    address = new_address()
    body = {"email": address, "password": "the attacker's words", "name": "Attacker"}
    assert server.http.post("/v1/auth/register", json=body).status_code == 202
    token = token_in(mail_for(server, address, "confirm"))
    browser, _, found = arrive(server, wrong, email=address)
    tokens = browser.exchange(found["code"])
    me = server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]
    assert me["name"] == "Alex Marsh" and not me["has_password"]
    assert server.http.post("/v1/auth/verify", json={"token": token}).status_code == 400
    assert server.http.post("/v1/auth/login", json={"email": address, "password": "the attacker's words"}).status_code == 401
    assert server.database(f"select count(*) from auth.request where email = '{address}'") == [["0"]]


def test_suspended(server, wrong):
    person = Person(server)
    server.database(f"update auth.person set status = 'suspended' where id = '{person.id}'")
    _, _, found = arrive(server, wrong, email=person.address)
    assert found["error"] == "account_suspended"
    assert server.database(f"select count(*) from auth.identity where person_id = '{person.id}'") == [["0"]]
    browser, said, found = arrive(server, wrong)
    server.database(f"update auth.person set status = 'suspended' where email = '{said['email']}'")
    browser.exchange(found["code"], 400)


def test_a_second_factor_still_counts(server, wrong):
    person = Person(server)
    secret = person.call("POST", "/v1/auth/totp").json()["data"]["secret"]
    codes = person.call("POST", "/v1/auth/totp/confirm", {"code": totp(secret, time.time() - 30)}).json()["data"]["recovery_codes"]
    browser, _, found = arrive(server, wrong, email=person.address)
    assert set(found) == {"pending"}
    browser.exchange(found["pending"], 400)

    def complete(code, status, verifier=None):
        body = {"token": found["pending"], "code": code, "code_verifier": verifier or browser.verifier}
        reply = server.http.post("/v1/auth/oauth/complete", json=body)
        assert reply.status_code == status, reply.text
        return reply.json().get("data")

    complete("000000", 401)
    complete(codes[0], 400, "w" * 43)
    tokens = complete(codes[0], 200)
    assert server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]["id"] == person.id
    complete(codes[1], 400)
    browser, _, found = arrive(server, wrong, email=person.address)
    for _ in range(10):
        complete("000000", 401)
    complete(codes[2], 401)
    mail_for(server, person.address, "too many")


def test_a_second_factor_that_came_in_between(server, wrong):
    person = Person(server)
    browser, _, found = arrive(server, wrong, email=person.address)
    secret = person.call("POST", "/v1/auth/totp").json()["data"]["secret"]
    person.call("POST", "/v1/auth/totp/confirm", {"code": totp(secret)})
    browser.exchange(found["code"], 400)


def test_a_code_ends_with_the_other_sessions(server, wrong):
    person = Person(server)
    browser, _, found = arrive(server, wrong, email=person.address)
    person.call("POST", "/v1/auth/password/change", {"password": PASSWORD, "new_password": "fresh words here"})
    browser.exchange(found["code"], 400)


# Links that their owner makes


def link(server, wrong, person, **more):
    browser = Browser(server)
    browser.link(person.headers)
    wrong.plan(claims=claims(wrong, browser, **more))
    return browser, browser.come_back()


def test_a_signed_in_owner_links(server, wrong):
    person = Person(server)
    browser, found = link(server, wrong, person, email="elsewhere@example.net", email_verified=False, sub=f"linked-{person.id}")
    assert set(found) == {"link"} and browser.returned_to.startswith(RETURN_TO)
    assert browser.exchange(found["link"], path="/v1/auth/identities", headers=person.headers) == {"status": "linked"}
    assert [i["email"] for i in person.get("/v1/me")["identities"]] == ["elsewhere@example.net"]
    mail_for(server, person.address, "was linked")
    assert browser.get(browser.ticket).status_code == 400, "the link works once"
    browser, _, found = arrive(server, wrong, email=new_address(), sub=f"linked-{person.id}")
    tokens = browser.exchange(found["code"])
    assert server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]["id"] == person.id


def test_a_link_that_somebody_else_was_made_to_open(server, wrong):
    """The attacker's link in the victim's browser: the victim's account at Google must not be tied to the attacker's here."""
    attacker, victim = Person(server), Person(server)
    browser, found = link(server, wrong, attacker, sub=f"victim-{victim.id}")
    browser.exchange(found["link"], 400, path="/v1/auth/identities", headers=victim.headers)
    browser, found = link(server, wrong, attacker, sub=f"victim-{victim.id}")
    browser.exchange(found["link"], 400, path="/v1/auth/identities", headers=victim.headers, verifier="v" * 43)
    browser.exchange(found["link"], 400)
    assert server.database(f"select count(*) from auth.identity where subject = 'victim-{victim.id}'") == [["0"]]


def test_an_identity_is_one_persons(server, wrong):
    one, other = Person(server), Person(server)
    browser, found = link(server, wrong, one, sub=f"shared-{one.id}")
    browser.exchange(found["link"], path="/v1/auth/identities", headers=one.headers)
    browser, found = link(server, wrong, other, sub=f"shared-{one.id}")
    assert "somebody else" in browser.exchange(found["link"], 409, path="/v1/auth/identities", headers=other.headers)["message"]
    browser, found = link(server, wrong, one, sub=f"shared-{one.id}")
    browser.exchange(found["link"], path="/v1/auth/identities", headers=one.headers)
    assert len(one.get("/v1/me")["identities"]) == 1


def test_unlinking(server, wrong):
    person = Person(server)
    browser, found = link(server, wrong, person)
    browser.exchange(found["link"], path="/v1/auth/identities", headers=person.headers)
    [identity] = person.get("/v1/me")["identities"]
    Person(server).call("DELETE", f"/v1/auth/identities/{identity['id']}", status=404)
    person.call("DELETE", f"/v1/auth/identities/{identity['id']}")
    assert person.get("/v1/me")["identities"] == []
    wait_for(lambda: ["identity:unlink"] in server.database(f"select action from platform.audit_event where actor_id = '{person.id}'"))


def test_the_last_way_to_sign_in_stays(server, wrong):
    browser, said, found = arrive(server, wrong)
    headers = bearer(browser.exchange(found["code"]))
    [identity] = server.http.get("/v1/me", headers=headers).json()["data"]["identities"]
    where = f"/v1/auth/identities/{identity['id']}"
    assert server.http.delete(where, headers=headers).status_code == 409
    assert len(server.http.get("/v1/me", headers=headers).json()["data"]["identities"]) == 1
    server.http.post("/v1/auth/password/forgotten", json={"email": said["email"]})
    token = token_in(mail_for(server, said["email"], "password"))
    assert server.http.post("/v1/auth/password/reset", json={"token": token, "password": PASSWORD}).status_code == 200
    headers = bearer(sign_in(server, said["email"]))
    assert server.http.delete(where, headers=headers).status_code == 200


def test_linking_asks_who_is_there(server):
    person = Person(server)
    server.database(f"update auth.session set shown_at = now() - interval '11 minutes' where person_id = '{person.id}'")
    tokens = server.http.post("/v1/auth/refresh", json={"refresh_token": person.tokens["refresh_token"]}).json()["data"]
    body = {"code_challenge": challenge("x")}
    reply = server.http.post("/v1/auth/identities/google", json=body, headers=bearer(tokens))
    assert reply.status_code == 403 and reply.json()["error"]["code"] == "STEP_UP_REQUIRED"
    assert Person(server).call("POST", "/v1/auth/identities/twitter", body, 404)
    reply = Person(server).call("POST", "/v1/auth/identities/google", {"code_challenge": "=" * 43, "return_to": "https://evil.example/"}, 400)
    assert set(server.details(reply)) == {"code_challenge", "return_to"}


# Facebook


def test_facebook(server, wrong):
    browser, address = Browser(server), new_address()
    asked = browser.begin("facebook")
    assert asked["scope"] == "email" and "nonce" not in asked and asked["redirect_uri"].endswith("/facebook/callback")
    wrong.plan(me={"id": f"fb-{address}", "name": "Robin Hale", "email": address})
    found = browser.come_back("facebook")
    assert found["error"] == "email_unconfirmed", "Facebook does not say that it has verified the address"
    seen = wrong.seen()["me"]
    proof = hmac.digest(SECRET.encode(), b"the-access-token", hashlib.sha256).hex()
    assert seen == {"fields": "id,name,email", "appsecret_proof": proof, "authorization": "Bearer the-access-token"}
    token = token_in(mail_for(server, address, "confirm"))
    assert server.http.post("/v1/auth/verify", json={"token": token}).status_code == 200
    browser.begin("facebook")
    tokens = browser.exchange(browser.come_back("facebook")["code"])
    me = server.http.get("/v1/me", headers=bearer(tokens)).json()["data"]
    assert me["name"] == "Robin Hale" and me["email"] == address and [i["provider"] for i in me["identities"]] == ["facebook"]


def test_facebook_without_an_address(server, wrong):
    browser = Browser(server)
    browser.begin("facebook")
    wrong.plan(me={"id": "fb-1", "name": "Robin Hale"})
    assert browser.come_back("facebook")["error"] == "email_required"


@pytest.mark.parametrize("plan", [{"me": {"name": "No id"}}, {"me": {"id": 7}}, {"at": "GET /me", "status": 400}, {"at": "GET /me", "body": "no"},
                                  {"body": '{"token_type":"bearer"}'}, {"body": '{"access_token":"a\\nb"}'}])
def test_facebook_gone_wrong(server, wrong, plan):
    browser = Browser(server)
    browser.begin("facebook")
    wrong.plan(**plan)
    assert browser.come_back("facebook")["error"] == "provider_error"


def test_secrets_are_nowhere_in_the_clear(server, wrong):
    browser, _, found = arrive(server, wrong)
    pending = Browser(server)
    pending.begin()
    hidden = [SECRET, found["code"], pending.asked["state"], pending.asked["nonce"], "the-access-token", *pending.http.cookies.values()]
    text = server.log_text()
    for table in ("oauth_state", "oauth_code"):
        text += "".join("|".join(row) for row in server.database(f"select t::text from auth.{table} t"))
    assert [word for word in hidden if word in text] == []


def test_what_is_too_old_goes(server):
    Browser(server).begin()
    server.database("update auth.oauth_state set expires_at = now() - interval '2 hours'")
    server.database("update platform.job set next_at = now() where name = 'erase_expired'")
    wait_for(lambda: server.database("select count(*) from auth.oauth_state where expires_at < now() - interval '1 hour'") == [["0"]], 90)


def test_a_provider_that_is_away(folder):
    s = Server(data=folder, workers=1, **settings("http://127.0.0.1:9", "http://127.0.0.1:9"), GUILDFORD_GOOGLE_TOKEN_URL="http://127.0.0.1:9/token")
    try:
        browser = Browser(s)
        browser.begin()
        assert browser.come_back()["error"] == "provider_unavailable"
    finally:
        s.stop(remove=False)
