# SPDX-License-Identifier: Apache-2.0
"""Mail and the jobs process: the queue to a real SMTP server, one that is not well, and what a kill leaves behind."""

import os
import pathlib
import re
import signal
import socket
import uuid

import pytest

from conftest import SECRET_KEY, Server, lives, run, wait_for
from smtp import Smtp, certificate


@pytest.fixture(scope="module")
def smtp():
    s = Smtp()
    yield s
    s.stop()


@pytest.fixture(scope="module")
def server(smtp):
    s = Server(workers=1, SMTP_URL=f"smtp://127.0.0.1:{smtp.port}", GUILDFORD_TOWN="Bree", GUILDFORD_MAIL_FROM="The Post <post@town.example>",
               GUILDFORD_PUBLIC_URL="https://town.example")
    yield s
    s.stop()


@pytest.fixture(autouse=True)
def at_rest(request):
    """Nothing is left to another test: answers, a held message, a job that backs off, or mails."""
    yield
    if "server" in request.fixturenames:
        smtp, s = request.getfixturevalue("smtp"), request.getfixturevalue("server")
        smtp.answers.clear()
        smtp.hold = False
        smtp.release.set()
        s.database("delete from platform.mail")
        s.database("update platform.job set next_at = '-infinity', failures = 0 where name = 'mail_send'")


def new_address():
    return f"ann-{uuid.uuid4().hex[:12]}@example.org"


def queue(s, address=None):
    """Queues the operator's test mail; gives its address and id."""
    address = address or new_address()
    done = run("mail", "test", address, data=s.data, GUILDFORD_SECRET_KEY=SECRET_KEY)
    assert done.returncode == 0, done.stderr
    [[key]] = s.database(f"select id from platform.mail where recipient = '{address}'")
    return address, key


def listed(s, *flags):
    done = run("mail", "list", *flags, data=s.data)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def state(s, key):
    """(attempts, sent, dead, sealed, last error) of a mail."""
    [row] = s.database("select attempts, sent_at is not null, failed_at is not null, sealed is not null, coalesce(last_error, '') "
                       f"from platform.mail where id = '{key}'")
    return int(row[0]), *(value == "t" for value in row[1:4]), row[4]


def is_sent(s, key):
    return state(s, key)[1]


def time_passes(s, key):
    """As far as a mail knows, and the job that sends it."""
    s.database(f"update platform.mail set next_attempt_at = clock_timestamp() where id = '{key}'")
    s.database("update platform.job set next_at = '-infinity' where name = 'mail_send'")


def jobs_process(s):
    found = s.children("guildford-jobs")
    return found[0] if found else None


def metric(s, name):
    return int(re.search(rf"^guildford_{name} (\d+)$", s.http.get("/metrics").text, re.M)[1])


def test_a_mail_arrives_once_and_whole(server, smtp):
    address, key = queue(server)
    wait_for(lambda: is_sent(server, key))
    assert state(server, key) == (1, True, False, False, "")
    other, _ = queue(server)
    wait_for(lambda: smtp.to(other))
    [mail] = smtp.to(address)
    assert mail["From"] == "The Post <post@town.example>" and [a.addr_spec for a in mail["To"].addresses] == [address]
    assert mail["Subject"] == "A test from Bree" and mail["Message-ID"] == f"<{key}@town.example>"
    assert mail["Date"].datetime.utcoffset().total_seconds() == 0
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "https://town.example can send mail." in mail.get_content()
    [envelope] = [m for m in smtp.messages if m[1] == [address]]
    assert envelope[0] == "post@town.example"
    wait_for(lambda: listed(server) == [])


def test_runs_are_counted(server, smtp):
    before = metric(server, "jobs_runs_total")
    _, key = queue(server)
    wait_for(lambda: is_sent(server, key))
    wait_for(lambda: metric(server, "jobs_runs_total") > before)
    smtp.answers.append("451 4.7.1 Come back later")
    _, key = queue(server)
    wait_for(lambda: metric(server, "jobs_queue") == 1 and state(server, key)[4])
    time_passes(server, key)
    wait_for(lambda: metric(server, "jobs_queue") == 0)


