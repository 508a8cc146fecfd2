/* SPDX-License-Identifier: Apache-2.0 */
/* Places of OpenStreetMap: GeoJSON. The reader looks for the features by itself, to hold one at a time; of a file that
 * is JSON it must read as many as a parser of the whole finds. */
#include "import.h"

#include <string.h>

static bool all_objects(json_t *features)
{
	json_t *item;
	size_t i;

	json_array_foreach(features, i, item)
	{
		if (!json_is_object(item))
			return false;
	}
	return true;
}

static void compare(json_t *whole, bool has_escapes, long read)
{
	json_t *features = json_object_get(whole, "features");

	if (!json_is_array(features))
		assert(read == -1);
	else if (all_objects(features) && !has_escapes) /* the reader's keys have none */
		assert(read == (long)json_array_size(features));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	long read = fuzz_import(&geojson_reader, NULL, data, size);
	json_t *whole = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

	if (whole)
		compare(whole, memchr(data, '\\', size) != NULL, read);
	json_decref(whole);
	return 0;
}
