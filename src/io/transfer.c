/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi handle on libuv: libcurl says which sockets to watch and when to be called, we call it. A transfer
 * that is over is taken off the multi handle on the loop's stack, then its coroutine goes on.
 */
#include "io/transfer.h"

#include <assert.h>
#include <stdlib.h>
#include "base/config.h"
#include "base/time.h"
#include "io/loop.h"
#include "base/banned.h"

enum { CONNECT_TIMEOUT_MS = 10000, CONNECTIONS_KEPT = 8, CONNECTIONS_MAX = 64 };

/* What transfer_run() waits for; CURLOPT_PRIVATE points to it. */
struct transfer {
	struct waiter waiter;
	CURLcode code;
};

static CURLM *multi;
static uv_timer_t timer;

static void take_finished(void)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;
		struct transfer *transfer;
		char *found;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &found);
		curl_multi_remove_handle(multi, easy); /* `message` is gone with it */
		transfer = (void *)found;
		transfer->code = code;
		waiter_wake(&transfer->waiter, OK);
	}
}

static void on_timer(uv_timer_t *handle)
{
	int running;

	(void)handle;
	curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished();
}

static int set_timer(CURLM *handle, long ms, void *arg)
{
	(void)handle;
	(void)arg;
	if (ms < 0)
		uv_timer_stop(&timer);
	else
		uv_timer_start(&timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	int flags = status < 0 ? CURL_CSELECT_ERR : 0, running;
	curl_socket_t fd = (curl_socket_t)(intptr_t)poll->data;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(multi, fd, flags, &running);
	take_finished();
}

static void poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static uv_poll_t *new_poll(curl_socket_t fd)
{
	uv_poll_t *poll = malloc(sizeof(*poll));

	if (!poll)
		abort();
	if (uv_poll_init_socket(loop_get(), poll, fd) != 0) {
		free(poll);
		return NULL;
	}
	poll->data = (void *)(intptr_t)fd;
	curl_multi_assign(multi, fd, poll);
	return poll;
}

static int set_poll(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	uv_poll_t *poll = assigned;
	int events = 0;

	(void)easy;
	(void)arg;
	if (what == CURL_POLL_REMOVE) {
		if (poll) {
			uv_poll_stop(poll);
			uv_close((uv_handle_t *)poll, poll_closed);
			curl_multi_assign(multi, fd, NULL);
		}
		return 0;
	}
	if (!poll)
		poll = new_poll(fd);
	if (!poll)
		return -1;
	if (what != CURL_POLL_OUT)
		events |= UV_READABLE;
	if (what != CURL_POLL_IN)
		events |= UV_WRITABLE;
	return uv_poll_start(poll, events, on_poll) == 0 ? 0 : -1;
}

static void open_multi(void)
{
	if (multi)
		return;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
	/* otherwise a name that does not resolve would hold up the loop */
	assert(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS);
	multi = curl_multi_init();
	if (!multi)
		abort();
	uv_timer_init(loop_get(), &timer);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_poll);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX);
}

CURL *transfer_new(const char *url, const char *schemes)
{
	CURL *easy;

	open_multi();
	easy = curl_easy_init();
	if (!easy)
		abort();
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, schemes);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* who gives up does not wait for the thread that still resolves the name */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (config.ca_file && config.ca_file[0])
		curl_easy_setopt(easy, CURLOPT_CAINFO, config.ca_file);
	return easy;
}

int transfer_run(struct task *t, CURL *easy, int timeout_ms, CURLcode *code)
{
	uint64_t deadline = time_monotonic_us() + (uint64_t)timeout_ms * 1000;
	struct transfer transfer = { 0 };
	int rc;

	if (t->deadline && t->deadline < deadline)
		deadline = t->deadline;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
	if (curl_multi_add_handle(multi, easy) != CURLM_OK)
		return task_fail(t, E_INTERNAL, NULL);
	rc = waiter_wait(&transfer.waiter, deadline);
	if (rc) {
		curl_multi_remove_handle(multi, easy);
		return task_fail(t, rc, NULL);
	}
	*code = transfer.code;
	return OK;
}

void transfer_close(void)
{
	if (!multi)
		return;
	curl_multi_cleanup(multi);
	multi = NULL;
	uv_close((uv_handle_t *)&timer, NULL);
	curl_global_cleanup();
}
