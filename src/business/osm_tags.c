/* SPDX-License-Identifier: Apache-2.0 */
/* The tables from OpenStreetMap's tags to categories and attributes; import_geojson.c asks them. The first row that
 * fits decides, so special ones stand before general ones; a NULL value fits any. */
#include "business/osm_tags.h"

#include <stdbool.h>
#include <string.h>
#include "base/attr.h"
#include "base/banned.h"

static const struct {
	const char *key, *value, *category;
} categories[] = {
	{ "shop", "supermarket", "supermarket" },
	{ "shop", "convenience", "convenience-store" },
	{ "shop", "newsagent", "convenience-store" },
	{ "shop", "bakery", "bakery" },
	{ "shop", "pastry", "bakery" },
	{ "shop", "butcher", "butcher" },
	{ "shop", "greengrocer", "greengrocer" },
	{ "shop", "seafood", "fishmonger" },
	{ "shop", "deli", "delicatessen" },
	{ "shop", "cheese", "delicatessen" },
	{ "shop", "tea", "delicatessen" },
	{ "shop", "coffee", "delicatessen" },
	{ "shop", "health_food", "delicatessen" },
	{ "shop", "confectionery", "sweets" },
	{ "shop", "chocolate", "sweets" },
	{ "shop", "alcohol", "off-licence" },
	{ "shop", "wine", "off-licence" },
	{ "shop", "beverages", "off-licence" },
	{ "shop", "farm", "farm" },
	{ "shop", "refreshments", "cafe" },
	{ "shop", "department_store", "department-store" },
	{ "shop", "variety_store", "department-store" },
	{ "shop", "mall", "shopping-centre" },
	{ "amenity", "marketplace", "shopping-centre" },
	{ "shop", "clothes", "clothes" },
	{ "shop", "shoes", "clothes" },
	{ "shop", "boutique", "clothes" },
	{ "shop", "fashion", "clothes" },
	{ "shop", "bag", "clothes" },
	{ "shop", "jewelry", "jewellery" },
	{ "shop", "watches", "jewellery" },
	{ "shop", "books", "books" },
	{ "shop", "stationery", "books" },
	{ "shop", "gift", "gifts" },
	{ "shop", "toys", "gifts" },
	{ "shop", "games", "gifts" },
	{ "shop", "party", "gifts" },
	{ "shop", "furniture", "home" },
	{ "shop", "kitchen", "home" },
	{ "shop", "homeware", "home" },
	{ "shop", "houseware", "home" },
	{ "shop", "interior_decoration", "home" },
	{ "shop", "carpet", "home" },
	{ "shop", "bed", "home" },
	{ "shop", "curtain", "home" },
	{ "shop", "bathroom_furnishing", "home" },
	{ "shop", "hardware", "hardware" },
	{ "shop", "doityourself", "hardware" },
	{ "shop", "paint", "hardware" },
	{ "shop", "trade", "hardware" },
	{ "shop", "garden_centre", "garden-centre" },
	{ "shop", "florist", "garden-centre" },
	{ "shop", "electronics", "electronics" },
	{ "shop", "computer", "electronics" },
	{ "shop", "mobile_phone", "electronics" },
	{ "shop", "hifi", "electronics" },
	{ "shop", "appliance", "electronics" },
	{ "shop", "sports", "sports-shop" },
	{ "shop", "outdoor", "sports-shop" },
	{ "shop", "fishing", "sports-shop" },
	{ "shop", "music", "music-shop" },
	{ "shop", "musical_instrument", "music-shop" },
	{ "shop", "pet", "pets" },
	{ "shop", "charity", "charity-shop" },
	{ "shop", "second_hand", "charity-shop" },
	{ "shop", "antiques", "antiques" },
	{ "shop", "art", "antiques" },
	{ "shop", "chemist", "pharmacy" },
	{ "amenity", "pharmacy", "pharmacy" },
	{ "healthcare", "pharmacy", "pharmacy" },
	{ "shop", "optician", "optician" },
	{ "shop", "massage", "therapy" },
	{ "amenity", "doctors", "doctor" },
	{ "amenity", "clinic", "doctor" },
	{ "amenity", "dentist", "dentist" },
	{ "amenity", "hospital", "hospital" },
	{ "amenity", "veterinary", "vet" },
	{ "shop", "hairdresser", "hairdresser" },
	{ "shop", "beauty", "beauty-salon" },
	{ "shop", "cosmetics", "cosmetics" },
	{ "shop", "perfumery", "cosmetics" },
	{ "shop", "tattoo", "tattoo" },
	{ "shop", "laundry", "cleaning" },
	{ "shop", "dry_cleaning", "cleaning" },
	{ "shop", "tailor", "cleaning" },
	{ "shop", "watch_repair", "repair" },
	{ "shop", "locksmith", "repair" },
	{ "shop", "shoe_repair", "repair" },
	{ "shop", "car_repair", "garage" },
	{ "shop", "car_parts", "garage" },
	{ "shop", "tyres", "garage" },
	{ "shop", "car", "car-dealer" },
	{ "shop", "motorcycle", "car-dealer" },
	{ "shop", "caravan", "car-dealer" },
	{ "amenity", "fuel", "fuel" },
	{ "amenity", "charging_station", "fuel" },
	{ "shop", "bicycle", "bicycle" },
	{ "amenity", "parking", "parking" },
	{ "amenity", "bank", "bank" },
	{ "shop", "money_lender", "bank" },
	{ "shop", "pawnbroker", "bank" },
	{ "shop", "estate_agent", "estate-agent" },
	{ "office", "estate_agent", "estate-agent" },
	{ "shop", "travel_agency", "travel-agent" },
	{ "shop", "copyshop", "printing" },
	{ "shop", "photo", "printing" },
	{ "shop", "funeral_directors", "funeral-director" },
	{ "shop", "bookmaker", "betting" },
	{ "shop", "betting", "betting" },
	{ "shop", NULL, "shop" },
	{ "amenity", "restaurant", "restaurant" },
	{ "amenity", "cafe", "cafe" },
	{ "amenity", "ice_cream", "cafe" },
	{ "amenity", "pub", "pub" },
	{ "amenity", "bar", "bar" },
	{ "amenity", "nightclub", "bar" },
	{ "amenity", "fast_food", "takeaway" },
	{ "amenity", "cinema", "cinema" },
	{ "amenity", "theatre", "theatre" },
	{ "amenity", "arts_centre", "gallery" },
	{ "amenity", "school", "school" },
	{ "amenity", "college", "college" },
	{ "amenity", "university", "college" },
	{ "amenity", "kindergarten", "nursery" },
	{ "amenity", "library", "library" },
	{ "amenity", "post_office", "post-office" },
	{ "amenity", "townhall", "council" },
	{ "amenity", "police", "emergency" },
	{ "amenity", "fire_station", "emergency" },
	{ "amenity", "recycling", "recycling" },
	{ "amenity", "toilets", "toilets" },
	{ "amenity", "community_centre", "community-centre" },
	{ "amenity", "place_of_worship", "worship" },
	{ "tourism", "museum", "museum" },
	{ "tourism", "gallery", "gallery" },
	{ "tourism", "hotel", "hotel" },
	{ "tourism", "guest_house", "hotel" },
	{ "tourism", "camp_site", "campsite" },
	{ "tourism", "attraction", "attraction" },
	{ "historic", NULL, "attraction" },
	{ "leisure", "sports_centre", "sports-centre" },
	{ "leisure", "stadium", "sports-centre" },
	{ "leisure", "fitness_centre", "gym" },
	{ "leisure", "dance", "gym" },
	{ "leisure", "swimming_pool", "swimming" },
	{ "leisure", "pitch", "pitch" },
	{ "leisure", "track", "pitch" },
	{ "leisure", "golf_course", "golf" },
	{ "leisure", "miniature_golf", "golf" },
	{ "leisure", "park", "park" },
	{ "leisure", "garden", "park" },
	{ "leisure", "common", "park" },
	{ "leisure", "recreation_ground", "park" },
	{ "leisure", "playground", "playground" },
	{ "leisure", "nature_reserve", "nature" },
	{ "leisure", "bird_hide", "nature" },
	{ "leisure", "marina", "boating" },
	{ "leisure", "slipway", "boating" },
	{ "leisure", "fishing", "boating" },
	{ "leisure", NULL, "sports-centre" },
};

