#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes mail_templates.c, the table of store/mail_message.h, from mail/NAME.txt: "Subject: ...", an empty line, the text
with {{names}}. The build calls it."""
import os
import re
import sys

from embed_sql import literal

LINE_MAX = 78


def check(path, text):
    """Says what is wrong with a template: what would not make a good mail."""
    name = os.path.basename(path)
    if not re.fullmatch(r"[a-z_]{1,40}\.txt", name):
        sys.exit("%s: not a name in small letters with .txt" % path)
    lines = text.split("\n")
    if not lines[0].startswith("Subject: ") or len(lines) < 4 or lines[1] != "" or lines[2] == "" or lines[-1] != "":
        sys.exit("%s: must be a subject, an empty line and a text" % path)
    if re.search(r"[^\n\x20-\x7e\xa0-\U0010ffff]", text) or re.search(r" $", text, re.M):
        sys.exit("%s: holds a control character or a blank at the end of a line" % path)
    rest = re.sub(r"\{\{[a-z_]{1,40}(:lines)?\}\}", "", text)
    if "{{" in rest or "}}" in rest or ":lines}}" in lines[0]:
        sys.exit("%s: a placeholder is {{name}}, in small letters, or in the text {{name:lines}}" % path)
    for line in lines:
        if len(line) > LINE_MAX:
            sys.exit("%s: a line of more than %d characters" % (path, LINE_MAX))


def main(output, *files):
    rows = []
    for path in sorted(files):
        with open(path, encoding="utf-8", newline="") as f:
            text = f.read()
        check(path, text)
        subject, body = text.split("\n\n", 1)
        rows.append('\t{ .name = "%s", .subject =\n%s, .body =\n%s },\n'
                    % (os.path.basename(path)[:-4], literal(subject[len("Subject: "):].encode()), literal(body.encode())))
    with open(output, "w") as f:
        f.write("/* Written by tools/embed_mail.py from mail/. */\n#include \"store/mail_message.h\"\n\n"
                "const struct mail_template mail_templates[] = {\n%s};\n"
                "const size_t mail_templates_count = %d;\n" % ("".join(rows), len(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
