/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of texts that the world has agreed on: checked, and spelt in one way; see formats.h. */
#include "base/formats.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/attr.h"
#include "base/str.h"
#include "base/banned.h"

/* The part of a host name that both addresses and URLs need: labels of letters, digits and hyphens, a dot among them. */
static bool is_domain(const char *text, size_t len)
{
	size_t label = 0, dots = 0;

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool alnum = isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0x80;

		if (text[i] == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			dots++;
			continue;
		}
		if (!alnum && (text[i] != '-' || label == 0))
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0 && dots > 0 && text[len - 1] != '-';
}

/* Without quoted strings and address literals: nobody's mailbox in a directory is spelt so. */
char *format_email(TALLOC_CTX *mem, const char *text)
{
	static const char allowed[] = "!#$%&'*+/=?^_`{|}~-.";
	char *email = str_trim(talloc_strdup(mem, text));
	const char *at = strrchr(email, '@');

	if (!at || at == email || at - email > 64 || strlen(email) > 254 || email[0] == '.' ||
	    at[-1] == '.' || strstr(email, "..") || !is_domain(at + 1, strlen(at + 1)))
		return NULL;
	for (const char *c = email; c < at; c++)
		if (!isalnum((unsigned char)*c) && (unsigned char)*c < 0x80 && !strchr(allowed, *c))
			return NULL;
	return str_has_control(email, strlen(email), false) ? NULL : email;
}

/* Digits up to the path, so that "https://bank.example:x@elsewhere.example/" is no URL of ours. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits >= 1 && digits <= 5 && (!text[digits] || strchr("/?#", text[digits]));
}

/* A directory links to web pages, and "javascript:" is no such thing. */
char *format_url(TALLOC_CTX *mem, const char *text)
{
	char *url = str_trim(talloc_strdup(mem, text));
	const char *host;
	size_t len;

	if (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)
		return NULL;
	host = strstr(url, "://") + 3;
	len = strcspn(host, ":/?#");
	if (host[len] == ':' && !is_port(host + len + 1))
		return NULL;
	if (strlen(url) > 2000 || !is_domain(host, len) || strpbrk(url, " \"<>\\^`{|}") ||
	    str_has_control(url, strlen(url), false))
		return NULL;
	return url;
}

char *format_phone(TALLOC_CTX *mem, const char *text)
{
	char digits[24] = "+";
	size_t n = 1;

	for (const char *c = text; *c; c++) {
		if (strchr(" -().", *c) || (*c == '+' && n == 1 && c == text))
			continue;
		if (!isdigit((unsigned char)*c) || n >= 20)
			return NULL;
		digits[n++] = *c;
	}
	if (text[0] != '+') {
		if (digits[1] != '0' || digits[2] == '0')
			return NULL;
		return n < 10 || n > 12 ? NULL : talloc_asprintf(mem, "+44%s", digits + 2);
	}
	if (strncmp(digits, "+440", 4) == 0) { /* +44 (0)1483 ... */
		memmove(digits + 3, digits + 4, sizeof(digits) - 4);
		n--;
	}
	if (n < 8 || n > 16 || digits[1] == '0' || strncmp(digits, "+440", 4) == 0)
		return NULL;
	return talloc_strdup(mem, digits);
}

char *format_postcode(TALLOC_CTX *mem, const char *text)
{
	static const char *const outward[] = { "A9", "A99", "AA9", "AA99", "A9A", "AA9A" };
	char code[9], shape[9];
	size_t n = 0;

	for (const char *c = text; *c; c++) {
		if (*c == ' ')
			continue;
		if (!isalnum((unsigned char)*c) || (unsigned char)*c >= 0x80 || n == 7)
			return NULL;
		code[n] = (char)toupper((unsigned char)*c);
		shape[n++] = isdigit((unsigned char)*c) ? '9' : 'A';
	}
	code[n] = shape[n] = '\0';
	if (n < 5 || strcmp(shape + n - 3, "9AA") != 0 || strpbrk(code + n - 2, "CIKMOV"))
		return NULL;
	shape[n - 3] = '\0';
	for (size_t i = 0; i < COUNT_OF(outward); i++)
		if (strcmp(shape, outward[i]) == 0)
			return talloc_asprintf(mem, "%.*s %s", (int)n - 3, code, code + n - 3);
	return NULL;
}

char *format_country(TALLOC_CTX *mem, const char *text)
{
	static const char codes[] =
		"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ "
		"BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR "
		"CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR "
		"GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU "
		"ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ "
		"LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
		"MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
		"PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI "
		"SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR "
		"TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";
	char code[3];

	if (strlen(text) != 2 || !isalpha((unsigned char)text[0]) ||
	    !isalpha((unsigned char)text[1]))
		return NULL;
	snprintf(code, sizeof(code), "%c%c", toupper((unsigned char)text[0]),
		 toupper((unsigned char)text[1]));
	return strstr(codes, code) ? talloc_strdup(mem, code) : NULL;
}

char *format_zone(TALLOC_CTX *mem, const char *text)
{
	struct stat st;
	char path[128];

	if (strlen(text) > 64 || !isupper((unsigned char)text[0]) || strstr(text, "//") ||
	    text[strspn(text,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")])
		return NULL;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", text);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? talloc_strdup(mem, text) : NULL;
}
