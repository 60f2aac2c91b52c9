#include "ctl/pages.h"

#include "base/alloc.h"
#include "ctl/grammar.h"
#include "tables/alarms.h"
#include "tables/events.h"
#include "tables/settings.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *filled(const char *text)
{
	struct buffer out = { 0 };
	char *why = NULL;

	assert_true(pages_fill(&out, slice_of(text), &why));
	return buffer_take_text(&out);
}

static char *roff(const char *text)
{
	struct buffer out = { 0 };

	pages_roff_text(&out, text);
	return buffer_take_text(&out);
}

static void assert_in(const char *page, char *text)
{
	if (!strstr(page, text))
		fail_msg("not in the page: %s", text);
	free(text);
}

static void lines_of_the_template_stay_but_for_those_that_name_a_table(void **state)
{
	struct buffer out = { 0 };
	char *why = NULL, *page = filled("a\n@ b\n@@\n\nc@");

	assert_string_equal(page, "a\n@ b\n@@\n\nc@\n");
	free(page);
	assert_false(pages_fill(&out, slice_of("a\n@commands html@\n"), &why));
	assert_string_equal(why, "@commands html@: no such table, or not in this form");
	free(why);
	buffer_finish(&out);
}

static void text_cannot_become_a_request_of_roff(void **state)
{
	static const struct {
		const char *text, *roff;
	} rows[] = {
		{ "a `b` c", "a \\fBb\\fR c" }, { ".TH\n'so x", "\\&.TH\n\\&'so x" },
		{ "a.b 'c'", "a.b 'c'" },	{ "--json", "\\-\\-json" },
		{ "a\\fBb", "a\\efBb" },	{ "`.x`", "\\fB.x\\fR" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char *text = roff(rows[i].text);

		assert_string_equal(text, rows[i].roff);
		free(text);
	}
}

static void the_page_has_every_command_with_its_help(void **state)
{
	char *page = filled("@commands roff@\n");

	for (size_t i = 0; i < commands_count; i++) {
		char *words = roff(commands[i].words), *help = roff(commands[i].help + 1);

		assert_in(page, xasprintf(".TP\n\\fB%s\\fR", words));
		assert_in(page, xasprintf("%s.\n", help));
		free(words);
		free(help);
	}
	assert_in(page, xstrdup("\\fBconfig set\\fR [\\fB\\-\\-dry\\-run\\fR] \\fINAME\\fR "
				"[\\fIVALUE\\fR...]\n"));
	assert_in(page, xstrdup("[\\fBverify=\\fR\\fBca\\fR|\\fBoff\\fR|\\fIPIN\\fR]"));
	free(page);
}

static void the_page_has_every_setting_with_limits_default_and_help(void **state)
{
	char *page = filled("@settings roff@\n");

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings[i];
		char *name = roff(row->name), *help = roff(row->help + 1);
		char *otherwise = roff(row->otherwise ? row->otherwise : "");

		if (row->internal) {
			char *entry = xasprintf("\n.B %s\n", name);

			assert_null(strstr(page, entry));
			free(entry);
		} else {
			assert_in(page, xasprintf("\n.B %s\n", name));
			assert_in(page, xasprintf("%s.\n", help));
			if (row->otherwise)
				assert_in(page, xasprintf("; default %s.\n", otherwise));
			if (row->unit)
				assert_in(page,
					  xasprintf("\n%" PRId64 " to %" PRId64 " %s; default",
						    row->fields[0].min, row->fields[0].max,
						    row->unit));
		}
		free(name);
		free(help);
		free(otherwise);
	}
	free(page);
}

static void the_pages_have_every_alarm_event_and_module(void **state)
{
	char *alarms = filled("@alarms roff@\n"), *events = filled("@events roff@\n");
	char *modules = filled("@modules roff@\n");

	for (size_t i = 0; i < ALARM_COUNT; i++)
		assert_in(alarms, xasprintf("\\fB%u %s\\fR (%s)\nCause: ", alarm_rows[i].number,
					    alarm_rows[i].title, alarm_rows[i].severity));
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		char *location = roff(event_rows[i].location);

		assert_in(events, xasprintf("\n\\fB%s\\fR (", location));
		free(location);
	}
	for (size_t i = 0; i < EVENT_MODULE_COUNT; i++)
		assert_in(modules,
			  xasprintf("\\fB%s\\fR\n", event_module_name((enum event_module)i)));
	free(alarms);
	free(events);
	free(modules);
}

static void shells_are_offered_what_the_grammar_has(void **state)
{
	static const struct {
		const char *command, *offers;
	} rows[] = {
		{ "status", "--json --all" },
		{ "config set", "--dry-run @setting @values" },
		{ "config show", "--json @setting" },
		{ "config apply", "--dry-run @file" },
		{ "completion", "bash zsh fish" },
		{ "doctor", "--json here" },
		{ "join", "" },
		{ "account add", "admin operator viewer" },
		{ "home-server add", "address= user= password= verify=ca verify=off verify=" },
		{ "node add", "role=edge role=core role=home pin= address=" },
	};
	char *page = filled("@commands sh@\n");

	for (size_t i = 0; i < nitems(rows); i++) {
		char *row = xasprintf("\n'%s\t", rows[i].command), *found, *end;

		found = strstr(i ? page : page - 0, row + (i ? 0 : 1));
		assert_non_null(found);
		end = xasprintf("\t%s'\n", rows[i].offers);
		found = strstr(found, "\t");
		found = strstr(found + 1, "\t");
		if (strncmp(found, end, strlen(end)) != 0)
			fail_msg("%s: %.*s", rows[i].command, (int)strcspn(found, "\n"), found);
		free(row);
		free(end);
	}
	free(page);
}

static void a_quote_cannot_end_a_row(void **state)
{
	char *sh = filled("@commands sh@\n"), *fish = filled("@commands fish@\n");

	assert_in(sh, xstrdup("'node self\tthis node'\\''s name, role and pin\t--json'\n"));
	assert_in(fish, xstrdup("'node self\tthis node\\'s name, role and pin\t--json' \\\n"));
	free(sh);
	free(fish);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_the_template_stay_but_for_those_that_name_a_table),
		cmocka_unit_test(text_cannot_become_a_request_of_roff),
		cmocka_unit_test(the_page_has_every_command_with_its_help),
		cmocka_unit_test(the_page_has_every_setting_with_limits_default_and_help),
		cmocka_unit_test(the_pages_have_every_alarm_event_and_module),
		cmocka_unit_test(shells_are_offered_what_the_grammar_has),
		cmocka_unit_test(a_quote_cannot_end_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
