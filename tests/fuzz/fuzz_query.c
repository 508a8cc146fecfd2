/* SPDX-License-Identifier: Apache-2.0 */
/* A request's target: path and query parameters. */
#include "fuzz.h"

#include <string.h>
#include "api/query.h"
#include "base/str.h"

/* Slashes divide a path and stay as they are; what is between them is escaped. */
static void write_path(struct buf *target, const struct request *r)
{
	const char *segment = r->path;

	if (r->versioned)
		buf_adds(target, "/v1");
	while (*segment) {
		size_t len = strcspn(segment, "/");

		str_percent_encode(target, talloc_strndup(MEM(r), segment, len));
		segment += len;
		if (*segment) {
			buf_addc(target, '/');
			segment++;
		}
	}
}

/* Written out again, escaped by the rules, it reads the same. */
static void check_round_trip(const struct request *r)
{
	struct buf target;
	struct request *again;

	buf_init(&target, MEM(r), 1 << 20);
	write_path(&target, r);
	for (int i = 0; i < r->query_count; i++) {
		buf_addc(&target, i ? '&' : '?');
		str_percent_encode(&target, r->query[i].name);
		buf_addc(&target, '=');
		str_percent_encode(&target, r->query[i].value);
	}
	again = fuzz_request(buf_text(&target));
	assert(query_parse(again) == OK);
	assert(strcmp(again->path, r->path) == 0);
	assert(again->query_count == r->query_count);
	for (int i = 0; i < r->query_count; i++) {
		assert(strcmp(again->query[i].name, r->query[i].name) == 0);
		assert(strcmp(again->query[i].value, r->query[i].value) == 0);
	}
	talloc_free(MEM(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct request *r = fuzz_request(fuzz_target_text(mem, "", data, size));

	if (query_parse(r) != OK) {
		fuzz_check_failure(&r->task);
	} else {
		assert(str_is_utf8(r->path, strlen(r->path)));
		for (int i = 0; i < r->query_count; i++)
			assert(query_text(r, r->query[i].name) == r->query[i].value);
		check_round_trip(r);
	}
	talloc_free(MEM(r));
	talloc_free(mem);
	return 0;
}
