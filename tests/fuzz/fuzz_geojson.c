/* SPDX-License-Identifier: Apache-2.0 */
/* Places of OpenStreetMap: GeoJSON. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_import(&geojson_reader, NULL, data, size);
	return 0;
}
