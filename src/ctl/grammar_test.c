#include "ctl/grammar.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define WORDS(...)                                                                                 \
	((const char *const[]){ __VA_ARGS__ }), nitems(((const char *const[]){ __VA_ARGS__ }))

static void a_command_is_found_by_all_its_words(void **state)
{
	size_t used = 0;

	assert_string_equal(command_find(WORDS("status"), &used)->words, "status");
	assert_int_equal(used, 1);
	assert_string_equal(command_find(WORDS("config", "set", "a", "b"), &used)->verb, "set");
	assert_int_equal(used, 2);
	assert_string_equal(command_find(WORDS("notifications"), &used)->verb, "notifications");
	assert_int_equal(used, 1);
	assert_string_equal(command_find(WORDS("notifications", "delete", "3"), &used)->verb,
			    "notification-delete");
	assert_int_equal(used, 2);
	assert_string_equal(command_find(WORDS("notifications", "3"), &used)->verb,
			    "notifications");
	assert_string_equal(command_find(WORDS("home-server", "list"), &used)->verb,
			    "home-servers");
	assert_null(command_find(WORDS("home-server"), &used));
	assert_null(command_find(WORDS("config"), &used));
	assert_null(command_find(WORDS("config set"), &used));
	assert_null(command_find(WORDS("stat"), &used));
	assert_null(command_find(WORDS("statuses"), &used));
	assert_null(command_find(WORDS(""), &used));
	assert_null(command_find(NULL, 0, &used));
}

static void every_command_can_be_asked_for(void **state)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *command = &commands[i];
		bool handed_on = command->place == COMMAND_CONTROL ||
				 command->place == COMMAND_TRAFFIC ||
				 command->place == COMMAND_MANAGE;

		if (handed_on || command->place == COMMAND_HERE)
			assert_int_equal(handed_on, command->verb != NULL);
		assert_true(command->min <= command->max);
		/* a viewer sees how the node does, and nothing of its settings */
		if (command->place == COMMAND_CONTROL || command->place == COMMAND_TRAFFIC)
			assert_true(command->access > ACCESS_VIEW);
	}
}

static void arguments_are_counted(void **state)
{
	size_t used;
	const struct command *set = command_find(WORDS("config", "set"), &used);
	const struct command *get = command_find(WORDS("config", "get"), &used);

	assert_false(command_takes(set, 0));
	assert_true(command_takes(set, 1));
	assert_true(command_takes(set, 64000));
	assert_true(command_takes(get, 1));
	assert_false(command_takes(get, 3));
}

static const struct {
	const char *words[5];
	const char *added; /* name role address pin, or why not */
	bool good;
} nodes[] = {
	{ { "core-a", "role=core", "pin=ab12" }, "core-a core - ab12", true },
	{ { "edge-a", "pin=ab12", "address=192.0.2.1:7400", "role=edge" },
	  "edge-a edge 192.0.2.1:7400 ab12",
	  true },
	{ { "core-a", "role=core" }, "pin= is missing", false },
	{ { "core-a", "pin=ab" }, "role= is missing", false },
	{ { NULL }, "the name is missing", false },
	{ { "core-a", "role=core", "role=edge" }, "the same is said twice", false },
	{ { "core-a", "role=", "pin=ab" }, "a value is missing", false },
	{ { "core-a", "core", "pin=ab" }, "what is not role=, pin= or address=", false },
	{ { "core-a", "port=1", "pin=ab" }, "what is not role=, pin= or address=", false },
};

static void a_node_is_added_by_its_keys_in_any_order(void **state)
{
	for (size_t i = 0; i < nitems(nodes); i++) {
		const char *added[4], *why = NULL;
		size_t count = 0;
		char line[128];

		while (count < 5 && nodes[i].words[count])
			count++;
		assert_int_equal(command_node_add(nodes[i].words, count, added, &why),
				 nodes[i].good);
		if (nodes[i].good) {
			snprintf(line, sizeof(line), "%s %s %s %s", added[0], added[1], added[2],
				 added[3]);
			why = line;
		}
		assert_string_equal(why, nodes[i].added);
	}
}

/* With one space where there was white space. */
static char *unwrapped(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		bool space = *from == ' ' || *from == '\n';

		if (!space)
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
	return text;
}

static void help_names_every_command(void **state)
{
	struct buffer out = { 0 };
	char *text;

	command_help(&out, NULL);
	text = unwrapped(buffer_take_text(&out));
	for (size_t i = 0; i < commands_count; i++) {
		char *line = xasprintf(" %s %s ", commands[i].words, commands[i].help);

		assert_non_null(strstr(text, line));
		free(line);
	}
	free(text);
}

static void assert_fits_a_terminal(struct buffer *out)
{
	char *text = buffer_take_text(out);

	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		if (strcspn(line, "\n") > 79)
			fail_msg("too wide: %.*s", (int)strcspn(line, "\n"), line);
	}
	free(text);
}

static void help_fits_a_terminal_of_80_columns(void **state)
{
	struct buffer out = { 0 };

	command_help(&out, NULL);
	assert_fits_a_terminal(&out);
	for (size_t i = 0; i < commands_count; i++) {
		command_help(&out, &commands[i]);
		assert_fits_a_terminal(&out);
	}
}

static void help_about_one_begins_with_its_usage(void **state)
{
	struct buffer out = { 0 };
	size_t used;
	char *text;

	command_help(&out, command_find(WORDS("config", "get"), &used));
	text = buffer_take_text(&out);
	assert_string_equal(
		text, "usage: sallyport config get [--json] NAME\n\nthe value of one setting\n");
	free(text);
}

static void half_a_command_is_answered_with_what_could_follow(void **state)
{
	struct buffer out = { 0 };
	char *text;

	assert_false(command_usages(&out, "conf"));
	assert_false(command_usages(&out, ""));
	assert_true(command_usages(&out, "config"));
	text = buffer_take_text(&out);
	assert_non_null(strstr(text, "usage: sallyport config get [--json] NAME\n"));
	assert_null(strstr(text, "node"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_found_by_all_its_words),
		cmocka_unit_test(every_command_can_be_asked_for),
		cmocka_unit_test(arguments_are_counted),
		cmocka_unit_test(a_node_is_added_by_its_keys_in_any_order),
		cmocka_unit_test(help_names_every_command),
		cmocka_unit_test(help_fits_a_terminal_of_80_columns),
		cmocka_unit_test(half_a_command_is_answered_with_what_could_follow),
		cmocka_unit_test(help_about_one_begins_with_its_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
