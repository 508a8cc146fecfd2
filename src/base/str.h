/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: UTF-8 checks, slugs, parsing of numbers, base64url, percent-decoding. Everything takes lengths or limits and
 * nothing waits. Functions that return bool leave their out-parameter alone when they return false.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include "base/attr.h"
#include "base/buf.h"

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF)? NUL bytes count as well-formed. */
bool str_is_utf8(const char *text, size_t len);
/* Makes a text well-formed, in place: bytes that belong to no character, such as those of one that was cut, are left out. */
void str_repair_utf8(char *text);
/* At most the first `max` bytes of well-formed UTF-8, without the character that they would cut in two. */
char *str_cut(TALLOC_CTX *mem, const char *text, size_t max);
/* The number of code points in well-formed UTF-8. */
size_t str_length_utf8(const char *text, size_t len);
/* Has it a control character (C0 but tab, LF and CR when `lines`, DEL, C1)? */
bool str_has_control(const char *text, size_t len, bool lines);
/* A slug for `text`: lower-case ASCII letters, digits and single hyphens, accents folded (é to e, ß to ss), at most
 * `max` bytes, cut at a hyphen where one is near. "" when nothing is left of it. */
char *str_slug(TALLOC_CTX *mem, const char *text, size_t max);
/* Is it a slug: [a-z0-9] groups joined by single hyphens, 1 to `max` bytes? */
bool str_is_slug(const char *text, size_t max);
/* Is `text` one of the words of "a|b|c"? */
bool str_is_choice(const char *choices, const char *text);
/* Whole-string decimal integer in [min, max]; no blanks, no plus sign. */
bool str_to_int(const char *text, long long min, long long max, long long *value) MUST_USE;
/* Whole-string finite decimal number (RFC 8259 number grammar, so no hex, inf or nan), locale-independent. */
bool str_to_double(const char *text, double *value) MUST_USE;
/* Base64url without padding (RFC 4648 section 5). Decoding refuses bytes outside the alphabet and non-zero trailing
 * bits. */
char *str_base64url(TALLOC_CTX *mem, const void *data, size_t len);
bool str_from_base64url(TALLOC_CTX *mem, const char *text, size_t len, unsigned char **data,
			size_t *data_len) MUST_USE;
/* Percent-decodes (RFC 3986 section 2.1); `plus` also turns '+' into a blank (forms and query strings). False on a bad
 * escape, a NUL or ill-formed UTF-8. */
bool str_percent_decode(TALLOC_CTX *mem, const char *text, size_t len, bool plus,
			char **decoded) MUST_USE;
/* Appends `text` percent-encoded but for unreserved characters (RFC 3986 section 2.3). */
void str_percent_encode(struct buf *b, const char *text);
/* Trims ASCII blanks at both ends, in place; returns the first non-blank. */
char *str_trim(char *text);
/* Equal without regard to ASCII case? */
bool str_equal_nocase(const char *a, const char *b);
/* Splits at `separator`, trimming blanks; at most `max` parts, empty parts kept. Returns the number of parts, or -1
 * when there are more. The parts are children of `mem`. */
int str_split(TALLOC_CTX *mem, const char *text, char separator, int max, char ***parts);
/* How deep JSON text nests: brackets open at once, outside strings. For text that a recursive parser is to read on a small
 * stack; it need not be well-formed. */
int str_json_depth(const char *text, size_t len);

#endif
