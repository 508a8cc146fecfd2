# SPDX-License-Identifier: Apache-2.0
"""A worker that dies is started again, and the log tells of that and of nothing else."""

import json
import os
import signal

from conftest import wait_for


def test_a_restart_leaves_one_error_in_the_log(server):
    before = set(server.workers())
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(server.workers()) == len(before) and set(server.workers()) != before)
    wait_for(lambda: server.http.get("/readyz").status_code == 200)
    lines = [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]
    errors = [line["message"] for line in lines if line["level"] == "error"]
    assert len(errors) == 1 and errors[0].endswith("was ended by signal 9"), errors
