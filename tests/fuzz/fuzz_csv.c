/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of CSV. A file whose first line begins with "--map " brings its own map. */
#include "import.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char option[] = "--map ";
	const size_t len = sizeof(option) - 1;
	const uint8_t *end = memchr(data, '\n', size);
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *map = NULL;

	if (end && size > len && memcmp(data, option, len) == 0 && end > data + len) {
		map = talloc_strndup(mem, (const char *)data + len, (size_t)(end - data) - len);
		size -= (size_t)(end + 1 - data);
		data = end + 1;
	}
	fuzz_import(&csv_reader, map, data, size);
	talloc_free(mem);
	return 0;
}
