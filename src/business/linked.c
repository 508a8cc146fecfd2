/* SPDX-License-Identifier: Apache-2.0 */
/* A business as schema.org's LocalBusiness; resource.json_ld. Nothing waits. */
#include <string.h>
#include "api/request.h"
#include "base/config.h"
#include "base/linked.h"
#include "business/business.h"
#include "model/values.h"
#include "base/banned.h"

static const struct linked_row plain[] = {
	{ "identifier", "id" },
	{ "name", "name" },
	{ "description", "description" },
	{ "telephone", "phone" },
	{ "email", "email" },
	{ "sameAs", "website" },
	{ "keywords", "primary_category" },
	{ 0 },
};

static const struct linked_row address[] = {
	{ "addressLocality", "address.locality" },
	{ "addressRegion", "address.region" },
	{ "postalCode", "address.postcode" },
	{ "addressCountry", "address.country" },
	{ 0 },
};

static const struct linked_row geo[] = {
	{ "latitude", "location.lat" },
	{ "longitude", "location.lng" },
	{ 0 },
};

static json_t *address_of(TALLOC_CTX *mem, json_t *row)
{
	json_t *result = linked_new("PostalAddress"), *lines = linked_value(row, "address.lines"),
	       *line;
	char *street = NULL;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const char *text = json_string_value(line);

		street = street ? talloc_asprintf_append_buffer(street, ", %s", text)
				: talloc_strdup(mem, text);
	}
	linked_set_text(result, "streetAddress", street);
	linked_copy(result, row, address);
	return result;
}

int business_json_ld(struct request *r, json_t *row, json_t **linked)
{
	static const char prices[] = "££££";
	json_int_t level = json_integer_value(linked_value(row, "price_level"));
	json_t *result = linked_new("LocalBusiness"), *position = linked_new("GeoCoordinates");
	char *url = talloc_asprintf(MEM(r), "%s/businesses/%s", config.public_url,
				    linked_text(row, "slug"));

	linked_set_text(result, "@context", "https://schema.org");
	linked_set_text(result, "@id", url);
	linked_set_text(result, "url", url);
	linked_copy(result, row, plain);
	linked_set(result, "address", address_of(MEM(r), row));
	linked_copy(position, row, geo);
	linked_set(result, "geo", position);
	if (level > 0) /* a pound sign has two bytes */
		linked_set_text(result, "priceRange",
				talloc_strndup(MEM(r), prices, 2 * (size_t)level));
	linked_set(result, "amenityFeature", linked_features(linked_value(row, "attributes")));
	*linked = json_keep(MEM(r), result);
	return OK;
}
