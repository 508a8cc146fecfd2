/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is one function that takes any bytes, gives them to one parser of the program
 * and asserts what must hold whatever they are. libFuzzer calls it with inputs of its own (`make fuzz`), replay.c with
 * those of the corpus (`make test`).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "model/values.h"
#include "api/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a string, up to the first that is not printable ASCII: what the server takes as a target. */
char *fuzz_target_text(TALLOC_CTX *mem, const char *prefix, const uint8_t *data, size_t size);
/* An admin's GET for the target as the pipeline gets it, in memory of its own: talloc_free(r->task.mem). */
struct request *fuzz_request(const char *target);
/* A failure's texts go into a JSON answer: they must be UTF-8. */
void fuzz_check_failure(const struct task *t);
/* Values that passed pass again as they are now, unchanged: what is stored can be sent back. */
void fuzz_check_again(const struct values *values);

#endif
