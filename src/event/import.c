/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import of calendars: entries are put together by UID, each event with its changed times is written in a transaction of
 * its own, so that one that fails is a line of the report and no more, and what the calendar lacks is cancelled.
 */
#include "event/import.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "api/shape.h"
#include "base/config.h"
#include "base/str.h"
#include "base/time.h"
#include "event/import_write.h"
#include "event/subscribe.h"
#include "io/loop.h"
#include "store/pg.h"
#include "base/banned.h"

enum {
	CATEGORIES_MAX = 5,
	BUSY_US = 20000,
	MORE_US = 2000000,
	VERSION = 1 /* of what an entry becomes: when that changes, all are looked at again */
};

struct import {
	struct task *t;
	struct import_report *report;
	const char *source;
	const struct ical_calendar *calendar;
	struct pg_rows *known;	    /* source_id and digest, by source_id */
	int at;			    /* in those */
	struct pg_rows *categories; /* slug, name */
	const char *basis;	    /* what entries become depends on it, too */
	const char *since;	    /* when it began */
	const char **present;	    /* UIDs */
	int present_count, nameless;
	long over, hidden;
	uint64_t rested_us;
};

/* An event and its changed times. */
struct group {
	const struct ical_part *parts;
	int count;
	const char *uid, *digest;
	long line;
};

static void report_line(struct import *im, const char *what, const struct ical_part *part,
			const char *why)
{
	import_report_line(im->report, what, part->line, part->uid, why);
}

static void note_entry(struct import *im, const struct ical_entry *e)
{
	for (int i = 0; i < e->note_count; i++)
		report_line(im, "note", e->part, e->notes[i]);
}

/* ---- an event of the calendar ---- */

/* Of several entries for the event itself that with the highest SEQUENCE counts, of equal ones the later. */
static struct ical_entry *read_event(struct import *im, TALLOC_CTX *mem, const struct group *g)
{
	struct ical_entry *best = NULL;
	const char *why = "changes a time of an event that is not in the calendar";
	int found = 0;

	for (int i = 0; i < g->count && !g->parts[i].is_override; i++) {
		struct ical_entry *e = ical_entry_read(mem, im->calendar, &g->parts[i],
						       config.time_zone, NULL, &why);

		found++;
		if (e && (!best || e->sequence >= best->sequence))
			best = e;
	}
	if (!best)
		import_report_reject(im->report, g->line, g->uid, why);
	else if (found > 1)
		report_line(im, "note", best->part, "stands in the calendar more than once");
	return best;
}

static bool read_changes(struct import *im, TALLOC_CTX *mem, const struct group *g,
			 const struct ical_entry *series, json_t *changes)
{
	bool complete = true;

	for (int i = 0; i < g->count; i++) {
		const struct ical_part *part = &g->parts[i];
		const char *why;
		struct ical_entry *e;

		if (!part->is_override)
			continue;
		e = ical_entry_read(mem, im->calendar, part, config.time_zone, series, &why);
		if (!e) {
			report_line(im, "left out", part, why);
			im->report->left_out++;
			complete = false;
			continue;
		}
		note_entry(im, e);
		complete = complete && e->note_count == 0;
		json_array_append_new(changes, ical_entry_change(e, series));
	}
	return complete;
}

/* The slug of a category that is called so. */
static const char *find_category(const struct import *im, const char *name)
{
	for (int i = 0; i < pg_count(im->categories); i++)
		if (strcmp(pg_value(im->categories, i, 0), name) == 0 ||
		    str_equal_nocase(pg_value(im->categories, i, 1), name))
			return pg_value(im->categories, i, 0);
	return NULL;
}

static bool has_item(json_t *list, const char *text)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	}
	return false;
}

static json_t *choose_categories(struct import *im, const struct ical_entry *e, bool *complete)
{
	json_t *list = json_array();

	for (int i = 0; i < e->category_count; i++) {
		const char *slug = find_category(im, e->categories[i]);

		if (slug && has_item(list, slug))
			continue;
		if (slug && json_array_size(list) < CATEGORIES_MAX) {
			json_array_append_new(list, json_string(slug));
			continue;
		}
		report_line(
			im, "note", e->part,
			talloc_asprintf(im->t->mem,
					slug ? "has more categories than can be: %.80s is left out"
					     : "there is no category %.80s: left out",
					e->categories[i]));
		*complete = false;
	}
	return list;
}

