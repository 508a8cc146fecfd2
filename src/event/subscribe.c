/* SPDX-License-Identifier: Apache-2.0 */
/* Calendars of others that the town follows; see subscribe.h. */
#include "event/subscribe.h"

#include <string.h>
#include "base/config.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "event/ical_split.h"
#include "event/import.h"
#include "store/pg.h"
#include "base/banned.h"

enum {
	FETCH_MS = 30000,
	ENOUGH_US = 60000000, /* that one calendar may need */
	CALENDARS_MAX = 100,
	HOST_MAX = 150,
	DIGEST_CHARS = 16,
	REPORT_MAX = 20000
};

static bool has_scheme(const char *text, const char *scheme)
{
	return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

bool calendar_is_url(const char *text)
{
	return has_scheme(text, "http://") || has_scheme(text, "https://") ||
	       has_scheme(text, "webcal://");
}

/* webcal is how programs are told that it is a calendar. */
static const char *fetched_url(TALLOC_CTX *mem, const char *url)
{
	return has_scheme(url, "webcal://") ? talloc_asprintf(mem, "https://%s", url + 9) : url;
}

const char *calendar_source(TALLOC_CTX *mem, const char *url)
{
	const char *name = public_name(mem, fetched_url(mem, url));
	const char *host = public_host(mem, fetched_url(mem, url));

	return talloc_asprintf(mem, "ics:%.*s:%.*s", HOST_MAX, host ? host : "", DIGEST_CHARS,
			       secret_digest(mem, "calendar", name ? name : url));
}

int calendar_fetch(struct task *t, const char *url, const char *etag, const char *last_modified,
		   struct http_answer **answer)
{
	const struct public_call call = { .url = fetched_url(t->mem, url),
					  .etag = etag,
					  .last_modified = last_modified,
					  .answer_max = ICAL_BYTES_MAX,
					  .timeout_ms = FETCH_MS,
					  .anywhere = config.calendars_private };
	const char *host = public_host(t->mem, call.url), *why;
	int rc = public_get(t, &call, answer);

	if (rc == OK)
		return OK;
	why = t->failure.cause	? t->failure.cause
	      : rc == E_TIMEOUT ? "it took too long"
				: "the address must be an http or https URL";
	task_forgive(t);
	return task_fail(t, E_BAD_REQUEST, "The calendar of %s cannot be fetched: %s",
			 host ? host : "that address", why);
}

/* The URLs of the setting. */
static int read_setting(TALLOC_CTX *mem, char ***urls)
{
	int n = config.calendars[0] ? str_split(mem, config.calendars, ',', CALENDARS_MAX, urls)
				    : 0;

	return n < 0 ? 0 : n;
}

/* A row that is there and awaited is left alone: who has nothing to do writes nothing. */
int calendars_list(struct task *t)
{
	char **urls;
	int n = read_setting(t->mem, &urls), rc = OK;
	const char **sources = talloc_array(t->mem, const char *, (unsigned)n + 1);
	const char **hosts = talloc_array(t->mem, const char *, (unsigned)n + 1);
	struct pg_rows *rows;

	if (n == 0)
		return OK;
	for (int i = 0; i < n; i++) {
		sources[i] = calendar_source(t->mem, urls[i]);
		hosts[i] = public_host(t->mem, fetched_url(t->mem, urls[i]));
	}
	rc = pg_query(
		t, &rows,
		"insert into event.calendar as c (source, host) select distinct s, h from unnest($1::text[], $2::text[]) x (s, h) "
		"where not exists (select from event.calendar k where k.source = s and k.next_at < 'infinity') "
		"on conflict (source) do update set next_at = now() where c.next_at = 'infinity'",
		PG_PARAMS(pg_array(t->mem, sources, n), pg_array(t->mem, hosts, n)));
	return rc;
}

/* One that is to be asked. */
struct due {
	const char *source, *host, *url, *etag, *last_modified;
};

/* A server may write anything. */
static const char *tag_or_null(const char *tag)
{
	return tag && str_is_utf8(tag, strlen(tag)) && !str_has_control(tag, strlen(tag), false)
		       ? tag
		       : NULL;
}

static int note_success(struct task *t, const struct due *d, const struct http_answer *answer,
			const struct buf *lines)
{
	const char *report = talloc_strndup(t->mem, lines->data ? lines->data : "", lines->len);
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"update event.calendar set next_at = clock_timestamp() + interval '1 hour', failures = 0, problem = null, "
		"taken_at = case when $5::boolean then taken_at else clock_timestamp() end, "
		"etag = case when $5::boolean then etag else case when length($2) <= 1000 then $2 end end, "
		"last_modified = case when $5::boolean then last_modified else case when length($3) <= 1000 then $3 end end, "
		"report = case when $5::boolean then report else nullif($4, '') end, updated_at = clock_timestamp() "
		"where source = $1",
		PG_PARAMS(d->source, tag_or_null(answer->etag), tag_or_null(answer->last_modified),
			  report, answer->status == 304 ? "true" : "false"));
}

