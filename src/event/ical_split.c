/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a calendar taken apart; see ical_split.h. */
#include "event/ical_split.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "base/banned.h"

enum { DEPTH_MAX = 8, NAME_MAX_BYTES = 32 };

/* Where we stand in the text. */
struct split {
	TALLOC_CTX *mem;
	struct ical_calendar *c;
	const char *at, *end;
	long next_line;
	struct buf line; /* the present one, unfolded */
	long number;
	bool cut;			      /* it was too long */
	char open[DEPTH_MAX][NAME_MAX_BYTES]; /* the components that we are in */
	int depth;
	bool any;	 /* was there a calendar? */
	bool cancels;	 /* METHOD:CANCEL of the present one */
	struct buf text; /* of the present entry */
	struct ical_part part;
	const char *zone_id;
	struct buf said; /* what its digest is of */
};

/* What of an entry is read. */
static const struct {
	const char *name;
	bool passing; /* not in the digest */
} wanted[] = {
	{ "UID", false },	    { "SUMMARY", false },    { "DESCRIPTION", false },
	{ "LOCATION", false },	    { "GEO", false },	     { "URL", false },
	{ "CONFERENCE", false },    { "CATEGORIES", false }, { "STATUS", false },
	{ "CLASS", false },	    { "DTSTART", false },    { "DTEND", false },
	{ "DURATION", false },	    { "RDATE", false },	     { "EXDATE", false },
	{ "RECURRENCE-ID", false }, { "SEQUENCE", false },   { "LAST-MODIFIED", true },
	{ "RRULE", false },	    { "EXRULE", false },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Adds the rest of the physical line to `line`. */
static void take_physical(struct split *s)
{
	const char *eol = memchr(s->at, '\n', (size_t)(s->end - s->at));
	const char *next = eol ? eol + 1 : s->end;
	size_t len = (size_t)((eol ? eol : s->end) - s->at);

	if (len > 0 && s->at[len - 1] == '\r')
		len--;
	if (len > ICAL_LINE_MAX - s->line.len) {
		len = ICAL_LINE_MAX - s->line.len;
		s->cut = true;
	}
	buf_add(&s->line, s->at, len);
	s->at = next;
	s->next_line++;
}

/* The next line, unfolded (section 3.1), into s->line; false at the end. */
static bool next_line(struct split *s)
{
	if (s->at == s->end)
		return false;
	buf_clear(&s->line);
	s->cut = false;
	s->number = s->next_line;
	take_physical(s);
	while (s->at < s->end && is_blank(*s->at)) {
		s->at++;
		take_physical(s);
	}
	return true;
}

/* The name of the property in the line, in capitals, and where its value begins: NULL when it is none. Parameters may hold
 * colons in quotes. */
static const char *find_value(char *line, char name[NAME_MAX_BYTES])
{
	size_t len = strcspn(line, ":;");
	bool quoted = false;
	char *c = line + len;

	if (len == 0 || len >= NAME_MAX_BYTES || !*c)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)line[i]) && line[i] != '-' && line[i] != '_')
			return NULL;
		name[i] = (char)toupper((unsigned char)line[i]);
	}
	name[len] = '\0';
	for (; *c && (quoted || *c != ':'); c++)
		quoted = quoted != (*c == '"');
	return *c ? c + 1 : NULL;
}

/* Text without its escapes (section 3.3.11). */
static char *unescape(TALLOC_CTX *mem, const char *value)
{
	char *text = talloc_strdup(mem, value), *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return str_trim(text);
}

static void stop(struct split *s, const char *problem)
{
	s->c->problem = problem;
	s->c->problem_line = s->number;
}

static void begin_part(struct split *s)
{
	s->part = (struct ical_part) { .line = s->number, .cancelled = s->cancels };
	buf_clear(&s->text);
	buf_adds(&s->text, "BEGIN:VEVENT\r\n");
	buf_clear(&s->said);
}

static void end_part(struct split *s)
{
	struct ical_calendar *c = s->c;

	if (c->count == ICAL_PARTS_MAX) {
		stop(s, "begins an entry too many");
		return;
	}
	if (c->count % 64 == 0)
		c->parts = talloc_realloc(c, c->parts, struct ical_part, (unsigned)c->count + 64);
	buf_adds(&s->text, "END:VEVENT\r\n");
	crypto_generichash(s->part.digest, ICAL_DIGEST_BYTES, (const void *)s->said.data,
			   s->said.len, NULL, 0);
	s->part.text = talloc_strndup(c, s->text.data, s->text.len);
	c->parts[c->count++] = s->part;
}

static void begin(struct split *s, const char *name)
{
	if (s->depth == DEPTH_MAX || strlen(name) >= NAME_MAX_BYTES ||
	    (s->depth == 0) != (strcmp(name, "VCALENDAR") == 0)) {
		stop(s, "begins a component where none may be");
		return;
	}
	snprintf(s->open[s->depth++], NAME_MAX_BYTES, "%s", name);
	s->any = true;
	if (s->depth == 1)
		s->cancels = false;
	if (s->depth != 2)
		return;
	s->zone_id = NULL;
	if (strcmp(name, "VEVENT") == 0)
		begin_part(s);
	else if (strcmp(name, "VTIMEZONE") != 0)
		s->c->skipped++;
}

