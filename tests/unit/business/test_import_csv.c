/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the CSV reader: what people's spreadsheets write, which line a row began in, what is no CSV. */
#include "test.h"
#include <assert.h>
#include "with_records.h"
#include "business/import_csv.c"

/* All rows of one read; NULL records: the file is refused. */
static void test_files(void **state)
{
	static const struct {
		const char *csv, *map, *records, *rejected;
	} rows[] = {
		{ "name,phone\nA,1\n", NULL,
		  "[[2,\"a\",{\"name\":\"A\",\"phone\":\"1\",\"status\":\"operational\"}]]", "[]" },
		{ "name\r\nA\r\n\r\nB", NULL,
		  "[[2,\"a\",{\"name\":\"A\",\"status\":\"operational\"}],[4,\"b\",{\"name\":\"B\",\"status\":\"operational\"}]]",
		  "[]" },
		{ "\xEF\xBB\xBFname\nA\n", NULL,
		  "[[2,\"a\",{\"name\":\"A\",\"status\":\"operational\"}]]", "[]" },
		{ "\xEF\xBB\xBF\"name\"\nA\n", NULL,
		  "[[2,\"a\",{\"name\":\"A\",\"status\":\"operational\"}]]", "[]" },
		/* a quoted line break, and the lines after it */
		{ "name,description\nA,\"x\ny\"\nB,\"\"\"z\"\"\"\n", NULL,
		  "[[2,\"a\",{\"description\":\"x\\ny\",\"name\":\"A\",\"status\":\"operational\"}],"
		  "[4,\"b\",{\"description\":\"\\\"z\\\"\",\"name\":\"B\",\"status\":\"operational\"}]]",
		  "[]" },
		{ "name,phone\nA\nB,1,2\n", NULL, "[]",
		  "[[2,\"has 1 cells where the header has 2\"],[3,\"has 3 cells where the header has 2\"]]" },
		/* the map */
		{ "N,U\nA,7\n", "name=N, source_id = U,primary_category=:school",
		  "[[2,\"7\",{\"name\":\"A\",\"primary_category\":\"school\",\"status\":\"operational\"}]]",
		  "[]" },
		{ "N\nA\n", "name=M", NULL, NULL },
		{ "N\nA\n", "name", NULL, NULL },
		/* values */
		{ "name,status\nA,Closed\nB,\"Open, but proposed to close\"\nC,odd\n", NULL,
		  "[[2,\"a\",{\"name\":\"A\",\"status\":\"permanently_closed\"}],[3,\"b\",{\"name\":\"B\",\"status\":\"operational\"}],"
		  "[4,\"c\",{\"name\":\"C\",\"status\":\"odd\"}]]",
		  "[]" },
		{ "name,price_level,verified\nA,2,Yes\nB,2.7,perhaps\nC,1e300,no\n", NULL,
		  "[[2,\"a\",{\"name\":\"A\",\"price_level\":2,\"status\":\"operational\",\"verified\":true}],"
		  "[3,\"b\",{\"name\":\"B\",\"price_level\":2.7000000000000002,\"status\":\"operational\",\"verified\":\"perhaps\"}],"
		  "[4,\"c\",{\"name\":\"C\",\"price_level\":1.0000000000000001e300,\"status\":\"operational\",\"verified\":false}]]",
		  "[]" },
		{ "name,attributes,other_categories\nA,wifi:free|payment:cash|payment:card|takeaway:yes|odd,pub| bar |\n",
		  NULL,
		  "[[2,\"a\",{\"attributes\":{\"odd\":\"\",\"payment\":[\"cash\",\"card\"],\"takeaway\":true,\"wifi\":\"free\"},"
		  "\"name\":\"A\",\"other_categories\":[\"pub\",\"bar\"],\"status\":\"operational\"}]]",
		  "[]" },
		/* ids */
		{ "name,address.postcode,id\nA B,GU1 3AJ,x\n", NULL,
		  "[[2,\"a-b-gu1-3aj\",{\"address\":{\"postcode\":\"GU1 3AJ\"},\"name\":\"A B\",\"status\":\"operational\"}]]",
		  "[]" },
		{ "name,source,source_id\n,s,1\n", NULL, "[[2,\"1\",{\"status\":\"operational\"}]]",
		  "[]" },
		/* no CSV */
		{ "", NULL, NULL, NULL },
		{ "phone\n1\n", NULL, NULL, NULL },
		{ "name\n\"A\n", NULL, NULL, NULL },
		{ "name\nA\"B\n", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct import im;
		int rc = read_records(*state, &csv_reader, rows[i].map, rows[i].csv,
				      strlen(rows[i].csv), &im);
		json_t *short_form = json_array(), *record;
		size_t k;

		expect_bool(rc == OK, rows[i].records != NULL, rows[i].csv);
		json_array_foreach(im.records, k, record) json_array_append_new(
			short_form,
			json_pack("[O, O, O]", json_object_get(record, "line"),
				  json_object_get(record, "id"), json_object_get(record, "body")));
		if (rows[i].records) {
			expect_text(json_text(*state, short_form), rows[i].records, rows[i].csv);
			expect_text(json_text(*state, im.rejected), rows[i].rejected, rows[i].csv);
		} else {
			assert_int_equal(rc, E_BAD_REQUEST);
			assert_non_null(im.task.failure.message);
		}
		json_decref(short_form);
		forget_records(&im);
	}
}

/* The first row's value of a field, of a file with columns "name" and that field. */
static const char *value_of(void **state, const char *field, const char *cell, size_t len)
{
	char *csv = talloc_asprintf(*state, "name,%s\nA,", field);
	size_t head = strlen(csv);
	const char *value;
	struct import im;

	csv = talloc_realloc_size(*state, csv, head + len + 1);
	memcpy(csv + head, cell, len);
	csv[head + len] = '\n';
	assert_int_equal(read_records(*state, &csv_reader, NULL, csv, head + len + 1, &im), OK);
	value = json_text(
		*state,
		json_object_get(json_object_get(json_array_get(im.records, 0), "body"), field));
	forget_records(&im);
	return value;
}

static void test_bytes_of_old_spreadsheets(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} rows[] = {
		{ "Caf\xc3\xa9", 5, "\"Caf\xc3\xa9\"" },
		{ "Caf\xe9", 4, "\"Caf\xc3\xa9\"" },
		{ "St Mary\x92s", 9, "\"St Mary\xe2\x80\x99s\"" },
		{ "\x80 5 \x96 \xa3 4", 9, "\"\xe2\x82\xac 5 \xe2\x80\x93 \xc2\xa3 4\"" },
		{ "a\x81z", 3, "\"a?z\"" }, /* no character there either */
		{ "a\0z", 3, "\"az\"" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect_text(value_of(state, "description", rows[i].bytes, rows[i].len),
			    rows[i].text, rows[i].text);
}

/* A list that is too long is a bad value, which is reported: it is not an empty list. */
static void test_a_list_that_is_too_long_is_no_empty_list(void **state)
{
	char *cell = talloc_strdup(*state, "a");

	for (int i = 0; i < LIST_MAX; i++)
		cell = talloc_asprintf_append(cell, "|a");
	assert_int_equal(value_of(state, "other_categories", cell, strlen(cell))[0], '"');
	assert_int_equal(value_of(state, "attributes", cell, strlen(cell))[0], '"');
}

static void test_a_cell_that_is_too_long_rejects_its_row(void **state)
{
	char *csv = talloc_strdup(*state, "name\n");
	size_t head = strlen(csv);
	struct import im;

	csv = talloc_realloc_size(*state, csv, head + CELL_MAX + 5);
	memset(csv + head, 'a', CELL_MAX + 1);
	memcpy(csv + head + CELL_MAX + 1, "\nB\n", 4);
	assert_int_equal(read_records(*state, &csv_reader, NULL, csv, head + CELL_MAX + 4, &im),
			 OK);
	assert_int_equal(json_array_size(im.records), 1);
	assert_string_equal(json_text(*state, im.rejected),
			    "[[2,\"a cell is longer than 65536 bytes\"]]");
	forget_records(&im);
}

static void test_places_on_the_grid(void **state)
{
	static const struct {
		const char *east, *north;
		bool place;
	} rows[] = {
		{ "499600", "149500", true }, { "0", "0", false },  { "", "149500", false },
		{ "x", "149500", false },     { "-1", "5", false },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *csv = talloc_asprintf(*state, "name,e,n\nA,%s,%s\n", rows[i].east,
						  rows[i].north);
		struct import im;
		json_t *place;

		assert_int_equal(read_records(*state, &csv_reader,
					      "name=name,location.easting=e,location.northing=n",
					      csv, strlen(csv), &im),
				 OK);
		place = json_object_get(json_object_get(json_array_get(im.records, 0), "body"),
					"location");
		expect_bool(place != NULL, rows[i].place, csv);
		if (place) /* Guildford */
			assert_true((int)(json_number_value(json_object_get(place, "lat")) * 10) ==
				    512);
		forget_records(&im);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_bytes_of_old_spreadsheets),
		cmocka_unit_test(test_a_list_that_is_too_long_is_no_empty_list),
		cmocka_unit_test(test_a_cell_that_is_too_long_rejects_its_row),
		cmocka_unit_test(test_places_on_the_grid),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
