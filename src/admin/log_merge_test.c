#include "admin/log_merge.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define AT(second) "2026-11-24T12:00:" second ".000000+00:00 "

static char *merged(const char *const *logs, size_t count)
{
	struct log_merge merge = { 0 };
	struct buffer out = { 0 };
	struct slice line;
	uint64_t bytes;

	for (size_t i = 0; i < count; i++)
		assert_true(log_merge_add(&merge, slice_of(logs[i])));
	bytes = log_merge_bytes(&merge);
	while (log_merge_next(&merge, &line))
		buffer_printf(&out, "%.*s\n", SLICE_ARGS(line));
	assert_int_equal(buffer_len(&out), bytes);
	return buffer_take_text(&out);
}

static void lines_come_by_time(void **state)
{
	const char *const logs[] = { AT("01") "a\n" AT("04") "b\n", AT("02") "c\n" AT("03") "d\n",
				     "" };
	char *text = merged(logs, nitems(logs));

	assert_string_equal(text, AT("01") "a\n" AT("02") "c\n" AT("03") "d\n" AT("04") "b\n");
	free(text);
}

/* A log's own order is kept, even where its times go back; at the same time the first log leads. */
static void lines_of_a_log_stay_in_order(void **state)
{
	const char *const logs[] = { AT("05") "a\n" AT("01") "b\n", AT("05") "c\n" };
	char *text = merged(logs, nitems(logs));

	assert_string_equal(text, AT("05") "a\n" AT("01") "b\n" AT("05") "c\n");
	free(text);
}

static void a_last_line_without_an_end_gets_one(void **state)
{
	const char *const logs[] = { AT("01") "a", "short\n" };
	char *text = merged(logs, nitems(logs));

	assert_string_equal(text, AT("01") "a\nshort\n");
	free(text);
}

static void more_logs_than_there_is_room_for_are_refused(void **state)
{
	struct log_merge merge = { 0 };

	for (int i = 0; i < LOG_MERGE_MAX; i++)
		assert_true(log_merge_add(&merge, slice_of("x\n")));
	assert_false(log_merge_add(&merge, slice_of("x\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_by_time),
		cmocka_unit_test(lines_of_a_log_stay_in_order),
		cmocka_unit_test(a_last_line_without_an_end_gets_one),
		cmocka_unit_test(more_logs_than_there_is_room_for_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