static void end(struct split *s, const char *name)
{
	if (s->depth == 0 || strcmp(s->open[s->depth - 1], name) != 0) {
		stop(s, "ends a component that is not open");
		return;
	}
	s->depth--;
	if (s->depth == 1 && strcmp(name, "VEVENT") == 0)
		end_part(s);
}

static void take_calendar_property(struct split *s, const char *name, const char *value)
{
	char *text;

	if (strcmp(name, "X-WR-TIMEZONE") == 0 && !s->c->zone)
		s->c->zone = unescape(s->c, value);
	if (strcmp(name, "METHOD") != 0)
		return;
	text = unescape(s->mem, value);
	s->cancels = str_equal_nocase(text, "CANCEL");
	if (!str_equal_nocase(text, "PUBLISH"))
		s->c->is_message = true;
	talloc_free(text);
}

static void take_zone_property(struct split *s, const char *name, const char *value)
{
	if (strcmp(name, "TZID") == 0)
		s->zone_id = unescape(s->c, value);
	if (strcmp(name, "X-LIC-LOCATION") != 0 || !s->zone_id ||
	    s->c->zone_count == ICAL_ZONES_MAX)
		return;
	s->c->zones[s->c->zone_count].id = s->zone_id;
	s->c->zones[s->c->zone_count++].location = unescape(s->c, value);
}

static void take_uid(struct split *s, const char *value)
{
	char *uid = unescape(s->c, value);
	size_t len = strlen(uid);

	s->part.uid = len > 0 && len <= ICAL_UID_MAX && !str_has_control(uid, len, false) ? uid
											  : NULL;
}

/* The rule goes by itself: libical would leave out one that it does not know, and the event were one without a rule. */
static void take_rule(struct split *s, const char *name, const char *value)
{
	s->part.rules++;
	if (name[0] == 'E')
		s->part.exrule = true;
	else
		s->part.rrule = unescape(s->c, value);
}

static void take_property(struct split *s, const char *name, const char *value)
{
	const char *line = s->line.data;
	size_t i = 0;

	while (i < COUNT_OF(wanted) && strcmp(wanted[i].name, name) != 0)
		i++;
	if (i == COUNT_OF(wanted))
		return;
	if (s->text.len + strlen(line) > ICAL_PART_MAX) {
		s->part.too_long = wanted[i].name;
		return;
	}
	if (!wanted[i].passing) {
		buf_adds(&s->said, line);
		buf_addc(&s->said, '\n');
	}
	if (strcmp(name, "UID") == 0)
		take_uid(s, value);
	if (strcmp(name, "RRULE") == 0 || strcmp(name, "EXRULE") == 0) {
		take_rule(s, name, value);
		return;
	}
	if (strcmp(name, "RECURRENCE-ID") == 0) {
		s->part.is_override = true;
		s->part.and_following = strcasestr(line, ";RANGE=THISAND") != NULL;
	}
	buf_adds(&s->text, line);
	buf_adds(&s->text, "\r\n");
}

/* The line as a string of good UTF-8. */
static char *line_text(struct split *s)
{
	char *text;

	buf_addc(&s->line, '\0');
	text = s->line.data;
	str_repair_utf8(text);
	for (size_t len = strlen(text); len > 0 && is_blank(text[len - 1]);)
		text[--len] = '\0';
	return text;
}

static const char *component_name(struct split *s, const char *value)
{
	char *name = unescape(s->mem, value);

	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return name;
}

static void take_line(struct split *s)
{
	char *line = line_text(s), name[NAME_MAX_BYTES];
	const char *value = find_value(line, name);
	bool in_event = s->depth == 2 && strcmp(s->open[1], "VEVENT") == 0;

	if (!line[0])
		return;
	if (value && strcmp(name, "BEGIN") == 0) {
		begin(s, component_name(s, value));
	} else if (value && strcmp(name, "END") == 0) {
		end(s, component_name(s, value));
	} else if (s->depth == 0) {
		stop(s, "stands outside of a calendar");
	} else if (s->cut) {
		if (in_event)
			s->part.too_long = value ? talloc_strdup(s->c, name) : "a property";
	} else if (!value) {
		if (in_event && !s->part.odd_line)
			s->part.odd_line = s->number;
	} else if (in_event) {
		take_property(s, name, value);
	} else if (s->depth == 1) {
		take_calendar_property(s, name, value);
	} else if (s->depth == 2 && strcmp(s->open[1], "VTIMEZONE") == 0) {
		take_zone_property(s, name, value);
	}
}

static void skip_mark(struct split *s)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (s->end - s->at >= 3 && memcmp(s->at, mark, 3) == 0)
		s->at += 3;
}

bool ical_split(TALLOC_CTX *mem, const char *text, size_t len, struct ical_calendar **c)
{
	struct split *s = talloc_zero(mem, struct split);
	bool any;

	s->mem = s;
	s->c = talloc_zero(mem, struct ical_calendar);
	s->at = text;
	s->end = text + len;
	s->next_line = 1;
	buf_init(&s->line, s, ICAL_LINE_MAX + 2);
	buf_init(&s->said, s, ICAL_BYTES_MAX); /* rules are in it, and not in the text */
	buf_init(&s->text, s, ICAL_PART_MAX + 100);
	skip_mark(s);
	if (memchr(text, '\0', len))
		s->at = s->end;
	while (!s->c->problem && next_line(s))
		take_line(s);
	if (!s->c->problem && s->depth > 0)
		stop(s, "is the last, and the calendar goes on");
	any = s->any;
	*c = s->c;
	talloc_free(s);
	return any;
}
