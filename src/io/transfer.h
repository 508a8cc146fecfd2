/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl on the loop: one multi handle per process, driven by libuv's polls and timer, and a call that waits until a
 * transfer is over. It knows no protocol; io/http_call.c and io/smtp_call.c say what is transferred. Names are resolved
 * in libcurl's own thread, so that a name server that does not answer holds up nobody else.
 */
#ifndef IO_TRANSFER_H
#define IO_TRANSFER_H

#include <curl/curl.h>
#include "base/attr.h"
#include "io/task.h"

/* A new transfer to `url`, which may have one of the comma-separated `schemes` only. Certificates are verified (against
 * GUILDFORD_CA_FILE, else the system's), proxies of the environment are not used, redirects are not followed. Cleaned
 * up with curl_easy_cleanup(). Aborts when memory is out. */
CURL *transfer_new(const char *url, const char *schemes) MUST_USE;
/* Runs it for at most `timeout_ms`, and not beyond the task's deadline. Returns OK when it is over, `code` saying how, or
 * E_TIMEOUT, with the failure recorded. waits */
int transfer_run(struct task *t, CURL *easy, int timeout_ms, CURLcode *code) MUST_USE;
/* Closes the connections that are kept open. Call it when nobody waits, before loop_close(). */
void transfer_close(void);

#endif
