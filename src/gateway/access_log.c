/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON line and one header per request. On every request's way, so it is written with care for time. */
#include <string.h>
#include "api/pipeline.h"
#include "api/route.h"
#include "base/writer.h"
#include "base/log.h"
#include "base/time.h"
#include "base/banned.h"

enum { LINE_MAX_BYTES = 2048 };

/* Microseconds as milliseconds with three digits: "1.234". */
static void add_ms(struct buf *b, uint64_t us)
{
	char digits[4] = { (char)('0' + us / 100 % 10), (char)('0' + us / 10 % 10),
			   (char)('0' + us % 10), '\0' };

	buf_addi(b, (long long)(us / 1000));
	buf_addc(b, '.');
	buf_add(b, digits, 3);
}

void access_log_timing(struct request *r, uint64_t total_us)
{
	struct buf *head = &r->http->head;

	buf_adds(head, "Server-Timing: ");
	for (int i = 0; pipeline_step_name(i); i++) {
		buf_adds(head, pipeline_step_name(i));
		buf_adds(head, ";dur=");
		add_ms(head, r->step_us[i]);
		buf_adds(head, ", ");
	}
	buf_adds(head, "db;dur=");
	add_ms(head, r->task.db_us);
	buf_adds(head, ", total;dur=");
	add_ms(head, total_us);
	buf_adds(head, "\r\n");
}

void access_log_write(struct request *r, uint64_t total_us)
{
	char time[TIME_TEXT_MAX];
	struct buf line;
	struct writer j;

	if (log_level() > LOG_INFO)
		return;
	time_format(time_unix_ms(), time);
	buf_init(&line, MEM(r), LINE_MAX_BYTES);
	writer_init(&j, &line);
	writer_object(&j);
	writer_key(&j, "time");
	writer_string(&j, time);
	writer_key(&j, "level");
	writer_string(&j, "info");
	writer_key(&j, "request_id");
	writer_string(&j, r->id);
	writer_key(&j, "method");
	writer_text(&j, r->http->method_name, strnlen(r->http->method_name, 20));
	writer_key(&j, "route");
	writer_string(&j, r->route ? r->route->path : NULL);
	writer_key(&j, "status");
	writer_int(&j, r->http->status);
	writer_key(&j, "bytes");
	writer_int(&j, (long long)r->http->body_out.len);
	writer_key(&j, "peer");
	writer_string(&j, r->http->peer);
	writer_key(&j, "client");
	writer_string(&j, r->client);
	if (r->task.failure.code) {
		writer_key(&j, "error");
		writer_string(&j, errors[r->task.failure.code].code);
	}
	writer_key(&j, "statements");
	writer_int(&j, r->task.statements);
	writer_key(&j, "ms");
	writer_object(&j);
	for (int i = 0; pipeline_step_name(i); i++) {
		writer_key(&j, pipeline_step_name(i));
		j.comma = true;
		add_ms(&line, r->step_us[i]);
	}
	writer_key(&j, "db");
	j.comma = true;
	add_ms(&line, r->task.db_us);
	writer_key(&j, "total");
	j.comma = true;
	add_ms(&line, total_us);
	writer_object_end(&j);
	writer_object_end(&j);
	if (!buf_full(&line))
		log_line(line.data, line.len);
}
