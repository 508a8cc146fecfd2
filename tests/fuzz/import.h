/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a reader of imports on bytes, with the real import around it and no database below it. */
#ifndef FUZZ_IMPORT_H
#define FUZZ_IMPORT_H

#include "business/import.h"
#include "fuzz.h"

/* Returns how many records were read, -1 when the file was refused. */
long fuzz_import(const struct import_reader *reader, const char *map, const uint8_t *data,
		 size_t size);

#endif
