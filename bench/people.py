# SPDX-License-Identifier: Apache-2.0
"""The people of the benchmark: accounts that stay in its database, and the access tokens that they get by signing in.
bench/run calls it. The first is an admin; all have one password, so that one hash is enough."""

import base64
import json
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor

PASSWORD = "seven green herons"
COUNT = 1000
AT_ONCE = 8


def address(number):
    return f"bench-{number}@example.org"


def make(binary, data, sql):
    """Makes those who are not there yet; `sql` runs a statement in the database of the data folder."""
    there = int(sql("select count(*) from auth.person where email like 'bench-%@example.org'"))
    if there == 0:
        subprocess.run([binary, "user", "create", address(0), "--role", "admin", "--password-stdin", "--data", str(data)],
                       input=PASSWORD + "\n", text=True, check=True)
    if there < COUNT:
        sql(f"""insert into auth.person (id, email, name, password_hash, email_verified_at)
            select gen_random_uuid(), format('bench-%s@example.org', n), 'Bench', first.password_hash, now()
            from auth.person first, generate_series(1, {COUNT - 1}) n where first.email = '{address(0)}'
            on conflict do nothing;
            analyze auth.person""")


def ask(url, body=None, token=None):
    """The answer's JSON; a POST when there is a body."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def sign_in(url, number):
    """An access token; it is good for 15 minutes."""
    return ask(f"{url}/v1/auth/login", {"email": address(number), "password": PASSWORD})["data"]["access_token"]


def sign_in_all(url, count):
    """A token of each of the first `count`. The server's limits must be off."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda number: sign_in(url, number), range(count)))


def part(token, number):
    """What a part of a token says: 0 its header, 1 its claims."""
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def verifier(url, token):
    """Of whoever verifies such tokens: the public key and the issuer."""
    keys = ask(f"{url}/.well-known/jwks.json")["keys"]
    return next(key for key in keys if key["kid"] == part(token, 0)["kid"]), part(token, 1)["iss"]
