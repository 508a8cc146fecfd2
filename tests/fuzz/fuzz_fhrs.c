/* SPDX-License-Identifier: Apache-2.0 */
/* Food hygiene ratings: XML. */
#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_import(&fhrs_reader, NULL, data, size);
	return 0;
}
