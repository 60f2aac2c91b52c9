#include "admin/series.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1000000 /* the beginning of a step */

/* Counters as JSON text; NULL: traffic is silent. */
static void take(struct series *series, int64_t now_s, const char *counters)
{
	json_t *status = json_pack("{s:o}", "counters",
				   counters ? json_loads(counters, 0, NULL) : json_object());

	assert_non_null(status);
	series_take(series, status, now_s);
	json_decref(status);
}

/* "[1,2,null]" of the last minute, for one figure. */
static char *minute(const struct series *series, const char *figure, int64_t now_s)
{
	json_t *json = series_json(series, 1, now_s);
	json_t *list = json_object_get(json_object_get(json, "series"), figure);
	char *text = json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(6));

	assert_non_null(text);
	json_decref(json);
	return text;
}

static void assert_minute(const struct series *series, const char *figure, int64_t now_s,
			  const char *expected)
{
	char *text = minute(series, figure, now_s);

	assert_string_equal(text, expected);
	free(text);
}

static void counts_are_those_within_the_step(void **state)
{
	struct series *series = series_create();

	take(series, NOW, "{\"stanzas.in\":100,\"stanzas.bounced\":0}");
	take(series, NOW + 2, "{\"stanzas.in\":101,\"stanzas.bounced\":0}");
	take(series, NOW + 10, "{\"stanzas.in\":107,\"stanzas.bounced\":1}");
	take(series, NOW + 21, "{\"stanzas.in\":107,\"stanzas.bounced\":1}");
	assert_minute(series, "stanzas_in", NOW + 25, "[null,null,null,null,7,0]");
	assert_minute(series, "bounces", NOW + 25, "[null,null,null,null,1,0]");
	series_destroy(&series);
}

static void a_process_that_began_anew_has_counted_what_it_says(void **state)
{
	struct series *series = series_create();

	take(series, NOW, "{\"stanzas.in\":100}");
	take(series, NOW + 10, NULL);
	take(series, NOW + 20, "{\"stanzas.in\":3}");
	assert_minute(series, "stanzas_in", NOW + 20, "[null,null,null,null,null,3]");
	series_destroy(&series);
}

static void steps_that_nobody_saw_are_null(void **state)
{
	struct series *series = series_create();

	take(series, NOW, "{\"streams.open\":4}");
	take(series, NOW + 40, "{\"streams.open\":6}");
	assert_minute(series, "streams", NOW + 40, "[null,4,null,null,null,6]");
	assert_minute(series, "streams", NOW + 59, "[null,4,null,null,null,6]");
	assert_minute(series, "streams", NOW + 69, "[null,null,null,6,null,null]");
	series_destroy(&series);
}

static void the_ring_holds_six_hours_and_no_more(void **state)
{
	struct series *series = series_create();
	json_t *json, *list;

	for (int i = 0; i < SERIES_STEPS + 100; i++) {
		char counters[64];

		snprintf(counters, sizeof(counters), "{\"streams.open\":%d}", i);
		take(series, NOW + i * SERIES_STEP_S, counters);
	}
	json = series_json(series, 100000, NOW + (SERIES_STEPS + 99) * SERIES_STEP_S);
	list = json_object_get(json_object_get(json, "series"), "streams");
	assert_int_equal(json_array_size(list), SERIES_STEPS);
	assert_int_equal(json_integer_value(json_array_get(list, 0)), 100);
	assert_int_equal(json_integer_value(json_array_get(list, SERIES_STEPS - 1)),
			 SERIES_STEPS + 99);
	assert_int_equal(json_integer_value(json_object_get(json, "end")),
			 NOW + (SERIES_STEPS + 99) * SERIES_STEP_S);
	json_decref(json);
	series_destroy(&series);
}

static void a_clock_set_back_by_an_hour_begins_anew(void **state)
{
	struct series *series = series_create();

	take(series, NOW, "{\"streams.open\":1}");
	take(series, NOW - 20, "{\"streams.open\":2}"); /* it will be there again soon */
	assert_minute(series, "streams", NOW, "[null,null,null,null,null,1]");
	take(series, NOW - 3600, "{\"streams.open\":3}");
	assert_minute(series, "streams", NOW - 3600, "[null,null,null,null,null,3]");
	assert_minute(series, "streams", NOW, "[null,null,null,null,null,null]");
	series_destroy(&series);
}

static void latency(struct series *series, int64_t now_s, int fast, int all, int endless)
{
	json_t *status =
		json_pack("{s:{}, s:[{s:s,s:s,s:i},{s:s,s:s,s:i},{s:s,s:s,s:i},{s:s,s:s,s:i}]}",
			  "counters", "histograms", "name", "latency", "le", "0.01", "count", fast,
			  "name", "latency", "le", "0.1", "count", all, "name", "latency", "le",
			  "+Inf", "count", endless, "name", "latency", "le", "sum", "count", 5);

	assert_non_null(status);
	series_take(series, status, now_s);
	json_decref(status);
}

static void quantiles_are_of_what_came_within_the_step(void **state)
{
	struct series *series = series_create();

	latency(series, NOW, 1000, 1000, 1000);
	latency(series, NOW + 10, 1050, 1100, 1100); /* 50 up to 10 ms, 50 up to 100 */
	latency(series, NOW + 20, 1050, 1100, 1100); /* none */
	latency(series, NOW + 30, 10, 10, 20);	     /* began anew; half beyond all bounds */
	assert_minute(series, "latency_p50_ms", NOW + 30, "[null,null,null,10.0,null,10.0]");
	assert_minute(series, "latency_p99_ms", NOW + 30, "[null,null,null,98.2,null,100.0]");
	series_destroy(&series);
}

static void nothing_seen_is_null(void **state)
{
	struct series *series = series_create();

	assert_minute(series, "streams", NOW, "[null,null,null,null,null,null]");
	series_destroy(&series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_those_within_the_step),
		cmocka_unit_test(a_process_that_began_anew_has_counted_what_it_says),
		cmocka_unit_test(steps_that_nobody_saw_are_null),
		cmocka_unit_test(the_ring_holds_six_hours_and_no_more),
		cmocka_unit_test(a_clock_set_back_by_an_hour_begins_anew),
		cmocka_unit_test(quantiles_are_of_what_came_within_the_step),
		cmocka_unit_test(nothing_seen_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
