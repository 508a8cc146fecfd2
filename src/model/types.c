/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types that a field can have: how each is checked and what it is called in JSON Schema and SQL. A new type is a row
 * and a function here. Called by input.c, by filters and by the OpenAPI description; nothing waits.
 */
#include "model/types.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>
#include "base/formats.h"
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

/* As it was sent: a blank at the end of a password is part of it. */
static const char *check_secret(TALLOC_CTX *mem, const struct field *field, json_t *value,
				const char **problem)
{
	const char *text = text_of(value, problem);
	size_t length = text ? str_length_utf8(text, strlen(text)) : 0;

	if (!text)
		return NULL;
	if (length >= (size_t)field->min && length <= (size_t)field->max)
		return talloc_strdup(mem, text);
	*problem = talloc_asprintf(mem, "must have %g to %g characters", field->min, field->max);
	return NULL;
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

static const char *check_enum(TALLOC_CTX *mem, const struct field *field, json_t *value,
			      const char **problem)
{
	const char *text = text_of(value, problem);

	if (text && str_is_choice(field->choices, text))
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

static const char *check_local_time(TALLOC_CTX *mem, const struct field *field, json_t *value,
				    const char **problem)
{
	const char *text = text_of(value, problem);

	(void)field;
	if (text && time_is_local(text) && strncmp(text, "0000", 4) != 0)
		return talloc_asprintf(mem, "%.16s:%s", text, text[16] ? text + 17 : "00");
	*problem = "must be a local date-time without a zone such as 2026-11-28T19:30:00";
	return NULL;
}

static const char *check_address(TALLOC_CTX *mem, const struct field *field, json_t *value,
				 const char **problem)
{
	const char *text = text_of(value, problem);
	unsigned char bytes[sizeof(struct in6_addr)];

	(void)field;
	if (text && (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1))
		return talloc_strdup(mem, text);
	*problem = "must be an IPv4 or IPv6 address such as 192.0.2.1 or 2001:db8::1";
	return NULL;
}

static const char *check_postcode(TALLOC_CTX *mem, const struct field *field, json_t *value,
				  const char **problem)
{
	/* which country's it is, input_check() knows: UK postcodes are checked there */
	return check_text(mem, field, value, problem);
}

/* A text of a format that base/formats.h knows; the row says which, and what to tell who got it wrong. */
static const char *check_format(TALLOC_CTX *mem, const struct field *field, json_t *value,
				const char **problem)
{
	const struct type_row *row = &types[field->type];
	const char *text = text_of(value, problem);
	const char *normal = text ? row->normalise(mem, text) : NULL;

	if (text && !normal)
		*problem = row->problem;
	return normal;
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
	[LOCAL_TIME] = { .json = "string",
			 .format = "date-time-local",
			 .sql = "timestamp without time zone",
			 .cast = "timestamp",
			 .check = check_local_time },
	[EMAIL] = { .json = "string",
		    .format = "email",
		    .sql = "text",
		    .cast = "text",
		    .check = check_format,
		    .normalise = format_email,
		    .problem = "must be an e-mail address such as hello@example.org" },
	[URL] = { .json = "string",
		  .format = "uri",
		  .sql = "text",
		  .cast = "text",
		  .check = check_format,
		  .normalise = format_url,
		  .problem = "must be an http or https URL such as https://example.org/" },
	[PHONE] = { .json = "string",
		    .sql = "text",
		    .cast = "text",
		    .check = check_format,
		    .normalise = format_phone,
		    .problem =
			    "must be a phone number with its country code such as +441483444333" },
	[POSTCODE] = { .json = "string", .sql = "text", .cast = "text", .check = check_postcode },
	[COUNTRY] = { .json = "string",
		      .sql = "text",
		      .cast = "text",
		      .check = check_format,
		      .normalise = format_country,
		      .problem = "must be an ISO 3166-1 country code of two letters such as GB" },
	[ZONE] = { .json = "string",
		   .sql = "text",
		   .cast = "text",
		   .check = check_format,
		   .normalise = format_zone,
		   .problem = "must be an IANA time zone such as Europe/London" },
	[SECRET] = { .json = "string",
		     .format = "password",
		     .sql = "text",
		     .cast = "text",
		     .check = check_secret },
	[OBJECT] = { .json = "object", .sql = "jsonb", .cast = "jsonb" },
	[ADDRESS] = { .json = "string", .sql = "inet", .cast = "inet", .check = check_address },
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
