#include "base/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
	int64_t seconds;
	const char *text;
} rows[] = {
	{ 0, "1970-01-01T00:00:00Z" },
	{ 951782399, "2000-02-28T23:59:59Z" },
	{ 951782400, "2000-02-29T00:00:00Z" },
	{ 4102444800, "2100-01-01T00:00:00Z" },
	{ INT64_MAX, "" },
	{ INT64_MIN, "" },
};

static void a_time_is_shown_in_utc(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[UTC_BYTES] = "x";

		utc_text(rows[i].seconds, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_shown_in_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
