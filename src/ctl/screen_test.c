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

static void a_line_of_a_table_is_cut_and_a_complaint_is_not(void **state)
{
	static const struct {
		const char *text, *cut;
	} lines[] = {
		{ "", "" },
		{ "a verdict of any length\nshort\n", "a verdict of any length\nshort\n" },
		{ "v\n0123456789\n", "v\n0123456789\n" },
		{ "v\n0123456789a\n", "v\n012345678\xe2\x80\xa6\n" },
		{ "v\n\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc 3456789",
		  "v\n\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc 345\xe2\x80\xa6" },
		{ "v\n! something is wrong\nwarning: of something",
		  "v\n! something is wrong\nwarning: of something" },
	};

	for (size_t i = 0; i < nitems(lines); i++) {
		char *cut = screen_cut(lines[i].text, 10);

		assert_string_equal(cut, lines[i].cut);
		free(cut);
	}
}

static void the_verdict_has_the_colour_of_what_is_worst(void **state)
{
	static const struct {
		const char *text;
		bool wrong;
		const char *shown;
	} texts[] = {
		{ "up\nx\n", false, "\033[1m\033[32mup\033[0m\nx\n" },
		{ "up\nwarning: x\n", false,
		  "\033[1m\033[33mup\033[0m\n\033[33mwarning: x\033[0m\n" },
		{ "down\n! x\n! y", true,
		  "\033[1m\033[31mdown\033[0m\n\033[31m! x\033[0m\n\033[31m! y\033[0m" },
	};

	for (size_t i = 0; i < nitems(texts); i++) {
		char *shown = screen_coloured(texts[i].text, texts[i].wrong);

		assert_string_equal(shown, texts[i].shown);
		free(shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_shown_commands_the_terminal),
		cmocka_unit_test(a_line_of_a_table_is_cut_and_a_complaint_is_not),
		cmocka_unit_test(the_verdict_has_the_colour_of_what_is_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