/* What became of it. */
static void count(struct import *im, const struct group *g, const struct event_write *w)
{
	struct import_counts *c = &im->report->counts;

	for (int i = 0; i < w->note_count; i++)
		report_line(im, "note", w->entry->part, w->notes[i]);
	if (w->outcome == EVENT_REJECTED) {
		import_report_reject(im->report, g->line, g->uid, w->why);
		return;
	}
	c->read++;
	c->created += w->outcome == EVENT_CREATED;
	c->updated += w->outcome == EVENT_UPDATED;
	c->unchanged += w->outcome == EVENT_UNCHANGED || w->outcome == EVENT_OVER;
	c->gone += w->outcome == EVENT_GONE;
	im->over += w->outcome == EVENT_OVER;
}

/* A failure that is of this entry and no other is a line of the report; one of the database ends the import. */
static int write_event(struct import *im, const struct group *g, struct event_write *w)
{
	struct task *t = im->t;
	int rc;

	if (!w->body)
		rc = task_fail(t, E_BAD_REQUEST, "cannot be read");
	else
		rc = import_transaction(t, im->report->dry_run, event_write, w);
	if (!rc) {
		count(im, g, w);
		return OK;
	}
	if (rc == E_UNAVAILABLE || rc == E_TIMEOUT)
		return rc;
	import_report_reject(im->report, g->line, g->uid,
			     talloc_asprintf(t->mem, "%s%s%s",
					     import_report_problems(t->mem, &t->failure),
					     t->failure.cause ? ": " : "",
					     t->failure.cause ? t->failure.cause : ""));
	task_forgive(t);
	return OK;
}

static int take_entry(struct import *im, const struct group *g)
{
	TALLOC_CTX *mem = im->t->mem;
	struct ical_entry *e = read_event(im, mem, g);
	struct event_write w = {
		.source = im->source, .entry = e, .digest = g->digest, .mem = mem
	};
	int rc;

	if (!e)
		return OK;
	if (e->is_private) { /* one that was not is as one that is not there */
		im->hidden++;
		im->present_count--;
		return OK;
	}
	note_entry(im, e);
	w.complete = e->note_count == 0;
	w.changes = json_array();
	if (!read_changes(im, mem, g, e, w.changes))
		w.complete = false;
	w.body = ical_entry_body(e, choose_categories(im, e, &w.complete));
	rc = write_event(im, g, &w);
	json_decref(w.body);
	json_decref(w.changes);
	return rc;
}

/* ---- all of them ---- */

static const char *digest_of(TALLOC_CTX *mem, const struct import *im, const struct group *g)
{
	unsigned char digest[ICAL_DIGEST_BYTES];
	char *hex = talloc_array(mem, char, 2 * sizeof(digest) + 1);
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	crypto_generichash_update(&state, (const void *)im->basis, strlen(im->basis));
	for (int i = 0; i < g->count; i++) {
		crypto_generichash_update(&state, g->parts[i].digest, ICAL_DIGEST_BYTES);
		crypto_generichash_update(&state, (const void *)&g->parts[i].cancelled,
					  sizeof(bool));
	}
	crypto_generichash_final(&state, digest, sizeof(digest));
	return sodium_bin2hex(hex, 2 * sizeof(digest) + 1, digest, sizeof(digest));
}

/* Groups and what is known of them go side by side, both in the order of their ids. */
static bool is_known(struct import *im, const struct group *g)
{
	int order = 1;

	while (im->at < pg_count(im->known) &&
	       (order = strcmp(pg_value(im->known, im->at, 0), g->uid)) < 0)
		im->at++;
	return im->at < pg_count(im->known) && order == 0 &&
	       strcmp(pg_value(im->known, im->at, 1), g->digest) == 0;
}

/* Lets others of this process go on, when there was nothing to wait for. */
static int rest(struct import *im)
{
	uint64_t now = time_monotonic_us();

	if (now - im->rested_us < BUSY_US)
		return OK;
	sleep_for(im->t, 1);
	im->rested_us = time_monotonic_us();
	if (im->t->deadline && im->rested_us >= im->t->deadline)
		return task_fail(im->t, E_TIMEOUT, NULL);
	return OK;
}

