/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of GeoJSON (RFC 7946): a FeatureCollection of places with OpenStreetMap's tags as properties, as Overpass
 * and its like export them. One feature at a time is in memory.
 */
#include <jansson.h>
#include <string.h>
#include "base/buf.h"
#include "business/import.h"
#include "business/osm_tags.h"
#include "base/banned.h"

enum { DEPTH_MAX = 6, FEATURE_MAX = 4 << 20, KEY_MAX = 63 };

struct source {
	FILE *f;
	long line;
	long long done;
};

static int next_byte(struct source *s)
{
	int c = getc_unlocked(s->f);

	if (c == EOF)
		return EOF;
	s->done++;
	s->line += c == '\n';
	return c;
}

static int skip_blanks(struct source *s)
{
	int c;

	do
		c = next_byte(s);
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r');
	return c;
}

/* Goes to the first element of the top object's "features". Strings and nesting are followed, nothing is kept. */
static bool find_features(struct source *s)
{
	char key[KEY_MAX + 1];
	size_t len = 0;
	bool in_string = false, escaped = false, was_key = false;
	int depth = 0, c;

	while ((c = next_byte(s)) != EOF) {
		if (in_string) {
			if (c == '\\') {
				next_byte(s);
				escaped = true; /* no key of ours has an escape */
			} else if (c == '"') {
				in_string = false;
				key[len] = '\0';
				was_key = depth == 1 && !escaped && strcmp(key, "features") == 0;
			} else if (len < KEY_MAX) {
				key[len++] = (char)c;
			}
			continue;
		}
		if (c == '"') {
			in_string = true;
			escaped = false;
			len = 0;
		} else if (c == '[' && was_key && depth == 1) {
			return true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		}
		if (c != ':' && c != ' ' && c != '\n' && c != '\r' && c != '\t' && c != '"')
			was_key = false;
	}
	return false;
}

/* Copies one object, from its brace to the matching one, into `text`. False at a broken end. */
static bool copy_object(struct source *s, struct buf *text)
{
	bool in_string = false, escaped = false;
	int depth = 1, c;

	buf_clear(text);
	buf_addc(text, '{');
	while (depth > 0 && (c = next_byte(s)) != EOF) {
		buf_addc(text, (char)c);
		if (escaped)
			escaped = false;
		else if (in_string && c == '\\')
			escaped = true;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth--;
	}
	return depth == 0;
}

struct mean {
	double lng, lat;
	int count;
};

/* The mean of all positions: the point itself, or somewhere in the middle of an area. */
static void add_positions(json_t *coordinates, struct mean *mean, int depth)
{
	json_t *item;
	size_t i;

	if (depth > DEPTH_MAX || !json_is_array(coordinates))
		return;
	if (json_is_number(json_array_get(coordinates, 0))) {
		if (!json_is_number(json_array_get(coordinates, 1)))
			return;
		mean->lng += json_number_value(json_array_get(coordinates, 0));
		mean->lat += json_number_value(json_array_get(coordinates, 1));
		mean->count++;
		return;
	}
	json_array_foreach(coordinates, i, item) add_positions(item, mean, depth + 1);
}

static const char *first_tag(json_t *tags, const char *const *names)
{
	for (; *names; names++) {
		const char *text = json_string_value(json_object_get(tags, *names));

		if (text && text[0])
			return text;
	}
	return NULL;
}

static void set_text(json_t *body, const char *name, const char *text, size_t len)
{
	if (text)
		json_object_set_new(body, name, json_stringn(text, len));
}

/* Of several numbers or addresses, divided by ";", the first one counts. */
static void set_first(json_t *body, const char *name, const char *text)
{
	set_text(body, name, text, text ? strcspn(text, ";,") : 0);
}

static json_t *address_of(TALLOC_CTX *mem, json_t *tags)
{
	static const char *const city[] = { "addr:city", "addr:town", "addr:village", "addr:suburb",
					    NULL };
	static const char *const county[] = { "addr:county", NULL };
	static const char *const postcode[] = { "addr:postcode", NULL };
	static const char *const house[] = { "addr:housename", NULL };
	static const char *const street[] = { "addr:street", "addr:place", "addr:parentstreet",
					      NULL };
	json_t *address = json_object(), *lines = json_array();
	const char *number = json_string_value(json_object_get(tags, "addr:housenumber")),
		   *text = first_tag(tags, street);

	if (first_tag(tags, house))
		json_array_append_new(lines, json_string(first_tag(tags, house)));
	if (text)
		json_array_append_new(
			lines,
			json_string(number ? talloc_asprintf(mem, "%s %s", number, text) : text));
	json_object_set_new(address, "lines", lines);
	text = first_tag(tags, city);
	set_text(address, "locality", text, text ? strlen(text) : 0);
	text = first_tag(tags, county);
	set_text(address, "region", text, text ? strlen(text) : 0);
	set_first(address, "postcode", first_tag(tags, postcode));
	return address;
}

