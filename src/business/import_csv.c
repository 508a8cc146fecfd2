/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of CSV (RFC 4180) with a header. Columns are named like the fields of a business ("address.postcode"), or
 * --map says which column a field is: "name=EstablishmentName,source_id=URN,primary_category=:school"; ":text" is the
 * same for every row. Lists are divided by "|", attributes are pairs "wifi:free|dogs:yes". Two more names are taken:
 * location.easting and location.northing, metres of the British national grid.
 */
#include <csv.h>
#include <stdint.h>
#include <string.h>
#include "model/types.h"
#include "base/str.h"
#include "business/business.h"
#include "business/import.h"
#include "business/osgb.h"
#include "base/banned.h"

enum { COLUMNS_MAX = 200, CELL_MAX = 65536, CHUNK = 65536, LIST_MAX = 20, MAP_MAX = 60 };

struct csv_reading {
	struct import *im;
	TALLOC_CTX *mem; /* of the whole file */
	TALLOC_CTX *row_mem;
	int rc;
	long line, row_line; /* where the parser is; where the row began */
	bool header_done, too_long, in_row;
	int columns, cells;
	const char *names[COLUMNS_MAX]; /* of the header */
	const char *values[COLUMNS_MAX];
	struct {
		const char *field, *column;
	} map[MAP_MAX];
	int map_count;
};

static const struct {
	const char *word, *status;
} statuses[] = {
	{ "open", "operational" },
	{ "open, but proposed to close", "operational" },
	{ "closed", "permanently_closed" },
	{ "proposed to open", "opening_soon" },
};

