/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types that a field can have: how each is checked and what it is called in JSON Schema and SQL. A new type is a row
 * and a function here. Called by input.c, by filters and by the OpenAPI description; nothing waits.
 */
#include "api/types.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include "base/str.h"
#include "base/time.h"
#include "base/uuid.h"
#include "base/banned.h"

static const char *text_of(json_t *value, const char **problem)
{
	if (!json_is_string(value)) {
		*problem = "must be a string";
		return NULL;
	}
	if (strlen(json_string_value(value)) != json_string_length(value)) {
		*problem = "must not hold a NUL";
		return NULL;
	}
	return json_string_value(value);
}

static const char *check_text(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);
	char *trimmed;
	size_t length;

	if (!text)
		return NULL;
	trimmed = str_trim(talloc_strdup(mem, text));
	if (str_has_control(trimmed, strlen(trimmed), field->flags & MULTILINE)) {
		*problem =
			field->flags & MULTILINE
				? "must not hold control characters other than line breaks and tabs"
				: "must be one line without control characters";
		return NULL;
	}
	length = str_length_utf8(trimmed, strlen(trimmed));
	if (length < (size_t)field->min && field->min <= 1) {
		*problem = "must not be empty";
		return NULL;
	}
	if (length < (size_t)field->min || (field->max > 0 && length > (size_t)field->max)) {
		*problem = talloc_asprintf(mem, "must have %g to %g characters", field->min,
					   field->max);
		return NULL;
	}
	return trimmed;
}

static const char *check_uuid(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);

	(void)field;
	if (text && uuid_is(text))
		return talloc_strdup(mem, text);
	*problem = "must be a UUID";
	return NULL;
}

static const char *check_slug(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);

	if (text && str_is_slug(text, field->max > 0 ? (size_t)field->max : 120) && !uuid_is(text))
		return talloc_strdup(mem, text);
	*problem = "must be lower-case letters, digits and single hyphens, such as \"kings-head\"";
	return NULL;
}

static const char *check_int(TALLOC_CTX *mem, const struct field *field, json_t *value,
			     const char **problem)
{
	if (json_is_integer(value) && (double)json_integer_value(value) >= field->min &&
	    (double)json_integer_value(value) <= field->max)
		return talloc_asprintf(mem, "%lld", (long long)json_integer_value(value));
	*problem = talloc_asprintf(mem, "must be a whole number from %g to %g", field->min,
				   field->max);
	return NULL;
}

static const char *check_decimal(TALLOC_CTX *mem, const struct field *field, json_t *value,
				 const char **problem)
{
	double number = json_number_value(value);

	if (json_is_number(value) && isfinite(number) && number >= field->min &&
	    number <= field->max)
		return talloc_asprintf(mem, "%.17g", number);
	*problem = talloc_asprintf(mem, "must be a number from %g to %g", field->min, field->max);
	return NULL;
}

static const char *check_bool(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	(void)field;
	if (json_is_boolean(value))
		return talloc_strdup(mem, json_is_true(value) ? "true" : "false");
	*problem = "must be true or false";
	return NULL;
}

bool type_is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	for (const char *c = choices; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
		if (strncmp(c, text, len) == 0 && (c[len] == '|' || c[len] == '\0') && len > 0)
			return true;
	return false;
}

static const char *check_enum(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);

	if (text && !strchr(text, '|') && type_is_choice(field->choices, text))
		return talloc_strdup(mem, text);
	*problem = talloc_asprintf(mem, "must be one of %s", field->choices);
	return NULL;
}

static const char *check_time(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);

	(void)field;
	if (text && time_is_rfc3339(text))
		return talloc_strdup(mem, text);
	*problem = "must be an RFC 3339 date-time such as 2026-11-24T09:30:00Z";
	return NULL;
}

static const char *check_date(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);

	(void)field;
	if (text && time_is_date(text) && strncmp(text, "0000", 4) != 0)
		return talloc_strdup(mem, text);
	*problem = "must be a date such as 2026-11-24";
	return NULL;
}

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

/* RFC 5321 section 4.1.2 without quoted strings and address literals: nobody's mailbox in a directory is spelt so. */
static const char *check_email(TALLOC_CTX *mem, const struct field *field, json_t *value,
			       const char **problem)
{
	static const char allowed[] = "!#$%&'*+/=?^_`{|}~-.";
	const char *text = text_of(value, problem);
	const char *at;
	char *trimmed;

	(void)field;
	if (!text)
		return NULL;
	*problem = "must be an e-mail address such as hello@example.org";
	trimmed = str_trim(talloc_strdup(mem, text));
	at = strrchr(trimmed, '@');
	if (!at || at == trimmed || at - trimmed > 64 || strlen(trimmed) > 254 ||
	    trimmed[0] == '.' || at[-1] == '.' || strstr(trimmed, "..") ||
	    !is_domain(at + 1, strlen(at + 1)))
		return NULL;
	for (const char *c = trimmed; c < at; c++)
		if (!isalnum((unsigned char)*c) && (unsigned char)*c < 0x80 && !strchr(allowed, *c))
			return NULL;
	return str_has_control(trimmed, strlen(trimmed), false) ? NULL : trimmed;
}

