/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of the Food Standards Agency's open data: one XML file per authority, an EstablishmentDetail per place. Its
 * types of business become categories, its ratings inspections. Streaming, without entities or the network. */
#include <stdint.h>
#include <string.h>
#include <libxml/xmlreader.h>
#include "base/str.h"
#include "business/import.h"
#include "base/banned.h"

enum { ITEMS_MAX = 40, TEXT_MAX = 1000, LINES_MAX = 4 };

static const struct {
	const char *type, *category;
} categories[] = {
	{ "Restaurant/Cafe/Canteen", "restaurant" },
	{ "Pub/bar/nightclub", "pub" },
	{ "Takeaway/sandwich shop", "takeaway" },
	{ "Mobile caterer", "mobile-caterer" },
	{ "Other catering premises", "caterer" },
	{ "Retailers - other", "convenience-store" },
	{ "Retailers - supermarkets/hypermarkets", "supermarket" },
	{ "Hospitals/Childcare/Caring Premises", "care" },
	{ "School/college/university", "school" },
	{ "Hotel/bed & breakfast/guest house", "hotel" },
	{ "Manufacturers/packers", "food-producer" },
	{ "Distributors/Transporters", "food-wholesaler" },
	{ "Importers/Exporters", "food-wholesaler" },
	{ "Farmers/growers", "farm" },
};

/* The leaves of one establishment, by element name. */
struct establishment {
	TALLOC_CTX *mem;
	int count;
	bool open; /* the last item's element has not ended */
	struct {
		char name[40];
		char *text;
	} items[ITEMS_MAX];
};

static const char *text_of(const struct establishment *e, const char *name)
{
	for (int i = 0; i < e->count; i++)
		if (strcmp(e->items[i].name, name) == 0)
			return e->items[i].text[0] ? e->items[i].text : NULL;
	return NULL;
}

/* An element's text may come in several pieces, with comments or CDATA between them. */
static void keep(struct establishment *e, const char *name, const char *text)
{
	char **whole, *piece;

	if (!e->open) {
		if (e->count == ITEMS_MAX || !name[0] || strlen(name) >= sizeof(e->items[0].name))
			return;
		snprintf(e->items[e->count].name, sizeof(e->items[0].name), "%s", name);
		e->items[e->count++].text = talloc_strdup(e->mem, "");
		e->open = true;
	}
	whole = &e->items[e->count - 1].text;
	piece = str_cut(e->mem, text, TEXT_MAX - strlen(*whole));
	*whole = talloc_strdup_append_buffer(*whole, piece);
}

/* The element ends: its text is whole. */
static void end_item(struct establishment *e)
{
	if (e->open)
		e->items[e->count - 1].text = str_trim(e->items[e->count - 1].text);
	e->open = false;
}

static const char *category_of(const char *type)
{
	for (size_t i = 0; type && i < COUNT_OF(categories); i++)
		if (strcmp(categories[i].type, type) == 0)
			return categories[i].category;
	return NULL;
}

static bool is_county(const char *line)
{
	static const char *const counties[] = { "Surrey",	  "Middlesex",	 "Hampshire",
						"West Sussex",	  "Berkshire",	 "Kent",
						"Greater London", "East Sussex", "Buckinghamshire",
						"Norfolk" };

	for (size_t i = 0; i < COUNT_OF(counties); i++)
		if (str_equal_nocase(line, counties[i]))
			return true;
	return false;
}

/* Four lines that may each be empty: the last is perhaps the county, the one before it the locality. */
static json_t *address_of(const struct establishment *e)
{
	static const char *const names[] = { "AddressLine1", "AddressLine2", "AddressLine3",
					     "AddressLine4" };
	json_t *address = json_object(), *lines = json_array();
	const char *found[LINES_MAX];
	int n = 0;

	for (int i = 0; i < LINES_MAX; i++)
		if (text_of(e, names[i]))
			found[n++] = text_of(e, names[i]);
	if (n > 0 && is_county(found[n - 1]))
		json_object_set_new(address, "region", json_string(found[--n]));
	if (n > 1 || (n == 1 && !strpbrk(found[0], "0123456789")))
		json_object_set_new(address, "locality", json_string(found[--n]));
	for (int i = 0; i < n; i++)
		json_array_append_new(lines, json_string(found[i]));
	json_object_set_new(address, "lines", lines);
	if (text_of(e, "PostCode"))
		json_object_set_new(address, "postcode", json_string(text_of(e, "PostCode")));
	return address;
}

static json_t *number_of(const char *text)
{
	double value;

	return text && str_to_double(text, &value) ? json_real(value) : NULL;
}

static json_t *integer_of(const char *text)
{
	long long value;

	return text && str_to_int(text, 0, 1000, &value) ? json_integer(value) : json_null();
}

static json_t *body_of(const struct establishment *e)
{
	json_t *body = json_object(), *lat = number_of(text_of(e, "Latitude")),
	       *lng = number_of(text_of(e, "Longitude"));

	json_object_set_new(body, "name", json_string(text_of(e, "BusinessName")));
	json_object_set_new(body, "status", json_string("operational"));
	json_object_set_new(body, "address", address_of(e));
	if (lat && lng)
		json_object_set_new(body, "location",
				    json_pack("{s:O, s:O}", "lat", lat, "lng", lng));
	json_decref(lat);
	json_decref(lng);
	if (category_of(text_of(e, "BusinessType")))
		json_object_set_new(body, "primary_category",
				    json_string(category_of(text_of(e, "BusinessType"))));
	return body;
}