/* "true" and "false" are flags. */
static const struct {
	const char *key, *value, *attribute, *meaning;
} attributes[] = {
	{ "wheelchair", "yes", "wheelchair", "yes" },
	{ "wheelchair", "limited", "wheelchair", "limited" },
	{ "wheelchair", "no", "wheelchair", "no" },
	{ "dog", "yes", "dogs", "yes" },
	{ "dog", "leashed", "dogs", "yes" },
	{ "dog", "no", "dogs", "no" },
	{ "internet_access", "wlan", "wifi", "free" },
	{ "internet_access", "yes", "wifi", "free" },
	{ "internet_access", "no", "wifi", "no" },
	{ "toilets", "yes", "toilets", "customers" },
	{ "toilets", "no", "toilets", "no" },
	{ "takeaway", "yes", "takeaway", "true" },
	{ "takeaway", "only", "takeaway", "true" },
	{ "takeaway", "no", "takeaway", "false" },
	{ "delivery", "yes", "delivery", "true" },
	{ "delivery", "no", "delivery", "false" },
	{ "outdoor_seating", "yes", "outdoor_seating", "true" },
	{ "outdoor_seating", "no", "outdoor_seating", "false" },
	{ "diaper", "yes", "baby_changing", "true" },
	{ "changing_table", "yes", "baby_changing", "true" },
	{ "diet:vegan", "yes", "vegan", "yes" },
	{ "diet:vegan", "only", "vegan", "only" },
	{ "diet:halal", "yes", "halal", "yes" },
	{ "diet:halal", "only", "halal", "only" },
	{ "reservation", "yes", "reservations", "yes" },
	{ "reservation", "required", "reservations", "required" },
	{ "reservation", "no", "reservations", "no" },
};

