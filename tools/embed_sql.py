#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes migrations.c, the table of store/migrate.h, from sql/<service>/NNNN_name.sql. The build calls it."""
import os
import re
import sys


def literal(data):
    """The bytes as C string literals, a line each; octal escapes end after three digits and cannot swallow a digit."""
    out = []
    for line in data.splitlines(keepends=True):
        text = "".join(
            "\\n" if c == 10 else "\\t" if c == 9 else chr(c) if 32 <= c < 127 and c not in b'"\\?' else "\\%03o" % c
            for c in line)
        out.append('\t\t"%s"' % text)
    return "\n".join(out) or '\t\t""'


def main(output, root, *files):
    rows, seen = [], set()
    # what all services share comes first
    for path in sorted(files, key=lambda path: (os.path.basename(os.path.dirname(path)) != "platform", path)):
        service, name = os.path.relpath(path, root).split(os.sep)
        match = re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", name)
        if not match or int(match[1]) == 0:
            sys.exit("%s: not NNNN_name.sql" % path)
        if (service, match[1]) in seen:
            sys.exit("%s: its number is taken" % path)
        seen.add((service, match[1]))
        with open(path, "rb") as f:
            data = f.read()
        if b"\0" in data:
            sys.exit("%s: holds a NUL" % path)
        rows.append('\t{ .service = "%s", .number = %d, .name = "%s", .sql =\n%s },\n'
                    % (service, int(match[1]), name[:-4], literal(data)))
    with open(output, "w") as f:
        f.write("/* Written by tools/embed_sql.py from sql/. */\n#include \"store/migrate.h\"\n\n"
                "const struct migration migrations[] = {\n%s\t{ 0 },\n};\n"
                "const size_t migrations_count = %d;\n" % ("".join(rows), len(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