static int take_group(struct import *im, struct group *g)
{
	TALLOC_CTX *whole = im->t->mem;
	int rc = rest(im);

	if (rc)
		return rc;
	if (!g->uid) {
		for (int i = 0; i < g->count; i++)
			import_report_reject(im->report, g->parts[i].line, NULL,
					     "has no UID of 1 to 255 characters");
		im->nameless += g->count;
		return OK;
	}
	im->present[im->present_count++] = g->uid;
	im->t->mem = talloc_new(whole);
	g->digest = digest_of(im->t->mem, im, g);
	if (is_known(im, g)) {
		im->report->counts.read++;
		im->report->counts.unchanged++;
	} else {
		rc = take_entry(im, g);
	}
	task_keep_failure(im->t, whole);
	talloc_free(im->t->mem);
	im->t->mem = whole;
	return rc;
}

/* By UID, the event before its changed times, in the order of the calendar. */
static int compare_parts(const void *a, const void *b)
{
	const struct ical_part *x = a, *y = b;
	int order = strcmp(x->uid ? x->uid : "", y->uid ? y->uid : "");

	if (order == 0)
		order = x->is_override - y->is_override;
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool same_event(const struct ical_part *a, const struct ical_part *b)
{
	return a->uid && b->uid ? strcmp(a->uid, b->uid) == 0 : a->uid == b->uid;
}

static int take_all(struct import *im)
{
	const struct ical_calendar *c = im->calendar;
	int rc = OK;

	if (c->count == 0)
		return OK;
	qsort(c->parts, (size_t)c->count, sizeof(c->parts[0]), compare_parts);
	im->present = talloc_array(im->t->mem, const char *, (unsigned)c->count);
	for (int i = 0; !rc && i < c->count;) {
		struct group g = { .parts = &c->parts[i],
				   .uid = c->parts[i].uid,
				   .line = c->parts[i].line };

		while (i + g.count < c->count && same_event(&c->parts[i], &c->parts[i + g.count]))
			g.count++;
		rc = take_group(im, &g);
		i += g.count;
		import_report_progress(im->report, i, c->count);
	}
	return rc;
}

static int cancel_vanished(struct task *t, void *arg)
{
	struct import *im = arg;
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows, "select event.import_vanished($1, $2::text[], $3::timestamptz)",
		PG_PARAMS(im->source, pg_array(t->mem, im->present, im->present_count), im->since));

	if (!rc)
		im->report->counts.gone += strtol(pg_value(rows, 0, 0), NULL, 10);
	return rc;
}

/* An empty calendar, or one of which nothing can be read, is a fault more likely than a town without events. */
static int cancel_gone(struct import *im, bool keep)
{
	const struct import_counts *c = &im->report->counts;

	if (keep || im->calendar->is_message || im->calendar->problem)
		return OK;
	if (c->read == c->rejected || im->nameless > 0) {
		import_report_remark(im->report, "%s: nothing was cancelled",
				     im->nameless > 0 ? "entries without a UID"
						      : "no entry that can be taken");
		return OK;
	}
	return import_transaction(im->t, im->report->dry_run, cancel_vanished, im);
}

static int read_known(struct import *im)
{
	struct pg_rows *now;
	int rc = pg_query(
		im->t, &now,
		"select clock_timestamp(), coalesce((select md5(string_agg(slug || ' ' || name, ',' order by slug)) "
		"from event.event_category where deleted_at is null), '')",
		PG_NONE);

	if (!rc)
		rc = pg_query(
			im->t, &im->categories,
			"select slug, name from event.event_category where deleted_at is null",
			PG_NONE);
	if (!rc)
		rc = pg_query_long(
			im->t, &im->known,
			"select e.source_id, i.digest from event.event e join event.imported i on i.event_id = e.id "
			"where e.source = $1 and e.deleted_at is null and i.digest is not null and i.vanished_at is null "
			"order by e.source_id collate \"C\"",
			PG_PARAMS(im->source));
	if (rc)
		return rc;
	im->since = pg_value(now, 0, 0);
	im->basis = talloc_asprintf(im->t->mem, "%d %s %s %s", VERSION, pg_value(now, 0, 1),
				    config.time_zone, im->calendar->zone ? im->calendar->zone : "");
	return OK;
}