static const struct {
	const char *key, *payment;
} payments[] = {
	{ "payment:cash", "cash" },
	{ "payment:cheque", "cheque" },
	{ "payment:contactless", "contactless" },
	{ "payment:bitcoin", "bitcoin" },
	{ "payment:credit_cards", "card" },
	{ "payment:debit_cards", "card" },
};

static const char *tag(json_t *tags, const char *key)
{
	return json_string_value(json_object_get(tags, key));
}

const char *osm_category(json_t *tags)
{
	for (size_t i = 0; i < COUNT_OF(categories); i++) {
		const char *value = tag(tags, categories[i].key);

		if (value && (!categories[i].value || strcmp(value, categories[i].value) == 0))
			return categories[i].category;
	}
	return NULL;
}

static bool holds(json_t *list, const char *text)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i,
			   item) if (strcmp(json_string_value(item), text) == 0) return true;
	return false;
}

static void add_payments(json_t *tags, json_t *result)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT_OF(payments); i++) {
		const char *value = tag(tags, payments[i].key);

		if (value && strcmp(value, "yes") == 0 && !holds(list, payments[i].payment))
			json_array_append_new(list, json_string(payments[i].payment));
	}
	if (json_array_size(list))
		json_object_set(result, "payment", list);
	json_decref(list);
}

json_t *osm_attributes(json_t *tags)
{
	json_t *result = json_object();

	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		const char *value = tag(tags, attributes[i].key), *meaning = attributes[i].meaning;
		bool flag = strcmp(meaning, "true") == 0;

		if (!value || strcmp(value, attributes[i].value) != 0)
			continue;
		json_object_set_new(result, attributes[i].attribute,
				    flag || strcmp(meaning, "false") == 0 ? json_boolean(flag)
									  : json_string(meaning));
	}
	add_payments(tags, result);
	return result;
}