/* "www.example.com" is what people write. */
static void set_website(TALLOC_CTX *mem, json_t *body, const char *text)
{
	if (!text)
		return;
	if (!strstr(text, "://"))
		text = talloc_asprintf(mem, "http://%s", text);
	set_text(body, "website", text, strcspn(text, "; "));
}

static json_t *body_of(TALLOC_CTX *mem, json_t *feature, const char *name)
{
	static const char *const phone[] = { "phone", "contact:phone", "contact:mobile", NULL };
	static const char *const email[] = { "email", "contact:email", NULL };
	static const char *const website[] = { "website", "contact:website", "url", NULL };
	static const char *const description[] = { "description", NULL };
	json_t *tags = json_object_get(feature, "properties"), *body = json_object();
	const char *category = osm_category(tags), *text = first_tag(tags, description);
	struct mean mean = { 0 };

	set_text(body, "name", name, strlen(name));
	set_text(body, "status", "operational", strlen("operational"));
	set_text(body, "description", text, text ? strlen(text) : 0);
	set_text(body, "primary_category", category, category ? strlen(category) : 0);
	set_first(body, "phone", first_tag(tags, phone));
	set_first(body, "email", first_tag(tags, email));
	set_website(mem, body, first_tag(tags, website));
	json_object_set_new(body, "address", address_of(mem, tags));
	json_object_set_new(body, "attributes", osm_attributes(tags));
	add_positions(json_object_get(json_object_get(feature, "geometry"), "coordinates"), &mean,
		      0);
	if (mean.count)
		json_object_set_new(body, "location",
				    json_pack("{s:f, s:f}", "lat", mean.lat / mean.count, "lng",
					      mean.lng / mean.count));
	return body;
}

static const char *id_of(TALLOC_CTX *mem, json_t *feature)
{
	json_t *id = json_object_get(feature, "id");

	if (!id)
		id = json_object_get(json_object_get(feature, "properties"), "@id");
	if (!id)
		id = json_object_get(json_object_get(feature, "properties"), "id");
	if (json_is_integer(id))
		return talloc_asprintf(mem, "%lld", (long long)json_integer_value(id));
	return json_string_value(id);
}

static int take(struct import *im, json_t *feature, long line)
{
	static const char *const names[] = { "name", "brand", "operator", NULL };
	TALLOC_CTX *mem = talloc_new(import_task(im)->mem);
	json_t *tags = json_object_get(feature, "properties");
	struct record record = { .line = line, .source_id = id_of(mem, feature) };
	const char *name = first_tag(tags, names);
	int rc = OK;

	if (!json_is_object(tags)) {
		import_reject(im, line, record.source_id, "has no properties");
	} else if (!name) {
		import_reject(im, line, record.source_id, "has no name");
	} else {
		record.body = body_of(mem, feature, name);
		rc = import_record(im, &record);
	}
	talloc_free(mem);
	return rc;
}

static int take_text(struct import *im, struct buf *text, long line)
{
	json_error_t error;
	json_t *feature;
	int rc;

	if (buf_full(text)) {
		import_reject(im, line, NULL, "is longer than %d bytes", FEATURE_MAX);
		return OK;
	}
	feature = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, &error);
	if (!feature) {
		import_reject(im, line, NULL, "is not JSON: %s", error.text);
		return OK;
	}
	rc = take(im, feature, line);
	json_decref(feature);
	return rc;
}

static int broken(struct import *im, const struct source *s)
{
	return task_fail(import_task(im), E_BAD_REQUEST,
			 "The GeoJSON breaks off or is wrong at line %ld", s->line);
}

static int read_features(struct import *im, struct source *s, struct buf *text)
{
	int c = skip_blanks(s), rc = OK;

	while (c == '{') {
		long line = s->line;

		if (!copy_object(s, text))
			return broken(im, s);
		rc = take_text(im, text, line);
		if (rc)
			return rc;
		import_progress(im, s->done);
		c = skip_blanks(s);
		if (c == ',')
			c = skip_blanks(s);
		else if (c != ']')
			return broken(im, s);
	}
	return c == ']' ? OK : broken(im, s);
}

static int read_geojson(struct import *im, FILE *f)
{
	struct source s = { .f = f, .line = 1 };
	struct buf text;
	int rc;

	if (!find_features(&s))
		return task_fail(import_task(im), E_BAD_REQUEST,
				 "The file is not a GeoJSON FeatureCollection");
	buf_init(&text, import_task(im)->mem, FEATURE_MAX);
	rc = read_features(im, &s, &text);
	talloc_free(text.data);
	return rc;
}

const struct import_reader geojson_reader = { .format = "geojson", .read = read_geojson };
