/* SPDX-License-Identifier: Apache-2.0 */
/* The Business service's row: what it consists of. */
#include "business/business.h"
#include "base/banned.h"

static const struct resource *const resources[] = {
	&category_resource,
	&business_resource,
	&inspection_resource,
	NULL,
};

const struct service business_service = {
	.name = "business",
	.doc = "The directory: categories, businesses and their inspections.",
	.resources = resources,
};