static void remark(struct import *im)
{
	if (im->calendar->skipped)
		import_report_remark(im->report, "%ld to-dos, journals and the like skipped",
				     im->calendar->skipped);
	if (im->hidden)
		import_report_remark(im->report, "%ld private entries skipped", im->hidden);
	if (im->over)
		import_report_remark(im->report, "%ld entries were over already: not taken",
				     im->over);
}

static int import_calendar(struct import *im, bool keep, const char *text, size_t len)
{
	struct ical_calendar *calendar;
	int rc;

	if (!ical_split(im->t->mem, text, len, &calendar))
		return task_fail(im->t, E_BAD_REQUEST,
				 "This is no calendar: it does not begin with BEGIN:VCALENDAR");
	im->calendar = calendar;
	rc = read_known(im);
	if (!rc)
		rc = take_all(im);
	if (!rc)
		rc = cancel_gone(im, keep);
	remark(im);
	if (!rc && calendar->problem)
		rc = task_fail(im->t, E_BAD_REQUEST, "Line %ld of the calendar %s",
			       calendar->problem_line, calendar->problem);
	return rc;
}

int event_import_text(struct task *t, struct import_report *report, const char *source, bool keep,
		      const char *text, size_t len)
{
	const struct import_counts *c = &report->counts;
	struct import *im;
	TALLOC_CTX *whole = t->mem;
	int rc;

	shape_setup();
	t->mem = talloc_new(whole);
	im = talloc_zero(t->mem, struct import);
	im->t = t;
	im->report = report;
	im->source = source;
	im->rested_us = time_monotonic_us();
	rc = import_calendar(im, keep, text, len);
	/* what was written before time ran out is noted, too */
	t->deadline += t->deadline ? MORE_US : 0;
	if (c->created + c->updated + c->gone > 0)
		rc = import_report_audit(t, report, "event:import", "event", source, rc);
	t->deadline -= t->deadline ? MORE_US : 0;
	task_keep_failure(t, whole);
	talloc_free(t->mem);
	t->mem = whole;
	return rc;
}

/* ---- for the command ---- */

static int read_file(struct task *t, const char *path, const char **text, size_t *len)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char *bytes;

	if (f && fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(f);
		f = NULL;
		errno = EISDIR;
	}
	if (!f)
		return task_fail(t, E_BAD_REQUEST, "Cannot read %s: %s", path, strerror(errno));
	bytes = talloc_array(t->mem, char, ICAL_BYTES_MAX + 1);
	*len = fread(bytes, 1, ICAL_BYTES_MAX + 1, f);
	fclose(f);
	if (*len > ICAL_BYTES_MAX)
		return task_fail(t, E_BAD_REQUEST, "%s is larger than %d MiB", path,
				 ICAL_BYTES_MAX >> 20);
	*text = bytes;
	return OK;
}

static int read_input(struct task *t, const struct import_options *options, const char **source,
		      const char **text, size_t *len)
{
	struct http_answer *answer;
	int rc;

	if (!calendar_is_url(options->path)) {
		*source = import_source(t->mem, options, EVENT_SOURCE_MAX);
		return read_file(t, options->path, text, len);
	}
	*source = options->source ? str_cut(t->mem, options->source, EVENT_SOURCE_MAX)
				  : calendar_source(t->mem, options->path);
	rc = calendar_fetch(t, options->path, NULL, NULL, &answer);
	if (rc)
		return rc;
	*text = answer->body;
	*len = answer->body_len;
	return OK;
}

int event_import_run(struct task *t, const struct import_options *options)
{
	struct import_report *report = talloc_zero(t->mem, struct import_report);
	const char *source = NULL, *text = NULL;
	size_t len = 0;
	int rc;

	*report = (struct import_report) { .kind = options->format,
					   .path = options->report,
					   .quiet = options->quiet,
					   .dry_run = options->dry_run };
	rc = import_report_begin(t, report);
	if (!rc)
		rc = read_input(t, options, &source, &text, &len);
	if (!rc)
		rc = event_import_text(t, report, source, options->keep, text, len);
	import_report_end(report, rc);
	return rc;
}