static json_t *inspection_of(const struct establishment *e)
{
	const char *rating = text_of(e, "RatingValue"), *scheme = text_of(e, "SchemeType"),
		   *date = text_of(e, "RatingDate");
	json_t *inspection;

	if (!rating)
		return NULL;
	inspection = json_object();
	json_object_set_new(inspection, "scheme",
			    json_string(scheme && strcmp(scheme, "FHIS") == 0 ? "fhis" : "fhrs"));
	json_object_set_new(inspection, "rating", json_string(rating));
	json_object_set_new(inspection, "date", date ? json_string(date) : json_null());
	json_object_set_new(inspection, "hygiene_score", integer_of(text_of(e, "Hygiene")));
	json_object_set_new(inspection, "structural_score", integer_of(text_of(e, "Structural")));
	json_object_set_new(inspection, "confidence_score",
			    integer_of(text_of(e, "ConfidenceInManagement")));
	return inspection;
}

/* One authority per file: it is the scope of what can be gone. */
static int check_authority(struct import *im, const char *authority, char *scope, size_t size)
{
	if (!authority)
		return OK;
	if (!scope[0]) {
		snprintf(scope, size, "fhrs:%.30s", authority);
		import_scope(im, scope);
		return OK;
	}
	if (strcmp(scope + strlen("fhrs:"), authority) == 0)
		return OK;
	return task_fail(import_task(im), E_BAD_REQUEST,
			 "The file has establishments of several authorities: %s and %s", scope,
			 authority);
}

static int take(struct import *im, const struct establishment *e, long line, char *scope,
		size_t size)
{
	struct record record = { .line = line, .source_id = text_of(e, "FHRSID") };
	int rc = check_authority(im, text_of(e, "LocalAuthorityCode"), scope, size);

	if (rc)
		return rc;
	if (!text_of(e, "BusinessName")) {
		import_reject(im, line, record.source_id, "has no BusinessName");
		return OK;
	}
	record.body = body_of(e);
	record.inspection = inspection_of(e);
	return import_record(im, &record);
}

/* Reads to the end of the establishment that the reader stands on. Returns xmlTextReaderRead's last result. */
static int read_establishment(xmlTextReaderPtr reader, struct establishment *e)
{
	int depth = xmlTextReaderDepth(reader), rc;
	char name[60] = "";

	while ((rc = xmlTextReaderRead(reader)) == 1 && xmlTextReaderDepth(reader) > depth) {
		int type = xmlTextReaderNodeType(reader);

		if (type == XML_READER_TYPE_ELEMENT || type == XML_READER_TYPE_END_ELEMENT) {
			end_item(e);
			snprintf(name, sizeof(name), "%s",
				 type == XML_READER_TYPE_ELEMENT
					 ? (const char *)xmlTextReaderConstLocalName(reader)
					 : "");
		} else if (type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA) {
			keep(e, name, (const char *)xmlTextReaderConstValue(reader));
		}
	}
	end_item(e);
	return rc;
}

static int broken(struct import *im, xmlTextReaderPtr reader)
{
	const xmlError *error = xmlGetLastError();

	return task_fail(
		import_task(im), E_BAD_REQUEST, "The XML breaks off or is wrong at line %d: %.*s",
		xmlTextReaderGetParserLineNumber(reader),
		error ? (int)strcspn(error->message, "\n") : 0, error ? error->message : "");
}

/* The parser is some lines ahead of the element; but the element's own count ends at 65535. */
static long line_of(xmlTextReaderPtr reader)
{
	long line = xmlGetLineNo(xmlTextReaderCurrentNode(reader));

	return line > 0 && line < UINT16_MAX ? line : xmlTextReaderGetParserLineNumber(reader);
}

/* A page that says "not available" is XML as well. */
static int check_root(struct import *im, xmlTextReaderPtr reader)
{
	const char *name = (const char *)xmlTextReaderConstLocalName(reader);

	if (xmlTextReaderDepth(reader) > 0 || strcmp(name, "FHRSEstablishment") == 0)
		return OK;
	return task_fail(import_task(im), E_BAD_REQUEST,
			 "The file is not FHRS open data: it is a <%.40s>", name);
}

static int read_all(struct import *im, xmlTextReaderPtr reader)
{
	char scope[40] = "";
	int more, rc = OK;

	while ((more = xmlTextReaderRead(reader)) == 1 && !rc) {
		struct establishment e = { 0 };
		long line;

		if (xmlTextReaderNodeType(reader) != XML_READER_TYPE_ELEMENT)
			continue;
		rc = check_root(im, reader);
		if (rc || strcmp((const char *)xmlTextReaderConstLocalName(reader),
				 "EstablishmentDetail") != 0)
			continue;
		line = line_of(reader);
		e.mem = talloc_new(import_task(im)->mem);
		more = read_establishment(reader, &e);
		if (more == 1)
			rc = take(im, &e, line, scope, sizeof(scope));
		talloc_free(e.mem);
		import_progress(im, xmlTextReaderByteConsumed(reader));
		if (more != 1)
			break;
	}
	return rc ? rc : more < 0 ? broken(im, reader) : OK;
}

static void silent(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
}

static int read_fhrs(struct import *im, FILE *f)
{
	xmlTextReaderPtr reader;
	int rc;

	xmlSetGenericErrorFunc(NULL, silent);
	reader = xmlReaderForFd(fileno(f), NULL, NULL, XML_PARSE_NONET);
	if (!reader)
		return task_fail(import_task(im), E_BAD_REQUEST, "The file is not XML");
	rc = read_all(im, reader);
	xmlFreeTextReader(reader);
	xmlCleanupParser();
	return rc;
}

const struct import_reader fhrs_reader = { .format = "fhrs", .read = read_fhrs };
