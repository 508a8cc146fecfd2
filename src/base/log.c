/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines on standard error; see log.h. */
#include "base/log.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/writer.h"
#include "base/metrics.h"
#include "base/str.h"
#include "base/time.h"
#include "base/banned.h"

enum { BATCH = 16384, MESSAGE_MAX = 1024 };

static enum log_level threshold = LOG_INFO;
static const char *process_name = "guildford";
static char batch[2 * BATCH];
static size_t batch_len;
static unsigned long long dropped;

void log_setup(enum log_level level, const char *process)
{
	threshold = level;
	process_name = process;
}

enum log_level log_level(void)
{
	return threshold;
}

unsigned long long log_dropped(void)
{
	return dropped;
}

/* Would it take a piece now? Standard error is not made non-blocking, for it may be shared with a terminal; a pipe that
 * polls as writable takes PIPE_BUF bytes at once. */
static bool takes_now(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/* The first of the lines that fit into one piece; at least one line. */
static size_t piece_of(const char *data, size_t len)
{
	size_t fits = len < PIPE_BUF ? len : PIPE_BUF;

	while (fits > 0 && data[fits - 1] != '\n')
		fits--;
	if (fits == 0)
		fits = strcspn(data, "\n") + 1;
	return fits;
}

/* Lines, the last of which is ended. */
static void put(const char *data, size_t len)
{
	while (len > 0) {
		size_t piece = piece_of(data, len);

		if (!takes_now() || write(STDERR_FILENO, data, piece) != (ssize_t)piece) {
			dropped++;
			metric_add(METRIC_LOG_DROPPED, 1);
		}
		data += piece;
		len -= piece;
	}
}

void log_flush(void)
{
	if (batch_len)
		put(batch, batch_len);
	batch_len = 0;
}

void log_line(const char *line, size_t len)
{
	if (len + 1 > sizeof(batch) - batch_len)
		log_flush();
	if (len + 1 > sizeof(batch)) {
		dropped++;
		return;
	}
	memcpy(batch + batch_len, line, len);
	batch_len += len;
	batch[batch_len++] = '\n';
	if (batch_len >= BATCH)
		log_flush();
}

PRINTF_LIKE(3, 0)
static void say(enum log_level level, const char *name, const char *fmt, va_list ap)
{
	char message[MESSAGE_MAX], time[TIME_TEXT_MAX];
	struct buf line;
	struct writer j;

	if (level < threshold)
		return;
	vsnprintf(message, sizeof(message), fmt, ap);
	str_repair_utf8(message); /* it may be cut, or quote what is no text */
	time_format(time_unix_ms(), time);
	buf_init(&line, NULL, 8 * MESSAGE_MAX);
	writer_init(&j, &line);
	writer_object(&j);
	writer_key(&j, "time");
	writer_string(&j, time);
	writer_key(&j, "level");
	writer_string(&j, name);
	writer_key(&j, "process");
	writer_string(&j, process_name);
	writer_key(&j, "pid");
	writer_int(&j, getpid());
	writer_key(&j, "message");
	writer_string(&j, message);
	writer_object_end(&j);
	log_line(line.data, line.len);
	log_flush();
	talloc_free(line.data);
}

#define SAY(function, level, name)                                                                 \
	void function(const char *fmt, ...)                                                        \
	{                                                                                          \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		say(level, name, fmt, ap);                                                         \
		va_end(ap);                                                                        \
	}

SAY(log_debug, LOG_DEBUG, "debug")
SAY(log_info, LOG_INFO, "info")
SAY(log_warn, LOG_WARN, "warn")
SAY(log_error, LOG_ERROR, "error")
