/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one JSON object per line on standard error, UTC, with time, level, pid and message. Values are escaped, so
 * that no input can forge a line. log_line() takes a finished object for the access log. Whole lines are written, up to
 * PIPE_BUF bytes at a time; when nobody reads, they are dropped and counted rather than waited for.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include "base/attr.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* Lines below `level` are not written. `process` ("supervisor", "worker 1") stands in each line. */
void log_setup(enum log_level level, const char *process);
enum log_level log_level(void);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Writes a finished line (no newline) as it is; batched until log_flush() or 16 KiB: the loop flushes once a turn. */
void log_line(const char *line, size_t len);
void log_flush(void);
/* Writes that failed or would have had to wait, and lines too long to write. */
unsigned long long log_dropped(void);

#endif
