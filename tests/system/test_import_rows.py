# SPDX-License-Identifier: Apache-2.0
"""Rows of a CSV that are not quite right: what is refused, and that it does not stop the rest."""

import pytest

from conftest import run

HEADER = "source_id,name,primary_category,other_categories,website\n"


@pytest.fixture
def csv_file(tmp_path):
    def write(*rows):
        path = tmp_path / "rows.csv"
        path.write_text(HEADER + "".join(row + "\n" for row in rows))
        return path

    return write


def test_a_row_with_an_unknown_category_is_rejected_and_the_others_are_written(server, csv_file, tmp_path):
    report = tmp_path / "report.txt"
    path = csv_file("1,Good Row,pub,restaurant,", "2,Bad Second Category,pub,restaurant|nowhere,", "3,Bad First Category,nowhere,,")
    done = run("import", "csv", path, "--source", "rows-categories", "--report", report, data=server.data)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3 read: 1 created, 0 updated, 0 unchanged, 0 gone, 2 rejected"
    assert report.read_text().count('there is no category "nowhere"') == 2


def test_an_argument_too_many_is_a_usage_error(csv_file):
    path = csv_file("1,Any,,,")
    done = run("import", "csv", path, "another.csv")
    assert done.returncode == 2
    assert "usage: guildford import" in done.stderr