def test_an_idle_jobs_process_writes_nothing(server):
    """Each write would cost the workers what they remember (store/memo.h)."""
    _, key = queue(server)
    wait_for(lambda: is_sent(server, key))
    asked = "select lease_until = '-infinity' from platform.job where name = 'mail_send'"
    wait_for(lambda: server.database(asked) == [["t"]])
    snapshot = server.database("select pg_current_snapshot()")
    statements = metric(server, "database_statements_total")
    wait_for(lambda: metric(server, "database_statements_total") >= statements + 3)
    assert server.database("select pg_current_snapshot()") == snapshot


def test_not_now_is_tried_again(server, smtp):
    smtp.answers += ["451 4.7.1 Come back later", "450 4.2.1 And later"]
    address, key = queue(server)
    for attempt, wait in ((1, 60), (2, 120)):
        wait_for(lambda: state(server, key)[4])
        assert state(server, key)[:4] == (attempt, False, False, True)
        [[seconds]] = server.database(f"select extract(epoch from next_attempt_at - clock_timestamp())::int from platform.mail where id = '{key}'")
        assert wait - 30 <= int(seconds) <= wait
        [line] = listed(server)
        assert key in line and "waiting" in line and ("4.7.1 Come back" if attempt == 1 else "4.2.1 And") in line
        assert listed(server, "--dead") == []
        server.database(f"update platform.mail set last_error = null where id = '{key}'")
        time_passes(server, key)
    wait_for(lambda: is_sent(server, key))
    assert len(smtp.to(address)) == 1 and state(server, key)[0] == 3


def test_never_is_a_dead_letter_until_it_is_replayed(server, smtp):
    smtp.answers += ["550 5.1.1 No such user"]
    address, key = queue(server)
    wait_for(lambda: state(server, key)[2])
    assert state(server, key) == (1, False, True, True, "550 5.1.1 No such user")
    [line] = listed(server, "--dead")
    assert key in line and "dead" in line and "550 5.1.1 No such user" in line and address in line
    assert run("mail", "replay", str(uuid.uuid4()), data=server.data).returncode == 1
    done = run("mail", "replay", key, data=server.data)
    assert done.stdout == "1 will be sent again\n", done.stderr
    wait_for(lambda: is_sent(server, key))
    assert len(smtp.to(address)) == 1
    assert run("mail", "replay", key, data=server.data).returncode == 1, "what was sent is not sent again"
    assert address not in server.log_text() and "No such user" not in server.log_text()


def test_the_tenth_attempt_is_the_last(server, smtp):
    smtp.answers += ["451 4.7.1 Come back later"] * 2
    keys = []
    for _ in range(2):
        _, key = queue(server)
        wait_for(lambda: state(server, key)[4])
        keys.append(key)
    for key in keys:
        smtp.answers.append("451 4.7.1 Come back later")
        server.database(f"update platform.mail set attempts = 9 where id = '{key}'")
        time_passes(server, key)
        wait_for(lambda: state(server, key)[2])
        assert state(server, key)[0] == 10
    assert run("mail", "replay", "--all-dead", data=server.data).stdout == "2 will be sent again\n"
    for key in keys:
        wait_for(lambda: is_sent(server, key))
        assert state(server, key)[0] == 1


def test_one_that_is_refused_holds_nobody_up(server, smtp):
    smtp.answers += ["550 no", "451 not now", "550 no"]
    addresses = [new_address() for _ in range(6)]
    server.database("insert into platform.mail (id, template, recipient, sealed) select gen_random_uuid(), 'no_such_template', "
                    "'x@example.org', 'x'")
    for address in addresses:
        queue(server, address)
    wait_for(lambda: [len(smtp.to(a)) for a in addresses] == [0, 0, 0, 1, 1, 1])
    [line] = [line for line in listed(server) if "no_such_template" in line]
    assert "this program has no such template" in line


def test_killed_in_mid_message_it_is_sent_again(server, smtp):
    smtp.held.clear()
    smtp.release.clear()
    smtp.hold = True
    address, key = queue(server)
    assert smtp.held.wait(30)
    killed = jobs_process(server)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: jobs_process(server) not in (None, killed))
    assert state(server, key)[:4] == (1, False, False, True)
    smtp.hold = False
    smtp.release.set()
    time_passes(server, key)  # the claim of the dead
    wait_for(lambda: is_sent(server, key))
    mails = smtp.to(address)
    assert 1 <= len(mails) <= 2, "at least once"
    assert len({mail["Message-ID"] for mail in mails}) == 1


