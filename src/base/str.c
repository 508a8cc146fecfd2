/* SPDX-License-Identifier: Apache-2.0 */
/* Text: checks and conversions; see str.h. */
#include "base/str.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

/* Length in bytes of the well-formed character at `s` (RFC 3629's table), 0 when it is none. */
static size_t char_length(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char from, to, low, high;
		size_t length;
	} forms[] = {
		{ 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (s[0] < forms[i].from || s[0] > forms[i].to)
			continue;
		if (forms[i].length > left)
			return 0;
		if (forms[i].length > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool str_is_utf8(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = char_length((const unsigned char *)text + i, len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

void str_repair_utf8(char *text)
{
	size_t len = strlen(text), kept = 0;

	for (size_t i = 0; i < len;) {
		size_t n = char_length((const unsigned char *)text + i, len - i);

		memmove(text + kept, text + i, n);
		kept += n;
		i += n ? n : 1;
	}
	text[kept] = '\0';
}

char *str_cut(TALLOC_CTX *mem, const char *text, size_t max)
{
	size_t len = strnlen(text, max);

	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return talloc_strndup(mem, text, len);
}

size_t str_length_utf8(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

bool str_has_control(const char *text, size_t len, bool lines)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (lines && (c == '\n' || c == '\r' || c == '\t'))
			continue;
		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
			return true;
	}
	return false;
}

/* What a letter of Latin-1 or Latin Extended-A (U+00C0 to U+017F) becomes in a slug; '?' marks those with two letters. */
static const char folded[] = "aaaaaa?ceeeeiiiidnooooo-ouuuuy??aaaaaa?ceeeeiiiidnooooo-ouuuuy?y"
			     "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii??jjkkklllllllll"
			     "lnnnnnnnnnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static const char *folded_pair(unsigned code)
{
	switch (code) {
	case 0xc6:
	case 0xe6:
		return "ae";
	case 0xde:
	case 0xfe:
		return "th";
	case 0xdf:
		return "ss";
	case 0x132:
	case 0x133:
		return "ij";
	default:
		return "oe";
	}
}

static void slug_add(struct buf *b, const char *letters, bool *gap)
{
	if (*gap && b->len)
		buf_addc(b, '-');
	*gap = false;
	buf_adds(b, letters);
}

/* Appends what the character at `s` (n bytes) leaves in a slug. */
static void slug_char(struct buf *b, const unsigned char *s, size_t n, bool *gap)
{
	char one[2] = { 0, 0 };
	unsigned code = n == 2 ? (unsigned)(s[0] & 0x1f) << 6 | (s[1] & 0x3f) : 0;

	if (n == 1 && s[0] >= 'A' && s[0] <= 'Z')
		one[0] = (char)(s[0] + 32);
	else if (n == 1 && ((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= '0' && s[0] <= '9')))
		one[0] = (char)s[0];
	else if (code >= 0xc0 && code - 0xc0 < sizeof(folded) - 1 && folded[code - 0xc0] != '-')
		one[0] = folded[code - 0xc0];
	if (one[0] == '?')
		slug_add(b, folded_pair(code), gap);
	else if (one[0])
		slug_add(b, one, gap);
	else if (!(n == 1 && s[0] == '\'') &&
		 !(n == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0x99 || s[2] == 0x98)))
		*gap = true; /* an apostrophe joins, anything else parts */
}

char *str_slug(TALLOC_CTX *mem, const char *text, size_t max)
{
	size_t len = strlen(text);
	bool gap = false;
	struct buf b;
	char *slug, *cut;

	buf_init(&b, mem, 2 * len + 16);
	for (size_t i = 0; i < len && b.len <= max;) {
		size_t n = char_length((const unsigned char *)text + i, len - i);

		slug_char(&b, (const unsigned char *)text + i, n ? n : 1, &gap);
		i += n ? n : 1;
	}
	slug = talloc_strdup(mem, buf_text(&b));
	talloc_free(b.data);
	if (strlen(slug) <= max)
		return slug;
	slug[max] = '\0';
	cut = strrchr(slug, '-');
	if (cut && (size_t)(cut - slug) > max / 2)
		*cut = '\0';
	return slug;
}

bool str_is_slug(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len == 0 || len > max || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' && text[i + 1] == '-')
			return false;
		if (text[i] != '-' && !(text[i] >= 'a' && text[i] <= 'z') &&
		    !(text[i] >= '0' && text[i] <= '9'))
			return false;
	}
	return true;
}

static bool all_digits(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

bool str_to_int(const char *text, long long min, long long max, long long *value)
{
	long long parsed;

	if (!all_digits(text[0] == '-' ? text + 1 : text))
		return false;
	errno = 0;
	parsed = strtoll(text, NULL, 10);
	if (errno || parsed < min || parsed > max)
		return false;
	*value = parsed;
	return true;
}

/* number = [ "-" ] int [ frac ] [ exp ] of RFC 8259; int without its rule on leading zeros, which harm nobody here. */
static bool is_number(const char *c)
{
	size_t n;

	c += *c == '-';
	n = strspn(c, "0123456789");
	if (n == 0)
		return false;
	c += n;
	if (*c == '.') {
		n = strspn(++c, "0123456789");
		if (n == 0)
			return false;
		c += n;
	}
	if (*c == 'e' || *c == 'E') {
		c++;
		c += *c == '+' || *c == '-';
		return all_digits(c);
	}
	return *c == '\0';
}

bool str_to_double(const char *text, double *value)
{
	double parsed;

	if (!is_number(text))
		return false;
	parsed = strtod(text, NULL); /* the program never leaves the C locale */
	if (!isfinite(parsed))
		return false;
	*value = parsed;
	return true;
}

bool str_is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || strchr(text, '|'))
		return false;
	for (const char *c = choices; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
		if (strncmp(c, text, len) == 0 && (c[len] == '|' || c[len] == '\0'))
			return true;
	return false;
}

char *str_base64url(TALLOC_CTX *mem, const void *data, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = talloc_size(mem, size);

	return sodium_bin2base64(text, size, data, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool str_from_base64url(TALLOC_CTX *mem, const char *text, size_t len, unsigned char **data,
			size_t *data_len)
{
	unsigned char *bytes = talloc_size(mem, len + 1);
	const char *end;
	size_t n;

	if (sodium_base642bin(bytes, len + 1, text, len, NULL, &n, &end,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
	    end != text + len) {
		talloc_free(bytes);
		return false;
	}
	*data = bytes;
	*data_len = n;
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool str_percent_decode(TALLOC_CTX *mem, const char *text, size_t len, bool plus, char **decoded)
{
	char *out = talloc_size(mem, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			if (i + 2 >= len || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
				goto bad;
			c = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			goto bad;
		out[n++] = c;
	}
	out[n] = '\0';
	if (!str_is_utf8(out, n))
		goto bad;
	*decoded = out;
	return true;
bad:
	talloc_free(out);
	return false;
}

void str_percent_encode(struct buf *b, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     (*c >= '0' && *c <= '9') || strchr("-._~", *c);
		char escape[3] = { '%', digits[*c >> 4], digits[*c & 15] };

		if (plain)
			buf_addc(b, (char)*c);
		else
			buf_add(b, escape, sizeof(escape));
	}
}

char *str_trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

bool str_equal_nocase(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

int str_split(TALLOC_CTX *mem, const char *text, char separator, int max, char ***parts)
{
	char **found = talloc_array(mem, char *, (unsigned)max);
	int n = 0;

	for (const char *start = text; start; n++) {
		const char *end = strchr(start, separator);
		char *part;

		if (n == max)
			return -1;
		part = end ? talloc_strndup(found, start, (size_t)(end - start))
			   : talloc_strdup(found, start);
		found[n] = str_trim(part);
		start = end ? end + 1 : NULL;
	}
	*parts = found;
	return n;
}

int str_json_depth(const char *text, size_t len)
{
	int depth = 0, deepest = 0;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		if (string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				string = false;
			continue;
		}
		if (text[i] == '"')
			string = true;
		else if (text[i] == '{' || text[i] == '[')
			depth++;
		else if (text[i] == '}' || text[i] == ']')
			depth--;
		if (depth > deepest)
			deepest = depth;
	}
	return deepest;
}
