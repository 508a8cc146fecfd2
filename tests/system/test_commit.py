# SPDX-License-Identifier: Apache-2.0
"""A change that fails at the very end, when it is committed."""

REFUSE_AT_COMMIT = """
create function business.refuse() returns trigger language plpgsql as $$
begin
	raise exception using errcode = 'check_violation', message = 'not this one';
end $$;
create constraint trigger refuse after insert on business.business deferrable initially deferred
	for each row when (new.name = 'Refused at commit') execute function business.refuse()
"""


def test_a_failed_commit_answers_as_if_nothing_had_been_made(server):
    server.database(REFUSE_AT_COMMIT)
    reply = server.call("POST", "/v1/businesses", {"name": "Refused at commit"}, 409)
    assert reply.json()["error"]["code"] == "CONFLICT"
    assert reply.headers.get_list("content-type") == ["application/json; charset=utf-8"]
    assert "etag" not in reply.headers and "location" not in reply.headers
    assert server.get("/v1/businesses")["meta"]["pagination"]["total"] == 0
    server.create(name="Taken at commit")