def test_killed_again_and_again_all_arrive(server, smtp):
    addresses = [new_address() for _ in range(8)]
    for i, address in enumerate(addresses):
        queue(server, address)
        if i % 2:
            os.kill(jobs_process(server) or server.process.pid, signal.SIGKILL if jobs_process(server) else 0)
    def all_sent():
        server.database("update platform.mail set next_attempt_at = clock_timestamp() where sent_at is null and next_attempt_at < clock_timestamp() + interval '110 s'")
        return all(smtp.to(address) for address in addresses)
    wait_for(all_sent, 90)
    assert len(server.workers()) == 1
    assert metric(server, "worker_restarts_total") >= 1


def test_an_address_is_an_address(server):
    for bad in ("ann", "ann@example.org\r\nBcc: all@example.org", "a@example.org, b@example.org", ""):
        done = run("mail", "test", bad, data=server.data)
        assert done.returncode == 1 and "not an e-mail address" in done.stderr, bad
    assert server.database("select 1 from platform.mail") == []


@pytest.mark.parametrize("args", [[], ["list", "--all"], ["list", "--dead", "x"], ["replay"], ["replay", "x"], ["test"], ["send", "x"]])
def test_usage(args):
    done = run("mail", *args)
    assert done.returncode == 2 and "usage: guildford mail" in done.stderr


@pytest.mark.parametrize("setting,value", [
    ("SMTP_URL", "http://mail.example.org"), ("SMTP_URL", "smtp://"), ("SMTP_URL", "mail.example.org"), ("GUILDFORD_SMTP_TLS", "on"),
    ("GUILDFORD_MAIL_FROM", "post"), ("GUILDFORD_MAIL_FROM", "Post <post@town.example"), ("GUILDFORD_MAIL_FROM", 'A "B" <a@town.example>'),
    ("GUILDFORD_MAIL_FROM", "Post <a@b@c>"), ("GUILDFORD_MAIL_FROM", "a@town.example\r\nBcc: b@town.example"), ("GUILDFORD_MAIL_FROM", "<a@b>"),
    ("GUILDFORD_TOWN", "a\nb"), ("GUILDFORD_PUBLIC_URL", "https://town.example/"), ("GUILDFORD_PUBLIC_URL", "ftp://town.example")])
def test_bad_settings_are_named(setting, value):
    done = run("config", **{setting: value})
    assert done.returncode == 2 and setting in done.stderr
    assert "mail.example.org" not in done.stderr, "SMTP_URL is a secret"


def test_without_smtp_url_it_becomes_a_file(folder):
    s = Server(data=folder, workers=1)
    try:
        address, key = queue(s)
        file = pathlib.Path(folder) / "mail" / f"{key}.eml"
        wait_for(file.exists)
        assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
        assert f"To: <{address}>\r\n" in file.read_bytes().decode()
        wait_for(lambda: is_sent(s, key))
        assert os.listdir(file.parent) == [file.name]
        wait_for(lambda: str(file) in s.log_text())
        assert address not in s.log_text()
    finally:
        s.stop(remove=False)


def test_starttls_and_a_login(folder):
    cert, key = certificate(folder)
    smtp = Smtp(tls=(cert, key), login=("town", "p@ss:word/1"))
    s = Server(workers=1, SMTP_URL=f"smtp://town:p%40ss%3Aword%2F1@127.0.0.1:{smtp.port}", GUILDFORD_SMTP_TLS="required", GUILDFORD_CA_FILE=str(cert))
    try:
        address, row = queue(s)
        wait_for(lambda: is_sent(s, row))
        assert len(smtp.to(address)) == 1 and smtp.secure == [True] and smtp.logins == [("town", "p@ss:word/1")]
    finally:
        s.stop()
        smtp.stop()


