#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/common_passwords.py OUTPUT: writes common_passwords.c, the table of auth/common_passwords.h, from the list of
zxcvbn (Debian: python3-zxcvbn). OWASP ASVS 5.0 6.2.4 asks for the 3,000 most common that the policy would take; these are
all of the list, about 11,600. The build calls it."""
import sys

from zxcvbn.frequency_lists import FREQUENCY_LISTS

SHORTEST = 8  # PASSWORD_MIN of auth/password.h: a shorter one is refused anyway


def literal(word):
    """The word as a C string; octal escapes end after three digits and cannot swallow a digit."""
    return '"%s"' % "".join(chr(c) if 32 <= c < 127 and c not in b'"\\?' else "\\%03o" % c for c in word)


def main(output):
    words = sorted({word.lower().encode() for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST})
    if len(words) < 3000:
        sys.exit("only %d common passwords of %d characters" % (len(words), SHORTEST))
    with open(output, "w", encoding="ascii") as f:
        f.write("/* Written by tools/common_passwords.py from the list of zxcvbn. */\n"
                "#include \"auth/common_passwords.h\"\n\nconst char *const common_passwords[] = {\n%s};\n"
                "const size_t common_passwords_count = %d;\n"
                % ("".join("\t%s,\n" % literal(word) for word in words), len(words)))


main(sys.argv[1])
