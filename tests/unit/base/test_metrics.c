/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the metrics: sums over slots, what a restarted worker keeps, and the text form's buckets. */
#include "test.h"
#include "base/error.h"
#include "base/metrics.c"

static const char *name_of(int route)
{
	static const char *const names[] = { "none", "GET /v1/businesses" };

	return route < (int)COUNT_OF(names) ? names[route] : NULL;
}

static const char *printed(void **state)
{
	struct buf text;

	buf_init(&text, *state, 1 << 20);
	metrics_print(&text, name_of);
	return buf_text(&text);
}

static void expect_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	expect_bool(at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n', true, line);
}

static void test_slots_are_summed_and_survive_a_restart(void **state)
{
	(void)state;
	assert_int_equal(metrics_setup(), 0);
	metrics_use_slot(1);
	metric_add(METRIC_CONNECTIONS, 3);
	metric_add(METRIC_CONNECTIONS_TOTAL, 3);
	metrics_use_slot(2);
	metric_add(METRIC_CONNECTIONS, 2);
	metric_add(METRIC_CONNECTIONS_TOTAL, 2);
	assert_int_equal(metric_sum(METRIC_CONNECTIONS), 5);
	/* worker 1 died and is started again: its connections are gone, what it counted is not */
	metrics_use_slot(1);
	assert_int_equal(metric_sum(METRIC_CONNECTIONS), 2);
	assert_int_equal(metric_sum(METRIC_CONNECTIONS_TOTAL), 5);
	metrics_use_slot(METRIC_SLOTS_MAX - 1);
	metric_add(METRIC_CONNECTIONS, -2);
	assert_int_equal(metric_sum(METRIC_CONNECTIONS), 0);
}

static void test_a_duration_on_a_bound_is_within_it(void **state)
{
	const char *text;

	metric_request(1, 200, 500);
	metric_request(1, 200, 501);
	metric_request(1, 503, 200000);
	metric_request(1, 404, UINT32_MAX);
	text = printed(state);
	expect_line(text,
		    "guildford_http_requests_total{route=\"GET /v1/businesses\",status=\"200\"} 2");
	expect_line(text,
		    "guildford_http_requests_total{route=\"GET /v1/businesses\",status=\"503\"} 1");
	expect_line(
		text,
		"guildford_http_request_duration_seconds_bucket{route=\"GET /v1/businesses\",le=\"0.0005\"} 1");
	expect_line(
		text,
		"guildford_http_request_duration_seconds_bucket{route=\"GET /v1/businesses\",le=\"0.001\"} 2");
	expect_line(
		text,
		"guildford_http_request_duration_seconds_bucket{route=\"GET /v1/businesses\",le=\"0.2\"} 3");
	expect_line(
		text,
		"guildford_http_request_duration_seconds_bucket{route=\"GET /v1/businesses\",le=\"10\"} 3");
	expect_line(
		text,
		"guildford_http_request_duration_seconds_bucket{route=\"GET /v1/businesses\",le=\"+Inf\"} 4");
	expect_line(
		text,
		"guildford_http_request_duration_seconds_count{route=\"GET /v1/businesses\"} 4");
	assert_null(strstr(text, "route=\"none\"")); /* nothing happened to it */
}

static void test_every_metric_has_its_help_and_type(void **state)
{
	const char *text = printed(state);

	for (int m = 0; m < METRICS; m++) {
		const struct metric_row *row = &metric_rows[m];

		expect_line(text, talloc_asprintf(*state, "# HELP %s %s", row->name, row->doc));
		expect_line(text, talloc_asprintf(*state, "# TYPE %s %s", row->name,
						  row->type == COUNTER ? "counter" : "gauge"));
		/* the naming rule of the exposition format */
		expect_bool(row->type == COUNTER,
			    strcmp(row->name + strlen(row->name) - 6, "_total") == 0, row->name);
	}
	metric_add(METRIC_DB_SECONDS, 1500000);
	expect_line(printed(state), "guildford_database_seconds_total 1.500000");
}

/* A status that the errors table has and this one lacks would be counted as 0. */
static void test_every_error_has_a_place(void **state)
{
	(void)state;
	for (int i = 1; i < ERROR_CODES; i++)
		assert_int_not_equal(status_index(errors[i].status), 0);
	assert_int_equal(statuses[status_index(201)], 201);
	assert_int_equal(status_index(299), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots_are_summed_and_survive_a_restart),
		cmocka_unit_test(test_a_duration_on_a_bound_is_within_it),
		cmocka_unit_test(test_every_metric_has_its_help_and_type),
		cmocka_unit_test(test_every_error_has_a_place),
	};

	return cmocka_run_group_tests(tests, new_memory, free_memory);
}
