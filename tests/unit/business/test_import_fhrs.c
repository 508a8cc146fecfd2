/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the FHRS reader: addresses in four free lines, ratings that are none, XML that is wrong or hostile. */
#include "test.h"
#include "with_records.h"
#include "business/import_fhrs.c"

#define FILE_OF(establishments)                                                                                 \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?><FHRSEstablishment><EstablishmentCollection>" establishments \
	"</EstablishmentCollection></FHRSEstablishment>"
#define PLACE(leaves) "<EstablishmentDetail>" leaves "</EstablishmentDetail>"

/* The first record's part ("body" or "inspection"), or NULL. */
static const char *read_part(void **state, const char *xml, const char *part)
{
	struct import im;
	const char *text = NULL;

	if (read_records(*state, &fhrs_reader, NULL, xml, strlen(xml), &im) == OK &&
	    json_object_get(json_array_get(im.records, 0), part))
		text = json_text(*state, json_object_get(json_array_get(im.records, 0), part));
	forget_records(&im);
	return text;
}

static void test_addresses(void **state)
{
	static const struct {
		const char *leaves, *address;
	} rows[] = {
		{ "", "{\"lines\":[]}" },
		{ "<AddressLine1>1 High Street</AddressLine1>", "{\"lines\":[\"1 High Street\"]}" },
		{ "<AddressLine1>Guildford</AddressLine1>",
		  "{\"lines\":[],\"locality\":\"Guildford\"}" },
		{ "<AddressLine1/><AddressLine2> 1 High Street </AddressLine2><AddressLine3>Guildford</AddressLine3>"
		  "<AddressLine4>SURREY</AddressLine4><PostCode>GU1 3AJ</PostCode>",
		  "{\"lines\":[\"1 High Street\"],\"locality\":\"Guildford\",\"postcode\":\"GU1 3AJ\",\"region\":\"SURREY\"}" },
		{ "<AddressLine4>Surrey</AddressLine4>", "{\"lines\":[],\"region\":\"Surrey\"}" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *xml = talloc_asprintf(
			*state,
			FILE_OF(PLACE("<FHRSID>1</FHRSID><BusinessName>A</BusinessName>%s")),
			rows[i].leaves);

		expect_text(read_part(state, xml, "body"),
			    talloc_asprintf(
				    *state,
				    "{\"address\":%s,\"name\":\"A\",\"status\":\"operational\"}",
				    rows[i].address),
			    rows[i].leaves);
	}
}

static void test_inspections(void **state)
{
	static const struct {
		const char *leaves, *inspection;
	} rows[] = {
		{ "", NULL },
		{ "<RatingValue/>", NULL },
		{ "<RatingValue>5</RatingValue><RatingDate>2020-02-29</RatingDate><Scores><Hygiene>0</Hygiene>"
		  "<Structural>5</Structural><ConfidenceInManagement>10</ConfidenceInManagement></Scores>",
		  "{\"confidence_score\":10,\"date\":\"2020-02-29\",\"hygiene_score\":0,\"rating\":\"5\",\"scheme\":\"fhrs\","
		  "\"structural_score\":5}" },
		{ "<RatingValue>AwaitingInspection</RatingValue><SchemeType>FHIS</SchemeType><Hygiene>x</Hygiene>",
		  "{\"confidence_score\":null,\"date\":null,\"hygiene_score\":null,\"rating\":\"AwaitingInspection\","
		  "\"scheme\":\"fhis\",\"structural_score\":null}" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *xml = talloc_asprintf(
			*state,
			FILE_OF(PLACE("<FHRSID>1</FHRSID><BusinessName>A</BusinessName>%s")),
			rows[i].leaves);

		expect_text(read_part(state, xml, "inspection"), rows[i].inspection,
			    rows[i].leaves);
	}
}

static void test_names_and_places(void **state)
{
	static const struct {
		const char *leaves, *body;
	} rows[] = {
		{ "<BusinessName>Tom &amp; Jerry&#8217;s &lt;Caf&#233;&gt;</BusinessName>",
		  "\"name\":\"Tom & Jerry\xe2\x80\x99s <Caf\xc3\xa9>\"" },
		{ "<BusinessName><![CDATA[A & B]]></BusinessName>", "\"name\":\"A & B\"" },
		{ "<BusinessName> Tea <!-- and --><![CDATA[&]]> Cake</BusinessName>astray",
		  "\"name\":\"Tea & Cake\"" },
		{ "<BusinessName>A</BusinessName><Longitude>-0.5</Longitude><Latitude>51.25</Latitude>",
		  "\"location\":{\"lat\":51.25,\"lng\":-0.5}" },
		{ "<BusinessName>A</BusinessName><BusinessType>Pub/bar/nightclub</BusinessType>",
		  "\"primary_category\":\"pub\"" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *xml = talloc_asprintf(*state, FILE_OF(PLACE("<FHRSID>1</FHRSID>%s")),
						  rows[i].leaves);
		const char *body = read_part(state, xml, "body");

		if (!body || !strstr(body, rows[i].body))
			expect_text(body, rows[i].body, rows[i].leaves);
	}
	/* half a place is none, and leaks nothing */
	assert_null(strstr(
		read_part(state,
			  FILE_OF(PLACE("<BusinessName>A</BusinessName><Latitude>51</Latitude>")),
			  "body"),
		"location"));
}

/* A text is cut at its limit, not in the middle of a character. */
static void test_a_text_beyond_its_limit_is_cut(void **state)
{
	char *name = talloc_strdup(*state, "a");
	const char *body;

	for (int i = 0; i < TEXT_MAX; i++)
		name = talloc_asprintf_append(name, "\xc3\xa9");
	body = read_part(
		state,
		talloc_asprintf(*state, FILE_OF(PLACE("<BusinessName>%s</BusinessName>")), name),
		"body");
	assert_non_null(strstr(body, "\"name\":\"a\xc3\xa9\xc3\xa9"));
	assert_non_null(strstr(body, "\xc3\xa9\xc3\xa9\",\"status\""));
}

static void test_what_is_read_and_what_refused(void **state)
{
	static const struct {
		const char *xml;
		int code;
		size_t records;
		const char *rejected;
	} rows[] = {
		{ FILE_OF(""), OK, 0, "[]" },
		{ FILE_OF("\n" PLACE("<FHRSID>1</FHRSID>") "\n" PLACE(
			  "<BusinessName> </BusinessName>")
				  PLACE("<BusinessName>A</BusinessName>")),
		  OK, 1, "[[2,\"has no BusinessName\"],[3,\"has no BusinessName\"]]" },
		{ FILE_OF(PLACE("<BusinessName>A</BusinessName><LocalAuthorityCode>307</LocalAuthorityCode>") PLACE(
			  "<BusinessName>B</BusinessName><LocalAuthorityCode>308</LocalAuthorityCode>")),
		  E_BAD_REQUEST, 1, "[]" },
		{ "", E_BAD_REQUEST, 0, "[]" },
		{ "no XML", E_BAD_REQUEST, 0, "[]" },
		{ "<FHRSEstablishment>" PLACE(
			  "<BusinessName>A</BusinessName>") "<EstablishmentDetail>",
		  E_BAD_REQUEST, 1, "[]" },
		{ "<a>" PLACE("<BusinessName>A</BusinessName>") "</a>", E_BAD_REQUEST, 0, "[]" },
		{ PLACE("<BusinessName>A</BusinessName>"), E_BAD_REQUEST, 0, "[]" },
		{ "<!DOCTYPE FHRSEstablishment [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><FHRSEstablishment>" PLACE(
			  "<BusinessName>A&x;B</BusinessName>") "</FHRSEstablishment>",
		  OK, 1, "[]" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct import im;
		int rc = read_records(*state, &fhrs_reader, NULL, rows[i].xml, strlen(rows[i].xml),
				      &im);

		expect_bool(rc == rows[i].code, true, rows[i].xml);
		expect_bool(json_array_size(im.records) == rows[i].records, true, rows[i].xml);
		expect_text(json_text(*state, im.rejected), rows[i].rejected, rows[i].xml);
		assert_null(strstr(json_text(*state, im.records), "root:"));
		forget_records(&im);
	}
}

static void test_an_authority_is_the_scope(void **state)
{
	static const char xml[] = FILE_OF(PLACE(
		"<BusinessName>A</BusinessName><LocalAuthorityCode>307</LocalAuthorityCode>"));
	struct import im;

	assert_int_equal(read_records(*state, &fhrs_reader, NULL, xml, strlen(xml), &im), OK);
	assert_string_equal(im.scope, "fhrs:307");
	forget_records(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_inspections),
		cmocka_unit_test(test_names_and_places),
		cmocka_unit_test(test_a_text_beyond_its_limit_is_cut),
		cmocka_unit_test(test_what_is_read_and_what_refused),
		cmocka_unit_test(test_an_authority_is_the_scope),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
