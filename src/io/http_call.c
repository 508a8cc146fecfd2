/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to other servers; see http_call.h. */
#include "io/http_call.h"

#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "io/transfer.h"
#include "base/banned.h"

enum { HEADER_LINES_MAX = 200, HEADER_MAX = 8192 };

/* What arrives. */
struct arrival {
	TALLOC_CTX *mem;
	struct http_answer *answer;
	struct buf body;
	int lines;
	bool (*may_connect)(const struct sockaddr *address);
	bool refused;
};

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct arrival *arrival = arg;

	buf_add(&arrival->body, data, size * count);
	return buf_full(&arrival->body) ? 0 : size * count;
}

/* The value of a header line when it has this name. */
static const char *value_of(TALLOC_CTX *mem, const char *line, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
		return NULL;
	return str_trim(talloc_strndup(mem, line + name_len + 1, len - name_len - 1));
}

static size_t take_header(char *line, size_t size, size_t count, void *arg)
{
	struct arrival *arrival = arg;
	struct http_answer *answer = arrival->answer;
	const struct {
		const char *name;
		const char **value;
	} wanted[] = {
		{ "content-type", &answer->content_type },   { "location", &answer->location },
		{ "cache-control", &answer->cache_control }, { "etag", &answer->etag },
		{ "last-modified", &answer->last_modified },
	};
	size_t len = size * count;

	if (++arrival->lines > HEADER_LINES_MAX || len > HEADER_MAX)
		return 0;
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const char *value = value_of(arrival->mem, line, len, wanted[i].name);

		if (value && !*wanted[i].value)
			*wanted[i].value = value;
	}
	return size * count;
}

/* In the place of socket(): of an address that libcurl is about to connect to. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct arrival *arrival = arg;

	(void)purpose;
	if (!arrival->may_connect(&to->addr)) {
		arrival->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void guard(CURL *easy, struct arrival *arrival)
{
	if (!arrival->may_connect)
		return;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, arrival);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

/* NULL when a header would be more than one line, or memory is out. */
static struct curl_slist *header_lines(TALLOC_CTX *mem, const struct http_call *call)
{
	/* do not wait for "100 Continue" */
	struct curl_slist *lines = curl_slist_append(NULL, "Expect:"), *longer = lines;

	for (int i = 0; lines && longer && i < call->header_count; i++) {
		const struct http_header *h = &call->headers[i];

		longer = strpbrk(h->name, "\r\n:") || strpbrk(h->value, "\r\n")
				 ? NULL
				 : curl_slist_append(lines, talloc_asprintf(mem, "%s: %s", h->name,
									    h->value));
	}
	if (longer)
		return lines;
	curl_slist_free_all(lines);
	return NULL;
}

static void set_method(CURL *easy, const struct http_call *call)
{
	const char *method = call->method ? call->method : "GET";

	if (call->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
	}
	if (strcmp(method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static int note_failure(struct task *t, const struct arrival *arrival, CURLcode code,
			const char *why)
{
	task_fail(t,
		  code == CURLE_OPERATION_TIMEDOUT ? E_TIMEOUT
		  : code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL
			  ? E_INTERNAL
			  : E_UNAVAILABLE,
		  NULL);
	t->failure.cause = buf_full(&arrival->body) ? "the answer is too large"
			   : arrival->refused	    ? "its address is not a public one"
			   : why[0]		    ? talloc_strdup(t->mem, why)
						    : curl_easy_strerror(code);
	return t->failure.code;
}

static int exchange(struct task *t, CURL *easy, const struct http_call *call,
		    struct arrival *arrival)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long status;
	int rc;

	set_method(easy, call);
	guard(easy, arrival);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "guildford/" GUILDFORD_VERSION);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, arrival);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, arrival);
	rc = transfer_run(t, easy, call->timeout_ms, &code);
	if (rc)
		return rc;
	if (code != CURLE_OK)
		return note_failure(t, arrival, code, why);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	arrival->answer->status = (int)status;
	arrival->answer->body_len = arrival->body.len;
	arrival->answer->body = buf_text(&arrival->body);
	return OK;
}

int http_call(struct task *t, const struct http_call *call, struct http_answer **answer)
{
	struct arrival arrival = { .mem = t->mem,
				   .may_connect = call->may_connect,
				   .answer = talloc_zero(t->mem, struct http_answer) };
	struct curl_slist *lines = header_lines(t->mem, call);
	CURL *easy;
	int rc;

	if (!lines) {
		task_fail(t, E_INTERNAL, NULL);
		t->failure.cause = "a header of a call has a line break";
		return E_INTERNAL;
	}
	buf_init(&arrival.body, t->mem, call->answer_max);
	easy = transfer_new(call->url, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
	rc = exchange(t, easy, call, &arrival);
	curl_easy_cleanup(easy);
	curl_slist_free_all(lines);
	if (rc == OK)
		*answer = arrival.answer;
	return rc;
}