static bool is_mappable(const char *name)
{
	if (strcmp(name, "location.easting") == 0 || strcmp(name, "location.northing") == 0)
		return true;
	for (const struct field *f = business_resource.fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return !(f->flags & READ_ONLY) && strcmp(name, "source") != 0;
	return false;
}

static int read_map(struct csv_reading *c, const char *text)
{
	char **parts;
	int n = text ? str_split(c->mem, text, ',', MAP_MAX, &parts) : 0;

	for (int i = 0; i < n; i++) {
		char *equals = strchr(parts[i], '=');

		if (!equals) {
			n = -1;
			break;
		}
		*equals = '\0';
		c->map[i].field = str_trim(parts[i]);
		c->map[i].column = str_trim(equals + 1);
		if (!is_mappable(c->map[i].field))
			return task_fail(import_task(c->im), E_BAD_REQUEST,
					 "--map: \"%s\" is not a field that a file can give",
					 c->map[i].field);
	}
	if (n < 0)
		return task_fail(import_task(c->im), E_BAD_REQUEST,
				 "--map must be field=column,... with at most %d pairs", MAP_MAX);
	c->map_count = n;
	return OK;
}

static int column_of(const struct csv_reading *c, const char *name)
{
	for (int i = 0; i < c->columns; i++)
		if (strcmp(c->names[i], name) == 0)
			return i;
	return -1;
}

/* The text of a field in this row, NULL when it is empty or has no column. */
static const char *cell(const struct csv_reading *c, const char *field)
{
	const char *column = c->map_count ? NULL : field;
	int i;

	for (int m = 0; m < c->map_count; m++)
		if (strcmp(c->map[m].field, field) == 0)
			column = c->map[m].column;
	if (!column)
		return NULL;
	if (column[0] == ':')
		return column + 1;
	i = column_of(c, column);
	return i >= 0 && i < c->cells && c->values[i][0] ? c->values[i] : NULL;
}

static void set(json_t *body, const char *name, json_t *value)
{
	const char *dot = strchr(name, '.');
	char object[64];
	json_t *inner;

	if (!dot) {
		json_object_set_new(body, name, value);
		return;
	}
	snprintf(object, sizeof(object), "%.*s", (int)(dot - name), name);
	inner = json_object_get(body, object);
	if (!inner) {
		inner = json_object();
		json_object_set_new(body, object, inner);
	}
	json_object_set_new(inner, dot + 1, value);
}

/* "yes" and "no" are what people write for a flag. */
static json_t *scalar(enum type type, const char *text)
{
	if (type == BOOL && (str_equal_nocase(text, "true") || str_equal_nocase(text, "yes")))
		return json_true();
	if (type == BOOL && (str_equal_nocase(text, "false") || str_equal_nocase(text, "no")))
		return json_false();
	if (type == URL && !strstr(text, "://")) /* "www.example.com" is what people write */
		return json_sprintf("http://%s", text);
	return type_value(type, text);
}

/* One with too many parts stays a text: the check finds that and reports it. */
static json_t *list(struct csv_reading *c, const struct field *field, const char *text)
{
	json_t *items;
	char **parts;
	int n = str_split(c->row_mem, text, '|', LIST_MAX, &parts);

	if (n < 0)
		return json_string(text);
	items = json_array();
	for (int i = 0; i < n; i++)
		if (parts[i][0])
			json_array_append_new(items, scalar(field->type, parts[i]));
	return items;
}

static const struct field *member_of(const struct field *field, const char *name)
{
	for (const struct field *m = field->members; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

/* "wifi:free|payment:cash|payment:card" */
static json_t *object(struct csv_reading *c, const struct field *field, const char *text)
{
	json_t *result;
	char **pairs;
	int n = str_split(c->row_mem, text, '|', LIST_MAX, &pairs);

	if (n < 0)
		return json_string(text);
	result = json_object();
	for (int i = 0; i < n; i++) {
		char *colon = strchr(pairs[i], ':');
		const struct field *member;
		json_t *value;

		if (colon)
			*colon = '\0';
		member = member_of(field, pairs[i]);
		value = scalar(member ? member->type : TEXT, colon ? colon + 1 : "");
		if (!member || !(member->flags & MANY)) {
			json_object_set_new(result, pairs[i], value);
			continue;
		}
		if (!json_object_get(result, pairs[i]))
			json_object_set_new(result, pairs[i], json_array());
		json_array_append_new(json_object_get(result, pairs[i]), value);
	}
	return result;
}

static const char *status_of(const char *text)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (str_equal_nocase(text, statuses[i].word))
			return statuses[i].status;
	return text;
}

static void set_field(struct csv_reading *c, json_t *body, const struct field *field)
{
	const char *text = cell(c, field->name);

	if (!text || strcmp(field->name, "source") == 0 || strcmp(field->name, "source_id") == 0)
		return;
	if (strcmp(field->name, "status") == 0)
		text = status_of(text);
	if (field->type == OBJECT)
		set(body, field->name, object(c, field, text));
	else if (field->flags & MANY)
		set(body, field->name, list(c, field, text));
	else
		set(body, field->name, scalar(field->type, text));
}

static void set_grid(struct csv_reading *c, json_t *body)
{
	const char *east = cell(c, "location.easting"), *north = cell(c, "location.northing");
	double e, n, lat, lng;

	if (!east || !north || !str_to_double(east, &e) || !str_to_double(north, &n) || e <= 0 ||
	    n <= 0)
		return;
	osgb_to_wgs84(e, n, &lat, &lng);
	set(body, "location.lat", json_real(lat));
	set(body, "location.lng", json_real(lng));
}

/* Without a column for it the id is the slug, and without that the name and the postcode. */
static const char *source_id(struct csv_reading *c)
{
	const char *id = cell(c, "source_id"), *name = cell(c, "name"),
		   *postcode = cell(c, "address.postcode");

	if (!id)
		id = cell(c, "slug");
	if (!id && name)
		id = str_slug(c->row_mem,
			      talloc_asprintf(c->row_mem, "%s %s", name, postcode ? postcode : ""),
			      100);
	return id;
}

static void take_row(struct csv_reading *c)
{
	struct record record = { .line = c->row_line };

	if (c->too_long) {
		import_reject(c->im, c->row_line, NULL, "a cell is longer than %d bytes", CELL_MAX);
		return;
	}
	if (c->cells == 1 && !c->values[0][0])
		return; /* an empty line */
	if (c->cells != c->columns) {
		import_reject(c->im, c->row_line, NULL, "has %d cells where the header has %d",
			      c->cells, c->columns);
		return;
	}
	record.source_id = source_id(c);
	record.body = json_object();
	for (const struct field *f = business_resource.fields; f->name; f++)
		if (!(f->flags & READ_ONLY))
			set_field(c, record.body, f);
	if (!json_object_get(record.body, "status"))
		json_object_set_new(record.body, "status", json_string("operational"));
	set_grid(c, record.body);
	c->rc = import_record(c->im, &record);
}

/* Does every mapped column stand in the header, and is there a name? */
static void take_header(struct csv_reading *c)
{
	struct task *t = import_task(c->im);

	c->columns = c->cells < COLUMNS_MAX ? c->cells : COLUMNS_MAX;
	for (int i = 0; i < c->columns; i++)
		c->names[i] = talloc_strdup(c->mem, c->values[i]);
	c->header_done = true;
	for (int m = 0; m < c->map_count; m++)
		if (c->map[m].column[0] != ':' && column_of(c, c->map[m].column) < 0)
			c->rc = task_fail(t, E_BAD_REQUEST, "The file has no column \"%s\" for %s",
					  c->map[m].column, c->map[m].field);
	if (!c->map_count && column_of(c, "name") < 0)
		c->rc = task_fail(
			t, E_BAD_REQUEST,
			"The file has no column \"name\"; --map says which columns are which fields");
}

/* Windows-1252 where it differs from Latin-1: 0x80 to 0x9f; 0 where it has no character. */
static const uint16_t windows[] = {
	0x20ac, 0,	0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0,	0x017d, 0,	0,	0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,	0x017e, 0x0178,
};

static size_t put_utf8(char *out, unsigned code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | code >> 12);
	out[1] = (char)(0x80 | (code >> 6 & 0x3f));
	out[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

/* Bytes that are not UTF-8 are taken for Windows-1252, which old spreadsheets write. */
static const char *text_of(struct csv_reading *c, const char *data, size_t len)
{
	char *text;
	size_t n = 0;

	if (str_is_utf8(data, len) && !memchr(data, '\0', len))
		return str_trim(talloc_strndup(c->row_mem, data, len));
	text = talloc_size(c->row_mem, 3 * len + 1);
	for (size_t i = 0; i < len; i++) {
		unsigned code = (unsigned char)data[i];

		if (code >= 0x80 && code < 0xa0)
			code = windows[code - 0x80] ? windows[code - 0x80] : '?';
		if (code)
			n += put_utf8(text + n, code);
	}
	text[n] = '\0';
	return str_trim(text);
}

static void on_cell(void *data, size_t len, void *arg)
{
	struct csv_reading *c = arg;

	if (len > CELL_MAX)
		c->too_long = true;
	if (c->cells < COLUMNS_MAX)
		c->values[c->cells] = text_of(c, data ? data : "", len > CELL_MAX ? 0 : len);
	c->cells++;
}

static void on_row(int end, void *arg)
{
	struct csv_reading *c = arg;

	(void)end;
	if (!c->rc && c->header_done)
		take_row(c);
	else if (!c->rc)
		take_header(c);
	c->cells = 0;
	c->too_long = false;
	talloc_free_children(c->row_mem);
	c->in_row = false;
}

/* Lines between rows belong to none. */
static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

static int parse(struct csv_reading *c, struct csv_parser *parser, FILE *f)
{
	char *chunk = talloc_array(c->mem, char, CHUNK);
	long long done = 0;
	size_t n;

	while (!c->rc && (n = fread(chunk, 1, CHUNK, f)) > 0) {
		size_t from = done == 0 && n >= 3 && memcmp(chunk, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

		/* line by line, so that a row knows its line */
		while (from < n && !c->rc) {
			const char *feed = memchr(chunk + from, '\n', n - from);
			size_t len = feed ? (size_t)(feed - chunk) - from + 1 : n - from;

			if (!c->in_row)
				c->row_line = c->line;
			c->in_row = c->in_row || !is_blank(chunk + from, len);
			c->line += feed != NULL;
			if (csv_parse(parser, chunk + from, len, on_cell, on_row, c) != len)
				return task_fail(import_task(c->im), E_BAD_REQUEST,
						 "Line %ld is not CSV: %s",
						 c->line - (feed != NULL),
						 csv_strerror(csv_error(parser)));
			from += len;
		}
		done += (long long)n;
		import_progress(c->im, done);
	}
	if (!c->rc && csv_fini(parser, on_cell, on_row, c) != 0)
		return task_fail(import_task(c->im), E_BAD_REQUEST,
				 "The file ends within a quoted cell that begins in line %ld",
				 c->row_line);
	return c->rc;
}

static int read_csv(struct import *im, FILE *f)
{
	struct csv_reading *c = talloc_zero(import_task(im)->mem, struct csv_reading);
	struct csv_parser parser;
	int rc;

	c->im = im;
	c->mem = c;
	c->row_mem = talloc_new(c);
	c->line = c->row_line = 1;
	rc = read_map(c, import_options_of(im)->map);
	if (rc)
		return rc;
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return task_fail(import_task(im), E_INTERNAL, NULL);
	rc = parse(c, &parser, f);
	csv_free(&parser);
	if (!rc && !c->header_done)
		rc = task_fail(import_task(im), E_BAD_REQUEST, "The file is empty");
	talloc_free(c);
	return rc;
}

const struct import_reader csv_reader = { .format = "csv", .read = read_csv };
