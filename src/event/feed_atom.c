/* SPDX-License-Identifier: Apache-2.0 */
/* The next events as an Atom feed (RFC 4287), for readers of news. libxml2 writes and escapes. */
#include <stdlib.h>
#include <string.h>
#include <libxml/xmlwriter.h>
#include "api/reply.h"
#include "api/route.h"
#include "base/config.h"
#include "base/str.h"
#include "base/time.h"
#include "event/feed.h"
#include "event/find.h"
#include "base/banned.h"

enum { ENTRIES_MAX = 50, CATEGORIES_MAX = 20 };

/* The columns of event.news(). */
enum { ID, TITLE, SUMMARY, STATUS, STARTS, PLACE, ORGANISER, CATEGORIES, PUBLISHED, UPDATED };

/* What readers are shown when there is nothing: a feed has a time. */
#define NEVER "1970-01-01T00:00:00Z"

/* The writer fails only for want of memory, which the buffer then shows at the end. */
static void element(xmlTextWriter *w, const char *name, const char *text)
{
	if (text && *text)
		(void)xmlTextWriterWriteElement(w, BAD_CAST name, BAD_CAST text);
}

static void attribute(xmlTextWriter *w, const char *name, const char *text)
{
	(void)xmlTextWriterWriteAttribute(w, BAD_CAST name, BAD_CAST text);
}

static void open(xmlTextWriter *w, const char *name)
{
	(void)xmlTextWriterStartElement(w, BAD_CAST name);
}

static void close(xmlTextWriter *w)
{
	(void)xmlTextWriterEndElement(w);
}

static void link_to(xmlTextWriter *w, const char *relation, const char *type, const char *href)
{
	open(w, "link");
	attribute(w, "rel", relation);
	if (type)
		attribute(w, "type", type);
	attribute(w, "href", href);
	close(w);
}

static void author(xmlTextWriter *w, const char *name)
{
	open(w, "author");
	element(w, "name", name);
	close(w);
}

static void time_of(xmlTextWriter *w, const char *name, const struct pg_rows *rows, int row,
		    int column)
{
	char time[TIME_TEXT_MAX];

	if (time_from_pg(pg_value(rows, row, column), pg_length(rows, row, column), time))
		element(w, name, time);
}

/* "Cancelled: Craft fair" */
static const char *title_of(struct request *r, const struct pg_rows *rows, int row)
{
	static const char *const words[][2] = { { "cancelled", "Cancelled: " },
						{ "postponed", "Postponed: " },
						{ "rescheduled", "Rescheduled: " } };
	const char *status = pg_value(rows, row, STATUS), *title = pg_value(rows, row, TITLE);

	for (size_t i = 0; status && i < COUNT_OF(words); i++)
		if (strcmp(status, words[i][0]) == 0)
			return talloc_asprintf(MEM(r), "%s%s", words[i][1], title);
	return title;
}

/* When and where, a line each, then what it is about. */
static const char *text_of(struct request *r, const struct pg_rows *rows, int row)
{
	char *text = talloc_strdup(MEM(r), "");

	for (int i = 0; i < 3; i++) {
		const char *part = pg_value(rows, row,
					    ((const int[]) { STARTS, PLACE, SUMMARY })[i]);

		if (part && *part)
			text = talloc_asprintf_append_buffer(text, "%s%s", *text ? "\n" : "", part);
	}
	return text;
}

static void add_categories(struct request *r, xmlTextWriter *w, const char *slugs)
{
	char **terms;
	int n = slugs && *slugs ? str_split(MEM(r), slugs, ',', CATEGORIES_MAX, &terms) : 0;

	for (int i = 0; i < n; i++) {
		open(w, "category");
		attribute(w, "term", terms[i]);
		close(w);
	}
}

static void add_entry(struct request *r, xmlTextWriter *w, const struct pg_rows *rows, int row)
{
	const char *id = pg_value(rows, row, ID);

	open(w, "entry");
	element(w, "id", talloc_asprintf(MEM(r), "urn:uuid:%s", id));
	element(w, "title", title_of(r, rows, row));
	time_of(w, "updated", rows, row, UPDATED);
	time_of(w, "published", rows, row, PUBLISHED);
	if (pg_value(rows, row, ORGANISER))
		author(w, pg_value(rows, row, ORGANISER));
	add_categories(r, w, pg_value(rows, row, CATEGORIES));
	link_to(w, "alternate", NULL,
		talloc_asprintf(MEM(r), "%s/events/%s", config.public_url, id));
	link_to(w, "related", "text/calendar",
		talloc_asprintf(MEM(r), "%s/v1/events/%s/calendar.ics", config.public_url, id));
	element(w, "summary", text_of(r, rows, row));
	close(w);
}

static const char *latest(struct request *r, const struct pg_rows *rows)
{
	const char *last = NULL;
	char *text = talloc_array(MEM(r), char, TIME_TEXT_MAX);

	for (int i = 0; i < pg_count(rows); i++) {
		const char *updated = pg_value(rows, i, UPDATED);

		if (!last || strcmp(updated, last) > 0)
			last = updated;
	}
	return last && time_from_pg(last, strlen(last), text) ? text : NEVER;
}

static void add_feed(struct request *r, xmlTextWriter *w, const struct pg_rows *rows)
{
	const char *query = strchr(r->http->target, '?');
	const char *self = talloc_asprintf(MEM(r), "%s/v1%s%s", config.public_url, r->path,
					   query ? query : "");

	(void)xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
	open(w, "feed");
	attribute(w, "xmlns", "http://www.w3.org/2005/Atom");
	element(w, "id", self);
	element(w, "title", talloc_asprintf(MEM(r), "What's on in %s", config.town));
	element(w, "updated", latest(r, rows));
	author(w, config.town);
	link_to(w, "self", "application/atom+xml", self);
	for (int i = 0; i < pg_count(rows); i++)
		add_entry(r, w, rows, i);
	close(w);
	(void)xmlTextWriterEndDocument(w);
}

static int reply_atom(struct request *r, const struct pg_rows *rows)
{
	xmlBuffer *text = xmlBufferCreate();
	xmlTextWriter *w = text ? xmlNewTextWriterMemory(text, 0) : NULL;

	if (!w)
		abort();
	add_feed(r, w, rows);
	xmlFreeTextWriter(w);
	(void)reply_plain(r, 200, "application/atom+xml; charset=utf-8",
			  (const char *)xmlBufferContent(text), (size_t)xmlBufferLength(text));
	xmlBufferFree(text);
	return OK;
}

int feed_atom(struct request *r)
{
	const char *ids[ENTRIES_MAX];
	struct pg_rows *found, *rows;
	int rc = event_find_ids(r, ENTRIES_MAX, &found);

	for (int i = 0; !rc && i < pg_count(found); i++)
		ids[i] = pg_value(found, i, 0);
	if (!rc)
		rc = pg_query(&r->task, &rows, "select * from event.news($1::uuid[])",
			      PG_PARAMS(pg_array(MEM(r), ids, pg_count(found))));
	return rc ? rc : reply_atom(r, rows);
}