/* Digits up to the path, so that "https://bank.example:x@elsewhere.example/" is no URL of ours. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits >= 1 && digits <= 5 && (!text[digits] || strchr("/?#", text[digits]));
}

/* http and https only (RFC 3986): a directory links to web pages, and "javascript:" is no such thing. */
static const char *check_url(TALLOC_CTX *mem, const struct field *field, json_t *value,
			     const char **problem)
{
	const char *text = text_of(value, problem);
	const char *host;
	char *trimmed;
	size_t len;

	(void)field;
	if (!text)
		return NULL;
	*problem = "must be an http or https URL such as https://example.org/";
	trimmed = str_trim(talloc_strdup(mem, text));
	if (strncasecmp(trimmed, "https://", 8) != 0 && strncasecmp(trimmed, "http://", 7) != 0)
		return NULL;
	host = strstr(trimmed, "://") + 3;
	len = strcspn(host, ":/?#");
	if (host[len] == ':' && !is_port(host + len + 1))
		return NULL;
	if (strlen(trimmed) > 2000 || !is_domain(host, len) || strpbrk(trimmed, " \"<>\\^`{|}") ||
	    str_has_control(trimmed, strlen(trimmed), false))
		return NULL;
	return trimmed;
}

/* ITU-T E.164: "+", a country code that does not begin with 0, 7 to 15 digits. */
static const char *check_phone(TALLOC_CTX *mem, const struct field *field, json_t *value,
			       const char **problem)
{
	const char *text = text_of(value, problem);
	char digits[24] = "+";
	size_t n = 1;

	(void)field;
	if (!text)
		return NULL;
	*problem = "must be a phone number with its country code such as +441483444333";
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

/* The shapes of BS 7666: A9, A99, AA9, AA99, A9A, AA9A, then 9AA without C I K M O V. */
const char *postcode_normalise(TALLOC_CTX *mem, const char *text)
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

static const char *check_postcode(TALLOC_CTX *mem, const struct field *field, json_t *value,
				  const char **problem)
{
	/* which country's it is, input_check() knows: UK postcodes are checked there */
	return check_text(mem, field, value, problem);
}

/* "UK" is none of them: who writes it means GB, and would go without the check of the postcode. */
static const char *check_country(TALLOC_CTX *mem, const struct field *field, json_t *value,
				 const char **problem)
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
	const char *text = text_of(value, problem);
	char code[3];

	(void)field;
	*problem = "must be an ISO 3166-1 country code of two letters such as GB";
	if (!text || strlen(text) != 2 || !isalpha((unsigned char)text[0]) ||
	    !isalpha((unsigned char)text[1]))
		return NULL;
	snprintf(code, sizeof(code), "%c%c", toupper((unsigned char)text[0]),
		 toupper((unsigned char)text[1]));
	return strstr(codes, code) ? talloc_strdup(mem, code) : NULL;
}

/* A zone is known when the system's zone database has a file of that name. */
static const char *check_zone(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);
	struct stat st;
	char path[128];

	(void)field;
	if (!text)
		return NULL;
	*problem = "must be an IANA time zone such as Europe/London";
	if (strlen(text) > 64 || !isupper((unsigned char)text[0]) || strstr(text, "//") ||
	    text[strspn(text,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")])
		return NULL;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", text);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? talloc_strdup(mem, text) : NULL;
}

const struct type_row types[TYPES] = {
	[UUID] = { .json = "string",
		   .format = "uuid",
		   .sql = "uuid",
		   .cast = "uuid",
		   .check = check_uuid },
	[TEXT] = { .json = "string", .sql = "text", .cast = "text", .check = check_text },
	[SLUG] = { .json = "string", .sql = "text", .cast = "text", .check = check_slug },
	[INT] = { .json = "integer", .sql = "integer", .cast = "integer", .check = check_int },
	[DECIMAL] = { .json = "number",
		      .format = "double",
		      .sql = "double precision",
		      .cast = "double precision",
		      .check = check_decimal },
	[BOOL] = { .json = "boolean", .sql = "boolean", .cast = "boolean", .check = check_bool },
	[ENUM] = { .json = "string", .sql = "text", .cast = "text", .check = check_enum },
	[TIME] = { .json = "string",
		   .format = "date-time",
		   .sql = "timestamp with time zone",
		   .cast = "timestamptz",
		   .check = check_time },
	[DATE] = { .json = "string",
		   .format = "date",
		   .sql = "date",
		   .cast = "date",
		   .check = check_date },
	[EMAIL] = { .json = "string",
		    .format = "email",
		    .sql = "text",
		    .cast = "text",
		    .check = check_email },
	[URL] = { .json = "string",
		  .format = "uri",
		  .sql = "text",
		  .cast = "text",
		  .check = check_url },
	[PHONE] = { .json = "string", .sql = "text", .cast = "text", .check = check_phone },
	[POSTCODE] = { .json = "string", .sql = "text", .cast = "text", .check = check_postcode },
	[COUNTRY] = { .json = "string", .sql = "text", .cast = "text", .check = check_country },
	[ZONE] = { .json = "string", .sql = "text", .cast = "text", .check = check_zone },
	[OBJECT] = { .json = "object", .sql = "jsonb", .cast = "jsonb" },
};

json_t *type_value(enum type type, const char *text)
{
	double number;

	if (type == BOOL && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		return json_boolean(text[0] == 't');
	if ((type != INT && type != DECIMAL) || !str_to_double(text, &number))
		return json_string(text);
	/* beyond that, a double does not know whole numbers one by one */
	if (type == INT && number == floor(number) && fabs(number) <= 9007199254740992.0)
		return json_integer((json_int_t)number);
	return json_real(number);
}

const char *type_check_text(TALLOC_CTX *mem, const struct field *field, const char *text,
			    const char **problem)
{
	json_t *value = type_value(field->type, text);
	const char *checked = types[field->type].check(mem, field, value, problem);

	json_decref(value);
	return checked;
}
