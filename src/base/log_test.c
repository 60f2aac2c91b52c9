#include "base/log.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/log_escape.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2];

static int open_pipe(void **state)
{
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	log_to(ends[1]);
	return 0;
}

static int close_pipe(void **state)
{
	log_to(STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write("network.dns", LOG_LEVEL_INFO, "dns.answer", format, args);
	va_end(args);
}

static const char *heard(void)
{
	static char line[2 * LOG_LINE_BYTES];
	ssize_t n = read(ends[0], line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static const char *detail(void)
{
	char *text = strstr(heard(), "Detail=\"");

	assert_non_null(text);
	text += strlen("Detail=\"");
	text[strlen(text) - 2] = '\0'; /* quote and end of line */
	return text;
}

static void a_line_has_the_one_grammar(void **state)
{
	regex_t grammar;

	assert_int_equal(regcomp(&grammar,
				 "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
				 "\\.[0-9]{6}\\+00:00 edge-a sallyport-traffic\\[[0-9]+\\]: "
				 "Module=\"network\\.dns\" Level=\"INFO\" "
				 "CodeLocation=\"dns\\.answer\" Detail=\"xcoder=34A9B60C8\"\n$",
				 REG_EXTENDED | REG_NOSUB),
			 0);
	log_init("edge-a", "sallyport-traffic");
	say("xcoder=%s", "34A9B60C8");
	assert_int_equal(regexec(&grammar, heard(), 0, NULL, 0), 0);
	regfree(&grammar);
}

/* SEC-24 */
static void what_peers_write_stays_inside_its_field(void **state)
{
	static const struct {
		const char *said, *logged;
	} rows[] = {
		{ "<db:result from='a.example' to='b.example'>9b4c..</db:result>",
		  "<db:result from='a.example' to='b.example'>9b4c..</db:result>" },
		{ "a\" Level=\"ERROR", "a\\\" Level=\\\"ERROR" },
		{ "a\\", "a\\\\" },
		{ "one\ntwo\r\n\tthree", "one\\u000atwo\\u000d\\u000a\\u0009three" },
		{ "\033[31mred\007", "\\u001b[31mred\\u0007" },
		{ "\302\233[31m", "\\u009b[31m" },
		{ "user\342\200\256gnp.exe", "user\\u202egnp.exe" },
		{ "\342\201\246isolate\342\201\251", "\\u2066isolate\\u2069" },
		{ "line\342\200\250separator", "line\\u2028separator" },
		{ "m\303\274nchen.example", "m\303\274nchen.example" },
		{ "\360\237\230\200", "\360\237\230\200" },
		{ "\363\240\201\201", "\\U000e0041" },		   /* an invisible tag */
		{ "bad\377\300\257end", "bad\\xff\\xc0\\xafend" }, /* overlong slash */
		{ "cut\342\200", "cut\\xe2\\x80" },
		{ "\355\240\200", "\\xed\\xa0\\x80" }, /* a surrogate */
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		say("%s", rows[i].said);
		assert_string_equal(detail(), rows[i].logged);
	}
}

static void a_long_detail_is_cut_and_says_so(void **state)
{
	char *name = xmalloc(100001);
	const char *line;

	for (int c = 1; c < 128; c += 63) { /* grows sixfold, not at all, sixfold */
		memset(name, c, 100000);
		name[100000] = '\0';
		say("peer=%s", name);
		line = heard();
		assert_true(strlen(line) <= LOG_LINE_BYTES);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		assert_non_null(strstr(line, "...(truncated)\"\n"));
	}
	free(name);
}

static void one_value_cannot_pose_as_two_nor_push_others_out(void **state)
{
	char *name = xmalloc(100001);

	memset(name, 'a', 100000);
	name[100000] = '\0';
	say("peer=%s why=%s", log_text("x auth=external"), log_text("100%"));
	assert_string_equal(detail(), "peer=x%20auth%3Dexternal why=100%25");
	say("peer=%s why=refused", log_text(name));
	assert_non_null(strstr(detail(), "aaa...(truncated) why=refused"));
	say("peer=%s", log_text(NULL));
	assert_string_equal(detail(), "peer=-");
	free(name);
}

static void fields_of_their_own_stand_instead_of_detail(void **state)
{
	char *name = xmalloc(100001);
	const char *line;
	const struct log_field fields[] = {
		{ "Action", "Send" }, { "URL", "https://a\" Level=\"ERROR\n" },
		{ "Status", NULL },   { "Long", name },
		{ "Last", "x" },      { NULL }
	};

	memset(name, 1, 100000); /* grows sixfold */
	name[100000] = '\0';
	log_write_fields("network.axl", LOG_LEVEL_INFO, NULL, fields);
	line = heard();
	assert_non_null(strstr(line,
			       ": Module=\"network.axl\" Level=\"INFO\" Action=\"Send\" "
			       "URL=\"https://a\\\" Level=\\\"ERROR\\u000a\" Long=\"\\u0001"));
	assert_true(strlen(line) <= LOG_LINE_BYTES);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_non_null(strstr(line, "...(truncated)\""));
	name[2] = '\0';
	log_write_fields("network.axl", LOG_LEVEL_INFO, "axl.call", fields);
	assert_non_null(strstr(heard(), "CodeLocation=\"axl.call\" Action="));
	free(name);
}

static void a_reader_that_sleeps_costs_lines_not_time(void **state)
{
	uint64_t before = log_dropped();
	bool told = false;
	const char *line;

	for (int i = 0; i < 5000; i++)
		say("number=%d", i);
	assert_true(log_dropped() > before);
	while (*heard())
		;
	say("awake");
	line = heard();
	told = strstr(line, "CodeLocation=\"log.dropped\" Detail=\"lines=") != NULL;
	assert_true(told);
	assert_non_null(strstr(line, "Detail=\"awake\""));
	before = log_dropped();
	say("again");
	assert_int_equal(log_dropped(), before);
	assert_null(strstr(heard(), "log.dropped"));
}

static void levels_have_names(void **state)
{
	enum log_level level;

	assert_true(log_level_read("debug", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_string_equal(log_level_name(level), "DEBUG");
	assert_false(log_level_read("loud", &level));
}

static bool hear(void *arg, struct slice line)
{
	struct buffer *all = arg;

	buffer_append_slice(all, line);
	buffer_append_text(all, "|");
	return buffer_len(all) < 300;
}

static void lines_can_go_elsewhere_forwarded_ones_too(void **state)
{
	struct buffer all = { 0 };
	uint64_t before = log_dropped();
	char *text;

	log_divert(hear, &all);
	say("a=%s", "1\n2");
	log_forward(slice_of("a child's\033line"));
	say("refused, for all is full: %0300d", 0);
	log_divert(NULL, NULL);
	text = buffer_take_text(&all);
	assert_non_null(strstr(text, " Detail=\"a=1\\u000a2\"|a child's?line|"));
	assert_null(strchr(text, '\n'));
	assert_int_equal(log_dropped(), before + 1);
	assert_string_equal(heard(), "");
	free(text);
}

static void what_is_escaped_is_safe_and_what_is_not_is_not(void **state)
{
	static const char *const unsafe[] = { "\n", "\033[31m", "\302\233", "user\342\200\256gnp",
					      "bad\377" };

	assert_true(log_is_safe(slice_of("m\303\274nchen \"quoted\" \\")));
	for (size_t i = 0; i < nitems(unsafe); i++) {
		char out[100];
		size_t len = log_escape(out, sizeof(out), slice_of(unsafe[i]), true);

		assert_false(log_is_safe(slice_of(unsafe[i])));
		assert_true(log_is_safe((struct slice){ out, len }));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_has_the_one_grammar, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(what_peers_write_stays_inside_its_field, open_pipe,
						close_pipe),
		cmocka_unit_test_setup_teardown(a_long_detail_is_cut_and_says_so, open_pipe,
						close_pipe),
		cmocka_unit_test_setup_teardown(one_value_cannot_pose_as_two_nor_push_others_out,
						open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(fields_of_their_own_stand_instead_of_detail,
						open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_reader_that_sleeps_costs_lines_not_time,
						open_pipe, close_pipe),
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test_setup_teardown(lines_can_go_elsewhere_forwarded_ones_too,
						open_pipe, close_pipe),
		cmocka_unit_test(what_is_escaped_is_safe_and_what_is_not_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
