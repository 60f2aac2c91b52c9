#include "router/effects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void nothing_to_do_is_said(void **state)
{
	struct effects effects = { .streams = 3 };
	char *text = effects_text(&effects, NULL);

	assert_string_equal(text, "closes no stream\n");
	free(text);
}

static void each_thing_has_its_line(void **state)
{
	struct effects effects = { .streams = 5, .bounced = 2 };
	char *text;

	effects_close(&effects, "stream 1", FAILURE_NOT_ON_ALLOW_LIST);
	effects_port(&effects, "link to", "edge-a", "dropped");
	text = effects_text(&effects, "no secret");
	assert_string_equal(text, "closes 1 of 5 streams\n"
				  "closes stream 1: not-on-allow-list\n"
				  "bounces 2 stanzas that wait\n"
				  "link to edge-a: dropped\n"
				  "these settings do not work: no secret\n");
	free(text);
}

static void more_than_twenty_are_counted(void **state)
{
	struct effects effects = { .streams = 40, .bounced = 1 };
	size_t lines = 0;
	char *text;

	for (int i = 0; i < 23; i++) {
		effects_close(&effects, "stream", FAILURE_FEDERATION_OFF);
		effects_port(&effects, "attachment", "a", "dropped");
	}
	text = effects_text(&effects, NULL);
	for (const char *c = text; (c = strchr(c, '\n')); c++)
		lines++;
	assert_int_equal(lines, 1 + 21 + 1 + 21);
	assert_non_null(strstr(text, "and 3 more\nbounces 1 stanza that waits\n"));
	assert_string_equal(strrchr(text, 'a'), "and 3 more\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do_is_said),
		cmocka_unit_test(each_thing_has_its_line),
		cmocka_unit_test(more_than_twenty_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