def test_smtps(folder):
    cert, key = certificate(folder)
    smtp = Smtp(tls=(cert, key), implicit=True)
    s = Server(workers=1, SMTP_URL=f"smtps://127.0.0.1:{smtp.port}", GUILDFORD_CA_FILE=str(cert))
    try:
        address, row = queue(s)
        wait_for(lambda: is_sent(s, row))
        assert len(smtp.to(address)) == 1
    finally:
        s.stop()
        smtp.stop()


@pytest.mark.parametrize("case", ["no STARTTLS", "unknown certificate", "wrong password"])
def test_a_server_that_is_not_to_be_trusted_gets_nothing(folder, case):
    cert, key = certificate(folder)
    smtp = {"no STARTTLS": lambda: Smtp(), "unknown certificate": lambda: Smtp(tls=(cert, key)),
            "wrong password": lambda: Smtp(tls=(cert, key), login=("town", "right"))}[case]()
    env = {"GUILDFORD_CA_FILE": str(cert)} if case == "wrong password" else {}
    s = Server(workers=1, SMTP_URL=f"smtp://town:s3cret-word@127.0.0.1:{smtp.port}", GUILDFORD_SMTP_TLS="required", **env)
    try:
        _, row = queue(s)
        wait_for(lambda: state(s, row)[4])
        attempts, sent, dead, sealed, error = state(s, row)
        assert (attempts, sent, dead, sealed) == (1, False, False, True), "it is the operator's to mend, not the mail's fault"
        assert case != "wrong password" or error.startswith("535 ")
        assert smtp.messages == [] and (smtp.logins == [] or case == "wrong password")
        wait_for(lambda: "job mail_send" in s.log_text())
        assert metric(s, "jobs_failures_total") >= 1
        assert "s3cret-word" not in s.log_text() + error
    finally:
        s.stop()
        smtp.stop()


def test_a_server_that_hangs_or_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        s = Server(workers=1, SMTP_URL=f"smtp://127.0.0.1:{port}")
        try:
            _, first = queue(s)
            wait_for(lambda: state(s, first)[0] == 1)
            assert metric(s, "connections_total") > 0, "requests are served meanwhile"
            wait_for(lambda: metric(s, "jobs_queue") == 1)  # and so are other jobs
            wait_for(lambda: state(s, first)[4], 90)
            assert "did not answer in time" in state(s, first)[4]
            silent.close()
            _, second = queue(s)
            s.database("update platform.job set next_at = '-infinity'")
            wait_for(lambda: state(s, second)[4])
            assert state(s, second)[:3] == (1, False, False)
        finally:
            s.stop()


def test_sigterm_lets_the_message_in_flight_end(folder):
    smtp = Smtp()
    smtp.hold = True
    s = Server(data=folder, workers=1, SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
    try:
        address, key = queue(s)
        other, other_key = queue(s)
        assert smtp.held.wait(30)
        [worker] = s.workers()
        s.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not lives(worker))  # told, as the jobs process was
        assert jobs_process(s)
        smtp.release.set()
        s.process.wait(timeout=40)  # a second SIGTERM would kill
        s.stop(remove=False)
        assert len(smtp.to(address)) == 1
        s = Server(data=folder, workers=1, SMTP_URL=f"smtp://127.0.0.1:{smtp.port}")
        assert is_sent(s, key), "what was taken was noted"
        wait_for(lambda: is_sent(s, other_key))
        assert len(smtp.to(address)) == 1 and len(smtp.to(other)) == 1
    finally:
        s.stop(remove=False)
        smtp.stop()


def test_two_nodes_send_each_mail_once(folder):
    smtp = Smtp()
    env = {"SMTP_URL": f"smtp://127.0.0.1:{smtp.port}"}
    one = Server(data=folder, workers=1, **env)
    two = Server(workers=1, DATABASE_URL=f"postgresql:///guildford?host={folder}/socket&user=guildford", **env)
    try:
        addresses = [new_address() for _ in range(12)]
        for address in addresses:
            queue(one, address)
        wait_for(lambda: one.database("select count(*) from platform.mail where sent_at is null") == [["0"]])
        assert sorted(to for _, [to], _ in smtp.messages) == sorted(addresses)
        assert len(one.database("select 1 from platform.job where name = 'mail_send'")) == 1
    finally:
        two.stop()
        one.stop(remove=False)
        smtp.stop()
