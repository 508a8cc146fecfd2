/* SPDX-License-Identifier: Apache-2.0 */
/* A request's body: JSON, held against the fields of each resource as a POST and as a PATCH. */
#include "fuzz.h"

#include "api/steps.h"
#include "business/business.h"

static void check(const struct resource *resource, json_t *body, bool whole)
{
	struct task t = { .mem = talloc_new(NULL) };
	struct values *values;

	if (input_check(&t, resource, body, whole, NULL, &values) == OK)
		fuzz_check_again(values);
	else
		fuzz_check_failure(&t);
	talloc_free(t.mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct resource *const resources[] = { &business_resource, &category_resource,
							    &inspection_resource };
	struct request *r = fuzz_request("/v1/businesses");
	json_t *body;

	if (input_parse(r, (const char *)data, size, &body) == OK) {
		for (size_t i = 0; i < COUNT_OF(resources); i++) {
			check(resources[i], body, true);
			check(resources[i], body, false);
		}
	} else {
		fuzz_check_failure(&r->task);
	}
	talloc_free(MEM(r));
	return 0;
}