/* After five minutes, then twice as long each time, a day at most. */
static int note_failure(struct task *t, const struct due *d, const char *problem)
{
	struct pg_rows *rows;

	log_warn("calendar %s: %s", d->host, problem);
	return pg_query(
		t, &rows,
		"update event.calendar set next_at = clock_timestamp() + least(interval '5 minutes' * 2 ^ least(failures, 20), "
		"interval '1 day'), failures = failures + 1, problem = left($2, 1000), updated_at = clock_timestamp() where source = $1",
		PG_PARAMS(d->source, problem));
}

static int take(struct task *t, const struct due *d)
{
	struct import_report report = { .kind = "ics", .quiet = true };
	const struct import_counts *c = &report.counts;
	struct http_answer *answer;
	struct buf lines;
	int rc = calendar_fetch(t, d->url, d->etag, d->last_modified, &answer);

	if (rc)
		return rc;
	buf_init(&lines, t->mem, REPORT_MAX);
	report.lines = &lines;
	rc = import_report_begin(t, &report);
	if (!rc && answer->status != 304)
		rc = event_import_text(t, &report, d->source, false, answer->body,
				       answer->body_len);
	import_report_end(&report, rc);
	if (rc)
		return rc;
	if (c->created + c->updated + c->gone > 0)
		log_info("calendar %s: %ld created, %ld updated, %ld gone, %ld rejected", d->host,
			 c->created, c->updated, c->gone, c->rejected);
	return note_success(t, d, answer, &lines);
}

/* Whatever is wrong with one, the others are asked. */
static int follow_one(struct task *t, const struct due *d)
{
	TALLOC_CTX *whole = t->mem;
	const char *problem;
	int rc;

	t->mem = talloc_new(whole);
	rc = take(t, d);
	if (rc) {
		problem = import_report_problems(t->mem, &t->failure);
		task_forgive(t);
		rc = note_failure(t, d, problem);
	}
	task_keep_failure(t, whole);
	talloc_free(t->mem);
	t->mem = whole;
	return rc;
}

static const char *url_of(TALLOC_CTX *mem, const char *source)
{
	char **urls;
	int n = read_setting(mem, &urls);

	for (int i = 0; i < n; i++)
		if (strcmp(calendar_source(mem, urls[i]), source) == 0)
			return urls[i];
	return NULL;
}

/* What is in nobody's list any more is not asked again; its events stay. */
static int forget(struct task *t, const char *source)
{
	struct pg_rows *rows;

	return pg_query(
		t, &rows,
		"update event.calendar set next_at = 'infinity', updated_at = clock_timestamp() where source = $1",
		PG_PARAMS(source));
}

/* Once a day the whole is read, whatever the server says: entries that were too far ahead come nearer, categories come. */
int calendars_follow(struct task *t)
{
	struct pg_rows *rows;
	int rc = pg_query(
		t, &rows,
		"select source, host, case when taken_at > now() - interval '1 day' then etag end, "
		"case when taken_at > now() - interval '1 day' then last_modified end "
		"from event.calendar where next_at <= now() order by next_at limit 100",
		PG_NONE);

	for (int i = 0; !rc && i < pg_count(rows); i++) {
		const struct due d = { .source = pg_value(rows, i, 0),
				       .host = pg_value(rows, i, 1),
				       .url = url_of(t->mem, pg_value(rows, i, 0)),
				       .etag = pg_value(rows, i, 2),
				       .last_modified = pg_value(rows, i, 3) };

		if (t->deadline && time_monotonic_us() + ENOUGH_US > t->deadline)
			break;
		rc = d.url ? follow_one(t, &d) : forget(t, d.source);
	}
	return rc;
}
