#include "router/histogram.h"

#include "ipc/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void counts_are_cumulative_and_end_with_all_and_their_sum(void **state)
{
	static const uint64_t values_ms[] = { 0, 5, 6, 100, 60000, 60001 };
	struct histogram histogram = { 0 };
	struct buffer bytes = { 0 }, text = { 0 };
	struct snapshot_record record;
	struct snapshot *snapshot;
	const char *why;
	char *told;
	size_t place = 0;

	for (size_t i = 0; i < sizeof(values_ms) / sizeof(values_ms[0]); i++)
		histogram_add(&histogram, values_ms[i]);
	snapshot_begin(&bytes, 0, 0);
	histogram_write(&histogram, "latency", &bytes);
	snapshot = snapshot_read((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &why);
	assert_non_null(snapshot);
	while (snapshot_each(snapshot, "histogram", &place, &record)) {
		assert_true(slice_is(record.fields[1], "latency"));
		buffer_printf(&text, "%.*s=%.*s ", SLICE_ARGS(record.fields[2]),
			      SLICE_ARGS(record.fields[3]));
	}
	told = buffer_take_text(&text);
	assert_string_equal(told, "0.005=2 0.01=3 0.025=3 0.05=3 0.1=4 0.25=4 0.5=4 1.0=4 2.5=4 "
				  "5.0=4 10.0=4 30.0=4 60.0=5 +Inf=6 sum=120112000 ");
	free(told);
	snapshot_destroy(&snapshot);
	buffer_finish(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_cumulative_and_end_with_all_and_their_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
