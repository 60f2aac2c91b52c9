#include "tables/events.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2];

static const char *heard(void)
{
	static char line[LOG_LINE_BYTES];
	ssize_t n = read(ends[0], line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static void every_row_is_complete(void **state)
{
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		assert_non_null(event_rows[i].location);
		assert_true(strlen(event_rows[i].location) > 0);
		assert_true(strlen(event_rows[i].text) > 0);
		assert_true(event_rows[i].module < EVENT_MODULE_COUNT);
	}
}

static void levels_are_per_module_and_change_at_run_time(void **state)
{
	log_event(EVENT_STREAM_OUT, "hidden=%d", 1); /* DEBUG */
	assert_string_equal(heard(), "");
	assert_true(log_set_level("developer.xcp.cm", LOG_LEVEL_DEBUG));
	log_event(EVENT_STREAM_OUT, "xcoder=%s Scheduling dialback timeout in %d secs.",
		  "34A9B60C8", 30);
	assert_non_null(strstr(heard(), "Module=\"developer.xcp.cm\" Level=\"DEBUG\" "
					"CodeLocation=\"stream.out\" Detail=\"xcoder=34A9B60C8 "
					"Scheduling dialback timeout in 30 secs.\"\n"));
	log_event(EVENT_DNS_ANSWER, "other=%s", "module");
	assert_string_equal(heard(), "");
	assert_true(log_set_level("developer.xcp.cm", LOG_LEVEL_ERROR));
	log_event(EVENT_STANZA_OUT, "hidden=%d", 1); /* INFO */
	assert_string_equal(heard(), "");
	assert_false(log_set_level("no.such.module", LOG_LEVEL_INFO));
}

static void the_lines_of_axl_are_those_of_the_original(void **state)
{
	log_fields(EVENT_AXL_CALL, { "Action", "Receive" },
		   { "URL", "https://cups.example.net:8443/axl/" },
		   { "Function", "executeSQLQuery" }, { "Status", "401" }, { "Reason", "None" });
	assert_non_null(strstr(heard(), "Module=\"network.axl\" Level=\"INFO\" Action=\"Receive\" "
					"URL=\"https://cups.example.net:8443/axl/\" "
					"Function=\"executeSQLQuery\" Status=\"401\" "
					"Reason=\"None\"\n"));
	log_fields(EVENT_AXL_SYNCED, { "server", "home-a" });
	assert_non_null(strstr(heard(), "CodeLocation=\"axl.synced\" server=\"home-a\"\n"));
}

static int costly_calls;
static int costly(void)
{
	return ++costly_calls;
}

static void what_is_off_costs_nothing(void **state)
{
	log_event(EVENT_DNS_ANSWER, "n=%d", costly());
	assert_int_equal(costly_calls, 0);
	log_event(EVENT_DNS_FAILED, "n=%d", costly());
	assert_int_equal(costly_calls, 1);
	heard();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(levels_are_per_module_and_change_at_run_time),
		cmocka_unit_test(the_lines_of_axl_are_those_of_the_original),
		cmocka_unit_test(what_is_off_costs_nothing),
	};

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return 1;
	log_to(ends[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
