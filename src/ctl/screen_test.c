#include "ctl/screen.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *text, *shown;
} rows[] = {
	{ "", "" },
	{ "edge-a\tup\n", "edge-a\tup\n" },
	{ "gr\xc3\xbc\xc3\x9f "
	  "dich\n",
	  "gr\xc3\xbc\xc3\x9f "
	  "dich\n" },
	{ "\x1b]0;owned\x07", "?]0;owned?" },
	{ "a\rb\x7f", "a?b?" },
	{ "\xc2\x9b"
	  "2J",
	  "?2J" },						    /* CSI as C1 */
	{ "moc.\xe2\x80\xaelive", "moc.?live" },		    /* U+202E */
	{ "\xe2\x81\xa6x\xe2\x81\xa9", "?x?" },			    /* U+2066, U+2069 */
	{ "\xe2\x80\xa6\xe2\x82\xac", "\xe2\x80\xa6\xe2\x82\xac" }, /* an ellipsis and a euro */
	{ "\xe2", "\xe2" },
	{ "\xe2\x80", "\xe2\x80" },
};

static void nothing_shown_commands_the_terminal(void **state)
{
	for (size_t i = 0; i < nitems(rows); i++) {
		char *shown = screen_text(slice_of(rows[i].text));

		assert_string_equal(shown, rows[i].shown);
		free(shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_shown_commands_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
